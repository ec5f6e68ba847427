//! What certwright needs from the network: what an endpoint presents, and whether the service behind it is well.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    health::{Health, Page},
    mail::{HandedOver, TestMessage},
    tls::{Alert, TlsVersion},
};
use crate::model::{
    certificate::{Certificate, Der},
    endpoint::Protocol,
    names::DnsName,
    schema::JsonSchema,
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

/// Why it could not be told whether a peer holds the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Unproved {
    /// The certificate holds no key that could be read.
    Unreadable {
        /// What is wrong with it.
        why: String,
    },
    /// The handshake is signed in a way that cannot be checked here.
    Algorithm {
        /// The signature scheme, by its name in TLS.
        scheme: String,
    },
    /// The key is too short for the signature to be checked, or to mean anything.
    ShortKey {
        /// Its length.
        bits: u32,
    },
    /// The handshake did not come to a signature over what this side had sent.
    NotSigned,
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

/// Why a meeting did not come to its end. Words of a server are escaped and cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ProbeError {
    /// The name of the server has no address.
    #[error("{host} has no address here ({why}); see whether DNS knows the name, or run where it does")]
    UnknownHost {
        /// The name.
        host: String,
        /// What the resolver says.
        why: String,
    },
    /// The network leads nowhere.
    #[error("there is no route to {address} ({why})")]
    NoRoute {
        /// Where to.
        address: String,
        /// What the system says.
        why: String,
    },
    /// Nobody listens.
    #[error("{address} refuses connections: nothing listens there, or a firewall forbids it")]
    Refused {
        /// Where.
        address: String,
    },
    /// The peer takes too long.
    #[error("no answer in time during {phase}")]
    TimedOut {
        /// When.
        phase: Phase,
    },
    /// The peer leaves.
    #[error("the server closes the connection during {phase}")]
    Closed {
        /// When.
        phase: Phase,
    },
    /// The peer offers no TLS.
    #[error("the server offers no TLS; it says `{words}`")]
    NotOffered {
        /// What it says instead.
        words: String,
    },
    /// The peer ends the handshake.
    #[error("the server ends the handshake with the alert {alert}")]
    Alert {
        /// With which alert.
        alert: Alert,
    },
    /// The peer speaks only what is withdrawn.
    #[error("the server speaks {version} and nothing newer, which clients of today refuse")]
    LegacyOnly {
        /// The newest version that it speaks.
        version: TlsVersion,
    },
    /// The two sides find no parameters.
    #[error("the server and certwright have no cipher suite or algorithm in common: {why}")]
    NothingInCommon {
        /// How that showed.
        why: String,
    },
    /// The peer speaks something else.
    #[error("the server does not speak TLS there; it answers `{starts}`")]
    NotTls {
        /// How its answer starts.
        starts: String,
    },
    /// The peer breaks the rules of the protocol.
    #[error("the server breaks the protocol: {why}")]
    Violation {
        /// How.
        why: String,
    },
    /// This side cannot.
    #[error("this computer cannot ask the server: {why}")]
    Local {
        /// Why not.
        why: String,
    },
}

/// A part of a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Looking up the name.
    Lookup,
    /// Making the connection.
    Connect,
    /// The greeting of the service.
    Greeting,
    /// Agreeing on TLS.
    StartTls,
    /// The TLS handshake.
    Handshake,
    /// What is asked behind TLS, and its answer.
    Request,
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

impl ProbeError {
    /// The error in two or three words, for a cell of a table.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::UnknownHost { .. } => "unknown host",
            Self::NoRoute { .. } => "no route",
            Self::Refused { .. } => "refused",
            Self::TimedOut { .. } => "no answer",
            Self::Closed { .. } => "closed",
            Self::NotOffered { .. } => "no TLS",
            Self::Alert { .. } => "TLS alert",
            Self::LegacyOnly { .. } => "old TLS only",
            Self::NothingInCommon { .. } => "no common cipher",
            Self::NotTls { .. } => "not TLS",
            Self::Violation { .. } => "protocol broken",
            Self::Local { .. } => "not asked",
        }
    }

    /// Whether the same meeting may go well a little later: a service that starts, a server under load.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::TimedOut { .. } => true,
            Self::UnknownHost { .. }
            | Self::NoRoute { .. }
            | Self::Closed { .. }
            | Self::NotOffered { .. }
            | Self::Alert { .. }
            | Self::LegacyOnly { .. }
            | Self::NothingInCommon { .. }
            | Self::NotTls { .. }
            | Self::Violation { .. }
            | Self::Local { .. } => false,
        }
    }
}

impl From<ProbeError> for Unfinished {
    fn from(error: ProbeError) -> Self {
        Self { error, seen: None, took: Duration::ZERO }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lookup => "the lookup of its name",
            Self::Connect => "the connection",
            Self::Greeting => "the greeting",
            Self::StartTls => "the agreement on TLS",
            Self::Handshake => "the handshake",
            Self::Request => "the request",
        })
    }
}

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { why } => write!(f, "the certificate cannot be read ({why})"),
            Self::Algorithm { scheme } => write!(f, "signatures of the kind {scheme} cannot be checked"),
            Self::ShortKey { bits } => write!(f, "its key of {bits} bits is too short to be checked"),
            Self::NotSigned => f.write_str("the handshake did not come to its signature"),
        }
    }
}
