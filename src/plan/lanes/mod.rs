//! The steps that bring certificates to servers and into use: one lane for each server.
//!
//! The order within a lane is the one that never leaves an endpoint without a valid certificate: import (with SMTP in
//! the same step), bind, bind sites, names, connectors, restarts, verify. What a connector is to name and what is there, or
//! cannot win against anything, comes before all that: once it is named, nothing that arrives is chosen in its place.

mod connectors;
mod deploy;
mod lane;
mod pinned;
mod reimport;
mod restarts;
mod services;
mod sites;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::{
    connectors::is_same,
    deploy::{enable_at_once, kept_out},
    lane::{default_smtp, verify},
    restarts::{restart, restarted_by_hand, service_group},
    sites::repair_shell,
};
use self::{
    lane::Lane,
    restarts::{restart_because, restart_lane, stale},
};
use super::{builder::PlanBuilder, decision::Decisions, told::Told};
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        selection::Presented,
        uses::Use,
    },
    model::{
        desired::{CertificateId, Desired},
        names::ServerName,
        service::Restartable,
    },
};

/// What every lane looks at.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// What should be there.
    pub(super) desired: &'a Desired,
    /// What has to happen to each certificate.
    pub(super) decisions: &'a Decisions<'a>,
    /// What Exchange Online has to be told before.
    pub(super) told: &'a Told,
}

/// Everything that has to happen on one server. `arrived` has come into its store before. Returns whether a restart of transport is
/// left to the send connectors.
///
/// What is to become of its internal transport certificate may wait for people: all others come before, with a proof of their own.
pub(super) fn server<'a>(
    builder: &mut PlanBuilder,
    known: Known<'_>,
    name: &ServerName,
    arrived: impl Iterator<Item = &'a CertificateId>,
) -> bool {
    let arrived: BTreeSet<CertificateId> = arrived.cloned().collect();
    let waiting = known.desired.servers[name].internal_transport.clone();
    let Some(waiting) = waiting.filter(|_| builder.is_default_held(name)) else {
        return lane(builder, known, name, arrived);
    };
    let (first, then) = known.decisions.apart(&waiting);
    let desired = known.desired.without_use(name, &waiting);
    let is_left =
        lane(builder, Known { desired: &desired, decisions: &first, ..known }, name, arrived.clone());
    lane(builder, Known { decisions: &then, ..known }, name, arrived) || is_left
}

fn lane(
    builder: &mut PlanBuilder,
    Known { desired, decisions, told }: Known<'_>,
    name: &ServerName,
    arrived: BTreeSet<CertificateId>,
) -> bool {
    let mut is_left = false;
    let own = &desired.servers[name];
    let mut lane = Lane { name, own, desired, told, restart: BTreeSet::new(), arrived };
    let before = by_name(builder, name);
    pinned::first(builder, &mut lane, decisions);
    services::leave_shared_names(builder, &mut lane);
    for decision in decisions.on(name) {
        deploy::arrive(builder, &mut lane, decision);
    }
    for decision in decisions.on(name) {
        reimport::reimport(builder, &lane, &desired.protect, decision);
    }
    services::set_um_startup_mode(builder, &mut lane);
    for decision in decisions.on(name) {
        let id = &decision.certificate.id;
        if builder.on_server(name, id).is_some() {
            services::bind(builder, &mut lane, decision);
            services::set_internal_transport(builder, &mut lane, id);
        }
    }
    services::set_names(builder, &mut lane);
    sites::bind(builder, &mut lane);
    connectors::repoint_receive(builder, &mut lane);
    let stale = stale(builder, &lane);
    if builder.is_unproved(name) || !stale.is_empty() {
        // What the manifest does not speak of goes over to a newer certificate of the same names too, and has loaded the
        // one before, which may be about to go.
        let after = by_name(builder, name);
        let moved = before.into_iter().filter(|(place, had)| after.get(place).is_some_and(|has| has != had));
        let moved: Vec<BindingPoint> = moved.map(|(place, _)| place).collect();
        let loaded_by = |place: &BindingPoint| Use::Presented(place.clone()).loaded_by();
        lane.restart.extend(moved.iter().filter_map(loaded_by));
        is_left = restart_lane(builder, &lane, desired.restarts);
        let concerned = lane.restart.iter().chain(stale.keys()).any(|what| *what == Restartable::Transport);
        for (what, why) in stale.into_iter().filter(|(what, _)| !lane.restart.contains(what)) {
            if desired.restarts.of(what).is_some() {
                restart_because(builder, what, name, (why, Vec::new()), &[]);
            }
        }
        if concerned && desired.restarts.of(Restartable::Transport).is_none() {
            restarted_by_hand(builder, (name, lane.own), &lane.restart);
        }
        // POP and IMAP that the manifest does not declare take the new certificate with the restart: nothing of the one before
        // ends until they were met with it.
        let of_mail = |place: &BindingPoint| {
            let restarted = loaded_by(place).and_then(|what| desired.restarts.of(what)).is_some();
            restarted && matches!(place, BindingPoint::Pop | BindingPoint::Imap)
        };
        lane::verify_with(builder, lane.own, name, moved.into_iter().filter(of_mail).collect());
    }
    is_left
}

/// What each place presents for which Exchange chooses by name.
fn by_name(builder: &PlanBuilder, name: &ServerName) -> BTreeMap<BindingPoint, Presented> {
    let Some(server) = builder.server(name) else { return BTreeMap::new() };
    let places = binding_points(server).into_iter().filter(|place| Use::Presented(place.clone()).moves_on());
    places.map(|place| (place.clone(), presented(server, &place, builder.now))).collect()
}
