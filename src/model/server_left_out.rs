//! Servers that the manifest leaves out for now.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{names::ServerName, schema::JsonSchema};

/// A server that the manifest leaves out for now: nothing is planned for it, and nothing is asked of its endpoints.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServerLeftOut {
    /// The server.
    pub server: ServerName,
    /// Why, as the manifest says.
    pub because: String,
}

impl fmt::Display for ServerLeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, because } = self;
        write!(f, "{server} is left out: {because}")
    }
}
