//! What a run has done that its way back asks for again and again.

use std::collections::BTreeMap;

use super::backups::{LostBackups, backup_of};
use crate::{
    model::{
        action::{CertRef, StepId},
        names::ServerName,
        plan::Undo,
        thumbprint::Thumbprint,
    },
    plan::{
        progress::{Progress, StepRecord, StepState},
        recovery::Settled,
    },
};

/// What a run removed.
pub(super) struct Removed {
    /// By which step.
    pub(super) by: BTreeMap<(ServerName, Thumbprint), StepId>,
    /// The first of these steps whose certificate nothing brings back.
    pub(super) for_good: Option<StepId>,
}

impl Removed {
    pub(super) fn of(progress: &Progress, settled: &Settled, lost: &LostBackups) -> Self {
        let (mut by, mut for_good) = (BTreeMap::new(), None);
        for step in &progress.plan.steps {
            let removals = step.action.removals();
            if removals.is_empty() {
                continue;
            }
            for (server, certificate) in removals {
                let thumbprint = match certificate {
                    CertRef::Known(thumbprint) => Some(thumbprint),
                    CertRef::FromStep(step) => settled.made(step),
                };
                if let Some(thumbprint) = thumbprint {
                    by.entry((server.clone(), thumbprint)).or_insert(step.id);
                }
            }
            let comes_back = match &step.undo {
                Undo::Nothing | Undo::Irreversible { .. } => false,
                Undo::By(actions) | Undo::Partly { by: actions, .. } => {
                    !actions.iter().filter_map(backup_of).any(|step| lost.contains_key(&step))
                }
            };
            if !comes_back && was_done(progress, settled, step.id) {
                for_good.get_or_insert(step.id);
            }
        }
        Self { by, for_good }
    }
}

/// Whether a step changed anything: it was done, or it was begun and the organization shows it.
pub(super) fn was_done(progress: &Progress, settled: &Settled, step: StepId) -> bool {
    let tried = |record: &StepRecord| match record.state {
        StepState::Unknown(_) | StepState::Failed(_) => true,
        StepState::Done(_) | StepState::Found(_) | StepState::Parked(_) => false,
    };
    // A step that can be done twice leaves the question open; its way back does nothing when nothing was done.
    settled.done.contains_key(&step)
        || settled.begun.contains_key(&step)
        || progress.is_done(step)
        || progress.steps.get(&step).is_some_and(tried)
}
