//! Places of a server that present a certificate and that nobody can meet from outside.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::schema::JsonSchema;

/// A place that no handshake from here proves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnmetPlace {
    /// The place: a connector, a binding.
    pub place: String,
    /// Why not.
    pub why: Unmet,
}

/// Why a place cannot be met.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Unmet {
    /// Only clients of these addresses come to the connector (`RemoteIPRanges`); others come to another one of the same port,
    /// or to none.
    // facts 5.7
    RemoteRanges {
        /// The ranges.
        ranges: Vec<String>,
    },
    /// It listens on this address alone, and where a server is met another place answers on the same port.
    // facts 11.5
    Address {
        /// The address.
        address: String,
    },
    /// Another place answers to the same name on the same port.
    SharedPort {
        /// The other place.
        with: String,
    },
    /// IIS takes the certificate from the central store, by the name that the client asks for.
    // facts 11.6
    CentralStore,
    /// It sends: it proves itself to others, and nobody can call it. No endpoint of the server's transport serves the same
    /// certificate.
    // facts 5.9
    Sends,
    /// Its service does not run, and answers nobody.
    // facts 3.9
    Stopped,
    /// Unified Messaging: gateways and servers call it, and certwright does not.
    // facts 3.4
    NoHandshake,
}

impl fmt::Display for UnmetPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.place, self.why)
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RemoteRanges { ranges } => write!(f, "for clients of {} only", ranges.join(", ")),
            Self::Address { address } => write!(f, "at {address} only"),
            Self::SharedPort { with } => write!(f, "{with} answers on its port"),
            Self::CentralStore => f.write_str("IIS takes its certificate from the central store"),
            Self::Sends => f.write_str("it sends, and nobody can call it"),
            Self::Stopped => f.write_str("its service does not run"),
            Self::NoHandshake => f.write_str("gateways call it, and no handshake is made with it from here"),
        }
    }
}
