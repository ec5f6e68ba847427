//! The names by which clients are sent to a server: what its certificate has to have.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{names::DnsName, schema::JsonSchema};

/// Where Exchange keeps a URL or a host name for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
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

/// A name that clients are sent to, and where that is set.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientName {
    /// The name.
    pub host: DnsName,
    /// Where it is set.
    pub directory: ClientDirectory,
    /// Whether it is the one for clients outside.
    pub external: bool,
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, directory, external } = self;
        let side = if *external { "external" } else { "internal" };
        write!(f, "{host} ({} {side})", directory.name())
    }
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
