//! Trust between an Edge server and the servers of its site (facts 5.3, 10).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{names::ServerName, schema::JsonSchema, thumbprint::Thumbprint};

/// Why an Edge server and a server of its site do not trust each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EdgeDistrust {
    /// The Edge presents another certificate than it was subscribed with: `EdgeSync` stops with 10104.
    EdgeReplaced {
        /// The Edge server.
        edge: ServerName,
        /// The certificate that it presents.
        present: Thumbprint,
    },
    /// A server of the site presents another one than the Edge knows: the Edge refuses it with 1036.
    ServerReplaced {
        /// The Edge server.
        edge: ServerName,
        /// The server of the site.
        server: ServerName,
        /// The certificate that it presents.
        present: Thumbprint,
    },
    /// Both present the same one: `EdgeSync` stops with 10104, and a new subscription does not help.
    Shared {
        /// The Edge server.
        edge: ServerName,
        /// The server of the site.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
    },
}

impl EdgeDistrust {
    /// The Edge server.
    pub fn edge(&self) -> &ServerName {
        match self {
            Self::EdgeReplaced { edge, .. }
            | Self::ServerReplaced { edge, .. }
            | Self::Shared { edge, .. } => edge,
        }
    }

    /// What it keeps from working.
    pub fn follows(&self) -> String {
        format!("mail with {} and EdgeSync stand still", self.edge())
    }
}

impl fmt::Display for EdgeDistrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EdgeReplaced { edge, present } => write!(
                f,
                "{edge} presents {}, and was subscribed with another certificate (event 10104)",
                present.short()
            ),
            Self::ServerReplaced { edge, server, present } => write!(
                f,
                "{server} presents {}, and {edge} knows another certificate of it (event 1036)",
                present.short()
            ),
            Self::Shared { edge, server, certificate } => write!(
                f,
                "{edge} and {server} both present {} (event 10104); each needs an internal transport certificate of its own",
                certificate.short()
            ),
        }
    }
}
