//! The names by which clients are sent to a server: what its certificate has to have.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::DnsName;

/// Where Exchange keeps a URL or a host name for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClientDirectory {
    /// `Get-OwaVirtualDirectory`.
    Owa,
    /// `Get-EcpVirtualDirectory`.
    Ecp,
    /// `Get-WebServicesVirtualDirectory`.
    Ews,
    /// `Get-ActiveSyncVirtualDirectory`.
    ActiveSync,
    /// `Get-OabVirtualDirectory`.
    Oab,
    /// `Get-MapiVirtualDirectory`.
    Mapi,
    /// `Get-PowerShellVirtualDirectory`.
    PowerShell,
    /// `Get-OutlookAnywhere`.
    OutlookAnywhere,
    /// `AutoDiscoverServiceInternalUri` of `Get-ClientAccessService`.
    Autodiscover,
}

/// The names that one of them sends clients to over TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientNames {
    /// Of `InternalUrl` or `InternalHostname`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub internal: BTreeSet<DnsName>,
    /// Of `ExternalUrl` or `ExternalHostname`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub external: BTreeSet<DnsName>,
}

impl ClientDirectory {
    /// As administrators call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owa => "OWA",
            Self::Ecp => "ECP",
            Self::Ews => "EWS",
            Self::ActiveSync => "ActiveSync",
            Self::Oab => "OAB",
            Self::Mapi => "MAPI",
            Self::PowerShell => "PowerShell",
            Self::OutlookAnywhere => "Outlook Anywhere",
            Self::Autodiscover => "Autodiscover",
        }
    }
}
