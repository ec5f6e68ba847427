//! An Exchange organization as its servers and its directory hold it (facts 0.4), and an observation of one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::SocketAddr,
    str::FromStr,
};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{
    certificate::Certificate,
    dn::TlsCertificateName,
    endpoint::Endpoint,
    fact::Fact,
    names::{ConnectorName, DnsName, ServerName},
    service::Services,
    thumbprint::Thumbprint,
    time::Timestamp,
    version::{Role, ServerVersion},
};

/// What a driver saw. Possibly incomplete, and already old by the time anyone reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Observed {
    /// The format of this file.
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// When it was seen.
    pub at: Timestamp,
    /// By which driver.
    pub driver: String,
    /// What was seen.
    pub organization: Organization,
}

/// Everything that decides about certificates in an Exchange organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Its Exchange servers.
    pub servers: BTreeMap<ServerName, Server>,
    /// `Get-SendConnector`.
    pub send_connectors: Fact<BTreeMap<ConnectorName, SendConnector>>,
    /// `Get-AcceptedDomain`.
    pub accepted_domains: Fact<Vec<AcceptedDomain>>,
    /// `Get-HybridConfiguration`; absent when the organization is not hybrid.
    pub hybrid: Fact<Option<HybridConfiguration>>,
    /// `Get-AuthConfig`; absent before Exchange 2013.
    pub auth: Fact<Option<AuthConfig>>,
    /// `Get-FederationTrust`; absent when there is none.
    pub federation: Fact<Option<FederationTrust>>,
    /// `Get-EdgeSubscription`.
    pub edge_subscriptions: Fact<Vec<EdgeSubscription>>,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Server {
    /// `Fqdn` of `Get-ExchangeServer`.
    pub fqdn: Fact<DnsName>,
    /// `AdminDisplayVersion`. It is the build of the cumulative update, not of the security update (sample S16).
    pub version: Fact<ServerVersion>,
    /// Its roles.
    pub roles: Fact<BTreeSet<Role>>,
    /// `LocalMachine\My`: the certificates that have a private key, and those that lost it where a driver can see them.
    pub certificates: Fact<CertificateStore>,
    /// Requests waiting for their certificate, from `LocalMachine\REQUEST`.
    pub requests: Fact<Vec<PendingRequest>>,
    /// `msExchServerInternalTLSCert` of the server object: the internal transport or default SMTP certificate. It may
    /// name a certificate that is not in the store any more (facts 5.2).
    pub internal_transport: Fact<Option<Thumbprint>>,
    /// `Get-PopSettings`; absent on an Edge server.
    pub pop: Fact<Option<MailAccess>>,
    /// `Get-ImapSettings`; absent on an Edge server.
    pub imap: Fact<Option<MailAccess>>,
    /// `Get-UMService` and `Get-UMCallRouterSettings`; absent where the product has no Unified Messaging.
    pub um: Fact<Option<UnifiedMessaging>>,
    /// The https bindings of all IIS sites, with the hash http.sys holds for each. The hash may belong to no certificate
    /// of the store any more (facts 7.3).
    pub sites: Fact<BTreeMap<SiteBinding, Option<Thumbprint>>>,
    /// `Get-ReceiveConnector -Server`.
    pub receive_connectors: Fact<BTreeMap<ConnectorName, ReceiveConnector>>,
    /// Where its endpoints really listen, when that is not the server's own address: the lab's loopback ports.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub endpoints: BTreeMap<Endpoint, SocketAddr>,
}

/// The certificates of one store, by thumbprint. A list in JSON: thumbprints are computed, never read.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<StoredCertificate>", into = "Vec<StoredCertificate>")]
pub struct CertificateStore(pub BTreeMap<Thumbprint, StoredCertificate>);

/// A certificate in a server's store, with what Windows and Exchange know about it beyond its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// `HasPrivateKey`.
    pub has_private_key: bool,
    /// `PrivateKeyExportable`, decided when it was imported (facts 1.4).
    pub exportable: Fact<bool>,
    /// `FriendlyName`; may be empty.
    pub friendly_name: Fact<String>,
    /// `Services`: a computed display (facts 2.2). Only SMTP (the key's access rule) and UM are the certificate's own.
    pub services: Fact<Services>,
    /// `RootCAType`.
    pub root_type: Fact<RootType>,
    /// `Status`.
    pub status: Fact<CertificateStatus>,
}

/// A request for which the CA's answer is awaited. Windows keeps a stand-in certificate for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PendingRequest {
    /// The stand-in: it has the subject, the names and the key of the request.
    pub certificate: Certificate,
    /// `FriendlyName`.
    pub friendly_name: Fact<String>,
}

/// `RootCAType`: where the root of the chain is trusted from (facts 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum RootType {
    /// In no root store.
    None,
    /// A public root. The Hybrid Configuration Wizard lists only these.
    ThirdParty,
    /// From the enterprise store of Active Directory.
    Enterprise,
    /// In the server's own root store.
    Registry,
    /// By group policy.
    GroupPolicy,
    /// Not determined.
    Unknown,
}

/// `Status` (facts 2.4). It costs a chain build at read time and is not the truth about expiry: `NotAfter` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum CertificateStatus {
    /// Not determined.
    Unknown,
    /// In order.
    Valid,
    /// Revoked by its CA.
    Revoked,
    /// Expired, or not valid yet.
    DateInvalid,
    /// The chain ends in no trusted root.
    Untrusted,
    /// Something else is wrong.
    Invalid,
    /// Revocation could not be looked up. The certificate still works.
    RevocationCheckFailure,
    /// A request that waits for its certificate.
    PendingRequest,
}

/// Settings of the POP3 or IMAP4 service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailAccess {
    /// `X509CertificateName`: the service uses a certificate that has this name.
    pub x509_certificate_name: Option<DnsName>,
}

/// Settings of Unified Messaging: a certificate is used only in the modes TLS and Dual (facts 3.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnifiedMessaging {
    /// `UMStartupMode` of the UM service; absent where the server does not have the service.
    pub service: Option<UmStartupMode>,
    /// `UMStartupMode` of the call router; absent where the server does not have one.
    pub call_router: Option<UmStartupMode>,
}

/// `UMStartupMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum UmStartupMode {
    /// Plain only; the default.
    #[serde(rename = "TCP")]
    Tcp,
    /// TLS only.
    #[serde(rename = "TLS")]
    Tls,
    /// Both.
    Dual,
}

/// One https binding of an IIS site. Written `Default Web Site:443`, with an address `Default Web Site:127.0.0.1:443`,
/// with a host name (SNI) `Default Web Site:443:autodiscover.contoso.com`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteBinding {
    /// The site's name.
    pub site: String,
    /// The IP address; absent when it listens on all of them, which IIS writes as an empty text or `*`.
    pub address: Option<String>,
    /// The port.
    pub port: u16,
    /// The host name it is chosen by (SNI); absent when it answers to any.
    pub host: Option<DnsName>,
}

/// A text that is not a binding of an IIS site.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not an IIS binding; write SITE:PORT, SITE:ADDRESS:PORT or SITE:PORT:HOST, like Default Web Site:443"
)]
pub struct SiteBindingError(String);

/// A send connector: an object of the organization, used by its source servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SendConnector {
    /// `SourceTransportServers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source_servers: Vec<ServerName>,
    /// `AddressSpaces`, as typed: `smtp:*;1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub address_spaces: Vec<String>,
    /// `SmartHosts`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub smart_hosts: Vec<String>,
    /// `Fqdn`: the name it says in HELO, and finds its certificate by when `TlsCertificateName` is empty.
    pub fqdn: Option<DnsName>,
    /// `TlsCertificateName`.
    pub tls_certificate_name: Option<TlsCertificateName>,
    /// `RequireTLS`.
    #[serde(default)]
    pub require_tls: bool,
    /// `TlsAuthLevel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_auth_level: Option<TlsAuthLevel>,
    /// `TlsDomain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_domain: Option<String>,
    /// `CloudServicesMailEnabled`: set on the connectors to Microsoft 365.
    #[serde(default)]
    pub cloud_services_mail: bool,
    /// `Enabled`. A disabled connector blocks the removal of its certificate all the same (facts 7.2).
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// `TlsAuthLevel` of a send connector (facts 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TlsAuthLevel {
    /// Encrypt, and do not look at the peer's certificate.
    EncryptionOnly,
    /// The peer's chain must be valid.
    CertificateValidation,
    /// And its name must be `TlsDomain`.
    DomainValidation,
}

/// A receive connector of one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiveConnector {
    /// `TransportRole`.
    pub role: TransportRole,
    /// `Bindings`: addresses and ports, `0.0.0.0:25`.
    pub bindings: Vec<String>,
    /// `Fqdn`: the name it says, and finds its certificate by when `TlsCertificateName` is empty.
    pub fqdn: Option<DnsName>,
    /// `TlsCertificateName`.
    pub tls_certificate_name: Option<TlsCertificateName>,
    /// `AuthMechanism`.
    pub auth: BTreeSet<AuthMechanism>,
    /// `TlsDomainCapabilities`; set on the connector that takes mail from Microsoft 365.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tls_domain_capabilities: Vec<String>,
    /// `RequireTLS`.
    #[serde(default)]
    pub require_tls: bool,
    /// `SuppressXAnonymousTls`.
    #[serde(default)]
    pub suppress_anonymous_tls: bool,
    /// `Enabled`.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// `TransportRole`: which service a receive connector belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TransportRole {
    /// Front End Transport.
    FrontendTransport,
    /// Transport; the only one on Edge servers and before 2013.
    HubTransport,
}

/// A value of `AuthMechanism` (facts 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum AuthMechanism {
    /// STARTTLS is offered.
    Tls,
    /// Windows authentication.
    Integrated,
    /// User name and password.
    BasicAuth,
    /// The same, after STARTTLS only.
    #[serde(rename = "BasicAuthRequireTLS")]
    BasicAuthRequireTls,
    /// Exchange servers among themselves; X-ANONYMOUSTLS is offered.
    ExchangeServer,
    /// Secured from outside.
    ExternalAuthoritative,
}

/// An accepted domain. Its domain may hold a wildcard, or be a lone `*` (sample S17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptedDomain {
    /// `Name`, which need not be the domain.
    pub name: String,
    /// `DomainName`.
    pub domain: String,
    /// Whether it is the default one.
    #[serde(default)]
    pub default: bool,
}

/// `HybridConfiguration` (facts 9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HybridConfiguration {
    /// `TlsCertificateName`.
    pub tls_certificate_name: Option<TlsCertificateName>,
    /// `ReceivingTransportServers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receiving_servers: Vec<ServerName>,
    /// `SendingTransportServers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sending_servers: Vec<ServerName>,
    /// `EdgeTransportServers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edge_servers: Vec<ServerName>,
}

/// `AuthConfig`: the certificates that sign OAuth tokens, and since 2023 PowerShell payloads (facts 4.4).
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthConfig {
    /// `CurrentCertificateThumbprint`.
    pub current: Option<Thumbprint>,
    /// `NextCertificateThumbprint`.
    #[serde(default)]
    pub next: Option<Thumbprint>,
    /// `NextCertificateEffectiveDate`.
    #[serde(default)]
    pub next_effective: Option<Timestamp>,
    /// `PreviousCertificateThumbprint`.
    #[serde(default)]
    pub previous: Option<Thumbprint>,
}

/// The federation trust's certificates.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FederationTrust {
    /// `OrgPrivCertificate`.
    pub current: Option<Thumbprint>,
    /// `OrgNextPrivCertificate`.
    #[serde(default)]
    pub next: Option<Thumbprint>,
}

/// An Edge server subscribed to an Active Directory site (facts 10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EdgeSubscription {
    /// The Edge server.
    pub edge: ServerName,
    /// The Mailbox servers of the subscribed site, which synchronize to it.
    pub site_servers: Vec<ServerName>,
    /// The Edge's certificate at the time of the subscription: what direct trust compares with.
    pub edge_certificate: Option<Thumbprint>,
    /// The internal transport certificates of the site's servers that the Edge knows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub known_certificates: BTreeMap<ServerName, Thumbprint>,
}

impl Observed {
    /// The format that this program writes.
    pub const VERSION: u32 = 1;
}

impl Server {
    /// A certificate of its store, when the store is known and has it.
    pub fn certificate(&self, thumbprint: Thumbprint) -> Option<&StoredCertificate> {
        self.certificates.known()?.0.get(&thumbprint)
    }

    /// Whether it is an Edge Transport server. One whose roles are unknown is taken for none.
    pub fn is_edge(&self) -> bool {
        self.roles.known().is_some_and(|roles| roles.contains(&Role::EdgeTransport))
    }
}

impl StoredCertificate {
    /// A certificate that has just come into a store with its key, and is used for nothing yet.
    pub fn without_services(certificate: Certificate) -> Self {
        Self {
            certificate,
            has_private_key: true,
            exportable: Fact::Known(true),
            friendly_name: Fact::Known(String::new()),
            services: Fact::Known(Services::new()),
            root_type: Fact::unknown("the certificate is not there yet"),
            status: Fact::Known(CertificateStatus::Valid),
        }
    }
}

impl ReceiveConnector {
    /// The ports it listens on, without repetition.
    pub fn ports(&self) -> BTreeSet<u16> {
        self.bindings.iter().filter_map(|binding| binding.rsplit_once(':')?.1.parse().ok()).collect()
    }
}

impl SiteBinding {
    /// `Default Web Site`, port 443, all addresses.
    pub fn default_web_site() -> Self {
        Self::new(Self::DEFAULT_WEB_SITE, 443)
    }

    /// `Exchange Back End`, port 444, all addresses.
    pub fn back_end() -> Self {
        Self::new(Self::BACK_END, 444)
    }

    /// A binding on all addresses, for any host name.
    pub fn new(site: &str, port: u16) -> Self {
        Self { site: site.into(), address: None, port, host: None }
    }

    /// The site that clients come to.
    pub const DEFAULT_WEB_SITE: &str = "Default Web Site";
    /// The site that the front end proxies to.
    pub const BACK_END: &str = "Exchange Back End";
}

impl fmt::Display for SiteBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { site, address, port, host } = self;
        f.write_str(site)?;
        if let Some(address) = address {
            write!(f, ":{address}")?;
        }
        write!(f, ":{port}")?;
        host.as_ref().map_or(Ok(()), |host| write!(f, ":{host}"))
    }
}

impl fmt::Debug for SiteBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SiteBinding({self})")
    }
}

impl FromStr for SiteBinding {
    type Err = SiteBindingError;

    fn from_str(text: &str) -> Result<Self, SiteBindingError> {
        let error = || SiteBindingError(text.chars().take(120).collect());
        let (site, rest) = text.split_once(':').ok_or_else(error)?;
        // An IPv6 address stands in brackets and holds colons of its own.
        let (address, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, rest)) => {
                (Some(format!("[{address}]")), rest.strip_prefix(':').ok_or_else(error)?)
            }
            None => match rest.split_once(':') {
                Some((head, tail)) if head.parse::<u16>().is_err() => (Some(head.to_owned()), tail),
                _ => (None, rest),
            },
        };
        let (port, host) = rest.split_once(':').map_or((rest, None), |(port, host)| (port, Some(host)));
        let host = host.filter(|host| !host.is_empty()).map(str::parse).transpose().map_err(|_| error())?;
        let port = port.parse().map_err(|_| error())?;
        let address = address.filter(|address| !matches!(address.as_str(), "" | "*" | "0.0.0.0"));
        if site.trim().is_empty() || port == 0 {
            Err(error())
        } else {
            Ok(Self { site: site.into(), address, port, host })
        }
    }
}

impl From<Vec<StoredCertificate>> for CertificateStore {
    fn from(certificates: Vec<StoredCertificate>) -> Self {
        Self(certificates.into_iter().map(|stored| (stored.certificate.thumbprint, stored)).collect())
    }
}

impl From<CertificateStore> for Vec<StoredCertificate> {
    fn from(store: CertificateStore) -> Self {
        store.0.into_values().collect()
    }
}

impl JsonSchema for CertificateStore {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CertificateStore".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<StoredCertificate>::json_schema(generator)
    }
}

const fn yes() -> bool {
    true
}

text_type!(
    SiteBinding,
    "A binding of an IIS site: SITE:PORT, SITE:ADDRESS:PORT or SITE:PORT:HOST.",
    Some("^[^:]+:.*[0-9]")
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_go_both_ways() {
        for text in [
            "Default Web Site:443",
            "Default Web Site:127.0.0.1:443",
            "Exchange Back End:444",
            "Default Web Site:443:autodiscover.contoso.com",
            "Default Web Site:10.0.0.5:443:mail.contoso.com",
            "Default Web Site:[::1]:443",
        ] {
            assert_eq!(text.parse::<SiteBinding>().unwrap().to_string(), text);
        }
        // IIS writes "all addresses" in three ways; http.sys knows one of them (facts 11.1).
        for text in ["Exchange Back End:*:444", "Exchange Back End:0.0.0.0:444:", "Exchange Back End::444:"] {
            assert_eq!(text.parse::<SiteBinding>().unwrap(), SiteBinding::back_end(), "{text}");
        }
        for text in
            ["", "Default Web Site", ":443", "Site:x", "Site:0", "Site:[::1:443", "Site:443:not a host"]
        {
            assert!(text.parse::<SiteBinding>().is_err(), "{text}");
        }
    }
}
