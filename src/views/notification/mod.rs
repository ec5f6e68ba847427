//! What webhooks and programs are told of runs and watches (`notify:` in a manifest, `--notify`): in JSON, and in the shapes
//! of chats. Stable; new fields may come.

mod chats;

use serde::Serialize;

pub use self::chats::{slack, teams};
use super::{
    events::{self, Counts},
    harmless,
    human::describe,
};
use crate::{
    apply::report::{Report, StepResult},
    json::{self, Spacing},
    manifest::NotifyEvent,
    model::{
        entry::Outcome,
        plan::{Plan, Step},
        schema::JsonSchema,
        time::Timestamp,
    },
    verify::drift::{Difference, Drift},
};

/// A notification. It holds no secret, and no key or certificate: names, thumbprints and what went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// The format of this notification.
    pub version: u32,
    /// What it is about.
    pub event: NotifyEvent,
    /// When, by the clock of the organization.
    pub at: Timestamp,
    /// The organization; absent when its manifest could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The machine that certwright runs on.
    pub host: String,
    /// The exit code of the command.
    pub exit_code: u8,
    /// What happened, in one line.
    pub title: String,
    /// More about it, a sentence each: differences, steps that failed or wait, causes. At most 20; `omitted` counts the others.
    pub details: Vec<String>,
    /// How many further details there are.
    pub omitted: usize,
    /// What to do next.
    pub next: Vec<String>,
    /// The run, as `certwright history` names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The run that was rolled back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolls_back: Option<String>,
    /// How many steps of the run came to which end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// What differs from the manifest, as in `certwright drift --format json`. At most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

/// Where and when a notification is made, and what the command came to.
#[derive(Clone, Debug)]
pub struct Occasion {
    /// When.
    pub at: Timestamp,
    /// The machine.
    pub host: String,
    /// The exit code of the command.
    pub exit_code: u8,
}

impl Notification {
    /// The format that this program writes.
    pub const VERSION: u32 = 1;

    /// What a run came to.
    pub fn of_run(report: &Report, plan: &Plan, next: &[String], occasion: Occasion) -> Self {
        let name = match &plan.rolls_back {
            None => format!("run {}", report.run),
            Some(taken_back) => format!("run {}, which rolls back {taken_back},", report.run),
        };
        let all_done = occasion.exit_code == 0;
        let (event, what) = match report.outcome {
            Outcome::Converged if all_done => (NotifyEvent::Done, "is done"),
            Outcome::Converged => (NotifyEvent::Failed, "did all but what cannot be done"),
            Outcome::Waiting => (NotifyEvent::Waiting, "waits"),
            Outcome::Stopped => (NotifyEvent::Failed, "stopped part-way"),
            Outcome::Abandoned => (NotifyEvent::Failed, "was given up"),
        };
        let counts = events::counts(report);
        let title = format!(
            "{}: {name} {what} ({} of {} steps done)",
            plan.organization,
            counts.done,
            plan.steps.len()
        );
        let told = plan.steps.iter().filter_map(|step| told(step, report.steps.get(&step.id)?));
        let details: Vec<String> = told.collect();
        Self {
            organization: Some(plan.organization.clone()),
            next: next.to_vec(),
            run: Some(report.run.clone()),
            rolls_back: plan.rolls_back.clone(),
            counts: Some(counts),
            ..Self::new(event, &title, &details, occasion)
        }
    }

    /// What is different now; that nothing is any more, when nothing is.
    /// `plan` is the command that shows what would put it right.
    pub fn of_drift(drift: &Drift, plan: &str, occasion: Occasion) -> Self {
        let Drift { organization, differences, not_seen, .. } = drift;
        let title = match differences.len() {
            0 if !not_seen.is_empty() => {
                format!("{organization}: {} not seen, and nothing else differs", not_seen.len())
            }
            0 => format!("{organization}: nothing differs from the manifest any more"),
            1 => format!("{organization}: 1 difference from the manifest"),
            many => format!("{organization}: {many} differences from the manifest"),
        };
        let unseen = not_seen.iter().map(|not_seen| format!("{not_seen}: whether it differs is not known"));
        let differing = differences.iter().map(|difference| difference.message.clone());
        let details: Vec<String> = differing.chain(unseen).collect();
        let next = if differences.is_empty() && not_seen.is_empty() {
            Vec::new()
        } else {
            vec![format!("see what would put it right: {plan}")]
        };
        Self {
            organization: Some(organization.clone()),
            next,
            differences: differences.iter().take(MOST_DETAILS).cloned().collect(),
            ..Self::new(NotifyEvent::Drift, &title, &details, occasion)
        }
    }

    /// A command that ended with an error.
    pub fn of_error(
        organization: Option<&str>,
        summary: &str,
        details: &[String],
        next: &[String],
        occasion: Occasion,
    ) -> Self {
        let title = match organization {
            Some(organization) => format!("{organization}: {summary}"),
            None => summary.to_owned(),
        };
        Self {
            organization: organization.map(str::to_owned),
            next: next.to_vec(),
            ..Self::new(NotifyEvent::Failed, &title, details, occasion)
        }
    }

    fn new(event: NotifyEvent, title: &str, details: &[String], occasion: Occasion) -> Self {
        let omitted = details.len().saturating_sub(MOST_DETAILS);
        let details = details.iter().take(MOST_DETAILS).map(|detail| short(detail)).collect();
        let title = short(title);
        let Occasion { at, host, exit_code } = occasion;
        Self {
            version: Self::VERSION,
            event,
            at,
            organization: None,
            host,
            exit_code,
            title,
            details,
            omitted,
            next: Vec::new(),
            run: None,
            rolls_back: None,
            counts: None,
            differences: Vec::new(),
        }
    }

    /// The notification as JSON.
    pub fn json(&self) -> Vec<u8> {
        json::bytes(self, Spacing::Line).expect("a notification is JSON")
    }

    /// What people read below the title.
    fn lines(&self) -> Vec<String> {
        let mut lines = self.details.clone();
        if self.omitted > 0 {
            lines.push(format!("and {} more", self.omitted));
        }
        lines
    }
}

/// A step that somebody has to know of.
fn told(step: &Step, result: &StepResult) -> Option<String> {
    let server = step.action.server().map_or(String::new(), |server| format!("{server}: "));
    let what = format!("step {}, {server}{} {}", step.id, step.action.verb(), describe(&step.action));
    match result {
        StepResult::Failed(failure) => Some(format!("{what}, failed: {}", failure.first_of_list())),
        StepResult::Unknown(failure) => {
            Some(format!("{what}, may have been done or not: {}", failure.first_of_list()))
        }
        StepResult::Parked(until) => Some(format!("{what}, waits for {until}")),
        StepResult::Done(_) | StepResult::Skipped(_) | StepResult::Waiting(_) | StepResult::NotReached => {
            None
        }
    }
}

/// A text without what would move a cursor, as long as a chat shows it.
fn short(text: &str) -> String {
    let mut text = harmless(text).into_owned();
    shorten(&mut text, LONGEST);
    text
}

/// Cuts a text off between characters, and shows that.
fn shorten(text: &mut String, most: usize) {
    if text.chars().count() > most {
        *text = text.chars().take(most - 1).chain(['…']).collect();
    }
}

/// A chat shows no more than a screen; the rest is in the tool.
const MOST_DETAILS: usize = 20;
const LONGEST: usize = 300;

#[cfg(test)]
mod tests;
