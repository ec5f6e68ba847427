//! Whether the services behind HTTPS are well: the virtual directories of Exchange and their health pages (facts 11.3).

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    driver::Observer,
    prober::{Prober, Target, Unfinished},
    queue,
    verify::{Check, Settings},
};
use crate::{
    exchange::presenters::Presenter,
    model::{
        endpoint::{Endpoint, Protocol},
        site::SiteBinding,
        thumbprint::Thumbprint,
    },
};

/// What a page behind HTTPS answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthRow {
    /// The server or host.
    pub server: String,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The page's path.
    pub page: String,
    /// Whether the service behind it is well.
    pub healthy: bool,
    /// The status code of HTTP; absent when there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The Exchange server that answered, by its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub front_end: Option<String>,
    /// The certificate behind which it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Thumbprint>,
    /// What is wrong; absent when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Asks every page behind the HTTPS endpoints of these checks, without credentials. A page counts only behind the
/// certificate that should be there. The rows come in the order of the checks.
pub fn rows(
    checks: &[Check],
    observer: &dyn Observer,
    prober: &dyn Prober,
    settings: &Settings,
) -> Vec<HealthRow> {
    let asked: Vec<(&Check, Page)> = checks
        .iter()
        .filter(|check| has_pages(check))
        .flat_map(|check| Page::all().map(move |page| (check, page)))
        .collect();
    let peers: Vec<String> = asked.iter().map(|(check, _)| check.peer.to_string()).collect();
    queue::each(&peers, settings.at_once, settings.per_server, &|index| {
        let (check, page) = asked[index];
        row(check, page, observer, prober)
    })
}

/// Front ends have the pages that clients use; Exchange Back End answers the front ends alone.
fn has_pages(check: &Check) -> bool {
    let back_end =
        matches!(&check.presenter, Some(Presenter::Site(binding)) if binding.site == SiteBinding::BACK_END);
    check.endpoint.protocol == Protocol::Https && !back_end
}

fn row(check: &Check, page: Page, observer: &dyn Observer, prober: &dyn Prober) -> HealthRow {
    let mut row = HealthRow {
        server: check.peer.to_string(),
        endpoint: check.endpoint,
        page: page.to_string(),
        healthy: false,
        status: None,
        front_end: None,
        certificate: None,
        problem: None,
    };
    let address = match check.peer.address(check.endpoint, observer) {
        Ok(address) => address,
        Err(why) => return HealthRow { problem: Some(why), ..row },
    };
    let target = Target { address, protocol: check.endpoint.protocol, name: check.name.clone() };
    match prober.health(&target, page) {
        Err(Unfinished { error, seen: _ }) => row.problem = Some(error.to_string()),
        Ok(health) => {
            let other = check.expected.is_some() && health.certificate != check.expected;
            row.healthy = page.is_well(health.status) && !other;
            row.problem = if other {
                Some("answers behind another certificate than the declared one".into())
            } else {
                (!row.healthy).then(|| page.complaint(health.status))
            };
            row.status = Some(health.status);
            row.front_end = health.front_end;
            row.certificate = health.certificate;
        }
    }
    row
}

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

    fn complaint(self, status: u16) -> String {
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
