//! What certwright needs from the network: what an endpoint presents, and whether the service behind it is well.

use std::time::Duration;

use super::{
    health::{Health, Page},
    mail::{HandedOver, TestMessage},
};
use crate::model::{
    certificate::{Certificate, Der},
    endpoint::Protocol,
    handshake::{
        probe_error::{ProbeError, Unproved},
        tls::TlsVersion,
    },
    names::DnsName,
    thumbprint::Thumbprint,
};

/// Meets endpoints as a client does.
pub trait Prober: Send + Sync {
    /// The most time that meeting an endpoint takes. Meetings that are tried again share it.
    fn time_limit(&self) -> Duration;

    /// Makes a TLS handshake and returns what was presented, valid or not.
    fn probe(&self, target: &Target) -> Result<Served, Unfinished>;

    /// Makes a TLS handshake and asks for a page behind it, without credentials.
    fn health(&self, target: &Target, page: Page) -> Result<Health, Unfinished>;

    /// Makes a TLS handshake and hands a test message over behind it.
    fn hand_over(&self, target: &Target, message: &TestMessage) -> Result<HandedOver, Unfinished>;
}

/// An endpoint to meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it is, as `host:port`.
    pub address: String,
    /// How TLS starts there.
    pub protocol: Protocol,
    /// The name to ask for (SNI). A wildcard is no name that a client could ask for, and is not sent.
    pub name: Option<DnsName>,
    /// How much of its time limit earlier meetings have taken.
    pub spent: Duration,
}

/// What an endpoint presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The certificates as they were sent, the server's own first.
    pub chain: Vec<Sent>,
    /// The version of TLS.
    pub version: TlsVersion,
    /// The cipher suite, by the name that IANA gives it.
    pub cipher: String,
    /// The group of the key exchange, where there was one that has a name.
    pub group: Option<String>,
    /// Whether the peer holds the key of the certificate that it sent.
    pub possession: Possession,
    /// Whether the peer asked for a certificate of ours.
    pub asks_for_client_certificate: bool,
    /// How long it took.
    pub took: Took,
}

/// A certificate as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The bytes.
    pub der: Der,
    /// What they say, or why they cannot be read.
    pub certificate: Result<Certificate, String>,
}

/// Whether a peer holds the private key of the certificate that it presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Possession {
    /// It signed the handshake with it.
    Proved,
    /// The signature of the handshake is wrong: whoever answers there does not hold the key.
    Refuted,
    /// It could not be told.
    Unproved(Unproved),
}

/// How long the parts of a meeting took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Took {
    /// From the name to the connection.
    pub connect: Duration,
    /// The words in the clear; nothing where TLS starts at once.
    pub greeting: Duration,
    /// The TLS handshake.
    pub handshake: Duration,
}

/// A meeting that did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Unfinished {
    /// Why not.
    pub error: ProbeError,
    /// What was presented before it ended.
    pub seen: Option<Box<Served>>,
    /// How long it took until then.
    pub took: Duration,
}

impl Served {
    /// The server's own certificate, when it can be read.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.chain.first()?.certificate.as_ref().ok()
    }
}

impl Sent {
    /// Takes what came.
    pub fn new(der: Vec<u8>) -> Self {
        let certificate = Certificate::from_der(&der).map_err(|error| error.to_string());
        Self { der: Der(der), certificate }
    }

    /// Its thumbprint, readable or not.
    pub fn thumbprint(&self) -> Thumbprint {
        Thumbprint::of(&self.der.0)
    }
}

impl From<ProbeError> for Unfinished {
    fn from(error: ProbeError) -> Self {
        Self { error, seen: None, took: Duration::ZERO }
    }
}
