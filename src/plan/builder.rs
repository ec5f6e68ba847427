//! A plan in the making: each step is done on paper as soon as it is added, so that the next one is decided by what
//! the organization will be by then, and side effects and ways back come from the same source as Exchange's behaviour.

mod proofs;
mod smtp;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    decision::{Decision, Supply},
    drains::Draining,
    expect,
    passes::{Pass, PassReport},
    undo,
};
use crate::{
    exchange::{edge, named, simulation::SimulatedOrganization},
    model::{
        action::{Action, CertRef, Milestone, SideEffect, StepId},
        cannot::Cannot,
        certificate::Certificate,
        connector::SendConnector,
        desired::{CertificateId, Desired, DesiredServer},
        names::{BalancerName, ConnectorName, ServerName},
        organization::Observed,
        plan::{Step, Undo},
        reason::Reason,
        server::Server,
        service::Restartable,
        thumbprint::Thumbprint,
        time::{Span, Timestamp},
        unmet::UnmetPlace,
        warning::{ServiceWarning, Warning},
    },
};

pub(super) struct PlanBuilder {
    pub(super) world: SimulatedOrganization,
    pub(super) now: Timestamp,
    steps: Vec<Step>,
    warnings: Vec<Warning>,
    passes: Vec<PassReport>,
    /// The same warnings, to find one that was given before.
    warned: HashSet<Warning>,
    /// The certificate that stands for each one of the manifest.
    chosen: BTreeMap<CertificateId, CertRef>,
    /// The last step of each server's lane.
    lane: BTreeMap<ServerName, StepId>,
    /// The last step of each lane that does not wait for a person, where a later one does.
    deployed: BTreeMap<ServerName, StepId>,
    /// The last verification of each server, while nothing has changed there since.
    verified: BTreeMap<ServerName, StepId>,
    /// Servers that were changed since their last verification.
    unproved: BTreeSet<ServerName>,
    /// Which step backs up a certificate of a server, and whether with its key.
    backups: undo::Backups,
    /// Whether the driver can answer No about the default SMTP certificate.
    answers_prompts: bool,
    /// The send connectors of each source server.
    senders: BTreeMap<ServerName, Vec<ConnectorName>>,
    /// How restarts are drained; none where they are not.
    draining: Option<Draining>,
    /// The servers of each load balancer that knows its servers.
    behind: BTreeMap<BalancerName, BTreeSet<ServerName>>,
    /// The steps after which certificates may come to servers.
    held: BTreeMap<(CertificateId, ServerName), StepId>,
    /// The steps after which servers may get another internal transport certificate.
    default_held: BTreeMap<ServerName, BTreeSet<StepId>>,
    /// Servers on which a step turned out to be impossible: nothing more is planned there.
    stuck: BTreeSet<ServerName>,
}

impl PlanBuilder {
    pub(super) fn new(observed: &Observed, desired: &Desired, now: Timestamp) -> Self {
        let behind = desired.balancers.iter().filter(|(_, own)| !own.servers.is_empty());
        Self {
            world: SimulatedOrganization::new(observed.organization.clone(), now),
            now,
            steps: Vec::new(),
            warnings: Vec::new(),
            passes: Vec::new(),
            warned: HashSet::new(),
            chosen: BTreeMap::new(),
            lane: BTreeMap::new(),
            deployed: BTreeMap::new(),
            verified: BTreeMap::new(),
            unproved: BTreeSet::new(),
            backups: BTreeMap::new(),
            answers_prompts: observed.answers_prompts,
            senders: named::by_server(&observed.organization),
            draining: Draining::of(desired),
            behind: behind.map(|(name, own)| (name.clone(), own.servers.clone())).collect(),
            stuck: BTreeSet::new(),
            held: BTreeMap::new(),
            default_held: BTreeMap::new(),
        }
    }

    /// Runs a pass, and notes what it added.
    pub(super) fn pass<T>(&mut self, pass: Pass, run: impl FnOnce(&mut Self) -> T) -> T {
        let (steps, warnings) = (self.steps.len(), self.warnings.len());
        let result = run(self);
        let (steps, warnings) = (steps..self.steps.len(), warnings..self.warnings.len());
        self.passes.push(PassReport { pass, steps, warnings });
        result
    }

    /// The send connectors that send from this server.
    pub(super) fn senders_of(
        &self,
        server: &ServerName,
    ) -> impl Iterator<Item = (&ConnectorName, &SendConnector)> {
        let known = self.world.organization.send_connectors.known();
        let names = self.senders.get(server).into_iter().flatten();
        names.filter_map(move |name| known?.get_key_value(name)).filter(|(_, connector)| connector.enabled)
    }

    /// Adds a step to the lane of its server. What cannot be done becomes a step that says so, and ends the lane.
    pub(super) fn push(
        &mut self,
        certificate: Option<&CertificateId>,
        action: Action,
        why: Vec<Reason>,
        after: impl IntoIterator<Item = StepId>,
    ) -> Option<StepId> {
        let server = action.server().cloned();
        if server.as_ref().is_some_and(|server| self.stuck.contains(server)) {
            return None;
        }
        let id = StepId(u32::try_from(self.steps.len() + 1).expect("fewer than four billion steps"));
        let undo = undo::of(&self.world, id, &action, &self.backups);
        let had = undo::held(&self.world, &action);
        let without_default = |own: &Server| own.internal_transport.known().is_some_and(Option::is_none);
        let had_none = server.as_ref().and_then(|name| self.server(name)).is_some_and(without_default);
        let mut after: BTreeSet<StepId> = after.into_iter().collect();
        after.extend(self.arrives_after(certificate, &action));
        let servers: Vec<ServerName> = action.servers().into_iter().cloned().collect();
        after.extend(servers.iter().filter_map(|server| self.lane.get(server)));
        let presents = |world: &SimulatedOrganization| -> Vec<Option<Thumbprint>> {
            servers.iter().map(|server| edge::presents(&world.organization, server)).collect()
        };
        let presented = presents(&self.world);
        let (action, undo, side_effects, possible) = match self.world.perform(id, &action) {
            Ok(mut side_effects) => {
                side_effects.retain(|effect| !self.is_of_other_balancer(server.as_ref(), effect));
                let undo = undo::without_what_stayed(undo, &self.world, &action);
                (action, undo, side_effects, true)
            }
            Err(impossible) => {
                let why = match action {
                    Action::CannotApply { why, .. } => why,
                    _ => Cannot::StepRefused {
                        verb: action.verb().to_owned(),
                        why: impossible.to_string(),
                        server: server.clone(),
                    },
                };
                self.stuck.extend(server.clone());
                (Action::CannotApply { server: server.clone(), why }, Undo::Nothing, Vec::new(), false)
            }
        };
        let changing = servers.iter().zip(presented.iter().zip(presents(&self.world)));
        let changing = changing.filter(|(_, (before, now))| *before != now).map(|(server, _)| server);
        after.extend(changing.filter_map(|server| self.default_held.get(server)).flatten());
        if let Some(name) = server.as_ref().filter(|_| had_none && possible) {
            undo::now_stays(&mut self.steps, &self.world, name);
        }
        if possible {
            undo::um_stays(&mut self.steps, &self.world, &action, &had);
        }
        if server.is_none() && possible {
            self.lane.extend(servers.into_iter().map(|server| (server, id)));
        }
        if let Some(server) = server {
            match &action {
                Action::Verify { .. } => {
                    self.verified.insert(server.clone(), id);
                    self.unproved.remove(&server);
                }
                Action::BackUp { certificate, with_key, .. } => {
                    let backup = undo::Backup { step: id, with_key: *with_key };
                    let thumbprint = self.world.thumbprint(*certificate);
                    self.backups.insert((server.clone(), thumbprint), backup);
                }
                action if action.facts().changes_service => {
                    self.verified.remove(&server);
                    self.unproved.insert(server.clone());
                }
                // Neither removing what nothing uses nor a request changes anything that was verified.
                _ => {}
            }
            self.lane.insert(server, id);
        }
        self.steps.push(Step {
            id,
            certificate: certificate.cloned(),
            action,
            why,
            after,
            side_effects,
            undo,
        });
        possible.then_some(id)
    }

    /// Whether an effect is about a load balancer through which no client comes to this server.
    fn is_of_other_balancer(&self, server: Option<&ServerName>, effect: &SideEffect) -> bool {
        let SideEffect::SignInRefused { balancer } = effect else { return false };
        let behind = server.and_then(|server| Some(!self.behind.get(balancer)?.contains(server)));
        behind.unwrap_or(false)
    }

    /// Adds a restart. Where the manifest wants it drained, it comes after the drained restart of any other server; where nobody
    /// takes over, that is said.
    pub(super) fn push_restart(
        &mut self,
        mut action: Action,
        why: Vec<Reason>,
        after: impl IntoIterator<Item = StepId>,
    ) -> Option<StepId> {
        let mut after: Vec<StepId> = after.into_iter().collect();
        let mut is_drained = false;
        if let Action::Restart { server, service, drain, .. } = &mut action {
            if let (None, Some(draining)) = (&drain, &self.draining) {
                *drain = draining.drain(&self.world.organization, server, *service);
                if drain.is_none() && *service == Restartable::Transport {
                    self.warn(ServiceWarning::NotDrained { server: server.clone() });
                }
            }
            is_drained = drain.is_some();
            let last = self.draining.as_ref().and_then(|draining| draining.last);
            after.extend(last.filter(|_| is_drained));
        }
        let step = self.push(None, action, why, after)?;
        if is_drained {
            self.draining.get_or_insert_default().last = Some(step);
        }
        Some(step)
    }

    /// What so many dependents have to wait for: these steps, or one gate after them all where otherwise each dependent
    /// would name each step.
    pub(super) fn gate(
        &mut self,
        certificate: Option<&CertificateId>,
        all: Milestone,
        after: BTreeSet<StepId>,
        dependents: usize,
    ) -> Vec<StepId> {
        if after.len() <= 1 || dependents <= 1 {
            return after.into_iter().collect();
        }
        self.push(certificate, Action::Gate { all }, Vec::new(), after).into_iter().collect()
    }

    /// Has a certificate come to these servers only after a step.
    pub(super) fn hold_arrival(&mut self, id: &CertificateId, step: StepId, servers: BTreeSet<ServerName>) {
        self.held.extend(servers.into_iter().map(|server| ((id.clone(), server), step)));
    }

    /// Has these servers get another internal transport certificate only after a step.
    pub(super) fn hold_default(&mut self, servers: &BTreeSet<ServerName>, step: StepId) {
        for server in servers {
            self.default_held.entry(server.clone()).or_default().insert(step);
        }
    }

    /// Whether this server gets another internal transport certificate only after a step that may wait for long.
    pub(super) fn is_default_held(&self, server: &ServerName) -> bool {
        self.default_held.contains_key(server)
    }

    /// The step after which this one may bring its certificate to its server.
    fn arrives_after(&self, certificate: Option<&CertificateId>, action: &Action) -> Option<StepId> {
        let brings =
            matches!(action, Action::Import { .. } | Action::Complete { .. } | Action::Create { .. });
        let place = (certificate.filter(|_| brings)?.clone(), action.server()?.clone());
        self.held.get(&place).copied()
    }

    /// Notes something that should be done and cannot be, without ending any lane.
    pub(super) fn cannot(&mut self, certificate: Option<&CertificateId>, why: Cannot) {
        self.push(certificate, Action::CannotApply { server: None, why }, Vec::new(), []);
    }

    pub(super) fn warn(&mut self, warning: impl Into<Warning>) {
        let warning = warning.into();
        if self.warned.insert(warning.clone()) {
            self.warnings.push(warning);
        }
    }

    /// The steps so far.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What was warned of so far.
    pub(super) fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Settles which certificate stands for one of the manifest.
    pub(super) fn choose(&mut self, id: &CertificateId, certificate: CertRef) {
        self.chosen.insert(id.clone(), certificate);
    }

    pub(super) fn chosen(&self, id: &CertificateId) -> Option<CertRef> {
        self.chosen.get(id).copied()
    }

    /// The thumbprint that a certificate of the manifest has on the servers of the foreseen organization.
    pub(super) fn thumbprint(&self, id: &CertificateId) -> Option<Thumbprint> {
        self.chosen(id).map(|certificate| self.world.thumbprint(certificate))
    }

    /// The certificate as it is, or will be, on this server.
    pub(super) fn on_server(&self, name: &ServerName, id: &CertificateId) -> Option<&Certificate> {
        Some(&self.server(name)?.certificate(self.thumbprint(id)?)?.certificate)
    }

    /// The certificate that a decision will bring to servers, as far as it can be foreseen.
    pub(super) fn arriving(&self, decision: &Decision<'_>) -> Option<Certificate> {
        match (&decision.supply, self.chosen(&decision.certificate.id)) {
            (Supply::Have { thumbprint, from: Some(from), .. }, _) => {
                Some(self.server(from)?.certificate(*thumbprint)?.certificate.clone())
            }
            (Supply::New, Some(chosen)) => self.world.issued(chosen).cloned().or_else(|| {
                let first = decision.certificate.servers.first()?;
                Some(self.server(first)?.certificate(self.world.thumbprint(chosen))?.certificate.clone())
            }),
            (Supply::New, None) => {
                let certificate = decision.certificate;
                let next = StepId(u32::try_from(self.steps.len() + 1).ok()?);
                let request = certificate.request();
                Some(request.foreseen(next, &certificate.subject, self.now, Span::days(365)))
            }
            (Supply::Requested { server, .. }, Some(chosen)) => {
                let thumbprint = self.world.thumbprint(chosen);
                Some(self.server(server)?.certificate(thumbprint)?.certificate.clone())
            }
            (Supply::Have { .. } | Supply::Requested { .. } | Supply::Blocked, _) => None,
        }
    }

    pub(super) fn server(&self, name: &ServerName) -> Option<&Server> {
        self.world.organization.servers.get(name)
    }

    /// Whether a step brings this certificate to a server, or names it on a connector.
    pub(super) fn brings(&self, id: &CertificateId) -> bool {
        self.steps.iter().any(|step| {
            step.certificate.as_ref() == Some(id)
                && matches!(
                    step.action,
                    Action::Import { .. }
                        | Action::Complete { .. }
                        | Action::Create { .. }
                        | Action::Repoint { to: Some(_), .. }
                )
        })
    }

    /// Places of a server that should serve certificates of the manifest and that nobody can meet, with those.
    pub(super) fn unmet(&self, own: &DesiredServer, name: &ServerName) -> Vec<(UnmetPlace, Thumbprint)> {
        let Some(server) = self.server(name) else { return Vec::new() };
        let senders = self.senders.get(name).map(Vec::as_slice).unwrap_or_default();
        let chosen = |id: &CertificateId| self.thumbprint(id);
        expect::unmet(own, (&self.world.organization, server), senders, &chosen, self.now)
    }

    /// Why nobody can tell what a server holds; none when it was read.
    pub(super) fn out_of_sight(&self, name: &ServerName) -> Option<&str> {
        self.server(name).map_or(Some("it was not observed"), |server| server.certificates.why_unknown())
    }

    pub(super) fn is_stuck(&self, name: &ServerName) -> bool {
        self.stuck.contains(name)
    }

    pub(super) fn finish(self) -> (Vec<Step>, Vec<Warning>, Vec<PassReport>) {
        (self.steps, self.warnings, self.passes)
    }
}
