//! Proof by handshake: what endpoints really serve, compared with what they should.

use std::time::Duration;

use super::{
    assess::{self, Expected},
    path_validation::Roots,
    peers::Peers,
    row::Row,
    worker_pool,
};
use crate::{
    model::{
        handshake::{endpoint_finding::EndpointFinding, probe_error::ProbeError},
        time::Timestamp,
    },
    ports::{
        evidence::Verified,
        prober::{Prober, Sent, Served, Target, Unfinished},
    },
    verify::check::{Check, Settings},
};

/// Meets every endpoint, several at a time, and compares. The rows come in the order of the checks.
pub fn rows(checks: &[Check], peers: &Peers<'_>, prober: &dyn Prober) -> Vec<Row> {
    rows_with(checks, peers, prober, &Settings::default(), &|_| {})
}

/// Meets every endpoint as the settings say, and compares. The rows come in the order of the checks; `on_row` hears of
/// each meeting as it ends, also of one that will be tried again.
pub fn rows_with(
    checks: &[Check],
    peers: &Peers<'_>,
    prober: &dyn Prober,
    settings: &Settings,
    on_row: &(dyn Fn(&Row) + Sync),
) -> Vec<Row> {
    let now = peers.now();
    let meet = |checks: &[(&Check, Duration)], retries: u32| {
        let names: Vec<String> = checks.iter().map(|(check, _)| check.peer.to_string()).collect();
        worker_pool::each(&names, settings.at_once, settings.per_server, &|index| {
            let (check, spent) = checks[index];
            let (row, took) = row(check, spent, peers, prober, settings.roots.as_ref(), now);
            let row = Row { retries, ..row };
            on_row(&row);
            (row, spent + took)
        })
    };
    let mut rows = meet(&checks.iter().map(|check| (check, Duration::ZERO)).collect::<Vec<_>>(), 0);
    for round in 1..=settings.retries {
        let again: Vec<usize> = (0..rows.len())
            .filter(|index| may_pass(&rows[*index].0) && rows[*index].1 < prober.time_limit())
            .collect();
        let checks: Vec<_> = again.iter().map(|index| (&checks[*index], rows[*index].1)).collect();
        for (index, row) in again.into_iter().zip(meet(&checks, round)) {
            rows[index] = row;
        }
    }
    rows.into_iter().map(|(row, _)| row).collect()
}

/// Meets every endpoint. All of them good is evidence; otherwise the rows tell what is not.
pub fn verify(
    checks: &[Check],
    peers: &Peers<'_>,
    prober: &dyn Prober,
    roots: Option<&Roots>,
) -> Result<Verified, Vec<Row>> {
    let settings = Settings { roots: roots.cloned(), ..Settings::default() };
    let rows = rows_with(checks, peers, prober, &settings, &|_| {});
    if !rows.iter().all(Row::is_good) {
        return Err(rows);
    }
    let served = checks
        .iter()
        .zip(&rows)
        .filter_map(|(check, row)| Some(((check.peer.name()?, row.endpoint), row.served?)));
    Ok(Verified::from_handshakes(served.collect()))
}

/// What a meeting came to, and how much of its time limit it took where it did not come to its end.
fn row(
    check: &Check,
    spent: Duration,
    peers: &Peers<'_>,
    prober: &dyn Prober,
    roots: Option<&Roots>,
    now: Timestamp,
) -> (Row, Duration) {
    let mut row = Row::new(check);
    let address = match peers.address(&check.peer, check.endpoint) {
        Ok(address) => address,
        Err(why) => {
            row.problems.push(EndpointFinding::NoAddress { why });
            return (row, Duration::ZERO);
        }
    };
    row.address = Some(address.clone());
    let protocol = check.endpoint.protocol;
    let target = Target { address, protocol, name: check.name.clone(), spent };
    let expected = Expected {
        thumbprint: check.expected,
        name: check.name.as_ref(),
        roots,
        trusted_by: check.trusted_by,
    };
    match prober.probe(&target) {
        Ok(served) => {
            compare(&mut row, served, &expected, now);
            (row, Duration::ZERO)
        }
        Err(Unfinished { error, seen, took }) => {
            // What it speaks is judged with what it presented.
            if !(matches!(error, ProbeError::LegacyOnly { .. }) && seen.is_some()) {
                row.problems.push(EndpointFinding::NotMet { error });
            }
            if let Some(seen) = seen {
                compare(&mut row, *seen, &expected, now);
            }
            (row, took)
        }
    }
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

fn may_pass(row: &Row) -> bool {
    row.problems
        .iter()
        .any(|problem| matches!(problem, EndpointFinding::NotMet { error } if error.may_pass()))
}
