//! What services serve, seen by meeting them: the only way to see a certificate that a service loaded long ago.

use std::collections::BTreeSet;

use super::{
    check::{Check, Peer},
    expectations::declared,
    peers::Peers,
    row::Row,
    run,
};
use crate::{
    exchange::binding_points::BindingPoint,
    model::{
        action::Action,
        desired::Desired,
        names::ServerName,
        organization::Observed,
        plan::Plan,
        warning::{ServiceWarning, Warning},
    },
    ports::{driver::Observer, prober::Prober},
};

/// Meets the endpoints of these servers or of all, and notes in the observation what those presented that have to be restarted before
/// they serve another certificate. What cannot be met stays unseen. Tells what was wrong.
pub fn see_served(
    observed: &mut Observed,
    desired: &Desired,
    servers: Option<&BTreeSet<ServerName>>,
    observer: &dyn Observer,
    prober: &dyn Prober,
) -> Vec<Row> {
    let wanted = |check: &Check| match &check.peer {
        Peer::Server { name, .. } => servers.is_none_or(|servers| servers.contains(name)),
        Peer::Balancer(_) | Peer::Host(_) => false,
    };
    let mut checks = declared(desired, observed, observer.now()).with_undeclared(desired, observed).checks;
    // POP and IMAP take a newer certificate with their name, whether the manifest speaks of them or not.
    let is_mail = |check: &Check| matches!(check.presenter, Some(BindingPoint::Pop | BindingPoint::Imap));
    checks.retain(|check| wanted(check) && (check.expected.is_some() || is_mail(check)));
    let rows = run::rows(&checks, &Peers::servers(observer), prober);
    let loads = |check: &Check| check.presenter.as_ref().is_some_and(|place| place.loaded_by().is_some());
    for (check, row) in checks.iter().zip(&rows).filter(|(check, _)| loads(check)) {
        let (Peer::Server { name, .. }, Some(served)) = (&check.peer, row.served) else { continue };
        if let Some(server) = observed.organization.servers.get_mut(name) {
            server.served.insert(check.endpoint, served);
        }
    }
    let declared = checks.iter().map(|check| check.expected.is_some());
    let wrong = rows.into_iter().zip(declared).filter(|(row, declared)| *declared && !row.is_good());
    wrong.map(|(row, _)| row).collect()
}

/// What handshakes showed to be wrong on servers that a plan does not verify: it changes nothing there that clients meet.
pub fn served_wrongly(plan: &Plan, rows: &[Row]) -> Vec<Warning> {
    let verified: BTreeSet<&ServerName> = plan
        .steps
        .iter()
        .filter(|step| matches!(step.action, Action::Verify { .. }))
        .filter_map(|step| step.action.server())
        .collect();
    let warning = |row: &Row| {
        let server: ServerName = row.server.parse().ok().filter(|name| !verified.contains(name))?;
        let problems = row.wrong().cloned().collect();
        Some(ServiceWarning::ServedWrongly { server, endpoint: row.endpoint, problems }.into())
    };
    rows.iter().filter_map(warning).collect()
}
