//! Restarts: of what was given another certificate, and of what was met with an old one.

use std::collections::{BTreeMap, BTreeSet};

use super::lane::Lane;
use crate::{
    model::{
        action::{Action, CertRef, ServiceGroup, StepId},
        desired::CertificateId,
        names::ServerName,
        reason::Reason,
        service::Restartable,
    },
    plan::{builder::PlanBuilder, expect},
};

/// Restarts what was given another certificate.
pub(in crate::plan) fn restart(
    builder: &mut PlanBuilder,
    what: &BTreeSet<Restartable>,
    name: &ServerName,
    after: &[StepId],
) {
    for what in what {
        restart_because(builder, *what, name, Reason::RestartNeeded { service: *what }, after);
    }
}

pub(super) fn restart_because(
    builder: &mut PlanBuilder,
    what: Restartable,
    name: &ServerName,
    why: Reason,
    after: &[StepId],
) {
    let services = builder.server(name).map(|server| server.restarted(what)).unwrap_or_default();
    // What does not run reads the certificate when somebody starts it.
    if services.is_empty() {
        return;
    }
    let action = Action::Restart { server: name.clone(), service: what, services };
    builder.push(None, action, vec![why], after.iter().copied());
}

/// What is stopped and started of a server; none where nothing of it runs.
pub(in crate::plan) fn service_group(
    builder: &PlanBuilder,
    name: &ServerName,
    what: Restartable,
) -> Option<ServiceGroup> {
    let services = builder.server(name)?.restarted(what);
    (!services.is_empty()).then_some(ServiceGroup { service: what, services })
}

/// Services that were met with a certificate which they would not choose today, with the reason to restart them. What is
/// not in the server's store comes from something in between, and no restart changes that.
pub(super) fn stale(builder: &PlanBuilder, lane: &Lane<'_>) -> BTreeMap<Restartable, Reason> {
    let Some(server) = builder.server(lane.name) else { return BTreeMap::new() };
    let chosen = |id: &CertificateId| builder.thumbprint(id);
    let places = expect::places(lane.own, server, &chosen, builder.now).into_iter();
    let stale = places.filter_map(|(presenter, expected)| {
        let have = *server.served.get(&expected.endpoint)?;
        let differs = CertRef::of(have) != expected.certificate && server.certificate(have).is_some();
        let why = Reason::ServesStill { server: lane.name.clone(), have };
        differs.then_some((presenter.loaded_by()?, why))
    });
    stale.collect()
}
