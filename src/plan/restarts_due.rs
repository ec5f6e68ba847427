//! Restarts that earlier runs still owe: a run has given a service another certificate and did not come to its restart, and no
//! later run has done it. Exchange shows the new certificate as soon as it is set, so that only journals tell (facts 3.7).

use std::collections::{BTreeMap, BTreeSet};

use super::progress::{Progress, StepState, certificate_of};
use crate::{
    exchange::simulation::SimulatedOrganization,
    model::{
        action::{Action, Condition, ConnectorRef, ServiceGroup, StepId},
        desired::Desired,
        endpoint::Protocol,
        entry::Outcome,
        history::{DueRestart, History},
        names::ServerName,
        organization::Observed,
        plan::{Plan, Step},
        reason::Reason,
        service::{Restartable, Service, Services},
        time::Timestamp,
    },
};

/// A search in the journals of runs, the newest first.
#[derive(Debug)]
pub(super) struct Search<'a> {
    observed: &'a Observed,
    now: Timestamp,
    /// The servers of which an older run may still owe a restart.
    open: BTreeSet<ServerName>,
    /// What was restarted by a newer run, or is found to be due already.
    settled: BTreeSet<(ServerName, Restartable)>,
    /// The servers on which newer runs have taken runs back.
    taken_back: BTreeMap<String, BTreeSet<ServerName>>,
    found: Vec<DueRestart>,
}

impl<'a> Search<'a> {
    pub(super) fn begin(desired: &Desired, observed: &'a Observed, now: Timestamp) -> Self {
        let using = desired.servers.iter().filter(|(_, own)| own.uses().next().is_some());
        Self {
            observed,
            now,
            open: using.map(|(name, _)| name.clone()).collect(),
            settled: BTreeSet::new(),
            taken_back: BTreeMap::new(),
            found: Vec::new(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn ask(&mut self, name: &str, run: &Progress) {
        let taken_back = self.taken_back.remove(name).unwrap_or_default();
        let steps = StepsByServer::of(&run.plan);
        // From the last step on, so that a restart is met before the changes that it is for.
        for step in run.plan.steps.iter().rev() {
            if run.is_done(step.id) {
                self.settled.extend(settled_by(&step.action));
                continue;
            }
            for (server, service) in restarts(&step.action) {
                if taken_back.contains(&server) || !self.open.contains(&server) {
                    continue;
                }
                let Some(since) = self.changed((run, &steps), step, &server, service) else { continue };
                if self.settled.insert((server.clone(), service)) {
                    self.found.push(DueRestart { server, service, run: name.to_owned(), since });
                }
            }
        }
        let is_whole = run.plan.only.is_none() && run.plan.is_whole();
        match (&run.ended, &run.plan.rolls_back) {
            (Some((_, Outcome::Converged)), Some(back)) => {
                let servers = run.plan.steps.iter().flat_map(|step| step.action.servers()).cloned();
                self.taken_back.entry(back.clone()).or_default().extend(servers);
            }
            // What was due before was in its plan.
            (Some((_, Outcome::Converged)), None) if is_whole => {
                let servers = run.plan.changes.iter().flat_map(|change| &change.servers);
                let acted = run.plan.steps.iter().flat_map(|step| step.action.servers());
                for server in servers.chain(acted) {
                    self.open.remove(server);
                }
            }
            _ => {}
        }
    }

    /// Those that are due, and of these the ones that no run which was asked has settled.
    pub(super) fn into_due(self, earlier: &[DueRestart]) -> Vec<DueRestart> {
        let Self { settled, mut found, .. } = self;
        let left = earlier.iter().filter(|due| !settled.contains(&(due.server.clone(), due.service)));
        found.extend(left.cloned());
        found.sort_by(|one, other| (&one.server, one.service).cmp(&(&other.server, other.service)));
        found
    }

    /// When the run changed what the restart is for; none when it did not come so far.
    fn changed(
        &self,
        (run, steps): (&Progress, &StepsByServer<'_>),
        restart: &Step,
        server: &ServerName,
        service: Restartable,
    ) -> Option<Timestamp> {
        let before = before(&run.plan, restart);
        // What came before an earlier restart was taken up with that.
        let restarted = steps.on(server).filter(|step| {
            step.id < restart.id
                && run.is_done(step.id)
                && settled_by(&step.action).contains(&(server.clone(), service))
        });
        let restarted = restarted.map(|step| step.id).max();
        let changing = steps.on(server).filter(|step| before.contains(&step.id) && Some(step.id) > restarted);
        let changing = changing.filter(|step| concerns(&step.action, service));
        changing.filter_map(|step| self.happened(run, step)).max()
    }

    /// When a step was done; where nobody saw it end, what is there tells whether it was.
    fn happened(&self, run: &Progress, step: &Step) -> Option<Timestamp> {
        let record = run.steps.get(&step.id)?;
        let at = record.ended.or(record.started)?;
        match &record.state {
            StepState::Done(_) | StepState::Found(_) => Some(at),
            StepState::Parked(_) => None,
            StepState::Failed(_) | StepState::Unknown(_) => {
                let done = run.done();
                let action = step.action.with_known(&|made| done.get(&made).and_then(certificate_of));
                let world = SimulatedOrganization::new(self.observed.organization.clone(), self.now);
                (action.made_by().is_empty() && world.holds(&action)).then_some(at)
            }
        }
    }
}

/// The steps of a plan by their servers: of each restart only those of its server are asked for.
struct StepsByServer<'a> {
    on: BTreeMap<&'a ServerName, Vec<&'a Step>>,
    /// Those that are of no server, or of several.
    others: Vec<&'a Step>,
}

impl<'a> StepsByServer<'a> {
    fn of(plan: &'a Plan) -> Self {
        let mut steps = Self { on: BTreeMap::new(), others: Vec::new() };
        for step in &plan.steps {
            match step.action.server() {
                Some(server) => steps.on.entry(server).or_default().push(step),
                None => steps.others.push(step),
            }
        }
        steps
    }

    fn on(&self, server: &ServerName) -> impl Iterator<Item = &'a Step> {
        self.on.get(server).into_iter().flatten().chain(&self.others).copied()
    }
}

/// All steps that have to be done before this one.
fn before(plan: &Plan, step: &Step) -> BTreeSet<StepId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<StepId> = step.after.iter().copied().collect();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(plan.step(id).into_iter().flat_map(|step| step.after.iter().copied()));
        }
    }
    found
}

/// What an action restarts or has somebody restart.
fn restarts(action: &Action) -> Vec<(ServerName, Restartable)> {
    match action {
        Action::Restart { server, service, .. } => vec![(server.clone(), *service)],
        Action::Manual { until: Condition::Served { server, .. }, .. } => {
            vec![(server.clone(), Restartable::Transport)]
        }
        _ => Vec::new(),
    }
}

/// What starts anew with an action that was done, or is proved to have loaded what it should.
pub(super) fn settled_by(action: &Action) -> Vec<(ServerName, Restartable)> {
    let all = |server: &ServerName, groups: &[ServiceGroup]| {
        groups.iter().map(|group| (server.clone(), group.service)).collect::<Vec<_>>()
    };
    let mut settled = match action {
        Action::Restart { .. } => restarts(action),
        Action::Manual { until: Condition::Served { server, .. }, .. } => {
            vec![(server.clone(), Restartable::Transport), (server.clone(), Restartable::MailboxTransport)]
        }
        Action::Remove { server, while_stopped, .. } => all(server, while_stopped),
        Action::RemoveNamed { while_stopped, .. } => {
            while_stopped.iter().flat_map(|own| all(&own.server, &own.groups)).collect()
        }
        Action::Verify { server, expect } => {
            let mail = expect.iter().filter_map(|expected| match expected.endpoint.protocol {
                Protocol::Pop | Protocol::Pops => Some(Restartable::Pop),
                Protocol::Imap | Protocol::Imaps => Some(Restartable::Imap),
                _ => None,
            });
            mail.map(|service| (server.clone(), service)).collect()
        }
        _ => Vec::new(),
    };
    // The pools start anew with IIS; which of the two is wanted is the manifest's matter.
    let of_iis = settled.iter().filter_map(|(server, service)| match service {
        Restartable::Iis => Some((server.clone(), Restartable::WebApps)),
        Restartable::WebApps => Some((server.clone(), Restartable::Iis)),
        _ => None,
    });
    let of_iis: Vec<_> = of_iis.collect();
    settled.extend(of_iis);
    settled
}

/// Whether a service may have to be restarted because of a change.
fn concerns(action: &Action, service: Restartable) -> bool {
    let enabled = |services: &Services| {
        services.iter().any(|own| match own {
            Service::Iis => matches!(service, Restartable::Iis | Restartable::WebApps),
            Service::Smtp => matches!(service, Restartable::Transport | Restartable::MailboxTransport),
            Service::Pop | Service::Imap | Service::Um | Service::UmCallRouter | Service::Federation => {
                own.restartable() == Some(service)
            }
        })
    };
    match action {
        Action::Bind { services, .. } => enabled(services),
        // POP and IMAP take the newest certificate with their name (facts 3.4).
        Action::Import { enable, .. } | Action::Create { enable, .. } | Action::Complete { enable, .. } => {
            enabled(enable) || matches!(service, Restartable::Pop | Restartable::Imap)
        }
        Action::BindSite { .. } | Action::SetImCertificate { .. } => {
            matches!(service, Restartable::Iis | Restartable::WebApps)
        }
        Action::SetX509CertificateName { service: own, .. } => own.restartable() == service,
        Action::SetUmStartupMode { .. } => matches!(service, Restartable::Um | Restartable::UmCallRouter),
        Action::SetInternalTransport { .. } => {
            matches!(service, Restartable::Transport | Restartable::MailboxTransport)
        }
        Action::Repoint { connector: ConnectorRef::Send { .. } | ConnectorRef::Receive { .. }, .. } => {
            service == Restartable::Transport
        }
        Action::PublishAuth { .. } => {
            matches!(service, Restartable::ServiceHost | Restartable::WebApps | Restartable::Iis)
        }
        // It gives back what was there before, or another one is chosen.
        Action::Remove { .. } | Action::RemoveNamed { .. } => !matches!(service, Restartable::ServiceHost),
        Action::Repoint { connector: ConnectorRef::Hybrid {}, .. }
        | Action::Issue { .. }
        | Action::Request { .. }
        | Action::Await { .. }
        | Action::RemoveRequest { .. }
        | Action::Restart { .. }
        | Action::Verify { .. }
        | Action::BackUp { .. }
        | Action::StageAuth { .. }
        | Action::ClearPreviousAuth {}
        | Action::Install { .. }
        | Action::VerifyBalancer { .. }
        | Action::Manual { .. }
        | Action::Gate { .. }
        | Action::CannotApply { .. } => false,
    }
}

/// What is still due when these steps are done.
pub(super) fn after<'a>(steps: impl Iterator<Item = &'a Step>, due: &mut Vec<DueRestart>) {
    let settled: BTreeSet<(ServerName, Restartable)> =
        steps.flat_map(|step| settled_by(&step.action)).collect();
    due.retain(|due| !settled.contains(&(due.server.clone(), due.service)));
}

/// What is left to restart where it runs: what does not reads the certificate when somebody starts it.
pub(super) fn left(desired: &Desired, observed: &Observed) -> BTreeSet<(ServerName, Restartable)> {
    let runs = |name: &ServerName, what: &Restartable| {
        let server = observed.organization.servers.get(name);
        server.is_some_and(|server| !server.restarted(*what).is_empty())
    };
    let left = desired.servers.keys().flat_map(|name| {
        let wanted = wanted(observed.history.as_ref(), desired, name).map(|(what, _)| what);
        wanted.filter(move |what| runs(name, what)).map(move |what| (name.clone(), what))
    });
    left.collect()
}

/// What a plan restarts because it is due.
pub(super) fn planned(plan: &Plan) -> Vec<DueRestart> {
    let why = plan.steps.iter().flat_map(|step| &step.why);
    why.filter_map(|why| match why {
        Reason::NotRestarted { server, service, run, since } => {
            let (server, run) = (server.clone(), run.clone());
            Some(DueRestart { server, service: *service, run, since: *since })
        }
        _ => None,
    })
    .collect()
}

/// What is restarted for the sake of earlier runs on a server, as the manifest wants restarts.
pub(super) fn wanted<'a>(
    history: Option<&'a History>,
    desired: &'a Desired,
    server: &'a ServerName,
) -> impl Iterator<Item = (Restartable, &'a DueRestart)> {
    let due = history.into_iter().flat_map(|history| history.due_on(server));
    due.filter_map(|due| Some((desired.restarts.of(due.service)?, due)))
}
