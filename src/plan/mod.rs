//! From what should be and what is to the ordered steps between them. Pure: equal inputs give equal plans, and
//! randomness, time and the servers are handed in or stay outside.

mod advice;
mod asked;
mod auth;
mod basis;
mod choose;
mod draft;
pub mod expect;
mod guard;
mod kin;
mod lanes;
pub mod lint;
pub mod progress;
mod refuse;
mod retire;
pub mod rollback;
mod rules;
pub mod settle;
mod shadow;
mod surprise;
mod undo;

use std::collections::BTreeMap;

use crate::model::{
    desired::{CertificateId, Desired},
    organization::{Observed, Organization},
    plan::{Change, ChangeKind, Plan, Seen, Step},
    server::Server,
    time::Timestamp,
};

pub use self::{
    basis::{changed_facts, facts},
    choose::{Decision, Supply},
};
use self::{draft::Draft, lanes::Decisions};

/// The steps that turn `observed` into `desired`, in an order of which every beginning is safe.
pub fn plan(desired: &Desired, observed: &Observed, now: Timestamp) -> Plan {
    let refused = refuse::refusals(desired, &observed.organization);
    let (asked, desired) = (desired, refuse::without(desired, &refused));
    let desired = desired.as_ref();
    let decide = |id| plan_certificate(id, desired, observed, now);
    let auth = auth::decide(desired, &observed.organization, now);
    let blinded = auth.as_ref().and_then(|auth| auth.blinds(&observed.organization));
    let decisions: Vec<Decision<'_>> = desired.certificates.keys().filter_map(decide).collect();
    let decisions = Decisions::new(match &blinded {
        None => decisions,
        Some(why) => auth::block(decisions, why),
    });
    let mut draft = Draft::new(observed, now);
    for why in refused.into_values().flatten() {
        draft.cannot(None, why);
    }
    observed.notes.iter().for_each(|note| draft.warn(note.clone()));
    lanes::settle(&mut draft, &decisions);
    for (name, own) in &desired.servers {
        lanes::repair_shell(&mut draft, own, name, &desired.protect);
    }
    let (urgent, in_time): (Vec<_>, Vec<_>) = auth.iter().partition(|auth| auth.is_urgent());
    for auth in urgent {
        auth::plan(&mut draft, auth);
    }
    if blinded.is_none() {
        lanes::issue(&mut draft, desired, &decisions);
        for name in desired.servers.keys() {
            lanes::server(&mut draft, desired, &decisions, name);
        }
        lanes::balancers(&mut draft, desired);
        lanes::organization(&mut draft, desired);
    }
    let left_alone = retire::retire(&mut draft, desired, &decisions);
    for auth in in_time {
        auth::plan(&mut draft, auth);
    }
    for warning in auth::warnings(desired, observed, auth.as_ref(), now) {
        draft.warn(warning);
    }
    surprise::warn(&mut draft, desired);
    advice::advise(&mut draft, desired);
    for warning in asked::forgotten(desired, &decisions, &observed.organization) {
        draft.warn(warning);
    }
    let (steps, warnings) = draft.finish();
    Plan {
        version: Plan::VERSION,
        organization: desired.organization.clone(),
        planned_at: now,
        driver: observed.driver.clone(),
        observed_at: observed.at,
        seen: seen(asked, &observed.organization),
        basis: basis::basis(asked, &observed.organization),
        changes: changes(&decisions, &steps)
            .into_iter()
            .chain(auth.as_ref().and_then(auth::Decision::change))
            .collect(),
        steps,
        warnings,
        left_alone,
        rolls_back: None,
        only: None,
    }
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
    Some(choose::choose(certificate, desired, &observed.organization, now))
}

/// What the decisions and the steps that came of them mean for the reader.
fn changes(decisions: &Decisions<'_>, steps: &[Step]) -> Vec<Change> {
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
        .map(|decision| change(decision, own.get(&decision.certificate.id).unwrap_or(&none)))
        .collect()
}

fn change(decision: &Decision<'_>, own: &[&Step]) -> Change {
    let only_retires = own.iter().all(|step| retire::is_retirement(step));
    let kind = match &decision.supply {
        Supply::Blocked => ChangeKind::Blocked,
        Supply::New | Supply::Requested { .. } if decision.incumbent.is_some() => ChangeKind::Replace,
        Supply::New | Supply::Requested { .. } => ChangeKind::Create,
        Supply::Have { .. } if own.is_empty() => ChangeKind::NoOp,
        Supply::Have { .. } if only_retires => ChangeKind::Retire,
        Supply::Have { .. } => ChangeKind::Update,
    };
    let mut reasons = decision.reasons.clone();
    // That a new certificate is not in use yet says nothing.
    let telling = !matches!(kind, ChangeKind::Create | ChangeKind::Replace);
    for reason in own.iter().flat_map(|step| &step.why) {
        if telling && reason.is_about_use() && !reasons.contains(reason) {
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
        servers: servers.len(),
        certificates: count(|server| Some(server.certificates.known()?.0.len())),
        bindings: connectors + count(|server| Some(crate::exchange::presenters::presenters(server).len())),
    }
}
