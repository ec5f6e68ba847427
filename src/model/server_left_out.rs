//! Servers that the manifest leaves out for now.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{names::ServerName, schema::JsonSchema};

/// What to do about what is wrong on such a server.
pub(in crate::model) const TAKE_BACK: &str = "take `leftOut` from its entry when it is to be changed again";

/// What follows for what is wrong on a server, where it is left out.
pub(super) struct KeptBy<'a>(pub(super) Option<&'a ServerName>);

impl fmt::Display for KeptBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |server| write!(f, "; `leftOut` keeps {server} as it is"))
    }
}

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
