//! From what should be and what is to the ordered steps between them. Pure: equal inputs give equal plans, and
//! randomness, time and the servers are handed in or stay outside.

mod auth;
mod basis;
mod builder;
mod decide;
mod decision;
mod drains;
pub mod expect;
mod from_file;
mod lanes;
mod lineage;
pub mod lint;
mod not_seen;
mod of_wizard;
pub mod outlook;
mod passes;
mod pending_requests;
mod precedence;
mod predecessors;
pub mod progress;
mod protected;
pub mod recovery;
mod restarts_due;
pub mod rollback;
mod rules;
pub mod takeovers;
mod targeting;
mod told;
mod undo;
mod unnamed;
mod unsupported;
mod usages;
mod warnings;
mod without_certificate;

use std::collections::{BTreeMap, HashSet};

pub use self::{
    basis::{Facts, changed_facts, facts},
    decision::{Decision, Supply},
    not_seen::not_seen,
    passes::{Pass, PassReport},
    targeting::Narrowing,
    without_certificate::undeclared_without_certificate,
};
use self::{
    builder::PlanBuilder,
    decision::Decisions,
    passes::PassInput,
    targeting::{Part, Scope},
};
use crate::model::{
    action::Action,
    desired::{CertificateId, Desired},
    organization::{Observed, Organization},
    plan::{Change, ChangeKind, Only, Plan, Seen, Step},
    reason::Reason,
    removed::Removed,
    server::Server,
    time::Timestamp,
};

/// The steps that turn `observed` into `desired`, in an order of which every beginning is safe.
pub fn plan(desired: &Desired, observed: &Observed, now: Timestamp) -> Plan {
    plan_part(desired, observed, now, &Narrowing::default())
}

/// The same for some servers or some certificates only, as far as it is safe without the others. The plan names what it
/// leaves out.
pub fn plan_only(narrowing: &Narrowing, desired: &Desired, observed: &Observed, now: Timestamp) -> Plan {
    let mut part = plan_part(desired, observed, now, narrowing);
    let scope = Scope::of(narrowing, desired);
    if !scope.is_whole() {
        let whole = plan_in_scope(&Scope::default(), desired, observed, now).0;
        let left_out = targeting::left_out(&whole, &part, desired, &scope);
        part.warnings.extend(targeting::warnings(&whole, &part, &scope).into_iter().map(Into::into));
        part.only = Some(scope.only(desired, left_out));
    }
    part
}

/// The part of the manifest that a plan which is narrowed like this is about.
pub fn part(narrowing: &Narrowing, desired: &Desired, observed: &Observed, now: Timestamp) -> Desired {
    let decisions = decisions(desired, observed, now, None);
    Part::of(desired, &decisions, &Scope::of(narrowing, desired), &observed.organization).desired.into_owned()
}

/// A plan that is narrowed as another one is, without telling what it leaves out.
fn again(only: Option<&Only>, desired: &Desired, observed: &Observed, now: Timestamp) -> Plan {
    plan_part(desired, observed, now, &only.map(Narrowing::from).unwrap_or_default())
}

fn plan_part(desired: &Desired, observed: &Observed, now: Timestamp, narrowing: &Narrowing) -> Plan {
    plan_by_passes(narrowing, desired, observed, now).0
}

/// A plan, and which of its steps and warnings came of which pass.
pub fn plan_by_passes(
    narrowing: &Narrowing,
    desired: &Desired,
    observed: &Observed,
    now: Timestamp,
) -> (Plan, Vec<PassReport>) {
    plan_in_scope(&Scope::of(narrowing, desired), desired, observed, now)
}

fn plan_in_scope(
    scope: &Scope,
    desired: &Desired,
    observed: &Observed,
    now: Timestamp,
) -> (Plan, Vec<PassReport>) {
    let refused = unsupported::refusals(desired, &observed.organization);
    let contested = of_wizard::conflicts(desired, &observed.organization);
    let (asked, desired) = (desired, unsupported::without(desired, &refused));
    let desired = of_wizard::without(desired, &observed.organization);
    let auth = auth::decide(&desired, &observed.organization, observed.history.as_ref(), now);
    let (auth_ended, why) = auth::ended(&desired, &observed.organization, now).unzip();
    let blinded = auth.as_ref().and_then(|auth| auth.blinds(&observed.organization)).or(why);
    let all = decisions(&desired, observed, now, blinded.as_ref());
    let part = Part::of(&desired, &all, scope, &observed.organization);
    let (decisions, desired) = (part.decisions(&all), part.desired.as_ref());
    let auth = auth.filter(|_| desired.auth.is_some());
    let seen = seen(asked, &observed.organization);
    let go = |edges_first: &passes::Unready| {
        let mut builder = PlanBuilder::new(observed, desired, now);
        let input = PassInput {
            asked,
            desired,
            decisions: &decisions,
            all: &all,
            auth: auth.as_ref(),
            auth_ended: auth_ended.as_ref(),
            edges_first,
            blinded: blinded.is_some(),
            refused: &refused,
            contested: &contested,
            removals: asked.limits.removals.of(seen.certificates),
            scope,
            observed,
            now,
        };
        let retired = passes::run(&mut builder, &input);
        (builder, retired)
    };
    let (mut builder, mut retired) = go(&passes::Unready::new());
    // That a plan breaks a subscription shows at its end, and is said at its beginning.
    let unready = passes::unready(&builder, desired, &observed.organization);
    if !unready.is_empty() {
        (builder, retired) = go(&unready);
    }
    let (steps, warnings, passes) = builder.finish();
    let plan = Plan {
        version: Plan::VERSION,
        organization: desired.organization.clone(),
        planned_at: now,
        driver: observed.driver.clone(),
        observed_at: observed.at,
        seen,
        basis: basis::basis(asked, &observed.organization),
        changes: changes(&decisions, &steps, &mut retired.removed)
            .into_iter()
            .chain(auth.as_ref().and_then(auth::Decision::change))
            .collect(),
        steps,
        warnings,
        left_alone: retired.left_alone,
        rolls_back: None,
        only: None,
    };
    (plan, passes)
}

/// What has to happen to each certificate of the manifest; nothing can be told of any while Exchange cannot be asked.
fn decisions<'a>(
    desired: &'a Desired,
    observed: &Observed,
    now: Timestamp,
    blinded: Option<&Reason>,
) -> Decisions<'a> {
    let decide = |id| plan_certificate(id, desired, observed, now);
    let decisions: Vec<Decision<'_>> = desired.certificates.keys().filter_map(decide).collect();
    Decisions::new(match blinded {
        None => decisions,
        Some(why) => auth::block(decisions, why),
    })
}

/// What has to happen to one certificate of the manifest: kept, spread to servers that lack it, or issued anew, with
/// the reasons. Everything the decision depends on is in the four arguments. None for one that no server uses.
pub fn plan_certificate<'a>(
    id: &CertificateId,
    desired: &'a Desired,
    observed: &Observed,
    now: Timestamp,
) -> Option<Decision<'a>> {
    let certificate = desired.certificates.get(id).filter(|certificate| !certificate.servers.is_empty())?;
    Some(decide::choose(certificate, desired, (&observed.organization, observed.history.as_ref()), now))
}

/// What the decisions and the steps that came of them mean for the reader.
fn changes(
    decisions: &Decisions<'_>,
    steps: &[Step],
    removed: &mut BTreeMap<CertificateId, Vec<Removed>>,
) -> Vec<Change> {
    let mut own: BTreeMap<&CertificateId, Vec<&Step>> = BTreeMap::new();
    for step in steps {
        if let Some(id) = &step.certificate {
            own.entry(id).or_default().push(step);
        }
    }
    let none = Vec::new();
    decisions
        .all()
        .iter()
        .map(|decision| {
            let id = &decision.certificate.id;
            change(decision, own.get(id).unwrap_or(&none), removed.remove(id).unwrap_or_default())
        })
        .collect()
}

fn change(decision: &Decision<'_>, own: &[&Step], removes: Vec<Removed>) -> Change {
    let cannot = |step: &&Step| matches!(step.action, Action::CannotApply { .. });
    let only_retires = own.iter().all(|step| passes::is_retirement(step));
    let kind = match &decision.supply {
        Supply::Blocked => ChangeKind::Blocked,
        Supply::New | Supply::Requested { .. } if decision.incumbent.is_some() => ChangeKind::Replace,
        Supply::New | Supply::Requested { .. } => ChangeKind::Create,
        Supply::Have { .. } if own.is_empty() && removes.is_empty() => ChangeKind::NoOp,
        Supply::Have { .. } if !own.is_empty() && own.iter().all(cannot) => ChangeKind::Blocked,
        Supply::Have { .. } if only_retires => ChangeKind::Retire,
        Supply::Have { .. } => ChangeKind::Update,
    };
    let mut reasons = decision.reasons.clone();
    // That a new certificate is not in use yet says nothing.
    let telling = !matches!(kind, ChangeKind::Create | ChangeKind::Replace);
    // That others go because of it is said with them.
    let is_told = |reason: &Reason| match reason {
        Reason::Superseded { .. } => kind == ChangeKind::Retire,
        other => other.is_about_use(),
    };
    let mut told: HashSet<&Reason> = decision.reasons.iter().collect();
    for reason in own.iter().flat_map(|step| &step.why) {
        if telling && is_told(reason) && told.insert(reason) {
            reasons.push(reason.clone());
        }
    }
    Change {
        certificate: decision.certificate.id.clone(),
        kind,
        reasons,
        current: decision.incumbent,
        names: decision.certificate.names.clone(),
        servers: decision.certificate.servers.clone(),
        removes,
    }
}

/// How much of the manifest's servers and of the organization was looked at.
fn seen(desired: &Desired, organization: &Organization) -> Seen {
    let servers: Vec<&Server> =
        desired.servers.keys().filter_map(|name| organization.servers.get(name)).collect();
    let count =
        |of: fn(&Server) -> Option<usize>| servers.iter().filter_map(|server| of(server)).sum::<usize>();
    let connectors = organization.send_connectors.known().map_or(0, BTreeMap::len);
    Seen {
        servers: count(|server| Some(usize::from(server.certificates.known().is_some()))),
        certificates: count(|server| Some(server.certificates.known()?.0.len())),
        bindings: connectors
            + count(|server| Some(crate::exchange::binding_points::binding_points(server).len())),
    }
}
