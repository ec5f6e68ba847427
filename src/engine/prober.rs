//! What certwright needs from the network: the certificate that an endpoint presents.

use crate::model::{certificate::Certificate, endpoint::Protocol, names::DnsName};

/// Meets endpoints as a client does.
pub trait Prober: Send + Sync {
    /// Makes a TLS handshake and returns what was presented, valid or not.
    fn probe(&self, target: &Target) -> Result<Served, ProbeError>;
}

/// An endpoint to meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it is, as `host:port`.
    pub address: String,
    /// How TLS starts there.
    pub protocol: Protocol,
    /// The name to ask for (SNI).
    pub name: Option<DnsName>,
}

/// What an endpoint presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The certificates as they were sent, the server's own first.
    pub chain: Vec<Certificate>,
    /// The version of TLS, `TLSv1.3`.
    pub version: String,
    /// The cipher suite.
    pub cipher: String,
}

/// Why nothing was presented.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// Nobody listens.
    #[error("no connection: {0}")]
    NoConnection(String),
    /// The peer offers no TLS.
    #[error("TLS is not offered: {0}")]
    NotOffered(String),
    /// The handshake failed.
    #[error("the handshake failed: {0}")]
    Handshake(String),
    /// The peer speaks something else.
    #[error("not the protocol: {0}")]
    Protocol(String),
    /// The peer takes too long.
    #[error("no answer in time: {0}")]
    TimedOut(String),
}
