//! What a manifest costs until a day, as it was rehearsed.

use serde::Serialize;

use super::{
    half_way::StepDuration,
    report::{Report, StepResult},
};
use crate::model::{
    action::Action,
    diagnostic::Diagnostic,
    plan::Plan,
    schema::JsonSchema,
    time::{Span, Timestamp},
    unfinished_run::UnfinishedRun,
};

/// What a manifest costs until a day, as rehearsed on a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// The manifest, as it was named.
    pub manifest: String,
    /// The organization.
    pub organization: String,
    /// Where it begins.
    pub from: Timestamp,
    /// Where it ends.
    pub until: Timestamp,
    /// The days on which something was done.
    pub days: Vec<ForecastDay>,
    /// All days together.
    pub totals: ForecastTotals,
    /// What should be done and cannot be, each from the day on which it was met first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cannot: Vec<ForecastObstacle>,
    /// Where it came to its end before that, and why; absent when it came so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<ForecastStop>,
    /// What the minutes are reckoned with.
    pub durations: Vec<StepDuration>,
    /// When a certificate that is in use ends before it is renewed; absent when none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_end: Option<Timestamp>,
    /// The newest run, when it did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished_run: Option<UnfinishedRun>,
}

/// What cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForecastObstacle {
    /// The first day on which a plan should do it.
    pub at: Timestamp,
    /// What, and why not.
    #[serde(flatten)]
    pub diagnostic: Diagnostic,
}

/// Where a rehearsal cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForecastStop {
    /// The day.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

/// What was done on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForecastDay {
    /// When.
    pub at: Timestamp,
    /// Certificates that were issued.
    pub renewals: usize,
    /// Restarts.
    pub restarts: usize,
    /// Certificates that were removed.
    pub removals: usize,
    /// What people had to do.
    pub by_hand: Vec<String>,
    /// How many minutes at least one certificate was in some of its places and not yet in the others.
    pub half_way_minutes: usize,
    /// Endpoints that did not serve what they should afterwards.
    pub wrong: usize,
    /// Whether a run stopped part-way.
    pub stopped: bool,
}

/// All days together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForecastTotals {
    /// Days on which something was done.
    pub days: usize,
    /// Certificates that were issued.
    pub renewals: usize,
    /// Restarts.
    pub restarts: usize,
    /// Certificates that were removed.
    pub removals: usize,
    /// What people had to do.
    pub by_hand: usize,
    /// How many minutes at least one certificate was in some of its places and not yet in the others.
    pub half_way_minutes: usize,
}

impl ForecastDay {
    /// A day on which nothing was done yet.
    pub fn new(at: Timestamp) -> Self {
        Self {
            at,
            renewals: 0,
            restarts: 0,
            removals: 0,
            by_hand: Vec::new(),
            half_way_minutes: 0,
            wrong: 0,
            stopped: false,
        }
    }

    /// Counts what a run did.
    pub fn count(&mut self, plan: &Plan, report: &Report) {
        let done =
            plan.steps.iter().filter(|step| matches!(report.steps.get(&step.id), Some(StepResult::Done(_))));
        for step in done {
            self.restarts += step.action.facts().restarts;
            match &step.action {
                Action::Issue { .. } | Action::Create { .. } | Action::Complete { .. } => self.renewals += 1,
                Action::Remove { .. } => self.removals += 1,
                _ => {}
            }
        }
    }

    /// Adds what was half-way for so long. A minute that was begun counts.
    pub fn add_half_way(&mut self, span: Span) {
        self.half_way_minutes += usize::try_from((span.as_seconds() + 59) / 60).unwrap_or_default();
    }

    /// Whether nothing was done and nothing is wrong.
    pub fn is_empty(&self) -> bool {
        let Self { at: _, renewals, restarts, removals, by_hand, half_way_minutes: _, wrong, stopped } = self;
        renewals + restarts + removals + wrong == 0 && by_hand.is_empty() && !stopped
    }
}

impl ForecastTotals {
    /// The sum of these days.
    pub fn of(days: &[ForecastDay]) -> Self {
        days.iter().fold(Self::default(), |sum, day| Self {
            days: sum.days + 1,
            renewals: sum.renewals + day.renewals,
            restarts: sum.restarts + day.restarts,
            removals: sum.removals + day.removals,
            by_hand: sum.by_hand + day.by_hand.len(),
            half_way_minutes: sum.half_way_minutes + day.half_way_minutes,
        })
    }
}
