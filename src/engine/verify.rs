//! Proof by handshake: what endpoints really serve, compared with what they should.

use std::{collections::BTreeMap, error::Error};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    driver::Observer,
    judge::{self, Expected},
    prober::{ProbeError, Prober, Sent, Served, Target, Unfinished},
    problem::{self, Problem, Severity},
    queue,
    trust::Roots,
};
use crate::model::{
    endpoint::Endpoint,
    names::{DnsName, ServerName},
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// An endpoint and what should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The server.
    pub server: ServerName,
    /// Its full name.
    pub fqdn: DnsName,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The name a client asks for.
    pub name: Option<DnsName>,
    /// The certificate it should serve.
    pub expected: Thumbprint,
    /// Whether a send connector proves itself with the same certificate, as a client.
    pub client_auth: bool,
}

/// How endpoints are met.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Handshakes at the same time. They wait for the network and not for the processor.
    pub at_once: usize,
    /// Handshakes at the same time with one server, which has other clients too.
    pub per_server: usize,
    /// How often a meeting is tried again that was refused or took too long, after all others had their turn.
    pub retries: u32,
    /// The roots that clients trust; none leaves trust unchecked.
    pub roots: Option<Roots>,
}

/// One row of a verdict: what should be served and what is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The server.
    pub server: ServerName,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The name that was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<DnsName>,
    /// The certificate that the manifest declares there.
    pub declared: Thumbprint,
    /// The certificate that was presented.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub served: Option<Thumbprint>,
    /// Until when the presented certificate is valid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_after: Option<Timestamp>,
    /// How often the meeting was tried again.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub retries: u32,
    /// What is wrong; none when nothing is.
    #[serde(skip_serializing_if = "Vec::is_empty", default, with = "problem::told")]
    #[schemars(with = "Vec<problem::Told>")]
    pub problems: Vec<Problem>,
}

/// Evidence that every endpoint of a server that should serve a certificate of the manifest was seen serving it. Only
/// [`verify`] makes it.
#[derive(Debug)]
pub struct Verified {
    served: BTreeMap<(ServerName, Endpoint), Thumbprint>,
}

impl Row {
    /// Whether the endpoint serves what it should, and clients take it. Warnings do not count.
    pub fn is_good(&self) -> bool {
        self.wrong().next().is_none()
    }

    /// The problems that count.
    pub fn wrong(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity() == Severity::Wrong)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { at_once: 16, per_server: 4, retries: 1, roots: None }
    }
}

impl Verified {
    /// What each endpoint was seen to serve.
    pub fn served(&self) -> &BTreeMap<(ServerName, Endpoint), Thumbprint> {
        &self.served
    }
}

/// Meets every endpoint, several at a time, and compares. The rows come in the order of the checks.
pub fn rows(checks: &[Check], observer: &dyn Observer, prober: &dyn Prober) -> Vec<Row> {
    rows_with(checks, observer, prober, &Settings::default())
}

/// Meets every endpoint as the settings say, and compares. The rows come in the order of the checks.
pub fn rows_with(
    checks: &[Check],
    observer: &dyn Observer,
    prober: &dyn Prober,
    settings: &Settings,
) -> Vec<Row> {
    let now = observer.now();
    let meet = |checks: &[&Check], retries: u32| {
        let servers: Vec<&ServerName> = checks.iter().map(|check| &check.server).collect();
        queue::each(&servers, settings.at_once, settings.per_server, &|index| {
            let row = row(checks[index], observer, prober, settings.roots.as_ref(), now);
            Row { retries, ..row }
        })
    };
    let mut rows = meet(&checks.iter().collect::<Vec<_>>(), 0);
    for round in 1..=settings.retries {
        let again: Vec<usize> = (0..rows.len()).filter(|index| may_pass(&rows[*index])).collect();
        let checks: Vec<&Check> = again.iter().map(|index| &checks[*index]).collect();
        for (index, row) in again.into_iter().zip(meet(&checks, round)) {
            rows[index] = row;
        }
    }
    rows
}

/// Meets every endpoint. All of them good is evidence; otherwise the rows tell what is not.
pub fn verify(checks: &[Check], observer: &dyn Observer, prober: &dyn Prober) -> Result<Verified, Vec<Row>> {
    let rows = rows(checks, observer, prober);
    if !rows.iter().all(Row::is_good) {
        return Err(rows);
    }
    let served = rows.into_iter().filter_map(|row| Some(((row.server, row.endpoint), row.served?))).collect();
    Ok(Verified { served })
}

fn row(
    check: &Check,
    observer: &dyn Observer,
    prober: &dyn Prober,
    roots: Option<&Roots>,
    now: Timestamp,
) -> Row {
    let Check { server, fqdn, endpoint, name, expected, client_auth } = check;
    let mut row = Row {
        server: server.clone(),
        endpoint: *endpoint,
        name: name.clone(),
        declared: *expected,
        served: None,
        not_after: None,
        retries: 0,
        problems: Vec::new(),
    };
    let address = match observer.address(server, fqdn, *endpoint) {
        Ok(address) => address,
        Err(error) => {
            row.problems.push(Problem::NoAddress { why: with_sources(&error) });
            return row;
        }
    };
    let target = Target { address, protocol: endpoint.protocol, name: name.clone() };
    let expected =
        Expected { thumbprint: Some(*expected), name: name.as_ref(), client_auth: *client_auth, roots };
    match prober.probe(&target) {
        Ok(served) => compare(&mut row, &served, &expected, now),
        Err(Unfinished { error, seen }) => {
            // What it speaks is judged with what it presented.
            if !(matches!(error, ProbeError::LegacyOnly { .. }) && seen.is_some()) {
                row.problems.push(Problem::NotMet { error });
            }
            if let Some(seen) = seen {
                compare(&mut row, &seen, &expected, now);
            }
        }
    }
    row
}

fn compare(row: &mut Row, served: &Served, expected: &Expected<'_>, now: Timestamp) {
    row.served = served.chain.first().map(Sent::thumbprint);
    row.not_after = served.leaf().map(|leaf| leaf.not_after);
    row.problems.extend(judge::judge(served, expected, now).problems);
}

fn may_pass(row: &Row) -> bool {
    row.problems.iter().any(|problem| matches!(problem, Problem::NotMet { error } if error.may_pass()))
}

fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
