//! Why meeting an endpoint did not come to its end, or did not prove what it should.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::tls::{Alert, TlsVersion};
use crate::model::schema::JsonSchema;

/// Why a meeting did not come to its end. Words of a server are escaped and cut.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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

/// Why it could not be told whether a peer holds the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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
