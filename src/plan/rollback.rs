//! The way back from a run, as a plan like any other: what its steps did is taken back, the newest first;
//! services load what they have been given back, and handshakes prove it; then what the run brought is backed up and
//! removed, because of two certificates with the same names Exchange chooses the newer one.

mod backups;
mod irrecoverable;
mod proofs;
mod quiesce;
mod removals;
mod removed;
mod retained;

use std::collections::{BTreeMap, BTreeSet};

pub use self::backups::{LostBackups, backups_needed};
use self::removed::{Removed, was_done};
use super::{basis, builder::PlanBuilder, passes, progress::Progress, recovery::Settled};
use crate::model::{
    action::{Action, BundleSource, CertRef, ConnectorRef, Milestone, ServiceGroup, StepId, TlsName},
    desired::Desired,
    dn::TlsCertificateName,
    endpoint::Endpoint,
    names::{ConnectorName, ServerName},
    no_way_back::NoWayBack,
    organization::Observed,
    plan::{LeftAlone, Plan, Step, Undo},
    reason::Reason,
    service::Restartable,
    thumbprint::Thumbprint,
    time::Timestamp,
    warning::RunWarning,
};

/// The plan that takes back what this run did. `settled` tells what that was, `lost` what cannot be brought back.
pub fn rollback(
    run: &str,
    progress: &Progress,
    settled: &Settled,
    lost: &LostBackups,
    desired: &Desired,
    observed: &Observed,
    now: Timestamp,
) -> Plan {
    let mut back = Back {
        run,
        observed,
        progress,
        settled,
        lost,
        desired,
        removed: Removed::of(progress, settled, lost),
        dependents: dependents(&progress.plan),
        builder: PlanBuilder::new(observed, desired, now),
        compromised: desired.compromised(),
        installs: Vec::new(),
        undone: BTreeMap::new(),
        touched: BTreeSet::new(),
        removals: Vec::new(),
        removing: BTreeMap::new(),
        met: met(&progress.plan),
        run_restarted: restarted_by(progress),
        restarted: BTreeSet::new(),
        stopped: BTreeMap::new(),
        made: progress.plan.steps.iter().filter_map(|step| settled.made(step.id)).collect(),
        reattach: BTreeMap::new(),
        left_alone: Vec::new(),
    };
    for step in progress.plan.steps.iter().rev() {
        back.take_back(step);
    }
    back.install();
    back.touch_by_removals();
    let proofs = back.load();
    back.remove(&proofs);
    back.reattach();
    back.load_what_stays();
    back.verify();
    // What the way back removes was verified before; the new subscriptions come last.
    let _ = passes::subscriptions(&mut back.builder, desired);
    let left_alone = back.left_alone;
    let (steps, warnings, _) = back.builder.finish();
    Plan {
        version: Plan::VERSION,
        organization: desired.organization.clone(),
        planned_at: now,
        driver: observed.driver.clone(),
        observed_at: observed.at,
        seen: super::seen(desired, &observed.organization),
        basis: basis::basis(desired, &observed.organization),
        changes: Vec::new(),
        steps,
        warnings,
        left_alone,
        rolls_back: Some(run.to_owned()),
        only: None,
    }
}

struct Back<'a> {
    run: &'a str,
    observed: &'a Observed,
    progress: &'a Progress,
    settled: &'a Settled,
    lost: &'a LostBackups,
    desired: &'a Desired,
    builder: PlanBuilder,
    /// Certificates whose keys others may have: nothing is given back to them.
    compromised: BTreeSet<Thumbprint>,
    /// What load balancers get back, after the servers behind them.
    installs: Vec<(StepId, Action)>,
    /// What the run removed.
    removed: Removed,
    /// The steps of the run that come after each of its steps.
    dependents: BTreeMap<StepId, Vec<StepId>>,
    /// The last step of the way back from each step of the run; what rests on a gate, for the gate.
    undone: BTreeMap<StepId, Vec<StepId>>,
    /// Servers on which something is taken back.
    touched: BTreeSet<ServerName>,
    /// What the run brought, the newest first.
    removals: Vec<(StepId, Action)>,
    /// The certificates among it, by server.
    removing: BTreeMap<ServerName, Vec<CertRef>>,
    /// The endpoints that the run has met, by server.
    met: BTreeMap<ServerName, BTreeSet<Endpoint>>,
    /// What the run has restarted by itself: it has loaded what the run brought.
    run_restarted: BTreeSet<(ServerName, Restartable)>,
    /// What was restarted before anything was removed.
    restarted: BTreeSet<(ServerName, Restartable)>,
    /// What stood still while something was removed, by server.
    stopped: BTreeMap<ServerName, Vec<ServiceGroup>>,
    /// The certificates that the run made or brought.
    made: BTreeSet<Thumbprint>,
    /// What send connectors are to name again once the certificates that this selects too are gone.
    reattach: BTreeMap<ConnectorName, (StepId, TlsCertificateName)>,
    left_alone: Vec<LeftAlone>,
}

impl Back<'_> {
    fn take_back(&mut self, step: &Step) {
        if matches!(step.action, Action::Gate { .. }) {
            self.pass_gate(step);
            return;
        }
        if !self.was_done(step.id) {
            return;
        }
        if let Action::Request { server, .. } = &step.action {
            self.keep_request(step, server);
            return;
        }
        let back = match &step.undo {
            Undo::Nothing => return,
            Undo::Irreversible { why } => {
                let Some(removal) = removal_after_all(step, why) else {
                    self.say_beforehand(step, false, why.clone());
                    return;
                };
                &vec![removal]
            }
            Undo::Partly { by, stays } => {
                self.say_beforehand(step, true, stays.clone());
                by
            }
            Undo::By(actions) => actions,
        };
        let mut told = false;
        for action in back {
            let action = self.of_this_run(action);
            if let Some(server) = action.server().filter(|server| self.is_left_out(server)).cloned() {
                if !told {
                    self.say_beforehand(step, false, NoWayBack::ServerLeftOut { server });
                }
                told = true;
                continue;
            }
            if self.is_passing(step.id, &action) {
                continue;
            }
            let is_removal = matches!(action, Action::Remove { .. } | Action::RemoveRequest { .. });
            let holds = !is_removal && self.builder.world.holds(&action);
            if !is_removal
                && !holds
                && let Some(why) = self.obstacle(&action)
            {
                self.say_beforehand(step, back.len() > 1, why);
                continue;
            }
            if is_removal {
                if let Action::Remove { server, certificate, .. } = &action {
                    self.removing.entry(server.clone()).or_default().push(*certificate);
                }
                self.removals.push((step.id, action));
                continue;
            }
            self.touched.extend(action.server().cloned());
            if let Some((name, to)) = self.waits_for_removals(&action) {
                self.reattach.insert(name, (step.id, to));
            } else if !holds && matches!(action, Action::Install { .. }) {
                self.installs.push((step.id, action));
            } else if !holds {
                let after = self.after_dependents(step.id);
                let why = vec![Reason::TakesBack { step: step.id }];
                let id = step.certificate.as_ref();
                if let Some(id) = self.builder.push_keeping_default(id, action.clone(), why, after) {
                    self.undone.insert(step.id, vec![id]);
                }
            }
        }
    }

    /// Whether an action gives the internal transport back to a certificate of the run, which it had only between two steps: what
    /// it had before, an earlier step gives back.
    fn is_passing(&self, step: StepId, action: &Action) -> bool {
        let Action::SetInternalTransport { server, certificate } = action else { return false };
        let gives_back = |earlier: &Step| {
            let back = |own: &Action| matches!(own, Action::SetInternalTransport { server: own, .. } if own == server);
            self.was_done(earlier.id) && earlier.undo.actions().iter().any(back)
        };
        let mut earlier = self.progress.plan.steps.iter().filter(|own| own.id < step);
        self.made.contains(&self.builder.world.thumbprint(*certificate)) && earlier.any(gives_back)
    }

    /// A send connector that is to name what selects a certificate of the run too. While that is there, nothing is won by
    /// it; the removal gives it the name.
    fn waits_for_removals(&self, action: &Action) -> Option<(ConnectorName, TlsCertificateName)> {
        let Action::Repoint {
            connector: ConnectorRef::Send { name }, to: Some(TlsName::Exactly(to)), ..
        } = action
        else {
            return None;
        };
        let mut stores = self.builder.world.organization.servers.values();
        let selects_own = stores.any(|server| {
            let store = server.certificates.known();
            store.is_some_and(|store| {
                self.made.iter().filter_map(|own| store.0.get(own)).any(|own| to.selects(&own.certificate))
            })
        });
        selects_own.then(|| (name.clone(), to.clone()))
    }

    /// A request that waits is never taken back: with it its key would go, and the CA may still answer.
    fn keep_request(&mut self, step: &Step, server: &ServerName) {
        let made = self.settled.made(step.id);
        let requests = self.builder.server(server).and_then(|server| server.requests.known());
        let mut waiting = requests.into_iter().flatten().map(|request| request.certificate.thumbprint);
        if waiting.any(|request| Some(request) == made) {
            self.say_beforehand(step, false, NoWayBack::RequestMayBeAnswered);
        }
    }

    fn say_beforehand(&mut self, step: &Step, partly: bool, why: NoWayBack) {
        self.builder.warn(RunWarning::NotTakenBack {
            run: self.run.to_owned(),
            step: step.id,
            verb: step.action.verb().to_owned(),
            server: step.action.server().cloned(),
            partly,
            why,
        });
    }

    /// Whether the manifest leaves a server out for now.
    fn is_left_out(&self, server: &ServerName) -> bool {
        self.desired.is_left_out(server)
    }

    fn was_done(&self, step: StepId) -> bool {
        was_done(self.progress, self.settled, step)
    }

    /// The action with the certificates that this run made, and with its backups.
    fn of_this_run(&self, action: &Action) -> Action {
        let mut action = action.with_known(&|step| self.settled.made(step));
        if let Action::Import { from: BundleSource::Backup { run, .. }, .. }
        | Action::Install { from: BundleSource::Backup { run, .. }, .. } = &mut action
        {
            run.get_or_insert_with(|| self.run.to_owned());
        }
        action
    }

    /// What took back the steps that came after this one and rest on it.
    fn after_dependents(&self, step: StepId) -> BTreeSet<StepId> {
        let dependents = self.dependents.get(&step).into_iter().flatten();
        dependents.filter_map(|later| self.undone.get(later)).flatten().copied().collect()
    }

    /// The way back goes through the gates of the run: what comes before one is taken back after all that came after it.
    fn pass_gate(&mut self, gate: &Step) {
        let plan = &self.progress.plan;
        let before = gate.after.iter().filter_map(|step| plan.step(*step));
        let waiting = before.filter(|step| !step.undo.actions().is_empty() && self.was_done(step.id)).count();
        let after = self.after_dependents(gate.id);
        if waiting > 0 && !after.is_empty() {
            let id = gate.certificate.as_ref();
            let steps = self.builder.gate(id, Milestone::TakenBack, after, waiting);
            self.undone.insert(gate.id, steps);
        }
    }

    /// Everything that was taken back so far, for so many steps that wait for it.
    fn all_taken_back(&mut self, dependents: usize) -> Vec<StepId> {
        let undone = self.undone.values().flatten().copied().collect();
        self.builder.gate(None, Milestone::TakenBack, undone, dependents)
    }
}

/// The removal of what a step brought, where it depends on what is there by now: something else may have taken over, by hand.
fn removal_after_all(step: &Step, why: &NoWayBack) -> Option<Action> {
    if !matches!(
        why,
        NoWayBack::NoInternalTransportBefore
            | NoWayBack::NamedAlike { .. }
            | NoWayBack::StillInUse { .. }
            | NoWayBack::MayBeInUse { .. }
    ) {
        return None;
    }
    match &step.action {
        Action::Create { server, .. } => Some(Action::remove(server, CertRef::FromStep(step.id))),
        Action::Import { server, certificate, .. } | Action::Complete { server, certificate, .. } => {
            Some(Action::remove(server, *certificate))
        }
        _ => None,
    }
}

/// What the steps of a run have restarted.
fn restarted_by(progress: &Progress) -> BTreeSet<(ServerName, Restartable)> {
    let done = progress.plan.steps.iter().filter(|step| progress.is_done(step.id));
    done.filter_map(|step| match &step.action {
        Action::Restart { server, service, .. } => Some((server.clone(), *service)),
        _ => None,
    })
    .collect()
}

/// The endpoints that a plan meets, by server.
fn met(plan: &Plan) -> BTreeMap<ServerName, BTreeSet<Endpoint>> {
    let mut met: BTreeMap<ServerName, BTreeSet<Endpoint>> = BTreeMap::new();
    for step in &plan.steps {
        if let Action::Verify { server, expect } = &step.action {
            let own = met.entry(server.clone()).or_default();
            own.extend(expect.iter().map(|expectation| expectation.endpoint));
        }
    }
    met
}

/// The steps that come after each step of a plan.
fn dependents(plan: &Plan) -> BTreeMap<StepId, Vec<StepId>> {
    let mut dependents: BTreeMap<StepId, Vec<StepId>> = BTreeMap::new();
    for step in &plan.steps {
        for before in &step.after {
            dependents.entry(*before).or_default().push(step.id);
        }
    }
    dependents
}
