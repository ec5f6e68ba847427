//! What is missing of what the Hybrid Configuration Wizard leaves on the servers (facts 9).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    names::{ConnectorName, ServerName},
    schema::JsonSchema,
};

/// A connector for mail with Microsoft 365 that is not as the wizard leaves it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HybridGap {
    /// The connector.
    pub connector: ConnectorName,
    /// The server of a receive connector; absent for a send connector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// What is wrong with it.
    pub fault: HybridFault,
}

/// What is wrong with a connector for mail with Microsoft 365.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HybridFault {
    /// It names another certificate than the hybrid configuration.
    NamesAnother,
    /// A send connector does not check that it talks to Microsoft 365 (`TlsAuthLevel`, `TlsDomain`).
    NotValidated,
    /// A receive connector takes mail from Microsoft 365 for any other (`TlsDomainCapabilities`).
    NotRecognised,
}

impl fmt::Display for HybridGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connector, server, fault } = self;
        write!(f, "{connector}")?;
        if let Some(server) = server {
            write!(f, " on {server}")?;
        }
        f.write_str(match fault {
            HybridFault::NamesAnother => " names another certificate",
            HybridFault::NotValidated => {
                " does not check that it talks to Microsoft 365 (TlsAuthLevel, TlsDomain)"
            }
            HybridFault::NotRecognised => {
                " lacks the certificate in its TlsDomainCapabilities, and so does not recognise mail from Microsoft 365"
            }
        })
    }
}
