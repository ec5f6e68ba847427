//! Certificates in use that end, declared or not.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{names::ServerName, schema::JsonSchema, thumbprint::Thumbprint, time::Timestamp};

/// A certificate that something uses, and that ends soon or has ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ending {
    /// The server that presents it; absent where it is the organization's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// The certificate.
    pub certificate: Thumbprint,
    /// Whom it names.
    pub named: String,
    /// When it ends.
    pub not_after: Timestamp,
    /// Whether that is over.
    pub expired: bool,
    /// What uses it.
    pub used_by: Vec<String>,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, certificate, named, not_after, expired, used_by } = self;
        let on = server.as_ref().map_or(String::new(), |server| format!(" on {server}"));
        let ends = if *expired { "ended" } else { "ends" };
        write!(
            f,
            "{} ({named}){on} {ends} {}, and is used by {}",
            certificate.short(),
            not_after.date(),
            used_by.join(", ")
        )
    }
}
