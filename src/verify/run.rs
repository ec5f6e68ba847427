//! Proof by handshake: what endpoints really serve, compared with what they should.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    assess::{self, Expected},
    diagnosis::{Cause, Configured},
    finding::{self, EndpointFinding, Severity},
    path_validation::{Roots, Trust},
    worker_pool,
};
use crate::{
    model::{endpoint::Endpoint, names::DnsName, thumbprint::Thumbprint, time::Timestamp},
    ports::{
        driver::Observer,
        evidence::Verified,
        prober::{ProbeError, Prober, Sent, Served, Target, Took, Unfinished},
        tls::Version,
    },
    verify::check::{Check, Peer, Settings},
};

/// One row of a verdict: what should be served and what is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The server or host.
    pub server: String,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The place of the server that presents there: a site's binding, a connector, a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Where it was met, as `host:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The name that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<DnsName>,
    /// The certificate that the manifest declares there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<Thumbprint>,
    /// What the server is configured to present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured: Option<Configured>,
    /// The certificate that was presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<Thumbprint>,
    /// Until when the presented certificate is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// The certificates in the order in which they were sent.
    pub chain: Vec<Thumbprint>,
    /// The version of TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The cipher suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// The group of the key exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether clients trust it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// How long the meeting took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<Milliseconds>,
    /// How often the meeting was tried again.
    pub retries: u32,
    /// What is wrong; none when nothing is.
    #[serde(serialize_with = "finding::told::serialize")]
    #[schemars(with = "Vec<finding::Told>")]
    pub problems: Vec<EndpointFinding>,
    /// The likely cause of what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The certificates themselves.
    #[serde(skip)]
    pub sent: Vec<Sent>,
}

/// How long the parts of a meeting took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Milliseconds {
    /// From the name to the connection.
    pub connect: u64,
    /// The words in the clear before TLS.
    pub greeting: u64,
    /// The TLS handshake.
    pub handshake: u64,
}

impl Row {
    /// Whether the endpoint serves what it should, and clients take it. Warnings do not count.
    pub fn is_good(&self) -> bool {
        self.wrong().next().is_none()
    }

    /// The problems that count.
    pub fn wrong(&self) -> impl Iterator<Item = &EndpointFinding> {
        self.problems.iter().filter(|problem| problem.severity() == Severity::Wrong)
    }

    fn new(check: &Check) -> Self {
        Self {
            server: check.peer.to_string(),
            endpoint: check.endpoint,
            service: check.presenter.as_ref().map(ToString::to_string),
            address: None,
            name: check.name.clone(),
            declared: check.expected,
            configured: None,
            served: None,
            not_after: None,
            chain: Vec::new(),
            version: None,
            cipher: None,
            group: None,
            trust: None,
            milliseconds: None,
            retries: 0,
            problems: Vec::new(),
            cause: None,
            sent: Vec::new(),
        }
    }
}

/// Meets every endpoint, several at a time, and compares. The rows come in the order of the checks.
pub fn rows(checks: &[Check], observer: &dyn Observer, prober: &dyn Prober) -> Vec<Row> {
    rows_with(checks, observer, prober, &Settings::default(), &|_| {})
}

/// Meets every endpoint as the settings say, and compares. The rows come in the order of the checks; `on_row` hears of
/// each meeting as it ends, also of one that will be tried again.
pub fn rows_with(
    checks: &[Check],
    observer: &dyn Observer,
    prober: &dyn Prober,
    settings: &Settings,
    on_row: &(dyn Fn(&Row) + Sync),
) -> Vec<Row> {
    let now = observer.now();
    let meet = |checks: &[&Check], retries: u32| {
        let peers: Vec<String> = checks.iter().map(|check| check.peer.to_string()).collect();
        worker_pool::each(&peers, settings.at_once, settings.per_server, &|index| {
            let row = Row { retries, ..row(checks[index], observer, prober, settings.roots.as_ref(), now) };
            on_row(&row);
            row
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
pub fn verify(
    checks: &[Check],
    observer: &dyn Observer,
    prober: &dyn Prober,
    roots: Option<&Roots>,
) -> Result<Verified, Vec<Row>> {
    let settings = Settings { roots: roots.cloned(), ..Settings::default() };
    let rows = rows_with(checks, observer, prober, &settings, &|_| {});
    if !rows.iter().all(Row::is_good) {
        return Err(rows);
    }
    let served = checks.iter().zip(&rows).filter_map(|(check, row)| match &check.peer {
        Peer::Server { name, .. } => Some(((name.clone(), row.endpoint), row.served?)),
        Peer::Host(_) => None,
    });
    Ok(Verified::from_handshakes(served.collect()))
}

fn row(
    check: &Check,
    observer: &dyn Observer,
    prober: &dyn Prober,
    roots: Option<&Roots>,
    now: Timestamp,
) -> Row {
    let mut row = Row::new(check);
    let address = match check.peer.address(check.endpoint, observer) {
        Ok(address) => address,
        Err(why) => {
            row.problems.push(EndpointFinding::NoAddress { why });
            return row;
        }
    };
    row.address = Some(address.clone());
    let target = Target { address, protocol: check.endpoint.protocol, name: check.name.clone() };
    let expected = Expected {
        thumbprint: check.expected,
        name: check.name.as_ref(),
        client_auth: check.client_auth,
        roots,
        trusted_by: check.trusted_by,
    };
    match prober.probe(&target) {
        Ok(served) => compare(&mut row, served, &expected, now),
        Err(Unfinished { error, seen }) => {
            // What it speaks is judged with what it presented.
            if !(matches!(error, ProbeError::LegacyOnly { .. }) && seen.is_some()) {
                row.problems.push(EndpointFinding::NotMet { error });
            }
            if let Some(seen) = seen {
                compare(&mut row, *seen, &expected, now);
            }
        }
    }
    row
}

fn compare(row: &mut Row, served: Served, expected: &Expected<'_>, now: Timestamp) {
    let judgement = assess::judge(&served, expected, now);
    row.problems.extend(judgement.problems);
    row.trust = Some(judgement.trust);
    row.chain = served.chain.iter().map(Sent::thumbprint).collect();
    row.served = row.chain.first().copied();
    row.not_after = served.leaf().map(|leaf| leaf.not_after);
    row.version = Some(served.version);
    row.milliseconds = Some(served.took.into());
    row.cipher = Some(served.cipher);
    row.group = served.group;
    row.sent = served.chain;
}

/// What can be done about what is wrong with these rows, besides what each of them says.
pub fn advice(rows: &[Row]) -> Option<&'static str> {
    rows.iter().flat_map(Row::wrong).find_map(EndpointFinding::advice)
}

impl From<Took> for Milliseconds {
    fn from(took: Took) -> Self {
        let milliseconds =
            |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self {
            connect: milliseconds(took.connect),
            greeting: milliseconds(took.greeting),
            handshake: milliseconds(took.handshake),
        }
    }
}

fn may_pass(row: &Row) -> bool {
    row.problems
        .iter()
        .any(|problem| matches!(problem, EndpointFinding::NotMet { error } if error.may_pass()))
}
