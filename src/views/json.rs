//! Output for programs: the same values under the same names. Stable; new fields may come.

use std::{collections::BTreeMap, io};

use serde::Serialize;

use super::{
    against::Against,
    diagnostics::Reported,
    json_error::FailedManifest,
    results::{AcceptedFinding, CheckResult, NewerPlan, Organizations, PlanResult, RefusedPlan},
    view::View,
};
use crate::{
    apply::{
        forecast::Forecast,
        history::{RunDetail, RunSummary},
        rehearsal::{Rehearsal, Round},
        report::{Report, StepResult},
    },
    explain::Explanation,
    json::{self, Spacing},
    manifest::{finding::Finding, foreign::SkippedFile},
    model::{
        action::StepId,
        diagnosis::Diagnosis,
        entry::{Outcome, StepOutput},
        failure::{FailureCode, StepFailure},
        organization::Observed,
        plan::{Only, Plan},
        schema::JsonSchema,
        time::Timestamp,
        unfinished_run::UnfinishedRun,
    },
    plan::outlook::{Calendar, Outlook},
    verify::{row::Row, smtp_choices::SmtpChoices, verdict::Verdict},
};

/// JSON.
#[derive(Debug)]
pub struct Json;

/// What a run came to: `apply` and `rollback` with `--format json`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportDocument<'a> {
    /// The format of this file.
    version: u32,
    /// The run, as `certwright history` names it; empty when there was nothing to do.
    run: &'a str,
    /// How it ended.
    outcome: Outcome,
    /// What its plan was narrowed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    only: Option<&'a Only>,
    /// What became of each step, by its number.
    steps: BTreeMap<StepId, Status<'a>>,
}

/// What became of a step.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "status", rename_all = "camelCase")]
enum Status<'a> {
    /// It was done.
    Done {
        /// What it left.
        output: &'a StepOutput,
    },
    /// It failed.
    Failed {
        /// What kind of failure.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<FailureCode>,
        /// What went wrong.
        error: &'a str,
    },
    /// Whether it was done is not known.
    Unknown {
        /// What kind of failure.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<FailureCode>,
        /// What went wrong.
        error: &'a str,
    },
    /// It waits.
    Waiting {
        /// For this.
        until: &'a str,
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
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WholeRehearsal<'a> {
    /// The format of this file.
    version: u32,
    /// The time that it was rehearsed for.
    at: Timestamp,
    /// The runs: one, and one more after each answer of a CA.
    rounds: Vec<Rehearsed<'a>>,
    /// What the endpoints of the copy serve then.
    rows: &'a [Row],
    /// What there is still to do then.
    left: &'a Plan,
    /// The runs that roll them back.
    back: Vec<Rehearsed<'a>>,
    /// Why they cannot be rolled back.
    no_way_back: Option<&'a str>,
    /// What is different from before after the rollback.
    different: &'a [String],
    /// The newest run, when it did not come to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished_run: Option<&'a UnfinishedRun>,
}

/// A run of a rehearsal.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Rehearsed<'a> {
    /// Its plan.
    plan: &'a Plan,
    /// How it ended.
    outcome: Outcome,
    /// What became of each step, by its number.
    steps: BTreeMap<StepId, Status<'a>>,
    /// The requests that were answered after it.
    answered: &'a [String],
    /// What people did after it.
    by_hand: &'a [String],
}

/// The runs of the past: `history` without a run.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunList<'a> {
    /// The format of this file.
    version: u32,
    /// The runs, the newest first.
    runs: &'a [RunSummary],
}

/// What `history` prints with `--format json`: the runs, or one of them.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum HistoryDocument<'a> {
    /// All of them.
    List(RunList<'a>),
    /// One.
    Run(&'a RunDetail),
}

/// What `explain` prints with `--format json`: entries of the catalogue.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct ExplanationDocument<'a>(&'a [&'a Explanation]);

/// What `plan` and `show` print with `--format json`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PlanDocument<'a> {
    /// A plan.
    Plan(PlannedPlan<'a>),
    /// With `--against`.
    Compared(ComparedPlan<'a>),
    /// Of a format that is not known, as `show` understands it.
    Newer(&'a NewerPlan),
    /// With `--rehearse`.
    Rehearsed(WholeRehearsal<'a>),
}

/// A plan, and the run that is in its way.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedPlan<'a> {
    /// The plan.
    #[serde(flatten)]
    plan: &'a Plan,
    /// The newest run, when it did not come to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished_run: Option<&'a UnfinishedRun>,
    /// Why `apply` does not take the file that `show` read.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RefusedPlan>,
    /// What lies beside the manifest and was not read, and why.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    skipped: &'a [SkippedFile],
}

/// What `check` found, as JSON has it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckDocument<'a> {
    /// The format of this file.
    version: u32,
    /// How many files were read.
    files: usize,
    /// What counts, in the order of the manifests and their files.
    findings: &'a [Finding],
    /// What a baseline accepts for now.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    accepted: &'a [AcceptedFinding],
    /// What lies beside the manifests and was not read, and why.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    skipped: &'a [SkippedFile],
}

/// A plan beside that of another version of the manifest.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComparedPlan<'a> {
    /// The format of this file.
    version: u32,
    /// The plan.
    plan: &'a Plan,
    /// What the other version of the manifest means.
    against: &'a Against,
    /// The newest run, when it did not come to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished_run: Option<&'a UnfinishedRun>,
    /// What lies beside the manifest and was not read, and why.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    skipped: &'a [SkippedFile],
}

/// A plan; with its comparison beside it, where there is one.
pub(super) fn plan(reported: &Reported<PlanResult>, out: &mut dyn io::Write) -> io::Result<()> {
    let Reported { result, diagnostics } = reported;
    let PlanResult { plan, against, unfinished_run, refused, .. } = result;
    let skipped = diagnostics.skipped.as_slice();
    let unfinished_run = unfinished_run.as_ref();
    let document = match against {
        None => PlanDocument::Plan(PlannedPlan { plan, unfinished_run, refused: *refused, skipped }),
        Some(against) => {
            PlanDocument::Compared(ComparedPlan { version: 1, plan, against, unfinished_run, skipped })
        }
    };
    write(&document, out)
}

/// How the certificates of organizations are, as JSON has it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusDocument<'a> {
    /// The format of this file.
    version: u32,
    /// Each organization, in the order of the command line.
    organizations: &'a [Outlook],
    /// The manifests of which nothing is known, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failed: Vec<FailedManifest<'a>>,
}

/// What is due in organizations, as JSON has it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CalendarDocument<'a> {
    /// The format of this file.
    version: u32,
    /// Each organization, in the order of the command line.
    calendars: &'a [Calendar],
    /// The manifests of which nothing is known, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failed: Vec<FailedManifest<'a>>,
}

/// What manifests cost until a day, as JSON has it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForecastDocument<'a> {
    /// The format of this file.
    version: u32,
    /// Each manifest, in the order of the command line.
    forecasts: &'a [Forecast],
}

/// What manifests cost until a day.
pub(super) fn forecasts(forecasts: &[Forecast], out: &mut dyn io::Write) -> io::Result<()> {
    write(&ForecastDocument { version: 1, forecasts }, out)
}

/// How the certificates of organizations are.
pub(super) fn status(outlooks: &Organizations<Outlook>, out: &mut dyn io::Write) -> io::Result<()> {
    let Organizations { list, failed } = outlooks;
    let failed = failed.iter().map(FailedManifest::from).collect();
    write(&StatusDocument { version: 1, organizations: list, failed }, out)
}

/// What is due in organizations.
pub(super) fn calendars(calendars: &Organizations<Calendar>, out: &mut dyn io::Write) -> io::Result<()> {
    let Organizations { list, failed } = calendars;
    let failed = failed.iter().map(FailedManifest::from).collect();
    write(&CalendarDocument { version: 1, calendars: list, failed }, out)
}

/// What `check` found.
pub(super) fn check(result: &CheckResult, out: &mut dyn io::Write) -> io::Result<()> {
    let CheckResult { findings, files, accepted, skipped } = result;
    write(&CheckDocument { version: 1, files: *files, findings, accepted, skipped }, out)
}

impl View for Json {
    fn plan(&self, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
        write(
            &PlanDocument::Plan(PlannedPlan { plan, unfinished_run: None, refused: None, skipped: &[] }),
            out,
        )
    }

    fn observed(&self, observed: &Observed, _: Timestamp, out: &mut dyn io::Write) -> io::Result<()> {
        write(observed, out)
    }

    fn findings(&self, findings: &[Finding], files: usize, out: &mut dyn io::Write) -> io::Result<()> {
        write(&CheckDocument { version: 1, files, findings, accepted: &[], skipped: &[] }, out)
    }

    fn report(&self, report: &Report, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
        let (steps, only) = (statuses(report), plan.only.as_ref());
        write(&ReportDocument { version: 1, run: &report.run, outcome: report.outcome, only, steps }, out)
    }

    fn history(&self, runs: &[RunSummary], out: &mut dyn io::Write) -> io::Result<()> {
        write(&HistoryDocument::List(RunList { version: 1, runs }), out)
    }

    fn run(&self, run: &RunDetail, out: &mut dyn io::Write) -> io::Result<()> {
        write(&HistoryDocument::Run(run), out)
    }

    fn verdict(&self, verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()> {
        write(verdict, out)
    }

    fn smtp(&self, choices: &SmtpChoices, out: &mut dyn io::Write) -> io::Result<()> {
        write(choices, out)
    }

    fn catalogue(&self, entries: &[&Explanation], out: &mut dyn io::Write) -> io::Result<()> {
        write(&ExplanationDocument(entries), out)
    }

    fn entries(&self, entries: &[&Explanation], out: &mut dyn io::Write) -> io::Result<()> {
        write(&ExplanationDocument(entries), out)
    }

    fn diagnosis(&self, diagnosis: &Diagnosis, out: &mut dyn io::Write) -> io::Result<()> {
        write(diagnosis, out)
    }

    fn rehearsal(&self, rehearsal: &Rehearsal, out: &mut dyn io::Write) -> io::Result<()> {
        let Rehearsal { version, at, rounds, rows, left, back, no_way_back, different, unfinished_run } =
            rehearsal;
        let whole = WholeRehearsal {
            version: *version,
            at: *at,
            rounds: rounds.iter().map(rehearsed).collect(),
            rows,
            left,
            back: back.iter().map(rehearsed).collect(),
            no_way_back: no_way_back.as_deref(),
            different,
            unfinished_run: unfinished_run.as_ref(),
        };
        write(&PlanDocument::Rehearsed(whole), out)
    }
}

fn rehearsed(round: &Round) -> Rehearsed<'_> {
    let Round { plan, report, answered, by_hand } = round;
    Rehearsed { plan, outcome: report.outcome, steps: statuses(report), answered, by_hand }
}

fn statuses(report: &Report) -> BTreeMap<StepId, Status<'_>> {
    report.steps.iter().map(|(id, result)| (*id, result.into())).collect()
}

/// Writes a value as JSON on one line.
pub(crate) fn write_line<T: Serialize>(value: &T, out: &mut dyn io::Write) -> io::Result<()> {
    json::write(value, Spacing::Line, out)?;
    writeln!(out)
}

/// Writes a value as JSON for people to read too.
pub(crate) fn write<T: Serialize>(value: &T, out: &mut dyn io::Write) -> io::Result<()> {
    json::write(value, Spacing::Indented, out)?;
    writeln!(out)
}
