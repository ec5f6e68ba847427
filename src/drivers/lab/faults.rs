//! Faults as data: a lab that fails as `lab.yaml` says. What has failed how often is kept with the lab's state, so that a
//! run that is killed and goes on meets the next fault and not the same one again.

use serde::{Deserialize, Serialize};

use crate::model::{names::ServerName, schema::JsonSchema};

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The verb that fails; every verb, when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// The server on which it fails; every server, when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// How often it succeeds first.
    #[serde(default)]
    pub after: u32,
    /// How often it fails then.
    #[serde(default = "Fault::once")]
    pub times: u32,
    /// How it fails.
    pub how: How,
}

/// A verb of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// Seeing the organization.
    Observe,
    /// `New-ExchangeCertificate`.
    Create,
    /// `New-ExchangeCertificate -GenerateRequest`.
    Request,
    /// `Import-ExchangeCertificate` of an answer.
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

/// How a verb fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// With an error, before anything changed.
    Before,
    /// It is done in part, of what has several parts, and the answer is lost.
    During,
    /// It is done, and the answer is lost.
    After,
    /// The server does not answer; nothing changed. What is to be observed there is unknown.
    Unreachable,
    /// It reports success and does nothing: a restart after which an endpoint serves the old certificate still.
    Ignored,
    /// It reports success, and the effect comes three calls later, as with Active Directory's replication. Of `repoint`
    /// only; other verbs act on one server and have no such delay.
    Late,
    /// The program is killed before anything changed.
    KilledBefore,
    /// The program is killed when it is done.
    KilledAfter,
}

impl Fault {
    fn once() -> u32 {
        1
    }
}
