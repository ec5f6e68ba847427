//! The steps that bring certificates to servers and into use: one lane for each server, then the organization.
//!
//! The order within a lane is the one that never leaves an endpoint without a valid certificate: import (with SMTP in
//! the same step), bind, bind sites, names, connectors, restarts, verify.

mod arrive;
mod balancers;
mod connectors;
mod edge;
mod extra;
mod hybrid;
mod im;
mod restarts;
mod services;
mod sites;

use std::collections::{BTreeMap, BTreeSet};

use super::{choose::Decision, draft::Draft, expect};
use crate::{
    exchange::{
        presenters::{Presenter, presented, presenters},
        selection::{Failing, Presented},
        uses::Use,
    },
    model::{
        action::{Action, DefaultSmtp, StepId},
        desired::{CertificateId, Desired, DesiredServer},
        names::{ConnectorName, ServerName},
        reason::Reason,
        server::Server,
        service::{Restartable, Services},
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

use self::restarts::{restart, restart_because, stale};
pub(super) use self::{
    arrive::{issue, request, settle},
    balancers::{balancers, verify_balancer},
    connectors::organization,
    edge::subscriptions,
    hybrid::{hybrid, undeclared_hybrid},
    im::instant_messaging,
    sites::repair_shell,
};

/// Decisions, found by the server they concern.
pub(super) struct Decisions<'a> {
    all: Vec<Decision<'a>>,
    on: BTreeMap<ServerName, Vec<usize>>,
}

impl<'a> Decisions<'a> {
    pub(super) fn new(all: Vec<Decision<'a>>) -> Self {
        let mut on: BTreeMap<ServerName, Vec<usize>> = BTreeMap::new();
        for (index, decision) in all.iter().enumerate() {
            for server in &decision.certificate.servers {
                on.entry(server.clone()).or_default().push(index);
            }
        }
        Self { all, on }
    }

    pub(super) fn all(&self) -> &[Decision<'a>] {
        &self.all
    }

    pub(super) fn on(&self, server: &ServerName) -> impl Iterator<Item = &Decision<'a>> {
        self.on.get(server).into_iter().flatten().map(|index| &self.all[*index])
    }
}

/// A server's lane in the making: what belongs to it, and what has to be restarted at its end.
struct Lane<'a> {
    name: &'a ServerName,
    own: &'a DesiredServer,
    restart: BTreeSet<Restartable>,
}

impl Lane<'_> {
    fn restart_for(&mut self, services: &Services) {
        self.restart.extend(services.iter().filter_map(|service| service.restartable()));
    }
}

/// Everything that has to happen on one server.
pub(super) fn server(draft: &mut Draft, desired: &Desired, decisions: &Decisions<'_>, name: &ServerName) {
    let mut lane = Lane { name, own: &desired.servers[name], restart: BTreeSet::new() };
    let before = by_name(draft, name);
    for decision in decisions.on(name) {
        arrive::arrive(draft, &mut lane, decision);
    }
    for decision in decisions.on(name) {
        extra::reimport(draft, &lane, decision);
    }
    for decision in decisions.on(name) {
        let id = &decision.certificate.id;
        if draft.on_server(name, id).is_some() {
            services::bind(draft, &mut lane, decision);
            services::set_internal_transport(draft, &mut lane, id);
        }
    }
    services::set_names(draft, &mut lane, desired);
    services::set_um_startup_mode(draft, &mut lane);
    sites::bind(draft, &mut lane);
    connectors::repoint_receive(draft, &mut lane);
    let stale = stale(draft, &lane);
    if draft.is_unproved(name) || !stale.is_empty() {
        // What the manifest does not speak of goes over to a newer certificate of the same names too, and has loaded the
        // one before, which may be about to go.
        let after = by_name(draft, name);
        let moved = before.into_iter().filter(|(place, had)| after.get(place).is_some_and(|has| has != had));
        lane.restart.extend(moved.filter_map(|(place, _)| Use::Presented(place).loaded_by()));
        restart(draft, &lane.restart, name, &[]);
        for (what, why) in stale.into_iter().filter(|(what, _)| !lane.restart.contains(what)) {
            restart_because(draft, what, name, why, &[]);
        }
        verify(draft, lane.own, name);
    }
}

/// What each place presents for which Exchange chooses by name.
fn by_name(draft: &Draft, name: &ServerName) -> BTreeMap<Presenter, Presented> {
    let Some(server) = draft.server(name) else { return BTreeMap::new() };
    let places = presenters(server).into_iter().filter(|place| Use::Presented(place.clone()).moves_on());
    places.map(|place| (place.clone(), presented(server, &place, draft.now))).collect()
}

/// Adds a verification of everything that the server should serve.
pub(super) fn verify(draft: &mut Draft, own: &DesiredServer, name: &ServerName) -> Option<StepId> {
    let expect = {
        let server = draft.server(name)?;
        expect::expectations(own, server, &|id| draft.thumbprint(id), draft.now)
    };
    draft.push(None, Action::Verify { server: name.clone(), expect }, vec![Reason::Proof], [])
}

/// The answer that the manifest gives to Exchange's question about the default SMTP certificate.
fn default_smtp(own: &DesiredServer, id: &CertificateId) -> DefaultSmtp {
    if own.internal_transport.as_ref() == Some(id) { DefaultSmtp::Replace } else { DefaultSmtp::Keep }
}

/// The receive connectors that choose this certificate and cannot use it, because SMTP is not enabled for it.
fn failing_connectors(server: &Server, thumbprint: Thumbprint, now: Timestamp) -> Vec<ConnectorName> {
    let failing = Presented::Failing { certificate: thumbprint, why: Failing::NoKeyAccess };
    let connectors =
        presenters(server).into_iter().filter(|presenter| presented(server, presenter, now) == failing);
    connectors
        .filter_map(|presenter| match presenter {
            Presenter::Connector(name) => Some(name),
            Presenter::Site(_) | Presenter::InternalTransport | Presenter::Pop | Presenter::Imap => None,
        })
        .collect()
}
