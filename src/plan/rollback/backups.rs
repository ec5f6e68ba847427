//! The backups that the way back from a run rests on.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::action::{Action, BundleSource, StepId},
    plan::progress::Progress,
};

/// The backups of a run that cannot be used, by the step that made them, and why.
pub type LostBackups = BTreeMap<StepId, String>;

/// The backups that the way back from a run may need.
pub fn backups_needed(progress: &Progress) -> BTreeSet<StepId> {
    let undone = progress.plan.steps.iter().flat_map(|step| step.undo.actions());
    undone.filter_map(backup_of).collect()
}

/// The step whose backup an action brings back.
pub(super) fn backup_of(action: &Action) -> Option<StepId> {
    match action {
        Action::Import { from: BundleSource::Backup { step, .. }, .. }
        | Action::Install { from: BundleSource::Backup { step, .. }, .. } => Some(*step),
        _ => None,
    }
}
