//! The passes of a plan, in their order.
//!
//! Each pass looks at what is foreseen by then and adds its steps. What one finds out that a later one needs, it hands
//! over in its report; the builder remembers nothing but the steps and the organization as they leave it.
//!
//! 1. [`refused`](run): servers of a version that certwright does not change are said, and left out.
//! 2. [`bind_existing`](issue::bind_existing): which certificate stands for each one of the manifest, where one is there.
//! 3. [`repair_shells`](run): a server whose shell cannot be reached over IIS is repaired before anything else is tried.
//! 4. [`auth`](super::auth::plan), when it cannot wait: without a usable Auth certificate, Exchange shows no details.
//! 5. [`deploy`]: issue, then a lane for each server, what is kept as a file, then the organization: load balancers, Edge subscriptions, send
//!    connectors, the hybrid configuration, instant messaging. Not while nothing can be seen.
//! 6. [`retire`](retire::retire): the end of what was superseded, after everything that it has to wait for.
//! 7. [`auth`](super::auth::plan), when there is time.
//! 8. [`warn`]: what a reader should know of the organization that the steps leave behind.

mod balancers;
mod edge;
mod hybrid;
mod im;
mod issue;
mod retire;
mod safe_keeping;
mod send_connectors;

use self::{
    balancers::balancers,
    hybrid::{hybrid, tell_online, undeclared_hybrid},
    im::instant_messaging,
    issue::{bind_existing, issue},
    retire::{Deployed, retire},
    safe_keeping::safe_keeping,
    send_connectors::send_connectors,
};
pub(super) use self::{edge::subscriptions, retire::is_retirement};
use super::{
    auth, builder::PlanBuilder, decision::Decisions, lanes, pending_requests, targeting::Narrowing,
    unsupported::Refusals, warnings,
};
use crate::model::{
    desired::Desired, organization::Observed, plan::LeftAlone, time::Timestamp, warning::RunWarning,
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
    /// Whether Exchange tells no details of certificates, so that nothing else can be planned yet.
    pub(super) blinded: bool,
    /// The servers that are not changed, and why.
    pub(super) refused: &'a Refusals,
    /// What the plan is narrowed to.
    pub(super) narrowing: &'a Narrowing,
    /// What was observed.
    pub(super) observed: &'a Observed,
    /// The time to plan for.
    pub(super) now: Timestamp,
}

/// What the passes say besides their steps.
#[must_use = "a plan says what it leaves alone"]
pub(super) struct PassReport {
    /// Superseded and foreign certificates that stay, and why.
    pub(super) left_alone: Vec<LeftAlone>,
}

/// All passes, in their order.
pub(super) fn run(builder: &mut PlanBuilder, input: &PassInput<'_>) -> PassReport {
    say_refused(builder, input);
    bind_existing(builder, input.decisions);
    for (name, own) in &input.desired.servers {
        lanes::repair_shell(builder, own, name, &input.desired.protect);
    }
    let (urgent, in_time): (Vec<_>, Vec<_>) = input.auth.iter().partition(|auth| auth.is_urgent());
    for auth in urgent {
        auth::plan(builder, auth);
    }
    let deployed = if input.blinded { Deployed::default() } else { deploy(builder, input) };
    let left_alone = retire(builder, (input.desired, input.observed), input.decisions, input.all, &deployed);
    for auth in in_time {
        auth::plan(builder, auth);
    }
    warn(builder, input);
    PassReport { left_alone }
}

/// Brings certificates to servers and into use: servers first, then what belongs to the organization.
fn deploy(builder: &mut PlanBuilder, input: &PassInput<'_>) -> Deployed {
    let PassInput { desired, decisions, .. } = input;
    let issued = issue(builder, desired, decisions);
    for name in desired.servers.keys() {
        lanes::server(builder, desired, decisions, name, issued.on(name));
    }
    safe_keeping(builder, desired, decisions);
    let balanced = balancers(builder, desired);
    let subscriptions = subscriptions(builder, desired);
    let told = tell_online(builder, desired);
    send_connectors(builder, desired, &subscriptions, told);
    let wizard = hybrid(builder, desired, told);
    instant_messaging(builder, desired, decisions);
    Deployed { balanced, subscriptions, wizard }
}

/// Says what is not done because of a server's version, and what was noted while the organization was observed.
fn say_refused(builder: &mut PlanBuilder, input: &PassInput<'_>) {
    let asked_for = input.refused.iter().filter(|(server, _)| input.narrowing.takes(server));
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
    for warning in auth::warnings(asked, observed, auth, now) {
        builder.warn(warning);
    }
    undeclared_hybrid(builder, asked);
    warnings::selection(builder, desired);
    warnings::connector_names(builder, desired);
    warnings::names_dropped(builder, input.decisions);
    warnings::domain_security(builder, desired, &observed.organization);
    warnings::expiry(builder, desired);
    warnings::client_names(builder, desired);
    warnings::advise(builder, desired);
    warnings::other_stores(builder, desired, &observed.organization);
    warnings::key_storage(builder, desired);
    for warning in pending_requests::forgotten(desired, all, &observed.organization) {
        builder.warn(warning);
    }
}
