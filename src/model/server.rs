//! One server: its certificates, and the places that use them (facts 0.4, 2).

mod store;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
};

use serde::{Deserialize, Serialize};

pub use self::store::{
    CertificateStatus, CertificateStore, KeyProvider, PendingRequest, RootType, StoredCertificate,
};
use super::{
    certificate::Certificate,
    client_names::{ClientDirectory, ClientNames},
    connector::{ReceiveConnector, SendConnector},
    endpoint::Endpoint,
    fact::Fact,
    names::{ConnectorName, DnsName, ServerName},
    schema::JsonSchema,
    service::{MailService, Restartable, Service},
    site::SiteBinding,
    thumbprint::Thumbprint,
    version::{Release, Role, ServerVersion},
};

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
    /// The site of Active Directory that it is in. Of an Edge server, which is in none, nothing is known.
    #[serde(default = "Fact::<String>::not_captured", skip_serializing_if = "Fact::is_not_captured")]
    pub directory_site: Fact<String>,
    /// The name of its operating system; absent when it says none.
    pub operating_system: Fact<Option<String>>,
    /// `LocalMachine\My`: the certificates that have a private key, and those that lost it where a driver can see them.
    pub certificates: Fact<CertificateStore>,
    /// Requests waiting for their certificate, from `LocalMachine\REQUEST`.
    pub requests: Fact<Vec<PendingRequest>>,
    /// `msExchServerInternalTLSCert` of the server object: the internal transport or default SMTP certificate. It may
    /// name a certificate that is not in the store any more.
    // facts 5.2
    pub internal_transport: Fact<Option<Thumbprint>>,
    /// `Get-PopSettings`; absent on an Edge server.
    pub pop: Fact<Option<MailAccess>>,
    /// `Get-ImapSettings`; absent on an Edge server.
    pub imap: Fact<Option<MailAccess>>,
    /// `Get-UMService` and `Get-UMCallRouterSettings`; absent where the product has no Unified Messaging.
    pub um: Fact<Option<UnifiedMessaging>>,
    /// The https bindings of all IIS sites, with the hash http.sys holds for each. The hash may be that of
    /// a certificate that is gone from the store.
    // facts 7.3
    pub sites: Fact<BTreeMap<SiteBinding, Option<Thumbprint>>>,
    /// The https bindings whose certificate is not in the store `My`, with where it is instead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other_stores: BTreeMap<SiteBinding, BindingStore>,
    /// Settings of IIS that certificates hang on; absent where there are no sites of Exchange.
    #[serde(default = "Fact::<WebSettings>::not_captured", skip_serializing_if = "Fact::is_not_captured")]
    pub web: Fact<WebSettings>,
    /// `Get-ReceiveConnector -Server`.
    pub receive_connectors: Fact<BTreeMap<ConnectorName, ReceiveConnector>>,
    /// The internal transport certificates that the directory of an Edge server (AD LDS) holds of the servers of its site;
    /// absent on other servers.
    #[serde(default = "no_peers", skip_serializing_if = "has_no_peers")]
    pub peers: Fact<Option<BTreeMap<ServerName, Thumbprint>>>,
    /// The send connectors that the directory of an Edge server with a subscription holds: copies that `EdgeSync` brings of the
    /// organization's, by which the Edge server acts.
    // facts 10.1
    #[serde(
        default = "Fact::<BTreeMap<ConnectorName, SendConnector>>::not_captured",
        skip_serializing_if = "Fact::is_not_captured"
    )]
    pub connector_copies: Fact<BTreeMap<ConnectorName, SendConnector>>,
    /// Whether it trusts what Exchange Online shows.
    #[serde(default = "Fact::<OnlineRoot>::not_captured")]
    pub online_root: Fact<OnlineRoot>,
    /// Whether its Windows services run, by their names (`MSExchangePOP3`).
    #[serde(
        default = "Fact::<BTreeMap<String, bool>>::not_captured",
        skip_serializing_if = "Fact::is_not_captured"
    )]
    pub services: Fact<BTreeMap<String, bool>>,
    /// Programs beside Exchange and the sites of IIS that name a certificate of `LocalMachine\My` by its thumbprint:
    /// entries of http.sys, listeners of `WinRM`, Remote Desktop. Without it, all that is known is what Exchange uses.
    // facts 0.5
    #[serde(
        default = "Fact::<BTreeMap<String, Thumbprint>>::not_captured",
        skip_serializing_if = "Fact::is_not_captured"
    )]
    pub other_programs: Fact<BTreeMap<String, Thumbprint>>,
    /// The CAs above its certificates, as far as the stores of its computer have them: intermediate and root ones.
    // facts 5.1
    #[serde(
        default = "Fact::<Vec<Certificate>>::not_captured",
        skip_serializing_if = "Fact::is_not_captured"
    )]
    pub authorities: Fact<Vec<Certificate>>,
    /// The names that clients are sent to, as far as they were captured.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub client_names: BTreeMap<ClientDirectory, ClientNames>,
    /// Where its endpoints really listen, when that is not the server's own address: the lab's loopback ports.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub endpoints: BTreeMap<Endpoint, SocketAddr>,
    /// The address from which handshakes come to it, where a receive connector is for some clients only: which connector
    /// answers hangs on it. Absent where it makes no difference, and where nobody knows.
    // facts 5.7
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met_from: Option<IpAddr>,
    /// The certificates that its endpoints presented in a handshake; empty where nobody has met them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub served: BTreeMap<Endpoint, Thumbprint>,
}

/// The root that Exchange Online's certificates lead to from 2026-03-15 on, DigiCert Global Root G2.
// facts 9; 15, no. 33
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnlineRoot {
    /// Whether it is among the computer's trusted roots, its own or third-party ones.
    pub present: bool,
    /// Whether Windows fetches roots by itself when it meets them (`DisableRootAutoUpdate` is not set).
    pub fetched: bool,
}

/// Where IIS has the certificate of a binding from, other than the store `My`, which alone Exchange knows.
// facts 11.6
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BindingStore {
    /// The central certificate store: a file share, by host name. Setting a certificate on the binding changes nothing.
    Central,
    /// A store of the computer, such as `WebHosting`, where ACME clients put certificates.
    Named(String),
}

impl std::fmt::Display for BindingStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Central => f.write_str("the central certificate store"),
            Self::Named(name) => write!(f, "the store {name}"),
        }
    }
}

/// Settings of IIS that certificates hang on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebSettings {
    /// Whether the Default Web Site requires SSL. Where it does not, http is redirected to https, and enabling a certificate
    /// for IIS would end that.
    // facts 3.5
    pub require_ssl: bool,
    /// Whether Windows Extended Protection binds sign-in to the certificate of a front-end directory.
    // facts 11.3
    pub extended_protection: bool,
}

/// Settings of the POP3 or IMAP4 service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailAccess {
    /// `X509CertificateName`: the service uses a certificate that has this name.
    pub x509_certificate_name: Option<DnsName>,
    /// Where it listens; as setup leaves it where that was not captured.
    // facts 3.9
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<MailPorts>,
    /// The host names of `ExternalConnectionSettings`: what users are told to connect to.
    // facts 3.4
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub external_names: BTreeSet<DnsName>,
}

/// The ports of a POP3 or IMAP4 service that are reached from other machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailPorts {
    /// `UnencryptedOrTLSBindings`: TLS begins when the client asks for it.
    pub plain: BTreeSet<u16>,
    /// `SSLBindings`: TLS from the first byte.
    pub tls: BTreeSet<u16>,
}

/// Settings of Unified Messaging: a certificate is used only in the modes TLS and Dual (Microsoft Learn,
/// Enable-ExchangeCertificate).
// facts 3.4
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnifiedMessaging {
    /// `UMStartupMode` of the UM service; absent where the server does not have the service.
    pub service: Option<UmStartupMode>,
    /// `UMStartupMode` of the call router; absent where the server does not have one.
    pub call_router: Option<UmStartupMode>,
}

/// `UMStartupMode`.
#[derive(Clone, Copy, Debug, PartialEq, Hash, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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

fn no_peers() -> Fact<Option<BTreeMap<ServerName, Thumbprint>>> {
    Fact::Known(None)
}

fn has_no_peers(peers: &Fact<Option<BTreeMap<ServerName, Thumbprint>>>) -> bool {
    *peers == no_peers()
}

impl std::fmt::Display for UmStartupMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Dual => "Dual",
        })
    }
}

impl Server {
    /// A server of which nothing is known: nobody looked.
    pub fn not_captured() -> Self {
        Self {
            fqdn: Fact::not_captured(),
            version: Fact::not_captured(),
            roles: Fact::not_captured(),
            directory_site: Fact::not_captured(),
            operating_system: Fact::not_captured(),
            certificates: Fact::not_captured(),
            requests: Fact::not_captured(),
            internal_transport: Fact::not_captured(),
            pop: Fact::not_captured(),
            imap: Fact::not_captured(),
            um: Fact::not_captured(),
            sites: Fact::not_captured(),
            other_stores: BTreeMap::new(),
            web: Fact::not_captured(),
            receive_connectors: Fact::not_captured(),
            peers: Fact::not_captured(),
            connector_copies: Fact::not_captured(),
            online_root: Fact::not_captured(),
            services: Fact::not_captured(),
            other_programs: Fact::not_captured(),
            authorities: Fact::not_captured(),
            client_names: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            met_from: None,
            served: BTreeMap::new(),
        }
    }

    /// Every place outside its store that names a certificate by its thumbprint.
    pub fn thumbprints_mut(&mut self) -> impl Iterator<Item = &mut Thumbprint> {
        let internal = self.internal_transport.known_mut().into_iter().flatten();
        let sites = self.sites.known_mut().into_iter().flat_map(BTreeMap::values_mut).flatten();
        let peers = self.peers.known_mut().into_iter().flatten().flat_map(BTreeMap::values_mut);
        internal.chain(sites).chain(peers)
    }

    /// Whether this service of Unified Messaging is known to start in the mode TCP, in which it takes no certificate.
    pub fn starts_in_tcp(&self, service: Service) -> bool {
        let um = self.um.known().and_then(Option::as_ref);
        let mode = um.and_then(|um| match service {
            Service::Um => um.service,
            Service::UmCallRouter => um.call_router,
            Service::Iis | Service::Pop | Service::Imap | Service::Smtp | Service::Federation => None,
        });
        mode == Some(UmStartupMode::Tcp)
    }

    /// Whether a receive connector of it is for some clients only, so that it matters from where it is met.
    pub fn tells_clients_apart(&self) -> bool {
        let mut connectors = self.receive_connectors.known().into_iter().flat_map(BTreeMap::values);
        connectors.any(|connector| connector.enabled && !connector.is_for_all())
    }

    /// A certificate of its store, when the store is known and has it.
    pub fn certificate(&self, thumbprint: Thumbprint) -> Option<&StoredCertificate> {
        self.certificates.known()?.0.get(&thumbprint)
    }

    /// Whether a Windows service runs, where that was captured.
    pub fn runs(&self, service: &str) -> Option<bool> {
        let services = self.services.known()?;
        services.iter().find(|(name, _)| name.eq_ignore_ascii_case(service)).map(|(_, runs)| *runs)
    }

    /// Whether POP or IMAP is known to be stopped, in one of its halves (facts 3.9).
    pub fn is_stopped(&self, service: MailService) -> bool {
        let windows = service.restartable().windows_services(self.release(), self.is_edge());
        windows.iter().any(|name| self.runs(name) == Some(false))
    }

    /// The Windows services that a restart of this group is of. What is known to be stopped stays so: nobody asked for it,
    /// and `Restart-Service` would start it.
    pub fn restarted(&self, what: Restartable) -> Vec<String> {
        let windows = what.windows_services(self.release(), self.is_edge()).iter();
        let own = windows.filter(|name| self.has_service(name) && self.runs(name) != Some(false));
        own.map(|name| (*name).to_owned()).collect()
    }

    /// Whether its roles have a Windows service: Exchange 2013 can be installed as Client Access or Mailbox alone.
    fn has_service(&self, name: &str) -> bool {
        let split = self.release() == Release::Exchange2013 && !self.is_edge();
        let roles = self.roles.known().filter(|roles| split && !roles.is_empty());
        roles.zip(Restartable::role_of(name)).is_none_or(|(roles, role)| roles.contains(&role))
    }

    /// Its release; that of today where nobody saw its version.
    fn release(&self) -> Release {
        self.version.known().map_or(Release::ExchangeSe, |version| version.release())
    }

    /// Whether it is an Edge Transport server. One whose roles are unknown is taken for none.
    pub fn is_edge(&self) -> bool {
        self.roles.known().is_some_and(|roles| roles.contains(&Role::EdgeTransport))
    }

    /// Whether it signs and reads tokens, with the Auth certificate of the organization: Mailbox and Client Access servers since
    /// Exchange 2013 do (facts 4.4).
    pub fn signs_tokens(&self) -> bool {
        self.release().has_back_end() && !self.is_edge()
    }

    /// Whether its transport can be drained and take over the messages of another one: it has the component `HubTransport`,
    /// as Mailbox servers have since Exchange 2013 (facts 3.11).
    pub fn can_be_drained(&self) -> bool {
        let has_mailboxes = self.roles.known().is_none_or(|roles| roles.contains(&Role::Mailbox));
        self.release().has_back_end() && !self.is_edge() && has_mailboxes
    }

    /// Whether it is known to be in another site of Active Directory than that server. Names of sites are compared without their
    /// case, as Active Directory does.
    pub fn is_in_another_site(&self, other: &Self) -> bool {
        let sites = self.directory_site.known().zip(other.directory_site.known());
        sites.is_some_and(|(own, other)| !own.eq_ignore_ascii_case(other))
    }
}
