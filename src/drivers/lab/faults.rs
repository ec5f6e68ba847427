//! Faults as data: a lab that fails as `lab.yaml` says. What has failed how often is kept with the lab's state, so that a
//! run that is killed and goes on meets the next fault and not the same one again.

use serde::{Deserialize, Serialize};

use crate::model::{names::ServerName, schema::JsonSchema};

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The operation that fails. If omitted, every operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// The server on which it fails. If omitted, every server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// How many times it succeeds before it fails.
    #[serde(default)]
    pub after: u32,
    /// How many times it fails.
    #[serde(default = "Fault::once")]
    pub times: u32,
    /// How it fails.
    pub how: How,
}

/// An operation of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// Observing the organization.
    Observe,
    /// `New-ExchangeCertificate`.
    Create,
    /// `New-ExchangeCertificate -GenerateRequest`.
    Request,
    /// `Import-ExchangeCertificate` that completes a request.
    Complete,
    /// `Remove-ExchangeCertificate` of a request.
    RemoveRequest,
    /// `Import-ExchangeCertificate`.
    Import,
    /// `Export-ExchangeCertificate`.
    Export,
    /// `Enable-ExchangeCertificate`.
    Bind,
    /// A binding of IIS.
    BindSite,
    /// `Set-PopSettings`, `Set-ImapSettings`.
    SetName,
    /// `Set-UMService`, `Set-UMCallRouterSettings`.
    SetUmStartupMode,
    /// `Set-ReceiveConnector`, `Set-SendConnector`.
    Repoint,
    /// `Set-SettingOverride`.
    SetOverride,
    /// `Start-EdgeSynchronization`.
    SynchronizeEdge,
    /// `Set-AuthConfig`.
    SetAuth,
    /// `Restart-Service`.
    Restart,
    /// `Set-ServerComponentState`, `Redirect-Message`.
    DrainTransport,
    /// `Remove-ExchangeCertificate`.
    Remove,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// It fails with an error and changes nothing.
    Before,
    /// It is partly done, and the response is lost. Only for operations with several parts.
    During,
    /// It is done, and the response is lost.
    After,
    /// The server does not respond, and nothing changes. Its state cannot be observed.
    Unreachable,
    /// It reports success and does nothing, such as a restart after which the old certificate is still served.
    Ignored,
    /// It reports success, and takes effect three calls later, as with Active Directory replication. Only for
    /// `repoint`.
    Late,
    /// certwright is killed before the change.
    KilledBefore,
    /// certwright is killed after the change.
    KilledAfter,
}

impl Fault {
    fn once() -> u32 {
        1
    }
}
