//! Output for programs: the same values under the same names. Stable; new fields may come.

use std::{collections::BTreeMap, io};

use serde::Serialize;

use super::View;
use crate::{
    apply::{
        history::{RunDetail, RunSummary},
        rehearsal::{Rehearsal, Round},
        report::{Report, StepResult},
    },
    explain::Explanation,
    manifest::finding::Finding,
    model::{
        action::StepId,
        diagnosis::Diagnosis,
        entry::{Outcome, StepOutput},
        failure::{FailureCode, StepFailure},
        organization::Observed,
        plan::{Only, Plan},
        time::Timestamp,
    },
    verify::{row::Row, smtp_choices::SmtpChoices, verdict::Verdict},
};

/// JSON.
#[derive(Debug)]
pub struct Json;

/// A report of a run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunReport<'a> {
    version: u32,
    run: &'a str,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    only: Option<&'a Only>,
    steps: BTreeMap<StepId, Status<'a>>,
}

/// What became of a step.
#[derive(Serialize)]
#[serde(tag = "status", rename_all = "camelCase")]
enum Status<'a> {
    Done {
        output: &'a StepOutput,
    },
    Failed {
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<FailureCode>,
        error: &'a str,
    },
    Unknown {
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<FailureCode>,
        error: &'a str,
    },
    Waiting {
        until: &'a str,
    },
    Skipped {
        because: StepId,
    },
    NotYet {
        because: StepId,
    },
    NotReached,
}

impl<'a> From<&'a StepResult> for Status<'a> {
    fn from(result: &'a StepResult) -> Self {
        match result {
            StepResult::Done(output) => Self::Done { output },
            StepResult::Failed(StepFailure { code, message }) => Self::Failed { code: *code, error: message },
            StepResult::Unknown(StepFailure { code, message }) => {
                Self::Unknown { code: *code, error: message }
            }
            StepResult::Parked(until) => Self::Waiting { until },
            StepResult::Skipped(because) => Self::Skipped { because: *because },
            StepResult::Waiting(because) => Self::NotYet { because: *because },
            StepResult::NotReached => Self::NotReached,
        }
    }
}

/// A rehearsal.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WholeRehearsal<'a> {
    version: u32,
    at: Timestamp,
    rounds: Vec<Rehearsed<'a>>,
    rows: &'a [Row],
    left: &'a Plan,
    back: Vec<Rehearsed<'a>>,
    no_way_back: Option<&'a str>,
    different: &'a [String],
}

/// A run of a rehearsal.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rehearsed<'a> {
    plan: &'a Plan,
    outcome: Outcome,
    steps: BTreeMap<StepId, Status<'a>>,
    answered: &'a [String],
    by_hand: &'a [String],
}

/// The runs of the past.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct History<'a> {
    version: u32,
    runs: &'a [RunSummary],
}

/// What checks found.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Findings<'a> {
    version: u32,
    files: usize,
    findings: &'a [Finding],
}

impl View for Json {
    fn plan(&self, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
        write(plan, out)
    }

    fn observed(&self, observed: &Observed, _: Timestamp, out: &mut dyn io::Write) -> io::Result<()> {
        write(observed, out)
    }

    fn findings(&self, findings: &[Finding], files: usize, out: &mut dyn io::Write) -> io::Result<()> {
        write(&Findings { version: 1, files, findings }, out)
    }

    fn report(&self, report: &Report, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
        let (steps, only) = (statuses(report), plan.only.as_ref());
        write(&RunReport { version: 1, run: &report.run, outcome: report.outcome, only, steps }, out)
    }

    fn history(&self, runs: &[RunSummary], out: &mut dyn io::Write) -> io::Result<()> {
        write(&History { version: 1, runs }, out)
    }

    fn run(&self, run: &RunDetail, out: &mut dyn io::Write) -> io::Result<()> {
        write(run, out)
    }

    fn verdict(&self, verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()> {
        write(verdict, out)
    }

    fn smtp(&self, choices: &SmtpChoices, out: &mut dyn io::Write) -> io::Result<()> {
        write(choices, out)
    }

    fn catalogue(&self, entries: &[&Explanation], out: &mut dyn io::Write) -> io::Result<()> {
        write(&entries, out)
    }

    fn entries(&self, entries: &[&Explanation], out: &mut dyn io::Write) -> io::Result<()> {
        write(&entries, out)
    }

    fn diagnosis(&self, diagnosis: &Diagnosis, out: &mut dyn io::Write) -> io::Result<()> {
        write(diagnosis, out)
    }

    fn rehearsal(&self, rehearsal: &Rehearsal, out: &mut dyn io::Write) -> io::Result<()> {
        let Rehearsal { version, at, rounds, rows, left, back, no_way_back, different } = rehearsal;
        let whole = WholeRehearsal {
            version: *version,
            at: *at,
            rounds: rounds.iter().map(rehearsed).collect(),
            rows,
            left,
            back: back.iter().map(rehearsed).collect(),
            no_way_back: no_way_back.as_deref(),
            different,
        };
        write(&whole, out)
    }
}

fn rehearsed(round: &Round) -> Rehearsed<'_> {
    let Round { plan, report, answered, by_hand } = round;
    Rehearsed { plan, outcome: report.outcome, steps: statuses(report), answered, by_hand }
}

fn statuses(report: &Report) -> BTreeMap<StepId, Status<'_>> {
    report.steps.iter().map(|(id, result)| (*id, result.into())).collect()
}

/// Writes a value as JSON for people to read too.
pub(crate) fn write<T: Serialize>(value: &T, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}
