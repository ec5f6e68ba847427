//! `lab.yaml`: what a simulated organization was set up with.

use std::{collections::BTreeSet, path::PathBuf};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::faults::Fault;
pub use super::{overrides::ImOverrideSeed, seed_connector::ReceiveConnectorSeed, seed_moment::SeedMoment};
use crate::{
    manifest::{KeyRequest, OneOrMany, Template},
    model::{
        connector::TlsAuthLevel,
        dn::DistinguishedName,
        names::{
            BalancerName, CertificateName, ConnectorName, DnsName, IssuerName, OverrideName, ServerName,
        },
        organization::DomainSecurity,
        schema::JsonSchema,
        server::{CertificateStatus, KeyProvider, MailPorts, OnlineRoot, RootType, UmStartupMode},
        service::{MailService, Restartable, Service},
        site::SiteBinding,
        time::Timestamp,
        version::{Role, ServerVersion},
    },
};

/// A simulated Exchange organization: its servers after setup, and what administrators changed since then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// The format of the file.
    pub api_version: SeedVersion,
    /// The lab's time. It stands still until `certwright lab clock` moves it. If omitted, the lab uses the
    /// computer's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Timestamp>,
    /// A saved observation, relative to the lab's directory. The lab copies the organization that it shows, with new keys. Of the
    /// other fields, only `clock`, `keys`, `transport`, `prompts` and `faults` are used then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// A directory of private keys (`*.pem`) that the lab uses, in the order of their names, instead of
    /// generating new ones. Setting up the lab is then fast and gives the same result every time. Keys on an
    /// elliptic curve (`key: { algorithm: ec }`) are always generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<PathBuf>,
    /// The lab's own CAs: `state/authorities/NAME.crt` and `.key`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub authorities: IndexMap<IssuerName, AuthoritySeed>,
    /// `Get-AcceptedDomain`; the first is the default one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted_domains: Vec<String>,
    /// The servers.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub servers: IndexMap<ServerName, ServerSeed>,
    /// Certificates that were added after setup.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub certificates: IndexMap<CertificateName, CertificateSeed>,
    /// `Get-AuthConfig`, if it differs from what setup configures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthSeed>,
    /// The certificate of the federation trust: one of `certificates`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federation: Option<CertificateName>,
    /// `Get-SendConnector`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub send_connectors: IndexMap<ConnectorName, SendConnectorSeed>,
    /// The partners of Domain Security, by mutual TLS: `TLSSendDomainSecureList` and `TLSReceiveDomainSecureList`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = serde_json::json!({ "send": ["fabrikam.com"], "receive": ["fabrikam.com"] }))]
    pub domain_security: Option<DomainSecurity>,
    /// `Get-HybridConfiguration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hybrid: Option<HybridSeed>,
    /// `Get-EdgeSubscription`, by the Edge server.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub edge_subscriptions: IndexMap<ServerName, EdgeSubscriptionSeed>,
    /// Setting overrides for instant messaging in Outlook on the web.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub instant_messaging: IndexMap<OverrideName, ImOverrideSeed>,
    /// When transport uses a changed certificate.
    #[serde(default)]
    pub transport: Pickup,
    /// Whether somebody can answer the question about the default SMTP certificate.
    #[serde(default)]
    pub prompts: Prompts,
    /// Faults to simulate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

/// The format of a lab's seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SeedVersion {
    /// The first.
    #[serde(rename = "certwright.lab/v1")]
    V1,
}

/// When transport uses a changed certificate. This is not documented, so a lab can do either.
// facts 6.5; 16, probe 11
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Pickup {
    /// After a restart.
    #[default]
    Restart,
    /// Immediately.
    Live,
}

/// Exchange asks whether SMTP's new certificate becomes the default SMTP certificate. Scripts and most remote sessions
/// cannot answer and pass `-Force`, which means Yes (Microsoft Learn, Enable-ExchangeCertificate).
// facts 3.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Prompts {
    /// Somebody can answer.
    #[default]
    Answer,
    /// Nobody can answer, so the answer is always Yes.
    Force,
}

/// A hybrid organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HybridSeed {
    /// The certificate that was selected in the Hybrid Configuration Wizard: a name from `certificates`.
    pub certificate: CertificateName,
    /// `ReceivingTransportServers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receiving: Vec<ServerName>,
    /// `SendingTransportServers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sending: Vec<ServerName>,
    /// `EdgeTransportServers`, instead of the other two.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edge: Vec<ServerName>,
    /// Whether it uses the dedicated hybrid application, which EWS requires since October 2025.
    #[serde(default = "yes")]
    pub dedicated_application: bool,
    /// Whether the connectors are as the wizard configures them, and not as described in this file.
    #[serde(default = "yes")]
    pub wizard: bool,
}

/// An Edge subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EdgeSubscriptionSeed {
    /// The Mailbox servers of the site.
    pub servers: OneOrMany<ServerName>,
    /// When it was created.
    #[serde(default)]
    pub made: Subscribed,
    /// Send connectors that EdgeSync has not updated on the Edge server, and the certificate that their
    /// TlsCertificateName names there.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = serde_json::json!({ "EdgeSync - Default-First-Site-Name to Internet": "mail-2025" }))]
    pub behind: IndexMap<ConnectorName, CertificateName>,
}

/// When an Edge server was subscribed. Neither side knows a default SMTP certificate that the other got later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Subscribed {
    /// After setup of all servers.
    AfterSetup,
    /// After the certificates were added.
    #[default]
    AfterCertificates,
}

/// A CA.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthoritySeed {
    /// Its subject.
    pub subject: DistinguishedName,
}

/// A server after setup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServerSeed {
    /// Its full name.
    pub fqdn: DnsName,
    /// Its version.
    pub version: ServerVersion,
    /// Its roles, if they are not the default ones of the version.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    /// Its Active Directory site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The name of its operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
    /// `UMStartupMode` of the UM service and the call router, where the version has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub um_startup_mode: Option<UmStartupMode>,
    /// Additional https bindings, without a certificate: `Default Web Site:443:owa.contoso.com`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<SiteBinding>,
    /// Bindings whose certificate is not in the personal store: `Default Web Site:443: central` for the central
    /// certificate store, or the name of another store.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub iis_stores: IndexMap<SiteBinding, String>,
    /// Default receive connectors with another name, such as on localized servers: the English name without the
    /// server name, and the actual name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = serde_json::json!({ "Client Frontend": "Client-Frontend" }))]
    pub connector_names: IndexMap<String, String>,
    /// `Fqdn` of receive connectors, if it is not the server's name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub connector_fqdns: IndexMap<ConnectorName, DnsName>,
    /// Additional receive connectors.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub receive_connectors: IndexMap<ConnectorName, ReceiveConnectorSeed>,
    /// Friendly names of certificates that somebody removed with the Certificates snap-in. Whatever referred to
    /// them still does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
    /// Friendly names of certificates that the server has without the private key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keyless: Vec<String>,
    /// Friendly names of certificates whose private keys are reported as present but cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken_keys: Vec<String>,
    /// Services that still use an old certificate because they were not restarted: `{ pop: mail-2025 }`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub not_restarted: IndexMap<Restartable, CertificateName>,
    /// Whether the Default Web Site requires SSL, as after setup. If `false`, http is redirected to https.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub require_ssl: bool,
    /// Whether Windows Extended Protection is on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub extended_protection: bool,
    /// POP or IMAP services that are stopped, as after setup. If omitted, both run.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub stopped: BTreeSet<MailService>,
    /// The ports of POP3, if they were changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pop_ports: Option<MailPorts>,
    /// The ports of IMAP4, if they were changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imap_ports: Option<MailPorts>,
    /// The host names that users are told for POP3 (`ExternalConnectionSettings`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pop_external_names: Vec<DnsName>,
    /// The host names that users are told for IMAP4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imap_external_names: Vec<DnsName>,
    /// The CAs whose certificates are in the computer's stores. If omitted, the stores are unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<Vec<IssuerName>>,
    /// Other programs that use a certificate, and its friendly name: `{ "http.sys 0.0.0.0:8172": WMSVC-SHA2 }`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub other_programs: IndexMap<String, String>,
    /// Whether the internal transport certificate is missing in Active Directory (event 12012).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_internal_transport: bool,
    /// Whether it trusts the certificates of Exchange Online. If omitted, it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_root: Option<OnlineRoot>,
    /// When Exchange was installed. The certificates of setup are valid from then on. If omitted, 400 days before
    /// the lab's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<SeedMoment>,
}

/// A certificate that was added after setup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateSeed {
    /// The CA: a name from `authorities`. If omitted, the certificate is self-signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<IssuerName>,
    /// Its subject. If omitted, `CN=` and the first of `names`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Template>,
    /// Its DNS names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Template>,
    /// The start of its validity.
    pub not_before: SeedMoment,
    /// The end of its validity.
    pub not_after: SeedMoment,
    /// Its key.
    #[serde(default)]
    pub key: KeyRequest,
    /// Its friendly name in Windows. If omitted, its name in this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub friendly_name: Option<String>,
    /// Whether the private key is present.
    #[serde(default = "yes")]
    pub private_key: bool,
    /// What stores its private key. If omitted, a CSP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_provider: Option<KeyProvider>,
    /// `RootCAType`. If omitted, `Registry`, and `None` for self-signed certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_type: Option<RootType>,
    /// `Status` in `Get-ExchangeCertificate`, if it is not `Valid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<CertificateStatus>,
    /// The servers that have it. They share one key; if a name contains a variable, each has a certificate and a
    /// key of its own.
    pub on: OneOrMany<ServerName>,
    /// Services that it was enabled for. Certificates are enabled in the order of this file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// Whether it replaced the default SMTP certificate (the question was answered with Yes).
    #[serde(default)]
    pub internal_transport: bool,
    /// IIS bindings that were set to it manually.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub iis: Vec<SiteBinding>,
    /// Receive connectors whose TlsCertificateName names it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receive_connectors: Vec<Template>,
    /// Load balancers that have it and its key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub load_balancers: Vec<BalancerName>,
    /// Send connectors whose TlsCertificateName names it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub send_connectors: Vec<ConnectorName>,
}

/// The Auth certificates, if they differ from what setup configures. Each is one of `certificates`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthSeed {
    /// The current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<CertificateName>,
    /// The next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CertificateName>,
    /// When the next one takes effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_effective: Option<SeedMoment>,
    /// The previous one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<CertificateName>,
    /// Servers from which the Auth certificate of setup was removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_on: Vec<ServerName>,
}

/// A send connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub struct SendConnectorSeed {
    /// Its source servers.
    pub source_servers: Vec<ServerName>,
    /// Its address spaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub address_spaces: Vec<String>,
    /// Its `Fqdn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<DnsName>,
    /// `DomainSecureEnabled`: mail to the domains in `domainSecurity.send` is sent by mutual TLS only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub domain_secure: bool,
    /// `CloudServicesMailEnabled`: whether it sends to Microsoft 365.
    #[serde(default)]
    pub cloud_services_mail: bool,
    /// `RequireTLS`.
    #[serde(default)]
    pub require_tls: bool,
    /// `TlsAuthLevel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_auth_level: Option<TlsAuthLevel>,
    /// `TlsDomain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_domain: Option<String>,
    /// Whether it is enabled.
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl CertificateSeed {
    /// Whether all servers have the same: nothing in it is another one's name.
    pub(super) fn is_one_for_all(&self) -> bool {
        self.names.iter().chain(&self.subject).all(|template| template.fixed().is_some())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_true(value: &bool) -> bool {
    *value
}

const fn yes() -> bool {
    true
}
