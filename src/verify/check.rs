//! What is to be checked: an endpoint, and the certificate that should be there.

use super::path_validation::Roots;
use crate::{
    exchange::binding_points::BindingPoint,
    model::{
        action::Expectation,
        desired::Origin,
        endpoint::{Endpoint, Protocol},
        names::{BalancerName, DnsName, PeerName, ServerName},
        thumbprint::Thumbprint,
    },
};

/// An endpoint and what should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Who has it.
    pub peer: Peer,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The name a client asks for.
    pub name: Option<DnsName>,
    /// The certificate it should serve; none when any will do that clients accept.
    pub expected: Option<Thumbprint>,
    /// By what clients trust it.
    pub trusted_by: TrustedBy,
    /// The place of the server that presents there, when it was observed.
    pub presenter: Option<BindingPoint>,
}

/// Who has an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A server of the organization.
    Server {
        /// Its name.
        name: ServerName,
        /// Its full name.
        fqdn: DnsName,
    },
    /// A load balancer of the manifest.
    Balancer(BalancerName),
    /// Another host, met at the endpoint's own port.
    Host(String),
}

/// By what the peers of an endpoint trust its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustedBy {
    /// By a chain to a root.
    Roots,
    /// By being that very certificate, as Exchange's direct trust has it (facts 5.2, 5.3).
    Identity,
    /// It is not known, and not checked.
    Unchecked,
}

/// How endpoints are met.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Handshakes at the same time. They wait for the network.
    pub at_once: usize,
    /// Handshakes at the same time with one server, which has other clients too.
    pub per_server: usize,
    /// How often a meeting is tried again that was refused or took too long, after all others had their turn.
    pub retries: u32,
    /// The roots that clients trust; none leaves trust unchecked.
    pub roots: Option<Roots>,
}

impl Settings {
    /// Endpoints that are met at the same time, unless somebody says otherwise. Each waits for its peer in a thread of its own,
    /// which costs next to nothing; with fewer, two hundred that take their time would be met in several turns.
    pub const AT_ONCE: usize = 256;
}

impl Check {
    /// A meeting with a load balancer.
    pub fn of_balancer(name: &BalancerName, expectation: &Expectation, expected: Thumbprint) -> Self {
        Self {
            peer: Peer::Balancer(name.clone()),
            endpoint: expectation.endpoint,
            name: expectation.name.clone(),
            expected: Some(expected),
            trusted_by: TrustedBy::Unchecked,
            presenter: None,
        }
    }
}

impl TrustedBy {
    /// What decides for the certificates of a manifest, by where they come from. The root of a private CA is in nobody's
    /// store but the organization's own.
    pub fn of(origin: &Origin) -> Self {
        match origin {
            Origin::SelfSigned => Self::Identity,
            Origin::LocalCa { .. } | Origin::Csr { rooted: true, .. } | Origin::Pfx { rooted: true, .. } => {
                Self::Roots
            }
            Origin::Csr { rooted: false, .. } | Origin::Pfx { rooted: false, .. } => Self::Unchecked,
        }
    }

    /// What decides at an endpoint of this protocol: servers among themselves look at the certificate alone.
    #[must_use]
    pub fn at(self, protocol: Protocol) -> Self {
        match protocol {
            Protocol::SmtpAnonymousTls | Protocol::Ldaps => Self::Identity,
            Protocol::Https
            | Protocol::Smtp
            | Protocol::Smtps
            | Protocol::Pop
            | Protocol::Pops
            | Protocol::Imap
            | Protocol::Imaps => self,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { at_once: Self::AT_ONCE, per_server: 4, retries: 1, roots: None }
    }
}

impl Peer {
    /// Its name, when it belongs to the organization.
    pub fn name(&self) -> Option<PeerName> {
        match self {
            Self::Server { name, .. } => Some(PeerName::Server(name.clone())),
            Self::Balancer(name) => Some(PeerName::Balancer(name.clone())),
            Self::Host(_) => None,
        }
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server { name, .. } => write!(f, "{name}"),
            Self::Balancer(name) => write!(f, "{name}"),
            Self::Host(host) => f.write_str(host),
        }
    }
}
