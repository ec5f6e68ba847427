//! How far a run is, read from its journal.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    action::StepId,
    entry::{Entry, Holder, Outcome, RecordedPlan, StepOutput},
    failure::{FailureCode, StepFailure},
    plan::Plan,
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// A run as its journal tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What was to be done.
    pub plan: Plan,
    /// Who began it, and who went on with it, each with the time.
    pub sessions: Vec<(Timestamp, Holder)>,
    /// Every step that was begun.
    pub steps: BTreeMap<StepId, StepRecord>,
    /// How it ended last, and when; none while it runs, and when it died.
    pub ended: Option<(Timestamp, Outcome)>,
    /// How many lines do not count, because their writer had lost the lock.
    pub strays: usize,
}

/// What the journal says about a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRecord {
    /// When it was begun last.
    pub started: Option<Timestamp>,
    /// When it ended; none when nobody saw that.
    pub ended: Option<Timestamp>,
    /// What came of it.
    pub state: StepState,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// It was done.
    Done(StepOutput),
    /// It was done; that was seen afterwards.
    Found(StepOutput),
    /// It failed.
    Failed(StepFailure),
    /// It waits for this.
    Parked(String),
    /// Whether it was done is not known; why not, when that is known.
    Unknown(Option<StepFailure>),
}

/// Reads a journal whose plan was read with it. None when the run died before its first line was whole: then nothing was
/// done.
pub fn progress(entries: Vec<Entry>) -> Option<Progress> {
    let mut rest = entries.into_iter();
    let Some(Entry::Opened { at, by, plan: RecordedPlan::Whole(plan), version: _ }) = rest.next() else {
        return None;
    };
    let mut progress =
        Progress { plan: *plan, sessions: vec![(at, by)], steps: BTreeMap::new(), ended: None, strays: 0 };
    for entry in rest {
        progress.add(&entry);
    }
    Some(progress)
}

impl Progress {
    fn add(&mut self, entry: &Entry) {
        match entry {
            // A journal is opened once.
            Entry::Opened { .. } => {}
            Entry::Resumed { at, by } => {
                self.sessions.push((*at, by.clone()));
                self.ended = None;
            }
            Entry::Started { at, step } => {
                let record = StepRecord { started: Some(*at), ended: None, state: StepState::Unknown(None) };
                self.steps.insert(*step, record);
            }
            Entry::Finished { at, step, output } => self.end(*step, *at, StepState::Done(output.clone())),
            Entry::Found { at, step, output } => self.end(*step, *at, StepState::Found(output.clone())),
            Entry::Failed { at, step, code, error } => {
                let failure = StepFailure { code: *code, message: error.clone() };
                self.end(*step, *at, StepState::Failed(failure))
            }
            Entry::Parked { at, step, until } => self.end(*step, *at, StepState::Parked(until.clone())),
            Entry::Doubtful { at, step, code, error } => {
                let failure = StepFailure { code: *code, message: error.clone() };
                self.end(*step, *at, StepState::Unknown(Some(failure)))
            }
            Entry::Closed { at, outcome } => self.ended = Some((*at, *outcome)),
            Entry::Stray { .. } => self.strays += 1,
        }
    }

    fn end(&mut self, step: StepId, at: Timestamp, state: StepState) {
        let started = self.steps.get(&step).and_then(|record| record.started);
        self.steps.insert(step, StepRecord { started, ended: Some(at), state });
    }

    /// Whether the run came to its end, or was given up: nobody has to go on with it.
    pub fn is_over(&self) -> bool {
        matches!(self.ended, Some((_, Outcome::Converged | Outcome::Abandoned)))
    }

    /// Whether a step was done.
    pub fn is_done(&self, step: StepId) -> bool {
        let state = self.steps.get(&step).map(|record| &record.state);
        matches!(state, Some(StepState::Done(_) | StepState::Found(_)))
    }

    /// What the steps that were done have left.
    pub fn done(&self) -> BTreeMap<StepId, StepOutput> {
        let output = |record: &StepRecord| match &record.state {
            StepState::Done(output) | StepState::Found(output) => Some(output.clone()),
            StepState::Failed(_) | StepState::Parked(_) | StepState::Unknown(_) => None,
        };
        self.steps.iter().filter_map(|(step, record)| Some((*step, output(record)?))).collect()
    }

    /// The steps that were begun and are neither done nor waiting: what they changed has to be looked at.
    pub fn in_doubt(&self) -> Vec<StepId> {
        let doubtful = |record: &StepRecord| match record.state {
            StepState::Failed(_) | StepState::Unknown(_) => true,
            StepState::Done(_) | StepState::Found(_) | StepState::Parked(_) => false,
        };
        self.steps.iter().filter(|(_, record)| doubtful(record)).map(|(step, _)| *step).collect()
    }
    /// The steps that may have left a server drained: nobody saw them end, or they could not put it back. Whatever else fails,
    /// it comes back in the same step.
    pub fn may_have_left_drained(&self) -> BTreeSet<StepId> {
        let left = |record: &StepRecord| match &record.state {
            StepState::Unknown(_) => true,
            StepState::Failed(failure) => failure.code == Some(FailureCode::StillOut),
            StepState::Done(_) | StepState::Found(_) | StepState::Parked(_) => false,
        };
        self.steps.iter().filter(|(_, record)| left(record)).map(|(step, _)| *step).collect()
    }
}

/// The certificate that a step has made, when its output names one.
pub fn certificate_of(output: &StepOutput) -> Option<Thumbprint> {
    match output {
        StepOutput::Certificate { thumbprint, .. } | StepOutput::Request { thumbprint, .. } => {
            Some(*thumbprint)
        }
        StepOutput::Done | StepOutput::File { .. } | StepOutput::Served { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_without_its_first_line_is_no_run() {
        let at = "2026-03-02T09:14:07Z".parse().unwrap();
        assert_eq!(progress(Vec::new()), None);
        assert_eq!(progress(vec![Entry::Started { at, step: StepId(1) }]), None);
    }
}
