//! The way back from a run, as a plan like any other: what its steps did is taken back, the newest first;
//! services load what they have been given back, and handshakes prove it; then what the run brought is backed up and
//! removed, because of two certificates with the same names Exchange chooses the newer one.

mod backups;
mod irrecoverable;
mod proofs;
mod quiesce;
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
    names::{ConnectorName, ServerName},
    no_way_back::NoWayBack,
    organization::Observed,
    plan::{LeftAlone, Plan, Step, Undo},
    reason::Reason,
    service::Restartable,
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
        builder: PlanBuilder::new(observed, now),
        undone: BTreeMap::new(),
        touched: BTreeSet::new(),
        removals: Vec::new(),
        removing: BTreeMap::new(),
        restarted: BTreeSet::new(),
        stopped: BTreeMap::new(),
        reattach: BTreeMap::new(),
        left_alone: Vec::new(),
    };
    for step in progress.plan.steps.iter().rev() {
        back.take_back(step);
    }
    back.touch_by_removals();
    back.restart();
    let proofs = back.prove();
    back.remove(&proofs);
    back.reattach();
    back.load_what_stays();
    back.verify();
    // What the way back removes was verified before; the new subscriptions come last.
    let _ = passes::subscriptions(&mut back.builder, desired);
    let left_alone = back.left_alone;
    let (steps, warnings) = back.builder.finish();
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
    /// What was restarted before anything was removed.
    restarted: BTreeSet<(ServerName, Restartable)>,
    /// What stood still while something was removed, by server.
    stopped: BTreeMap<ServerName, Vec<ServiceGroup>>,
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
        let back = match &step.undo {
            Undo::Nothing => return,
            Undo::Irreversible { why } => {
                self.say_beforehand(step, false, why.clone());
                return;
            }
            Undo::Partly { by, stays } => {
                self.say_beforehand(step, true, stays.clone());
                by
            }
            Undo::By(actions) => actions,
        };
        for action in back {
            let action = self.of_this_run(action);
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
            if let Action::Repoint {
                connector: ConnectorRef::Send { name },
                to: Some(TlsName::Exactly(to)),
            } = &action
            {
                // While it names nothing, it stands in the way of no removal (facts 7.2).
                self.reattach.insert(name.clone(), (step.id, to.clone()));
            } else if !holds {
                let after = self.after_dependents(step.id);
                let why = vec![Reason::TakesBack { step: step.id }];
                if let Some(id) = self.builder.push(step.certificate.as_ref(), action.clone(), why, after) {
                    self.undone.insert(step.id, vec![id]);
                    self.verify_balancer(&action, id);
                }
            }
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

    /// Has send connectors name what they named before the run. Transport that was started while they named nothing reads
    /// it anew.
    fn reattach(&mut self) {
        let reattach = std::mem::take(&mut self.reattach).into_iter().map(|(name, (step, to))| {
            let connector = ConnectorRef::Send { name };
            (step, Action::Repoint { connector, to: Some(TlsName::Exactly(to)) })
        });
        let reattach: Vec<(StepId, Action)> =
            reattach.filter(|(_, action)| !self.builder.world.holds(action)).collect();
        let removed = if reattach.is_empty() { Vec::new() } else { self.all_taken_back(reattach.len()) };
        let mut steps = BTreeSet::new();
        for (step, action) in reattach {
            let why = vec![Reason::TakesBack { step }];
            steps.extend(self.builder.push(None, action, why, removed.iter().copied()));
        }
        let stopped = if steps.is_empty() { BTreeMap::new() } else { std::mem::take(&mut self.stopped) };
        let steps = self.builder.gate(None, Milestone::TakenBack, steps, stopped.len());
        for (server, groups) in stopped {
            for ServiceGroup { service: what, services } in
                groups.into_iter().filter(|group| group.service == Restartable::Transport)
            {
                let action = Action::Restart { server: server.clone(), service: what, services };
                self.builder.push(
                    None,
                    action,
                    vec![Reason::RestartNeeded { service: what }],
                    steps.iter().copied(),
                );
            }
        }
    }

    /// Removes what the run brought, unless something uses it.
    fn remove(&mut self, proofs: &BTreeMap<ServerName, StepId>) {
        let removals = std::mem::take(&mut self.removals);
        let taken_back = if removals.is_empty() { Vec::new() } else { self.all_taken_back(removals.len()) };
        // One after the other, the newest first.
        let mut last = None;
        for (step, action) in removals {
            let certificate = self.progress.plan.step(step).and_then(|own| own.certificate.clone());
            let why = vec![Reason::TakesBack { step }];
            let (mut action, mut detached) = (action, Vec::new());
            if let Action::Remove { server, certificate: removed, while_stopped } = &mut action {
                let thumbprint = self.builder.world.thumbprint(*removed);
                let Some(stored) =
                    self.builder.server(server).and_then(|server| server.certificate(thumbprint)).cloned()
                else {
                    continue;
                };
                if let Some(why) = self.stays(server, &stored) {
                    self.left_alone.push(LeftAlone {
                        server: server.clone(),
                        certificate: thumbprint,
                        subject: stored.certificate.subject.to_string(),
                        not_after: stored.certificate.not_after,
                        why,
                    });
                    continue;
                }
                let with_key = stored.has_private_key && stored.exportable.known() == Some(&true);
                let back_up = Action::BackUp { server: server.clone(), certificate: thumbprint, with_key };
                let after = proofs.get(server).copied();
                self.builder.push(certificate.as_ref(), back_up, why.clone(), after);
                detached = self.detach(step, &TlsCertificateName::of(&stored.certificate), &why);
                *while_stopped = self.while_stopped(server, thumbprint);
                let stopped = self.stopped.entry(server.clone()).or_default();
                stopped.extend(while_stopped.iter().cloned());
                stopped.dedup();
            } else if self.builder.world.holds(&action) {
                continue;
            }
            let proof = action.server().and_then(|server| proofs.get(server)).copied();
            let before = taken_back.iter().copied().chain(detached);
            let after: Vec<StepId> = before.chain(proof).chain(last).collect();
            if let Some(id) = self.builder.push(certificate.as_ref(), action, why, after) {
                self.undone.insert(step, vec![id]);
                last = Some(id);
            }
        }
    }

    /// Has the send connectors that select a certificate name none, until it is gone.
    fn detach(&mut self, step: StepId, name: &TlsCertificateName, why: &[Reason]) -> Vec<StepId> {
        let connectors = self.builder.world.organization.send_connectors.known();
        let naming = connectors.into_iter().flatten().filter_map(|(connector, settings)| {
            let have = settings.tls_certificate_name.as_ref().filter(|have| have.is_same_as(name))?;
            Some((connector.clone(), have.clone()))
        });
        let mut detached = Vec::new();
        for (connector, have) in naming.collect::<Vec<_>>() {
            self.reattach.entry(connector.clone()).or_insert((step, have));
            let connector = ConnectorRef::Send { name: connector };
            let action = Action::Repoint { connector, to: None };
            detached.extend(self.builder.push(None, action, why.to_vec(), []));
        }
        detached
    }
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
