//! Proof by handshake: what endpoints really serve, compared with what they should.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    driver::Observer,
    prober::{Prober, Served, Target},
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
    /// What is wrong; none when nothing is.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub problems: Vec<String>,
}

/// Evidence that every endpoint of a server that should serve a certificate of the manifest was seen serving it. Only
/// [`verify`] makes it.
#[derive(Debug)]
pub struct Verified {
    served: BTreeMap<(ServerName, Endpoint), Thumbprint>,
}

impl Row {
    /// Whether the endpoint serves what it should, and that is valid.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
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
    let now = observer.now();
    let next = AtomicUsize::new(0);
    let mut rows: Vec<(usize, Row)> = std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            while let Some((index, check)) =
                Some(next.fetch_add(1, Ordering::SeqCst)).and_then(|at| Some((at, checks.get(at)?)))
            {
                done.push((index, row(check, observer, prober, now)));
            }
            done
        };
        let workers: Vec<_> = (0..AT_ONCE.min(checks.len())).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("probing does not panic")).collect()
    });
    rows.sort_by_key(|(index, _)| *index);
    rows.into_iter().map(|(_, row)| row).collect()
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

fn row(check: &Check, observer: &dyn Observer, prober: &dyn Prober, now: Timestamp) -> Row {
    let Check { server, fqdn, endpoint, name, expected } = check;
    let mut row = Row {
        server: server.clone(),
        endpoint: *endpoint,
        name: name.clone(),
        declared: *expected,
        served: None,
        not_after: None,
        problems: Vec::new(),
    };
    let address = match observer.address(server, fqdn, *endpoint) {
        Ok(address) => address,
        Err(error) => {
            row.problems.push(error.to_string());
            return row;
        }
    };
    let target = Target { address, protocol: endpoint.protocol, name: name.clone() };
    match prober.probe(&target) {
        Ok(served) => compare(&mut row, &served, now),
        Err(error) => row.problems.push(error.to_string()),
    }
    row
}

fn compare(row: &mut Row, served: &Served, now: Timestamp) {
    let Some(leaf) = served.chain.first() else {
        row.problems.push("no certificate was presented".into());
        return;
    };
    row.served = Some(leaf.thumbprint);
    row.not_after = Some(leaf.not_after);
    if leaf.thumbprint != row.declared {
        row.problems.push(format!(
            "serves {} ({}), not {}",
            leaf.thumbprint.short(),
            leaf.subject,
            row.declared.short()
        ));
    }
    if leaf.not_after < now {
        row.problems.push(format!("expired {}", leaf.not_after.date()));
    } else if now < leaf.not_before {
        row.problems.push(format!("not valid before {}", leaf.not_before));
    }
    if let Some(name) = &row.name
        && !leaf.covers(name)
    {
        row.problems.push(format!("does not cover {name}"));
    }
}

/// Handshakes at the same time. They wait for the network and not for the processor.
const AT_ONCE: usize = 16;
