//! What a run tells: while it runs, and at its end.

use std::collections::BTreeMap;

use crate::model::{
    action::StepId,
    entry::{Outcome, StepOutput},
    failure::StepFailure,
    plan::Step,
};

/// Why no further step is begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// Somebody asked the run to stop.
    Asked,
    /// The lock is not ours any more, for this reason: somebody else may be writing.
    LockLost(String),
}

/// What became of each step.
#[derive(Debug)]
pub struct Report {
    /// The name of the run.
    pub run: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it ended before its steps did, when it was told to.
    pub halted: Option<Halt>,
    /// The steps in order.
    pub steps: BTreeMap<StepId, StepResult>,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// It was done.
    Done(StepOutput),
    /// It was tried and not done.
    Failed(StepFailure),
    /// It was tried, and whether it was done is not known.
    Unknown(StepFailure),
    /// It waits for this.
    Parked(String),
    /// It was not tried, because this step before it was not done.
    Skipped(StepId),
    /// It was not tried, because this step before it waits.
    Waiting(StepId),
    /// It was not tried, because the run was stopped before.
    NotReached,
}

/// What a run tells while it runs.
#[derive(Debug)]
pub enum ApplyEvent<'a> {
    /// A step begins.
    Started(&'a Step),
    /// A step failed with this error, and is tried again after a pause.
    Retrying(&'a Step, &'a StepFailure),
    /// A step is over, or will not be done.
    Ended(&'a Step, &'a StepResult),
}

impl Report {
    /// What steps left that were done.
    pub fn outputs(&self) -> impl Iterator<Item = &StepOutput> {
        self.steps.values().filter_map(|result| match result {
            StepResult::Done(output) => Some(output),
            StepResult::Failed(_)
            | StepResult::Unknown(_)
            | StepResult::Parked(_)
            | StepResult::Skipped(_)
            | StepResult::Waiting(_)
            | StepResult::NotReached => None,
        })
    }

    /// Whether every step was done.
    pub fn is_complete(&self) -> bool {
        self.outcome == Outcome::Converged
    }
}
