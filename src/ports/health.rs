//! The pages behind HTTPS that tell whether a service is well (facts 11.3).

use std::fmt;

use crate::model::thumbprint::Thumbprint;

/// A virtual directory that clients use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VirtualDirectory {
    /// Outlook on the web.
    Owa,
    /// The admin center.
    Ecp,
    /// Exchange Web Services.
    Ews,
    /// Phones.
    ActiveSync,
    /// Outlook, MAPI over HTTP.
    Mapi,
    /// Autodiscover.
    Autodiscover,
    /// The offline address book.
    Oab,
    /// Outlook Anywhere.
    Rpc,
    /// Remote PowerShell.
    PowerShell,
}

/// A page to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Page {
    /// The virtual directory itself. It answers with a redirection or asks for credentials.
    Root(VirtualDirectory),
    /// Its page for load balancers. Managed Availability answers 200 when the protocol is healthy on that server.
    HealthCheck(VirtualDirectory),
}

/// What a page answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The certificate behind which it answered.
    pub certificate: Option<Thumbprint>,
    /// The status code of HTTP.
    pub status: u16,
    /// The Exchange server that answered (`X-FEServer`), escaped and cut. Behind a load balancer it tells which.
    pub front_end: Option<String>,
    /// Whether the body says `200 OK`.
    pub says_ok: bool,
}

impl VirtualDirectory {
    /// Every virtual directory, in the order of facts 11.3.
    pub const ALL: [Self; 9] = [
        Self::Owa,
        Self::Ecp,
        Self::Ews,
        Self::ActiveSync,
        Self::Mapi,
        Self::Autodiscover,
        Self::Oab,
        Self::Rpc,
        Self::PowerShell,
    ];

    /// Its path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Owa => "/owa",
            Self::Ecp => "/ecp",
            Self::Ews => "/EWS",
            Self::ActiveSync => "/Microsoft-Server-ActiveSync",
            Self::Mapi => "/mapi",
            Self::Autodiscover => "/Autodiscover",
            Self::Oab => "/OAB",
            Self::Rpc => "/rpc",
            Self::PowerShell => "/PowerShell",
        }
    }

    /// Its health page. Remote PowerShell has none.
    pub const fn health_check(self) -> Option<Page> {
        match self {
            Self::Owa
            | Self::Ecp
            | Self::Ews
            | Self::ActiveSync
            | Self::Mapi
            | Self::Autodiscover
            | Self::Oab
            | Self::Rpc => Some(Page::HealthCheck(self)),
            Self::PowerShell => None,
        }
    }
}

impl Page {
    /// Every page to ask for: the health page of each protocol, and remote PowerShell itself, which has none.
    pub fn all() -> impl Iterator<Item = Self> {
        VirtualDirectory::ALL
            .into_iter()
            .map(|directory| directory.health_check().unwrap_or(Self::Root(directory)))
    }

    /// Whether the service is well that answers with this status. That the body of a health page says so too is not
    /// documented (facts 11.3), so the status decides. A virtual directory is well when it redirects or asks who is there.
    pub const fn is_well(self, status: u16) -> bool {
        match self {
            Self::HealthCheck(_) => status == 200,
            Self::Root(_) => matches!(status, 200..=399 | 401 | 403 | 440),
        }
    }

    /// What is wrong when it answers with this status.
    pub fn complaint(self, status: u16) -> String {
        match (self, status) {
            (Self::HealthCheck(_), 401) => {
                "asks for credentials: something in front protects the health page".into()
            }
            (_, 404) => "is not there (404): the virtual directory or its health page is missing".into(),
            (_, 503) => {
                "is not served (503): its application pool is stopped, or Managed Availability took it out"
                    .into()
            }
            (_, status) => format!("answers {status}"),
        }
    }
}

impl fmt::Display for Page {
    /// The path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(directory) => f.write_str(directory.path()),
            Self::HealthCheck(directory) => write!(f, "{}/healthcheck.htm", directory.path()),
        }
    }
}
