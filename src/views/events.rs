//! What a run tells programs while it runs: one JSON object a line (`--format jsonl`). Stable; new fields may come.

use serde::Serialize;

use super::human::describe;
use crate::{
    apply::report::{ApplyEvent, Halt, Report, StepResult},
    model::{
        action::StepId,
        entry::{Outcome, StepOutput},
        failure::{FailureCode, StepFailure},
        names::ServerName,
        plan::{Plan, Step},
        schema::JsonSchema,
        time::Timestamp,
    },
};

/// One line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RunEvent {
    /// The run begins, or goes on.
    Begun {
        /// The format of these lines.
        version: u32,
        /// When.
        at: Timestamp,
        /// The run.
        run: String,
        /// The organization.
        organization: String,
        /// The steps of its plan.
        steps: usize,
    },
    /// A step begins.
    Started {
        /// When.
        at: Timestamp,
        /// Which.
        #[serde(flatten)]
        step: StepLine,
    },
    /// A step failed, and is tried again.
    Retrying {
        /// When.
        at: Timestamp,
        /// Which.
        #[serde(flatten)]
        step: StepLine,
        /// What kind of failure.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<FailureCode>,
        /// What went wrong.
        error: String,
    },
    /// A step is over, or will not be done.
    Ended {
        /// When.
        at: Timestamp,
        /// Which.
        #[serde(flatten)]
        step: StepLine,
        /// What became of it.
        #[serde(flatten)]
        status: StepEnd,
    },
    /// The program lives; these steps are being done.
    Heartbeat {
        /// The steps, and for how many seconds.
        running: Vec<Running>,
    },
    /// The run ends. It is the last line.
    Closed {
        /// When.
        at: Timestamp,
        /// The run.
        run: String,
        /// How.
        outcome: Outcome,
        /// Why it ended before its steps did, when it was told to.
        #[serde(skip_serializing_if = "Option::is_none")]
        halted: Option<String>,
        /// How many steps came to which end.
        counts: Counts,
    },
}

/// A step.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepLine {
    /// Its number.
    pub step: StepId,
    /// The server it acts on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// What it does, in words.
    pub description: String,
}

/// What became of a step.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "status", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum StepEnd {
    /// It was done.
    Done {
        /// What it left.
        output: StepOutput,
    },
    /// It failed.
    Failed {
        /// What kind of failure.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<FailureCode>,
        /// What went wrong.
        error: String,
    },
    /// Whether it was done is not known.
    Unknown {
        /// What kind of failure.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<FailureCode>,
        /// What went wrong.
        error: String,
    },
    /// It waits.
    Parked {
        /// For this.
        until: String,
    },
    /// It was not tried, because of a step that was not done.
    Skipped {
        /// Which.
        because: StepId,
    },
    /// It was not tried, because of a step that waits.
    NotYet {
        /// Which.
        because: StepId,
    },
    /// It was not tried, because the run was stopped.
    NotReached,
}

/// A step that is being done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    /// Its number.
    pub step: StepId,
    /// For how many seconds.
    pub seconds: u64,
}

/// How many steps came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Done.
    pub done: usize,
    /// Failed.
    pub failed: usize,
    /// Of unknown outcome.
    pub unknown: usize,
    /// Waiting.
    pub parked: usize,
    /// Skipped, because of a step that was not done or waits.
    pub skipped: usize,
    /// Not reached, because the run was stopped.
    pub not_reached: usize,
}

impl RunEvent {
    /// The format that this program writes.
    pub const VERSION: u32 = 1;

    /// The first line.
    pub fn begun(run: &str, plan: &Plan, at: Timestamp) -> Self {
        let organization = plan.organization.clone();
        Self::Begun { version: Self::VERSION, at, run: run.to_owned(), organization, steps: plan.steps.len() }
    }

    /// The line for something that happened.
    pub fn of(event: &ApplyEvent<'_>, at: Timestamp) -> Self {
        match event {
            ApplyEvent::Started(step) => Self::Started { at, step: StepLine::of(step) },
            ApplyEvent::Retrying(step, StepFailure { code, message }) => {
                Self::Retrying { at, step: StepLine::of(step), code: *code, error: message.clone() }
            }
            ApplyEvent::Ended(step, result) => {
                Self::Ended { at, step: StepLine::of(step), status: end(result) }
            }
        }
    }

    /// The last line.
    pub fn closed(report: &Report, at: Timestamp) -> Self {
        let halted = report.halted.as_ref().map(|halt| match halt {
            Halt::Asked => "somebody asked it to stop".to_owned(),
            Halt::LockLost(why) => format!("it lost the lock: {why}"),
        });
        let counts = counts(report);
        Self::Closed { at, run: report.run.clone(), outcome: report.outcome, halted, counts }
    }
}

impl StepLine {
    fn of(step: &Step) -> Self {
        Self {
            step: step.id,
            server: step.action.server().cloned(),
            description: format!("{} {}", step.action.verb(), describe(&step.action)),
        }
    }
}

/// How many steps of a run came to which end.
pub(super) fn counts(report: &Report) -> Counts {
    let mut counts = Counts::default();
    for result in report.steps.values() {
        *match result {
            StepResult::Done(_) => &mut counts.done,
            StepResult::Failed(_) => &mut counts.failed,
            StepResult::Unknown(_) => &mut counts.unknown,
            StepResult::Parked(_) => &mut counts.parked,
            StepResult::Skipped(_) | StepResult::Waiting(_) => &mut counts.skipped,
            StepResult::NotReached => &mut counts.not_reached,
        } += 1;
    }
    counts
}

fn end(result: &StepResult) -> StepEnd {
    match result {
        StepResult::Done(output) => StepEnd::Done { output: output.clone() },
        StepResult::Failed(StepFailure { code, message }) => {
            StepEnd::Failed { code: *code, error: message.clone() }
        }
        StepResult::Unknown(StepFailure { code, message }) => {
            StepEnd::Unknown { code: *code, error: message.clone() }
        }
        StepResult::Parked(until) => StepEnd::Parked { until: until.clone() },
        StepResult::Skipped(because) => StepEnd::Skipped { because: *because },
        StepResult::Waiting(because) => StepEnd::NotYet { because: *because },
        StepResult::NotReached => StepEnd::NotReached,
    }
}
