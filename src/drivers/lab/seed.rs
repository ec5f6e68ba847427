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

/// A simulated Exchange organization: its servers as setup left them, and what administrators did since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// The format of the file.
    pub api_version: SeedVersion,
    /// The lab's time, which stands still until `certwright lab clock` moves it. Without it the machine's clock counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Timestamp>,
    /// An observation that was saved, relative to the lab's directory: the organization is set up as it shows, with keys of
    /// its own. Everything else but `clock`, `keys` and `transport` is left out then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// A directory of private keys (`*.pem`), taken in the order of their names instead of making new ones. Labs come out
    /// the same every time with it, and fast. Keys on an elliptic curve (`key: { algorithm: ec }`) are made anew all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<PathBuf>,
    /// CAs that the lab brings along: `state/authorities/NAME.crt` and `.key`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub authorities: IndexMap<IssuerName, AuthoritySeed>,
    /// `Get-AcceptedDomain`; the first is the default one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted_domains: Vec<String>,
    /// The servers.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub servers: IndexMap<ServerName, ServerSeed>,
    /// Certificates that came after setup.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub certificates: IndexMap<CertificateName, CertificateSeed>,
    /// `AuthConfig`, where it is not as setup left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthSeed>,
    /// The federation trust, and the certificate that it speaks with: one of `certificates`.
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
    /// When transport begins to use a changed certificate.
    #[serde(default)]
    pub transport: Pickup,
    /// How the question about the default SMTP certificate is met.
    #[serde(default)]
    pub prompts: Prompts,
    /// What goes wrong, and when.
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

/// When transport begins to use a changed certificate. Nothing documents it, so a lab can be either.
// facts 6.5; 16, probe 11
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Pickup {
    /// When it is restarted.
    #[default]
    Restart,
    /// At once.
    Live,
}

/// Exchange asks whether SMTP's new certificate becomes the default SMTP certificate. Scripts and most remote sessions
/// cannot answer and pass `-Force`, which means Yes (Microsoft Learn, Enable-ExchangeCertificate).
// facts 3.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Prompts {
    /// It is answered.
    #[default]
    Answer,
    /// It cannot be answered: the answer is always Yes.
    Force,
}

/// A hybrid organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HybridSeed {
    /// A key of `certificates`: the one the wizard was run with.
    pub certificate: CertificateName,
    /// `ReceivingTransportServers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receiving: Vec<ServerName>,
    /// `SendingTransportServers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sending: Vec<ServerName>,
    /// `EdgeTransportServers`, in the place of the two others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edge: Vec<ServerName>,
    /// Whether it signs in to Microsoft 365 with the dedicated hybrid application, as it has to for EWS since October 2025.
    #[serde(default = "yes")]
    pub dedicated_application: bool,
    /// Whether connectors are as the wizard left them, rather than as they are written here.
    #[serde(default = "yes")]
    pub wizard: bool,
}

/// An Edge server subscribed to a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EdgeSubscriptionSeed {
    /// The Mailbox servers of the site.
    pub servers: OneOrMany<ServerName>,
    /// When it was made.
    #[serde(default)]
    pub made: Subscribed,
    /// Send connectors of which the Edge server has an older copy, since EdgeSync stands still: the certificate that the copy
    /// names.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = serde_json::json!({ "EdgeSync - Default-First-Site-Name to Internet": "mail-2025" }))]
    pub behind: IndexMap<ConnectorName, CertificateName>,
}

/// When an Edge server was subscribed. What became the default SMTP certificate of either side later is not known to the
/// other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Subscribed {
    /// When all servers were set up.
    AfterSetup,
    /// When certificates had come too.
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

/// A server, as setup left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServerSeed {
    /// Its full name.
    pub fqdn: DnsName,
    /// Its version.
    pub version: ServerVersion,
    /// Its roles, when they are not the usual ones of the version.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    /// The site of Active Directory that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The name of its operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
    /// `UMStartupMode` of the UM service and the call router, where the version has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub um_startup_mode: Option<UmStartupMode>,
    /// https bindings besides those of setup, without a certificate: `Default Web Site:443:owa.contoso.com`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<SiteBinding>,
    /// Bindings whose certificate IIS has from elsewhere: `Default Web Site:443: central`, or the name of a store.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub iis_stores: IndexMap<SiteBinding, String>,
    /// Default receive connectors that have another name, as those of servers of other languages: the name without the
    /// server at its end, and what stands for it.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = serde_json::json!({ "Client Frontend": "Client-Frontend" }))]
    pub connector_names: IndexMap<String, String>,
    /// `Fqdn` of receive connectors, where it is not the server's name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub connector_fqdns: IndexMap<ConnectorName, DnsName>,
    /// Receive connectors besides those of setup.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub receive_connectors: IndexMap<ConnectorName, ReceiveConnectorSeed>,
    /// Certificates, by their friendly names, that somebody removed with the certificate snap-in, which asks nothing:
    /// what named them still does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
    /// Certificates, by their friendly names, of which the server has a copy without the private key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keyless: Vec<String>,
    /// Certificates, by their friendly names, whose private keys the server says to have and cannot read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken_keys: Vec<String>,
    /// Certificates that services have loaded and nobody has restarted them since: `{ pop: mail-2025 }`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub not_restarted: IndexMap<Restartable, CertificateName>,
    /// Whether the Default Web Site requires SSL, as setup leaves it; without it http is redirected to https.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub require_ssl: bool,
    /// Whether Windows Extended Protection is on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub extended_protection: bool,
    /// POP and IMAP where they do not run, as setup leaves them; without it they run.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub stopped: BTreeSet<MailService>,
    /// The ports of POP3, where somebody has changed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pop_ports: Option<MailPorts>,
    /// The ports of IMAP4, where somebody has changed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imap_ports: Option<MailPorts>,
    /// The CAs whose certificates the stores of the computer have; without it nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<Vec<IssuerName>>,
    /// Programs beside Exchange that use a certificate, by its friendly name:
    /// `{ "http.sys 0.0.0.0:8172": WMSVC-SHA2 }`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub other_programs: IndexMap<String, String>,
    /// Whether the directory names no internal transport certificate (event 12012).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_internal_transport: bool,
    /// Whether it trusts Exchange Online; without it, it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_root: Option<OnlineRoot>,
    /// When Exchange was installed: setup's certificates are as old. Without it: 400 days before the lab's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<SeedMoment>,
}

/// A certificate that came after setup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateSeed {
    /// A key of `authorities`; without it the certificate signs itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<IssuerName>,
    /// Its subject; without it `CN=` the first of `names`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Template>,
    /// Its DNS names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Template>,
    /// From when it is valid.
    pub not_before: SeedMoment,
    /// Until when.
    pub not_after: SeedMoment,
    /// Its key.
    #[serde(default)]
    pub key: KeyRequest,
    /// What Windows shows beside it; without it the name it has here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub friendly_name: Option<String>,
    /// Whether the private key is there.
    #[serde(default = "yes")]
    pub private_key: bool,
    /// What keeps its private key; without it a CSP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_provider: Option<KeyProvider>,
    /// `RootCAType`: where its root is trusted from; without it `Registry`, for what signs itself `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_type: Option<RootType>,
    /// What `Get-ExchangeCertificate` says of it, when not `Valid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<CertificateStatus>,
    /// The servers that have it: one key on all of them, or one for each when a name has a variable in it.
    pub on: OneOrMany<ServerName>,
    /// Services it was enabled for, in this order of certificates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// Whether it was made the internal transport certificate ("Yes" to the question about the default SMTP certificate).
    #[serde(default)]
    pub internal_transport: bool,
    /// IIS bindings that were set by hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub iis: Vec<SiteBinding>,
    /// Receive connectors that name it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receive_connectors: Vec<Template>,
    /// Load balancers that hold a copy of it and its key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub load_balancers: Vec<BalancerName>,
    /// Send connectors that name it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub send_connectors: Vec<ConnectorName>,
}

/// The Auth certificates, where they are not as setup left them; each is one of `certificates`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthSeed {
    /// The current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<CertificateName>,
    /// The next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CertificateName>,
    /// When that takes effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_effective: Option<SeedMoment>,
    /// The one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<CertificateName>,
    /// Servers from which somebody removed setup's.
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
    /// `DomainSecureEnabled`: it sends to the domains of `domainSecurity.send` by mutual TLS only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub domain_secure: bool,
    /// Whether it goes to Microsoft 365 (`CloudServicesMailEnabled`).
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
    /// Whether it is in use.
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
