//! Send and receive connectors (facts 6).

use std::{collections::BTreeSet, net::IpAddr};

use serde::{Deserialize, Serialize};

use super::{
    dn::TlsCertificateName,
    names::{DnsName, ServerName},
    remote_range::RemoteRange,
    schema::JsonSchema,
};

/// A send connector: an object of the organization, used by its source servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
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
    /// `DomainSecureEnabled`: mail to the domains of `TLSSendDomainSecureList` goes by mutual TLS or not at all.
    // facts 6.11
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub domain_secure: bool,
    /// `Enabled`. Microsoft says "any send connector", so a disabled one is taken to block the removal of its
    /// certificate too.
    // facts 7.2
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// `TlsAuthLevel` of a send connector (Microsoft Learn, Set-SendConnector).
// facts 6.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
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
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
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
    /// `RemoteIPRanges`: the clients that come to it. None when it takes all, or when nobody looked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remote_ranges: Vec<String>,
    /// `DomainSecureEnabled`: mail from the domains of `TLSReceiveDomainSecureList` comes by mutual TLS or not at all.
    // facts 6.11
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub domain_secure: bool,
    /// `Enabled`.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// `TransportRole`: which service a receive connector belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TransportRole {
    /// Front End Transport.
    FrontendTransport,
    /// Transport; the only one on Edge servers and before 2013.
    HubTransport,
}

/// A value of `AuthMechanism` (Microsoft Learn, Set-ReceiveConnector).
// facts 6.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
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

impl AuthMechanism {
    /// The name that Exchange gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls => "Tls",
            Self::Integrated => "Integrated",
            Self::BasicAuth => "BasicAuth",
            Self::BasicAuthRequireTls => "BasicAuthRequireTLS",
            Self::ExchangeServer => "ExchangeServer",
            Self::ExternalAuthoritative => "ExternalAuthoritative",
        }
    }
}

impl TransportRole {
    /// Both roles.
    pub const ALL: [Self; 2] = [Self::FrontendTransport, Self::HubTransport];

    /// The name that Exchange gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FrontendTransport => "FrontendTransport",
            Self::HubTransport => "HubTransport",
        }
    }
}

impl std::fmt::Display for TransportRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl ReceiveConnector {
    /// Whether it takes clients of all addresses (facts 5.7).
    pub fn is_for_all(&self) -> bool {
        const ALL: [&str; 3] = ["0.0.0.0-255.255.255.255", "0.0.0.0/0", "0.0.0.0"];
        self.remote_ranges.is_empty() || self.remote_ranges.iter().any(|range| ALL.contains(&range.as_str()))
    }

    /// How near its ranges are to this client: the size of the smallest one that has it. None when it takes nobody from there.
    // facts 5.7
    pub fn distance(&self, client: IpAddr) -> Option<u128> {
        let ranges = self.remote_ranges.iter().filter_map(|range| RemoteRange::parse(range));
        let nearest = ranges.filter_map(|range| range.distance(client)).min();
        nearest.or_else(|| self.is_for_all().then_some(u128::MAX))
    }

    /// The addresses at which it listens on a port: none for all of them.
    pub fn addresses(&self, port: u16) -> Vec<Option<&str>> {
        let own = self.bindings.iter().filter_map(|binding| binding.rsplit_once(':'));
        let own = own.filter(|(_, own)| own.parse() == Ok(port));
        own.map(|(address, _)| (!matches!(address, "" | "*" | "0.0.0.0" | "[::]" | "::")).then_some(address))
            .collect()
    }

    /// The ports it listens on, without repetition.
    pub fn ports(&self) -> BTreeSet<u16> {
        self.bindings.iter().filter_map(|binding| binding.rsplit_once(':')?.1.parse().ok()).collect()
    }
}

const fn yes() -> bool {
    true
}
