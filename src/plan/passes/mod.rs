//! The passes of a plan, in their order.
//!
//! Each pass looks at what is foreseen by then and adds its steps. What one finds out that a later one needs, it hands
//! over as its result; the builder notes which steps and warnings came of which [`Pass`]. Servers come before what belongs to
//! the organization, and the end of what was superseded after everything that it has to wait for. While Exchange cannot tell
//! what certificates there are, only the Auth certificate is planned.

mod balancers;
mod edge;
mod hybrid;
mod im;
mod issue;
mod online;
mod pass;
mod retire;
mod safe_keeping;
mod send_connectors;

pub use self::pass::{Pass, PassReport};
use self::{
    balancers::balancers,
    edge::await_people,
    hybrid::{hybrid, undeclared_hybrid},
    im::instant_messaging,
    issue::{bind_existing, issue},
    online::{tell_before_arrival, tell_online},
    retire::{Deployed, Limit, Retired, retire},
    safe_keeping::safe_keeping,
    send_connectors::send_connectors,
};
pub(super) use self::{
    edge::{Unready, subscriptions, unready},
    retire::is_retirement,
};
use super::{
    auth, builder::PlanBuilder, decision::Decisions, lanes, not_seen::not_seen, pending_requests,
    targeting::Scope, unsupported::Refusals, warnings,
};
use std::collections::BTreeSet;

use crate::model::{
    cannot::Cannot,
    desired::Desired,
    names::ServerName,
    organization::Observed,
    time::Timestamp,
    unseen::NotSeen,
    warning::{AuthWarning, RunWarning, ServerWarning},
};

/// What every pass looks at. Nothing in it changes while they run.
pub(super) struct PassInput<'a> {
    /// The whole manifest, with what is refused.
    pub(super) asked: &'a Desired,
    /// The part of it that is planned.
    pub(super) desired: &'a Desired,
    /// What has to happen to each certificate of that part.
    pub(super) decisions: &'a Decisions<'a>,
    /// The same for the whole manifest.
    pub(super) all: &'a Decisions<'a>,
    /// What is done with the Auth certificate, when the manifest declares it.
    pub(super) auth: Option<&'a auth::Decision<'a>>,
    /// What nothing else is planned for before somebody declares it.
    pub(super) auth_ended: Option<&'a Cannot>,
    /// Edge servers whose subscriptions break by this plan and that nobody is ready to subscribe anew.
    pub(super) edges_first: &'a Unready,
    /// Whether Exchange tells no details of certificates, so that nothing else can be planned yet.
    pub(super) blinded: bool,
    /// The servers that are not changed, and why.
    pub(super) refused: &'a Refusals,
    /// What is declared for connectors that the Hybrid Configuration Wizard gives another certificate.
    pub(super) contested: &'a [Cannot],
    /// How many certificates the plan may remove.
    pub(super) removals: usize,
    /// What the plan is about.
    pub(super) scope: &'a Scope,
    /// What was observed.
    pub(super) observed: &'a Observed,
    /// The time to plan for.
    pub(super) now: Timestamp,
}

/// All passes, in their order. What goes and what stays of superseded and foreign certificates is told, and why.
#[must_use = "a plan says what it removes and what it leaves alone"]
pub(super) fn run(builder: &mut PlanBuilder, input: &PassInput<'_>) -> Retired {
    builder.pass(Pass::Refusals, |builder| say_refused(builder, input));
    builder.pass(Pass::Existing, |builder| bind_existing(builder, input.decisions));
    builder.pass(Pass::Shells, |builder| repair_shells(builder, input.desired));
    let (urgent, in_time): (Vec<_>, Vec<_>) = input.auth.iter().partition(|auth| auth.is_urgent());
    builder.pass(Pass::UrgentAuth, |builder| {
        if let Some(why) = input.auth_ended {
            builder.cannot(None, why.clone());
        }
        for auth in urgent {
            auth::plan(builder, auth);
        }
    });
    let deployed = if input.blinded { Deployed::default() } else { deploy(builder, input) };
    let retired = builder.pass(Pass::Retirement, |builder| {
        let limit = Limit { limit: input.asked.limits.removals, allowed: input.removals };
        retire(builder, (input.desired, input.observed), input.decisions, input.all, (&deployed, limit))
    });
    builder.pass(Pass::Auth, |builder| {
        for auth in in_time {
            auth::plan(builder, auth);
        }
        let first = input.auth.filter(|_| !input.blinded);
        auth::go_on(builder, input.desired, input.observed.history.as_ref(), first);
    });
    builder.pass(Pass::Warnings, |builder| {
        warn(builder, input);
        warnings::compromised_kept(builder, &retired.left_alone);
    });
    retired
}

/// Brings certificates to servers and into use: servers first, then what belongs to the organization.
fn deploy(builder: &mut PlanBuilder, input: &PassInput<'_>) -> Deployed {
    let PassInput { desired, decisions, .. } = *input;
    builder.pass(Pass::EdgeFirst, |builder| await_people(builder, input.edges_first));
    let told = builder.pass(Pass::OnlineFirst, |builder| tell_before_arrival(builder, desired, decisions));
    let issued = builder.pass(Pass::Issue, |builder| issue(builder, desired, decisions));
    let told = builder.pass(Pass::ExchangeOnline, |builder| tell_online(builder, desired, told));
    let known = lanes::Known { desired, decisions, told: &told, history: input.observed.history.as_ref() };
    let left_to_restart: BTreeSet<ServerName> = builder.pass(Pass::Lanes, |builder| {
        let mut lane = |name: &&ServerName| lanes::server(builder, known, name, issued.on(name));
        desired.servers.keys().filter(|name| lane(name)).cloned().collect()
    });
    builder.pass(Pass::SafeKeeping, |builder| safe_keeping(builder, desired, decisions));
    let balanced = builder.pass(Pass::Balancers, |builder| balancers(builder, desired));
    let subscriptions = builder.pass(Pass::EdgeSubscriptions, |builder| subscriptions(builder, desired));
    builder.pass(Pass::SendConnectors, |builder| {
        send_connectors(builder, desired, &subscriptions, &told, left_to_restart)
    });
    let wizard = builder.pass(Pass::Hybrid, |builder| {
        for why in input.contested {
            builder.cannot(None, why.clone());
        }
        hybrid(builder, desired, &told)
    });
    builder.pass(Pass::InstantMessaging, |builder| instant_messaging(builder, desired, decisions));
    Deployed { balanced, subscriptions, wizard }
}

/// Repairs what keeps certwright from reaching a server's shell, before anything else is tried there.
fn repair_shells(builder: &mut PlanBuilder, desired: &Desired) {
    for (name, own) in &desired.servers {
        lanes::repair_shell(builder, own, name, &desired.protect);
    }
}

/// Says what is not done because of a server's version, and what was noted while the organization was observed.
fn say_refused(builder: &mut PlanBuilder, input: &PassInput<'_>) {
    let asked_for = input.refused.iter().filter(|(server, _)| input.scope.takes(server));
    for why in asked_for.flat_map(|(_, why)| why) {
        builder.cannot(None, why.clone());
    }
    for note in &input.observed.notes {
        builder.warn(RunWarning::Observation { note: note.clone() });
    }
}

/// Says what should be known of the organization as the steps leave it.
fn warn(builder: &mut PlanBuilder, input: &PassInput<'_>) {
    let PassInput { asked, desired, all, auth, observed, now, .. } = *input;
    // That it has ended is said by what waits for it.
    let said = |warning: &AuthWarning| {
        input.auth_ended.is_some() && matches!(warning, AuthWarning::AuthNotDeclared { .. })
    };
    for warning in auth::warnings(asked, observed, auth, now).into_iter().filter(|own| !said(own)) {
        builder.warn(warning);
    }
    undeclared_hybrid(builder, asked);
    for NotSeen { server, unseen } in not_seen(desired, &observed.organization) {
        builder.warn(ServerWarning::ServerNotSeen { server, unseen });
    }
    warnings::selection(builder, (asked, desired));
    warnings::undeclared(builder, desired, &observed.organization);
    warnings::undeclared_senders(builder, desired);
    warnings::bindings_taken_along(builder, desired, &observed.organization);
    warnings::connector_names(builder, desired);
    warnings::copied_from(builder, &observed.organization, input.decisions);
    warnings::key_sources(builder, (asked, observed), all, input.scope);
    warnings::names_dropped(builder, desired, input.decisions, &observed.organization);
    warnings::elliptic_keys(builder, input.decisions);
    warnings::edge_copies(builder, desired);
    warnings::domain_security(builder, desired, &observed.organization);
    warnings::expiry(builder, (asked, desired), all, input.scope);
    warnings::renew_before(builder, (asked, &observed.organization), input.decisions);
    warnings::protects_nothing(builder, asked, &observed.organization);
    warnings::client_names(builder, desired);
    warnings::advise(builder, desired);
    warnings::other_stores(builder, desired, &observed.organization);
    warnings::key_storage(builder, desired);
    warnings::compromised(builder, (asked, observed), all, input.scope);
    for warning in pending_requests::forgotten(desired, all, &observed.organization) {
        builder.warn(warning);
    }
}
