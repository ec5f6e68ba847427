//! The way back from a run, as a plan like any other: what its steps did is taken back, the newest first;
//! services load what they have been given back, and handshakes prove it; then what the run brought is backed up and
//! removed, because of two certificates with the same names Exchange chooses the newer one.

mod backups;
mod irrecoverable;
mod quiesce;
mod retained;

use std::collections::{BTreeMap, BTreeSet};

pub use self::backups::{LostBackups, backups_needed};
use super::{
    basis,
    builder::PlanBuilder,
    expect, passes,
    progress::{Progress, StepState},
    recovery::Settled,
};
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, endpoints, presented},
        selection::Presented,
    },
    model::{
        action::{Action, BundleSource, CertRef, ConnectorRef, Expectation, ServiceGroup, StepId, TlsName},
        desired::Desired,
        dn::TlsCertificateName,
        names::{ConnectorName, ServerName},
        organization::Observed,
        plan::{LeftAlone, Plan, Step, Undo},
        reason::Reason,
        service::Restartable,
        time::Timestamp,
    },
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
        progress,
        settled,
        lost,
        desired,
        builder: PlanBuilder::new(observed, now),
        undone: BTreeMap::new(),
        touched: BTreeSet::new(),
        removals: Vec::new(),
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
    progress: &'a Progress,
    settled: &'a Settled,
    lost: &'a LostBackups,
    desired: &'a Desired,
    builder: PlanBuilder,
    /// The last step of the way back from each step of the run.
    undone: BTreeMap<StepId, StepId>,
    /// Servers on which something is taken back.
    touched: BTreeSet<ServerName>,
    /// What the run brought, the newest first.
    removals: Vec<(StepId, Action)>,
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
        if !self.was_done(step.id) {
            return;
        }
        let back = match &step.undo {
            Undo::Nothing => return,
            Undo::Irreversible { why } => {
                self.say_beforehand(step, "cannot be taken back", why);
                return;
            }
            Undo::Partly { by, stays } => {
                self.say_beforehand(step, "cannot be taken back in full", stays);
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
                let what =
                    if back.len() > 1 { "cannot be taken back in full" } else { "cannot be taken back" };
                self.say_beforehand(step, what, &why);
                continue;
            }
            if is_removal {
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
                    self.undone.insert(step.id, id);
                    self.verify_balancer(&action, id);
                }
            }
        }
    }

    fn say_beforehand(&mut self, step: &Step, what: &str, why: &str) {
        let server = step.action.server().map_or(String::new(), |server| format!(" on {server}"));
        let verb = step.action.verb();
        self.builder.warn(format!("step {} of run {} ({verb}{server}) {what}: {why}", step.id, self.run));
    }

    /// Proves that a load balancer serves again what it had; an expired certificate proves nothing.
    fn verify_balancer(&mut self, action: &Action, after: StepId) {
        let Action::Install { balancer, .. } = action else { return };
        let observed = self.builder.world.organization.balancers.get(balancer);
        let certificate = observed.and_then(|balancer| balancer.certificate.known()?.as_ref());
        let (Some(certificate), Some(own)) = (certificate, self.desired.balancers.get(balancer)) else {
            return;
        };
        if !certificate.is_valid_at(self.builder.now) {
            return;
        }
        let name = certificate.names.iter().find(|name| !name.is_wildcard()).cloned();
        let certificate = CertRef::of(certificate.thumbprint);
        let expectation = |endpoint| Expectation { endpoint, name: name.clone(), certificate };
        let expect = own.endpoints.iter().copied().map(expectation).collect();
        let action = Action::VerifyBalancer { balancer: balancer.clone(), expect };
        self.builder.push(None, action, vec![Reason::Proof], [after]);
    }

    /// Whether a step changed anything: it was done, or it was begun and the organization shows it.
    fn was_done(&self, step: StepId) -> bool {
        let tried = |record: &super::progress::StepRecord| match record.state {
            StepState::Unknown(_) | StepState::Failed(_) => true,
            StepState::Done(_) | StepState::Found(_) | StepState::Parked(_) => false,
        };
        // A step that can be done twice leaves the question open; its way back does nothing when nothing was done.
        self.settled.done.contains_key(&step)
            || self.settled.begun.contains_key(&step)
            || self.progress.done().contains_key(&step)
            || self.progress.steps.get(&step).is_some_and(tried)
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
    fn after_dependents(&self, step: StepId) -> Vec<StepId> {
        let dependents = self.progress.plan.steps.iter().filter(|later| later.after.contains(&step));
        dependents.filter_map(|later| self.undone.get(&later.id)).copied().collect()
    }

    /// Proves what is served again before anything is removed: by every site, which needs no restart, and by what was
    /// restarted.
    fn prove(&mut self) -> BTreeMap<ServerName, StepId> {
        let removing = self.removals.iter().filter(|(_, action)| matches!(action, Action::Remove { .. }));
        let servers: BTreeSet<ServerName> = removing
            .filter_map(|(_, action)| action.server())
            .filter(|server| !self.removed_from(server).is_empty())
            .cloned()
            .collect();
        let mut proofs = BTreeMap::new();
        for name in servers {
            let restarted = |what| self.restarted.contains(&(name.clone(), what));
            let expect = self.expectations(&name, &|presenter| match presenter {
                BindingPoint::Site(_) => true,
                BindingPoint::Connector(_) | BindingPoint::InternalTransport => {
                    restarted(Restartable::Transport)
                }
                BindingPoint::Pop => restarted(Restartable::Pop),
                BindingPoint::Imap => restarted(Restartable::Imap),
            });
            let action = Action::Verify { server: name.clone(), expect };
            if let Some(id) = self.builder.push(None, action, vec![Reason::Proof], []) {
                proofs.insert(name, id);
            }
        }
        proofs
    }

    /// Has send connectors name what they named before the run. Transport that was started while they named nothing reads
    /// it anew.
    fn reattach(&mut self) {
        let mut steps = Vec::new();
        for (name, (step, to)) in std::mem::take(&mut self.reattach) {
            let connector = ConnectorRef::Send { name };
            let action = Action::Repoint { connector, to: Some(TlsName::Exactly(to)) };
            if !self.builder.world.holds(&action) {
                let removed: Vec<StepId> = self.undone.values().copied().collect();
                steps.extend(self.builder.push(None, action, vec![Reason::TakesBack { step }], removed));
            }
        }
        let stopped = if steps.is_empty() { BTreeMap::new() } else { std::mem::take(&mut self.stopped) };
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

    /// Proves that every endpoint serves what it presents by then.
    fn verify(&mut self) {
        for name in self.touched.clone() {
            let expect = self.expectations(&name, &|_| true);
            let action = Action::Verify { server: name.clone(), expect };
            self.builder.push(None, action, vec![Reason::Proof], []);
        }
    }

    fn expectations(&self, name: &ServerName, wanted: &dyn Fn(&BindingPoint) -> bool) -> Vec<Expectation> {
        let Some(server) = self.builder.server(name) else { return Vec::new() };
        let Some(own) = self.desired.servers.get(name) else { return Vec::new() };
        let mut expected = Vec::new();
        for presenter in binding_points(server).into_iter().filter(wanted) {
            let found = presented(server, &presenter, self.builder.now);
            let Presented::Certificate(thumbprint) = found else { continue };
            let Some(stored) = server.certificate(thumbprint) else { continue };
            // What is taken back may be the expired certificate that the run replaced; that proves nothing.
            if !stored.certificate.is_valid_at(self.builder.now) {
                continue;
            }
            let name = expect::client_name(own, server, &presenter, &stored.certificate);
            let expectation =
                |endpoint| Expectation { endpoint, name: name.clone(), certificate: CertRef::of(thumbprint) };
            expected.extend(endpoints(server, &presenter).into_iter().map(expectation));
        }
        expected.sort_by_key(|expectation| expectation.endpoint);
        expected.dedup_by_key(|expectation| expectation.endpoint);
        expected
    }

    /// Removes what the run brought, unless something uses it.
    fn remove(&mut self, proofs: &BTreeMap<ServerName, StepId>) {
        for (step, action) in std::mem::take(&mut self.removals) {
            let certificate = self.progress.plan.steps.iter().find(|own| own.id == step);
            let certificate = certificate.and_then(|own| own.certificate.clone());
            let why = vec![Reason::TakesBack { step }];
            let mut action = action;
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
                self.detach(step, &TlsCertificateName::of(&stored.certificate), &why);
                *while_stopped = self.while_stopped(server, thumbprint);
                let stopped = self.stopped.entry(server.clone()).or_default();
                stopped.extend(while_stopped.iter().cloned());
                stopped.dedup();
            } else if self.builder.world.holds(&action) {
                continue;
            }
            let after = action.server().and_then(|server| proofs.get(server)).copied();
            let after: Vec<StepId> = after.into_iter().chain(self.undone.values().copied()).collect();
            if let Some(id) = self.builder.push(certificate.as_ref(), action, why, after) {
                self.undone.insert(step, id);
            }
        }
    }

    /// Has the send connectors that select a certificate name none, until it is gone.
    fn detach(&mut self, step: StepId, name: &TlsCertificateName, why: &[Reason]) {
        let connectors = self.builder.world.organization.send_connectors.known();
        let naming = connectors.into_iter().flatten().filter_map(|(connector, settings)| {
            let have = settings.tls_certificate_name.as_ref().filter(|have| have.is_same_as(name))?;
            Some((connector.clone(), have.clone()))
        });
        for (connector, have) in naming.collect::<Vec<_>>() {
            self.reattach.entry(connector.clone()).or_insert((step, have));
            let connector = ConnectorRef::Send { name: connector };
            let action = Action::Repoint { connector, to: None };
            if let Some(id) = self.builder.push(None, action, why.to_vec(), []) {
                self.undone.insert(step, id);
            }
        }
    }
}
