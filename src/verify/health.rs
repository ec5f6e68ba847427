//! Whether the services behind HTTPS are well: the virtual directories of Exchange and their health pages (facts 11.3).

use std::time::Duration;

use serde::Serialize;

use super::{
    check::{Check, Settings},
    peers::Peers,
    worker_pool,
};
use crate::{
    exchange::binding_points::BindingPoint,
    model::{
        endpoint::{Endpoint, Protocol},
        schema::JsonSchema,
        site::SiteBinding,
        thumbprint::Thumbprint,
    },
    ports::{
        health::Page,
        prober::{Prober, Target, Unfinished},
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
pub fn rows(checks: &[Check], peers: &Peers<'_>, prober: &dyn Prober, settings: &Settings) -> Vec<HealthRow> {
    let asked: Vec<(&Check, Page)> = checks
        .iter()
        .filter(|check| has_pages(check))
        .flat_map(|check| Page::all().map(move |page| (check, page)))
        .collect();
    let names: Vec<String> = asked.iter().map(|(check, _)| check.peer.to_string()).collect();
    worker_pool::each(&names, settings.at_once, settings.per_server, &|index| {
        let (check, page) = asked[index];
        row(check, page, peers, prober)
    })
}

/// Front ends have the pages that clients use; Exchange Back End answers the front ends alone.
fn has_pages(check: &Check) -> bool {
    let back_end = matches!(&check.presenter, Some(BindingPoint::Site(binding)) if binding.site == SiteBinding::BACK_END);
    check.endpoint.protocol == Protocol::Https && !back_end
}

fn row(check: &Check, page: Page, peers: &Peers<'_>, prober: &dyn Prober) -> HealthRow {
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
    let address = match peers.address(&check.peer, check.endpoint) {
        Ok(address) => address,
        Err(why) => return HealthRow { problem: Some(why), ..row },
    };
    let protocol = check.endpoint.protocol;
    let target = Target { address, protocol, name: check.name.clone(), spent: Duration::ZERO };
    match prober.health(&target, page) {
        Err(Unfinished { error, .. }) => row.problem = Some(error.to_string()),
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
