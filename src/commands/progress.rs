//! What a run says while it runs: lines on standard error.

use super::{Terminal, terminal::numbered};
use crate::{
    engine::apply::{Event, StepResult},
    model::plan::{Plan, Step},
    views::human::describe,
};

/// The lines of a run.
pub(super) struct Lines {
    terminal: Terminal,
    total: usize,
}

impl Lines {
    pub(super) fn begin(plan: &Plan, _: &str, terminal: Terminal) -> Self {
        let total = plan.steps.iter().map(|step| step.id.0 as usize).max().unwrap_or(0);
        Self { terminal, total }
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        match event {
            Event::Started(_) => {}
            Event::Retrying(step, error) => self.say(step, "again  ", Some(error)),
            Event::Ended(step, result) => {
                let (word, error) = match result {
                    StepResult::Done(_) => ("done   ", None),
                    StepResult::Failed(error) => ("FAILED ", Some(error)),
                    StepResult::Unknown(error) => ("UNKNOWN", Some(error)),
                    StepResult::Parked(_) => ("waits  ", None),
                    StepResult::Skipped(_) => ("skipped", None),
                    StepResult::Waiting(_) => ("not yet", None),
                    StepResult::NotReached => return,
                };
                self.say(step, word, error.map(String::as_str));
            }
        }
    }

    fn say(&self, step: &Step, word: &str, error: Option<&str>) {
        let server = step.action.server().map_or(String::new(), |server| format!("{server}: "));
        let what = format!("{server}{} {}", step.action.verb(), describe(&step.action));
        let error = error.map_or(String::new(), |error| format!(": {error}"));
        self.terminal.say(&format!("{} {word} {what}{error}", numbered(step.id, self.total)));
    }
}
