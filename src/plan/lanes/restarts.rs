//! Restarts: of what was given another certificate, and of what was met with an old one.

use std::collections::{BTreeMap, BTreeSet};

use super::{connectors::is_same, lane::Lane};
use crate::{
    exchange::binding_points::BindingPoint,
    model::{
        action::{Action, CertRef, Condition, Expectation, ServiceGroup, StepId},
        desired::DesiredServer,
        dn::TlsCertificateName,
        history::{DueRestart, History},
        names::ServerName,
        policy::{Restarts, TransportRestart},
        reason::Reason,
        service::Restartable,
        version::ServerVersion,
    },
    plan::{builder::PlanBuilder, expect, restarts_due},
};

/// Restarts what was given another certificate.
pub(in crate::plan) fn restart(
    builder: &mut PlanBuilder,
    what: &BTreeSet<Restartable>,
    name: &ServerName,
    after: &[StepId],
) {
    for what in what {
        let why = Reason::RestartNeeded { service: *what };
        restart_because(builder, *what, name, (why, Vec::new()), after);
    }
}

/// Asks a person to restart transport, where the manifest lets nothing else do it: without that the new certificate is not
/// served, and a handshake would fail that asks for it. Nobody is asked for what no handshake shows.
pub(in crate::plan) fn restarted_by_hand(
    builder: &mut PlanBuilder,
    (name, own): (&ServerName, &DesiredServer),
    restart: &BTreeSet<Restartable>,
) {
    let services: Vec<String> = [Restartable::Transport, Restartable::MailboxTransport]
        .into_iter()
        .filter(|what| *what == Restartable::Transport || restart.contains(what))
        .filter_map(|what| service_group(builder, name, what))
        .flat_map(|group| group.services)
        .collect();
    let Some(server) = builder.server(name) else { return };
    let expect = by_transport(expect::places(own, server, &|id| builder.thumbprint(id), builder.now));
    if services.is_empty() || expect.is_empty() {
        return;
    }
    let server = name.clone();
    let task = format!(
        "restart {} on {server} when mail may wait for a moment (`restarts: {{ transport: never }}`), unless transport serves the \
         new certificate by itself before: Restart-Service {}",
        services.join(" and "),
        services.join(", ")
    );
    let until = Condition::Served { server: server.clone(), expect };
    let why = vec![Reason::RestartNeeded { service: Restartable::Transport }];
    builder.push(None, Action::Manual { server: Some(server), task, until }, why, []);
}

/// Restarts what a lane gave another certificate, as the manifest wants it. Transport is left alone where it is met with the
/// new one: nothing documented says that it has to be restarted (facts 3.7).
///
/// Returns whether transport is left to the restart that a send connector needs later: nobody can meet here what it would serve
/// until then, so a restart of its own would prove nothing and keep mail waiting once more.
pub(super) fn restart_lane(builder: &mut PlanBuilder, lane: &Lane<'_>, policy: Restarts) -> bool {
    let mut is_left = false;
    let wanted: BTreeSet<Restartable> = lane.restart.iter().filter_map(|what| policy.of(*what)).collect();
    for what in &wanted {
        let what = *what;
        let if_needed = what == Restartable::Transport && policy.transport == TransportRestart::IfNeeded;
        let served = served_by_transport(builder, lane);
        let is_last = lane.waiting.is_empty();
        if what == Restartable::Transport
            && served.is_empty()
            && !wanted.contains(&Restartable::MailboxTransport)
            && (!is_last || will_repoint(builder, lane))
        {
            is_left = is_last;
            continue;
        }
        let unless_served = if if_needed { served } else { Vec::new() };
        restart_because(
            builder,
            what,
            lane.name,
            (Reason::RestartNeeded { service: what }, unless_served),
            &[],
        );
    }
    is_left
}

/// Whether a send connector of the server gets another name as soon as all its source servers are done, with nobody to wait for.
fn will_repoint(builder: &PlanBuilder, lane: &Lane<'_>) -> bool {
    let Some(connectors) = builder.world.organization.send_connectors.known() else { return false };
    let names = |version: &ServerVersion| version.release().has_tls_certificate_name();
    // An Edge server's has to wait for EdgeSync besides.
    let is_ready = |server: &ServerName| {
        let seen = builder.server(server).filter(|own| own.certificates.known().is_some() && !own.is_edge());
        lane.desired.servers.contains_key(server)
            && seen.is_some_and(|own| own.version.known().is_some_and(names))
    };
    lane.desired.send_connectors.iter().any(|(name, id)| {
        let Some(connector) = connectors.get(name) else { return false };
        let want = match id {
            None => None,
            Some(id) => match builder.on_server(lane.name, id) {
                None => return false,
                Some(certificate) => Some(TlsCertificateName::of(certificate)),
            },
        };
        connector.source_servers.contains(lane.name)
            && connector.source_servers.iter().all(is_ready)
            && lane.told.before(id.as_ref()).is_none()
            && !is_same(connector.tls_certificate_name.as_ref(), want.as_ref())
    })
}

/// What transport should serve, where it can be met.
fn served_by_transport(builder: &PlanBuilder, lane: &Lane<'_>) -> Vec<Expectation> {
    by_transport(lane.places(builder))
}

fn by_transport(places: Vec<(BindingPoint, Expectation)>) -> Vec<Expectation> {
    let loaded = places.into_iter().filter(|(place, _)| place.loaded_by() == Some(Restartable::Transport));
    loaded.map(|(_, expectation)| expectation).collect()
}

pub(super) fn restart_because(
    builder: &mut PlanBuilder,
    what: Restartable,
    name: &ServerName,
    (why, unless_served): (Reason, Vec<Expectation>),
    after: &[StepId],
) {
    let services = builder.server(name).map(|server| server.restarted(what)).unwrap_or_default();
    // What does not run reads the certificate when somebody starts it.
    if services.is_empty() {
        return;
    }
    let action =
        Action::Restart { server: name.clone(), service: what, services, unless_served, drain: None };
    builder.push_restart(action, vec![why], after.iter().copied());
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

/// What is restarted although nothing changes for it: services that were met with an old certificate, and those of which a run has
/// not come to the restart that a change asked for. Transport is left alone where it serves what it should by then.
pub(super) fn restarted_anew(
    builder: &PlanBuilder,
    lane: &Lane<'_>,
    history: Option<&History>,
) -> BTreeMap<Restartable, (Reason, Vec<Expectation>)> {
    let if_needed = lane.desired.restarts.transport == TransportRestart::IfNeeded;
    let due = restarts_due::wanted(history, lane.desired, lane.name).filter_map(|(what, due)| {
        // What does not run reads the certificate when somebody starts it.
        let runs = builder.server(lane.name).is_some_and(|server| !server.restarted(what).is_empty());
        let DueRestart { server, run, since, .. } = due.clone();
        let why = Reason::NotRestarted { server, service: what, run, since };
        let served = || served_by_transport(builder, lane);
        let unless = if what == Restartable::Transport && if_needed { served() } else { Vec::new() };
        runs.then_some((what, (why, unless)))
    });
    let mut anew: BTreeMap<_, _> = due.collect();
    anew.extend(stale(builder, lane).into_iter().map(|(what, why)| (what, (why, Vec::new()))));
    anew
}

/// Services that were met with a certificate which they would not choose today, with the reason to restart them. What is
/// not in the server's store comes from something in between, and no restart changes that.
fn stale(builder: &PlanBuilder, lane: &Lane<'_>) -> BTreeMap<Restartable, Reason> {
    let Some(server) = builder.server(lane.name) else { return BTreeMap::new() };
    let mut places = lane.places(builder);
    for place in expect::undeclared_mail(lane.own, server) {
        let own = expect::chosen_by_exchange(lane.own, server, [place.clone()], builder.now);
        places.extend(own.into_iter().map(|expected| (place.clone(), expected)));
    }
    let stale = places.into_iter().filter_map(|(presenter, expected)| {
        let have = *server.served.get(&expected.endpoint)?;
        let differs = CertRef::of(have) != expected.certificate && server.certificate(have).is_some();
        let why = Reason::ServesStill { server: lane.name.clone(), have };
        differs.then_some((presenter.loaded_by()?, why))
    });
    stale.collect()
}
