//! What services serve, seen by meeting them: the only way to see a certificate that a service loaded long ago.

use std::collections::BTreeSet;

use super::{
    check::{Check, Peer},
    expectations::declared,
    peers::Peers,
    run,
};
use crate::{
    model::{desired::Desired, names::ServerName, organization::Observed},
    ports::{driver::Observer, prober::Prober},
};

/// Meets what has to be restarted before it serves another certificate, on these servers or on all, and notes in the
/// observation what it presented. What cannot be met stays unseen.
pub fn see_served(
    observed: &mut Observed,
    desired: &Desired,
    servers: Option<&BTreeSet<ServerName>>,
    observer: &dyn Observer,
    prober: &dyn Prober,
) {
    let wanted = |check: &Check| match &check.peer {
        Peer::Server { name, .. } => {
            let loads = check.presenter.as_ref().is_some_and(|presenter| presenter.loaded_by().is_some());
            loads && servers.is_none_or(|servers| servers.contains(name))
        }
        Peer::Balancer(_) | Peer::Host(_) => false,
    };
    let mut checks = declared(desired, observed, observer.now()).checks;
    checks.retain(wanted);
    let rows = run::rows(&checks, &Peers::servers(observer), prober);
    for (check, row) in checks.iter().zip(rows) {
        let (Peer::Server { name, .. }, Some(served)) = (&check.peer, row.served) else { continue };
        if let Some(server) = observed.organization.servers.get_mut(name) {
            server.served.insert(check.endpoint, served);
        }
    }
}
