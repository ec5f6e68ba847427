//! What a run did, for people.

use std::io;

use super::{
    super::layout::{Layout, Tone},
    part,
    steps::describe,
    words::count,
};
use crate::{
    apply::report::{Report, StepResult},
    model::{
        entry::{Outcome, StepOutput},
        plan::Plan,
    },
};

pub(super) fn write(layout: Layout, report: &Report, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
    if report.is_complete() {
        let text = format!("Applied. {} done, run {}.", count(report.steps.len(), "step"), report.run);
        let text = layout.paint(Tone::Good, &text);
        let rest = plan.only.as_ref().map_or(String::new(), |only| format!(" {}", part::rest(only)));
        write!(out, "{}", layout.paragraph(&format!("{text}{rest}")))?;
        return backups(layout, report, out);
    }
    // What was done and what was not reached is only counted: `history` tells all of it.
    let told = |result: &StepResult| {
        matches!(result, StepResult::Failed(_) | StepResult::Unknown(_) | StepResult::Parked(_))
    };
    write_steps(layout, report, plan, out, &told)?;
    if report.steps.values().any(told) {
        writeln!(out)?;
    }
    write!(out, "{}", layout.paragraph(&summary(report)))?;
    backups(layout, report, out)
}

/// What each step of a plan came to.
pub(super) fn steps(layout: Layout, report: &Report, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
    write_steps(layout, report, plan, out, &|_| true)
}

fn write_steps(
    layout: Layout,
    report: &Report,
    plan: &Plan,
    out: &mut dyn io::Write,
    told: &dyn Fn(&StepResult) -> bool,
) -> io::Result<()> {
    for step in plan.steps.iter().filter(|step| report.steps.get(&step.id).is_none_or(told)) {
        let server = step.action.server().map_or(String::new(), |server| format!("{server}: "));
        let what = format!("{server}{} {}", step.action.verb(), describe(&step.action));
        let (tone, word, text) = match report.steps.get(&step.id) {
            Some(StepResult::Done(_)) => (Tone::Good, "done", what),
            Some(StepResult::Failed(error)) => {
                (Tone::Bad, "FAILED", format!("{what}: {}", error.first_of_list()))
            }
            Some(StepResult::Unknown(error)) => {
                (Tone::Bad, "UNKNOWN", format!("{what}: {}", error.first_of_list()))
            }
            Some(StepResult::Parked(_)) => (Tone::Change, "waits", what),
            Some(StepResult::Skipped(cause)) => {
                (Tone::Quiet, "skipped", format!("{what} (needs step {cause})"))
            }
            Some(StepResult::Waiting(cause)) => {
                (Tone::Quiet, "not yet", format!("{what} (after step {cause})"))
            }
            Some(StepResult::NotReached) | None => (Tone::Quiet, "not reached", what),
        };
        let label = format!("{:>3} {word}", step.id);
        let line = layout.labelled(&label, &text);
        write!(out, "{}", line.replacen(word, &layout.paint(tone, word), 1))?;
    }
    Ok(())
}

fn summary(report: &Report) -> String {
    let number =
        |wanted: fn(&StepResult) -> bool| report.steps.values().filter(|result| wanted(result)).count();
    let counted = [
        (number(|result| matches!(result, StepResult::Done(_))), "done"),
        (number(|result| matches!(result, StepResult::Failed(_))), "failed"),
        (number(|result| matches!(result, StepResult::Unknown(_))), "of unknown outcome"),
        (number(|result| matches!(result, StepResult::Parked(_))), "waiting for something outside"),
        (number(|result| matches!(result, StepResult::Waiting(_))), "after those"),
        (number(|result| matches!(result, StepResult::Skipped(_))), "skipped"),
        (number(|result| matches!(result, StepResult::NotReached)), "not reached"),
    ];
    let counted =
        counted.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}"));
    let counted = counted.collect::<Vec<_>>().join(", ");
    let how = match report.outcome {
        Outcome::Converged => "Applied",
        Outcome::Stopped => "Stopped part-way",
        Outcome::Waiting => "Waiting",
        Outcome::Abandoned => "Given up",
    };
    format!("{how}: {counted}, run {}.", report.run)
}

fn backups(layout: Layout, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let files = report.steps.values().filter_map(|result| match result {
        StepResult::Done(StepOutput::File { name, .. }) => Some(name),
        StepResult::Done(_)
        | StepResult::Failed(_)
        | StepResult::Unknown(_)
        | StepResult::Parked(_)
        | StepResult::Skipped(_)
        | StepResult::Waiting(_)
        | StepResult::NotReached => None,
    });
    for name in files {
        write!(out, "{}", layout.labelled("  backup", name))?;
    }
    Ok(())
}
