//! Where a run has changed something.

use std::collections::BTreeSet;

use crate::{
    model::{certificate_id::CertificateId, names::ServerName, plan::Step},
    plan::progress::{Progress, StepState},
};

/// Where a run has changed what is presented.
#[derive(Debug, Default)]
pub(super) struct Changed {
    servers: BTreeSet<ServerName>,
    /// Places that belong to no server: send connectors, load balancers.
    organization: bool,
    /// The certificates of the manifest that were brought or bound there; no server where the place belongs to none.
    brought: BTreeSet<(Option<ServerName>, CertificateId)>,
}

impl Changed {
    /// By all steps that were begun. One that waits has done nothing yet.
    pub(super) fn by(run: &Progress) -> Self {
        let begun = |step: &&Step| match run.steps.get(&step.id).map(|record| &record.state) {
            None | Some(StepState::Parked(_)) => false,
            Some(StepState::Done(_) | StepState::Found(_) | StepState::Failed(_) | StepState::Unknown(_)) => {
                true
            }
        };
        let mut changed = Self::default();
        for step in run.plan.steps.iter().filter(begun) {
            let facts = step.action.facts();
            if !facts.changes_service && !facts.changes_place {
                continue;
            }
            let servers = step.action.servers();
            changed.organization |= servers.is_empty();
            changed.servers.extend(servers.iter().copied().cloned());
            if let Some(id) = &step.certificate {
                changed.brought.insert((step.action.server().cloned(), id.clone()));
            }
        }
        changed
    }

    pub(super) fn holds(&self, server: &ServerName) -> bool {
        self.organization || self.servers.contains(server)
    }

    /// Whether a certificate of the manifest came into places of this server, or into those that belong to none.
    pub(super) fn brought(&self, server: &ServerName, id: &CertificateId) -> bool {
        [Some(server.clone()), None].into_iter().any(|place| self.brought.contains(&(place, id.clone())))
    }

    /// What a way back has given back counts no more when that was rolled back too.
    pub(super) fn leave_out(&mut self, undone: &Self) {
        self.servers.retain(|server| !undone.holds(server));
        self.organization &= !undone.organization;
    }
}
