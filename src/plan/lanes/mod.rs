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
    restarts::{restart_because, restart_lane, restarted_anew},
};
use super::{builder::PlanBuilder, decision::Decisions, told::Told};
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        selection::Presented,
        uses::Use,
    },
    model::{
        action::Expectation,
        desired::{CertificateId, Desired},
        history::History,
        names::ServerName,
        reason::Reason,
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
    /// What earlier runs have done, and what they owe.
    pub(super) history: Option<&'a History>,
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
    // What earlier runs have left to restart waits for nobody.
    lane(builder, Known { decisions: &then, history: None, ..known }, name, arrived) || is_left
}

fn lane(
    builder: &mut PlanBuilder,
    Known { desired, decisions, told, history }: Known<'_>,
    name: &ServerName,
    arrived: BTreeSet<CertificateId>,
) -> bool {
    let own = &desired.servers[name];
    let (restart, waiting) = (BTreeSet::new(), BTreeSet::new());
    let mut lane = Lane { name, own, desired, told, restart, arrived, waiting };
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
    let anew = restarted_anew(builder, &lane, history);
    let is_left = take_up(builder, &mut lane, &before, anew);
    if lane.waiting.is_empty() {
        return is_left;
    }
    // What a person has to allow comes last, so that nothing else stays half-way meanwhile.
    builder.note_deployed(name);
    let by_people = desired.restarts.of(Restartable::Transport).is_none();
    lane.restart
        .retain(|what| by_people && matches!(what, Restartable::Transport | Restartable::MailboxTransport));
    let before = by_name(builder, name);
    connectors::repoint_told(builder, &mut lane);
    take_up(builder, &mut lane, &before, BTreeMap::new()) || is_left
}

/// Has services take up what they were given, and proves it. Returns whether transport is left to the send connectors.
fn take_up(
    builder: &mut PlanBuilder,
    lane: &mut Lane<'_>,
    before: &BTreeMap<BindingPoint, Presented>,
    anew: BTreeMap<Restartable, (Reason, Vec<Expectation>)>,
) -> bool {
    let (name, restarts) = (lane.name, lane.desired.restarts);
    if !builder.is_unproved(name) && anew.is_empty() {
        return false;
    }
    // What the manifest does not speak of goes over to a newer certificate of the same names too, and has loaded the
    // one before, which may be about to go.
    let after = by_name(builder, name);
    let moved = before.iter().filter(|(place, had)| after.get(place).is_some_and(|has| has != *had));
    let mut moved: Vec<BindingPoint> = moved.map(|(place, _)| place.clone()).collect();
    let loaded_by = |place: &BindingPoint| Use::Presented(place.clone()).loaded_by();
    lane.restart.extend(moved.iter().filter_map(loaded_by));
    let is_left = restart_lane(builder, lane, restarts);
    let concerned = lane.restart.iter().chain(anew.keys()).any(|what| *what == Restartable::Transport);
    let mail = [(Restartable::Pop, BindingPoint::Pop), (Restartable::Imap, BindingPoint::Imap)];
    moved.extend(mail.into_iter().filter(|(what, _)| anew.contains_key(what)).map(|(_, place)| place));
    for (what, why) in anew.into_iter().filter(|(what, _)| !lane.restart.contains(what)) {
        if restarts.of(what).is_some() {
            restart_because(builder, what, name, why, &[]);
        }
    }
    if concerned && restarts.of(Restartable::Transport).is_none() && lane.waiting.is_empty() {
        restarted_by_hand(builder, (name, lane.own), &lane.restart);
    }
    // POP and IMAP that the manifest does not declare take the new certificate with the restart: nothing of the one before
    // ends until they were met with it.
    let of_mail = |place: &BindingPoint| {
        let restarted = loaded_by(place).and_then(|what| restarts.of(what)).is_some();
        restarted && matches!(place, BindingPoint::Pop | BindingPoint::Imap)
    };
    let expect = lane.places(builder).into_iter().map(|(_, expectation)| expectation).collect();
    lane::verify_with(builder, lane.own, name, expect, moved.into_iter().filter(of_mail).collect());
    is_left
}

/// What each place presents for which Exchange chooses by name.
fn by_name(builder: &PlanBuilder, name: &ServerName) -> BTreeMap<BindingPoint, Presented> {
    let Some(server) = builder.server(name) else { return BTreeMap::new() };
    let places = binding_points(server).into_iter().filter(|place| Use::Presented(place.clone()).moves_on());
    places.map(|place| (place.clone(), presented(server, &place, builder.now))).collect()
}
