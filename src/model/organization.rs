//! An Exchange organization as its servers and its directory hold it (facts 0.4), and an observation of one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    certificate::Certificate,
    connector::SendConnector,
    dn::TlsCertificateName,
    fact::Fact,
    history::History,
    names::{BalancerName, ConnectorName, OverrideName, ServerName},
    schema::JsonSchema,
    server::Server,
    thumbprint::Thumbprint,
    time::Timestamp,
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
    /// Whether the driver can answer No when Exchange asks to replace the default SMTP certificate. One that cannot has
    /// to let it be replaced, and puts the old one back.
    // facts 3.2
    #[serde(default = "yes")]
    pub answers_prompts: bool,
    /// What there is to say about the look itself: what could not be read, and why. Shown in every plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What earlier runs have done about the certificates that were seen; absent when no journal was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// What was seen.
    pub organization: Organization,
    /// Servers of the organization that nobody asked for, and that sign and check tokens like all others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_servers: Vec<ServerName>,
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
    /// `Get-SettingOverride`, as far as it is about instant messaging in Outlook on the web; there is none before Exchange
    /// 2016.
    #[serde(default = "Fact::<BTreeMap<OverrideName, ImOverride>>::not_captured")]
    pub im_overrides: Fact<BTreeMap<OverrideName, ImOverride>>,
    /// Whether the organization signs in to Microsoft 365 with its dedicated hybrid application, by the setting override
    /// `ExchangeOnpremAsThirdPartyAppId`; else with the shared one of the classic configuration.
    // facts 4.5
    #[serde(default = "Fact::<bool>::not_captured", skip_serializing_if = "Fact::is_not_captured")]
    pub dedicated_application: Fact<bool>,
    /// `Get-TransportConfig`, as far as it is about Domain Security.
    // facts 6.11
    #[serde(default = "Fact::<DomainSecurity>::not_captured", skip_serializing_if = "Fact::is_not_captured")]
    pub domain_security: Fact<DomainSecurity>,
    /// The load balancers of the manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub balancers: BTreeMap<BalancerName, ObservedBalancer>,
}

/// A load balancer or reverse proxy before the servers.
// facts 11.3
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObservedBalancer {
    /// The certificate it is configured with; absent when it has none yet.
    pub certificate: Fact<Option<Certificate>>,
    /// The certificate that the running process has, where it can be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded: Option<Thumbprint>,
    /// Whether its key can be read back, and so put back.
    pub readable: bool,
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

/// The partners with whom mail goes by mutual TLS or not at all (Microsoft Learn, Set-TransportConfig).
// facts 6.11
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DomainSecurity {
    /// `TLSSendDomainSecureList`: domains that mail goes to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub send: Vec<String>,
    /// `TLSReceiveDomainSecureList`: domains that mail comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receive: Vec<String>,
}

/// `HybridConfiguration` (Microsoft Learn, Set-HybridConfiguration).
// facts 9
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

/// `AuthConfig`: the certificates that sign OAuth tokens, and since 2023 PowerShell payloads (Microsoft Learn,
/// Set-AuthConfig).
// facts 4.4
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

/// An Edge server subscribed to an Active Directory site (Microsoft Learn, "Edge Subscriptions").
// facts 10
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EdgeSubscription {
    /// The Edge server.
    pub edge: ServerName,
    /// `Site`, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The Mailbox servers of the subscribed site, which synchronize to it.
    pub site_servers: Vec<ServerName>,
    /// The Edge's certificate at the time of the subscription: what direct trust compares with. Absent when not seen.
    pub edge_certificate: Option<Thumbprint>,
    /// `CreateUtc`; absent when not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
}

/// A setting override of the section `IMSettings` of `OwaServer`: Outlook on the web proves itself to Skype for
/// Business with a certificate that it finds by its thumbprint (Microsoft Learn, "Configure instant messaging
/// integration with Outlook on the web").
// facts 11.2
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImOverride {
    /// `IMCertificateThumbprint` among its `Parameters`.
    pub certificate: Option<Thumbprint>,
    /// `Server`: names of servers, possibly with wildcards; all servers when there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<String>,
}

const fn yes() -> bool {
    true
}

impl Organization {
    /// The certificates of which some server has the RSA key in CNG.
    pub fn keys_in_cng(&self) -> BTreeSet<Thumbprint> {
        let stores = self.servers.values().filter_map(|server| server.certificates.known());
        let held = stores.flat_map(|store| &*store.0).filter(|(_, stored)| stored.is_rsa_in_cng());
        held.map(|(thumbprint, _)| *thumbprint).collect()
    }

    /// An organization of which nothing is known: nobody looked.
    pub fn not_captured() -> Self {
        Self {
            servers: BTreeMap::new(),
            send_connectors: Fact::not_captured(),
            accepted_domains: Fact::not_captured(),
            hybrid: Fact::not_captured(),
            auth: Fact::not_captured(),
            federation: Fact::not_captured(),
            edge_subscriptions: Fact::not_captured(),
            im_overrides: Fact::not_captured(),
            dedicated_application: Fact::not_captured(),
            domain_security: Fact::not_captured(),
            balancers: BTreeMap::new(),
        }
    }

    /// Every place outside a store that names a certificate by its thumbprint.
    pub fn thumbprints_mut(&mut self) -> impl Iterator<Item = &mut Thumbprint> {
        let servers = self.servers.values_mut().flat_map(Server::thumbprints_mut);
        let auth = self.auth.known_mut().into_iter().flatten();
        let auth = auth.flat_map(|auth| [&mut auth.current, &mut auth.next, &mut auth.previous]).flatten();
        let federation = self.federation.known_mut().into_iter().flatten();
        let federation = federation.flat_map(|trust| [&mut trust.current, &mut trust.next]).flatten();
        let subscriptions = self.edge_subscriptions.known_mut().into_iter().flatten();
        let subscriptions = subscriptions.filter_map(|subscription| subscription.edge_certificate.as_mut());
        let overrides = self.im_overrides.known_mut().into_iter().flat_map(BTreeMap::values_mut);
        let overrides = overrides.filter_map(|setting| setting.certificate.as_mut());
        servers.chain(auth).chain(federation).chain(subscriptions).chain(overrides)
    }
}

impl Observed {
    /// The format that this program writes.
    pub const VERSION: u32 = 1;
}
