//! Runs of the past, read from their journals.

use serde::Serialize;

use crate::{
    model::{
        action::{Action, StepId},
        entry::{Holder, Outcome, StepOutput},
        failure::FailureCode,
        names::ServerName,
        plan::{Only, Step},
        schema::JsonSchema,
        time::Timestamp,
    },
    plan::progress::{Progress, StepRecord, StepState},
};

/// A run in one line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    /// Its name.
    pub run: String,
    /// The organization.
    pub organization: String,
    /// When it was begun.
    pub began: Timestamp,
    /// When it ended; absent for one that goes on or died.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// How it ended; absent for one that goes on or died.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Who began it.
    pub by: Holder,
    /// Its steps.
    pub steps: usize,
    /// How many of them were done.
    pub done: usize,
    /// The run that it took back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolls_back: Option<String>,
    /// What its plan was narrowed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
}

/// A run with all that its journal knows.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunDetail {
    /// The format of this file.
    pub version: u32,
    /// The run.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// Who began it and who went on with it.
    pub sessions: Vec<RunSession>,
    /// How many lines of the journal do not count, because whoever wrote them had lost the lock.
    #[serde(default, skip_serializing_if = "crate::model::plan::is_zero")]
    pub strays: usize,
    /// Every step of its plan.
    pub steps_done: Vec<StepDetail>,
}

/// A process that carried a run out.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunSession {
    /// From when.
    pub at: Timestamp,
    /// Who.
    pub by: Holder,
}

/// A step of a run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepDetail {
    /// Its number.
    pub id: StepId,
    /// The server it acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// What it did, in words.
    pub description: String,
    /// Why, as sentences.
    pub why: Vec<String>,
    /// What became of it.
    pub status: StepStatus,
    /// When it was begun last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// What kind of failure it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<FailureCode>,
    /// What went wrong, or what it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What it left: the certificate, the file with its digest, what each endpoint was seen to serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<StepOutput>,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StepStatus {
    /// It was done.
    Done,
    /// Nobody saw it end, and the organization showed that it was done.
    Found,
    /// It failed.
    Failed,
    /// It waits.
    Waiting,
    /// Whether it was done is not known.
    Unknown,
    /// It was never begun.
    NotReached,
}

impl RunSummary {
    /// What the journal of a run says.
    pub fn of(run: &str, progress: &Progress) -> Self {
        let (began, by) = progress.sessions[0].clone();
        Self {
            run: run.to_owned(),
            organization: progress.plan.organization.clone(),
            began,
            ended: progress.ended.map(|(at, _)| at),
            outcome: progress.ended.map(|(_, outcome)| outcome),
            by,
            steps: progress.plan.steps.len(),
            done: progress.done().len(),
            rolls_back: progress.plan.rolls_back.clone(),
            only: progress.plan.only.clone(),
        }
    }
}

impl RunDetail {
    /// All that the journal of a run says. `describe` has the words for an action.
    pub fn of(run: &str, progress: &Progress, describe: &dyn Fn(&Action) -> String) -> Self {
        let sessions = progress.sessions.iter().map(|(at, by)| RunSession { at: *at, by: by.clone() });
        let steps =
            progress.plan.steps.iter().map(|step| detail(step, progress.steps.get(&step.id), describe));
        Self {
            version: 1,
            summary: RunSummary::of(run, progress),
            sessions: sessions.collect(),
            strays: progress.strays,
            steps_done: steps.collect(),
        }
    }
}

fn detail(step: &Step, record: Option<&StepRecord>, describe: &dyn Fn(&Action) -> String) -> StepDetail {
    let (status, note, evidence) = match record.map(|record| &record.state) {
        None => (StepStatus::NotReached, None, None),
        Some(StepState::Done(output)) => (StepStatus::Done, None, Some(output.clone())),
        Some(StepState::Found(output)) => (StepStatus::Found, None, Some(output.clone())),
        Some(StepState::Failed(failure)) => (StepStatus::Failed, Some(failure.message.clone()), None),
        Some(StepState::Parked(until)) => (StepStatus::Waiting, Some(until.clone()), None),
        Some(StepState::Unknown(failure)) => {
            (StepStatus::Unknown, failure.as_ref().map(|failure| failure.message.clone()), None)
        }
    };
    let code = match record.map(|record| &record.state) {
        Some(StepState::Failed(failure) | StepState::Unknown(Some(failure))) => failure.code,
        _ => None,
    };
    StepDetail {
        id: step.id,
        server: step.action.server().cloned(),
        description: format!("{} {}", step.action.verb(), describe(&step.action)),
        why: step.why.iter().map(ToString::to_string).collect(),
        status,
        started: record.and_then(|record| record.started),
        ended: record.and_then(|record| record.ended),
        code,
        note,
        evidence: evidence.filter(|output| *output != StepOutput::Done),
    }
}
