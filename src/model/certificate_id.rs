//! Which certificate of the manifest is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    names::{CertificateName, ServerName},
    schema::JsonSchema,
};

/// Which certificate is meant: its name in the manifest, and the server when each has its own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateId {
    /// Its name in the manifest.
    pub name: CertificateName,
    /// The server, for a certificate of scope `server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            None => write!(f, "{}", self.name),
            Some(server) => write!(f, "{} on {server}", self.name),
        }
    }
}
