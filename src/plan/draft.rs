//! A plan in the making: each step is done on paper as soon as it is added, so that the next one is decided by what
//! the organization will be by then, and side effects and ways back come from the same source as Exchange's behaviour.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    choose::{Decision, Supply},
    lanes, undo,
};
use crate::{
    exchange::world::World,
    model::{
        action::{Action, CertRef, StepId},
        certificate::Certificate,
        desired::CertificateId,
        names::ServerName,
        organization::Organization,
        plan::{Step, Undo},
        reason::Reason,
        server::Server,
        thumbprint::Thumbprint,
        time::{Span, Timestamp},
    },
};

pub(super) struct Draft {
    pub(super) world: World,
    pub(super) now: Timestamp,
    steps: Vec<Step>,
    warnings: Vec<String>,
    /// The certificate that stands for each one of the manifest.
    chosen: BTreeMap<CertificateId, CertRef>,
    /// The last step of each server's lane.
    lane: BTreeMap<ServerName, StepId>,
    /// The last verification of each server, while nothing has changed there since.
    verified: BTreeMap<ServerName, StepId>,
    /// Which step backs up a certificate of a server, and whether with its key.
    backups: BTreeMap<(ServerName, Thumbprint), undo::Backup>,
    /// Servers on which a step turned out to be impossible: nothing more is planned there.
    stuck: BTreeSet<ServerName>,
}

impl Draft {
    pub(super) fn new(organization: &Organization, now: Timestamp) -> Self {
        Self {
            world: World::new(organization.clone(), now),
            now,
            steps: Vec::new(),
            warnings: Vec::new(),
            chosen: BTreeMap::new(),
            lane: BTreeMap::new(),
            verified: BTreeMap::new(),
            backups: BTreeMap::new(),
            stuck: BTreeSet::new(),
        }
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
        let backup = match &action {
            Action::Remove { server, certificate } => {
                self.backups.get(&(server.clone(), self.world.thumbprint(*certificate))).copied()
            }
            _ => None,
        };
        let undo = undo::of(&self.world, id, &action, backup);
        let mut after: BTreeSet<StepId> = after.into_iter().collect();
        after.extend(server.as_ref().and_then(|server| self.lane.get(server)));
        let (action, undo, side_effects, possible) = match self.world.perform(id, &action) {
            Ok(side_effects) => {
                let undo = undo::without_what_stayed(undo, &self.world, &action);
                (action, undo, side_effects, true)
            }
            Err(impossible) => {
                let why = format!("{}: {impossible}", action.verb());
                self.stuck.extend(server.clone());
                (Action::CannotApply { server: server.clone(), why }, Undo::Nothing, Vec::new(), false)
            }
        };
        if let Some(server) = server {
            match &action {
                Action::Verify { .. } => {
                    self.verified.insert(server.clone(), id);
                }
                Action::BackUp { certificate, with_key, .. } => {
                    let backup = undo::Backup { step: id, with_key: *with_key };
                    self.backups.insert((server.clone(), *certificate), backup);
                }
                // Removing what nothing uses changes nothing that was verified.
                Action::Remove { .. } => {}
                _ => {
                    self.verified.remove(&server);
                }
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

    pub(super) fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
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
                let request = lanes::request(certificate);
                Some(request.foreseen(next, &certificate.subject, self.now, Span::days(365)))
            }
            (Supply::Have { .. } | Supply::Blocked, _) => None,
        }
    }

    pub(super) fn server(&self, name: &ServerName) -> Option<&Server> {
        self.world.organization.servers.get(name)
    }

    /// The verification that covers all of a server's changes so far.
    pub(super) fn verified(&self, name: &ServerName) -> Option<StepId> {
        self.verified.get(name).copied()
    }

    pub(super) fn last_step(&self, name: &ServerName) -> Option<StepId> {
        self.lane.get(name).copied()
    }

    pub(super) fn is_stuck(&self, name: &ServerName) -> bool {
        self.stuck.contains(name)
    }

    pub(super) fn finish(self) -> (Vec<Step>, Vec<String>) {
        (self.steps, self.warnings)
    }
}
