//! Runs of the past, for people.

use std::io;

use super::super::layout::{Layout, Tone};
use crate::{
    apply::history::{RunDetail, RunSummary, StepDetail, StepStatus},
    model::entry::{Outcome, StepOutput},
};

pub(super) fn write_all(layout: Layout, runs: &[RunSummary], out: &mut dyn io::Write) -> io::Result<()> {
    if runs.is_empty() {
        return writeln!(out, "No run yet.");
    }
    for run in runs {
        let RunSummary { began, by, steps, done, rolls_back, only, .. } = run;
        let (tone, word) = outcome(run.outcome);
        let back = rolls_back.as_ref().map_or(String::new(), |run| format!(", rolls back {run}"));
        let part = only.as_ref().map_or(String::new(), |only| format!(", only {}", only.names()));
        let text = format!("{began}  {word}, {done} of {steps} steps, by {by}{back}{part}");
        let line = layout.labelled(&run.run, &text);
        write!(out, "{}", line.replacen(word, &layout.paint(tone, word), 1))?;
    }
    Ok(())
}

pub(super) fn write(layout: Layout, detail: &RunDetail, out: &mut dyn io::Write) -> io::Result<()> {
    let RunDetail { summary, sessions, steps_done, .. } = detail;
    let (tone, word) = outcome(summary.outcome);
    let ended = summary.ended.map_or(String::new(), |at| format!(" {at}"));
    writeln!(out, "{}  {}: {}{ended}", summary.organization, summary.run, layout.paint(tone, word))?;
    if let Some(run) = &summary.rolls_back {
        writeln!(out, "  rolls back run {run}")?;
    }
    if let Some(only) = &summary.only {
        writeln!(out, "  only {}: {} steps were left out", only.names(), only.steps_left_out())?;
    }
    for (index, session) in sessions.iter().enumerate() {
        let word = if index == 0 { "begun" } else { "resumed" };
        let by = &session.by;
        writeln!(out, "  {word} {} by {by}, process {}", session.at, by.process)?;
    }
    if detail.strays > 0 {
        let lines = super::words::count(detail.strays, "line");
        writeln!(out, "  {lines} of a process that had lost the lock: not counted")?;
    }
    writeln!(out)?;
    for step in steps_done {
        write_step(layout, step, out)?;
    }
    writeln!(out)?;
    writeln!(out, "{} of {} steps done.", summary.done, summary.steps)
}

fn write_step(layout: Layout, step: &StepDetail, out: &mut dyn io::Write) -> io::Result<()> {
    let (tone, word) = status(step.status);
    let server = step.server.as_ref().map_or(String::new(), |server| format!("{server}: "));
    let label = format!("{:>3} {word}", step.id);
    let line = layout.labelled(&label, &format!("{server}{}", step.description));
    write!(out, "{}", line.replacen(word, &layout.paint(tone, word), 1))?;
    let mut say = |text: &str| write!(out, "{}", layout.labelled("", text));
    match (step.started, step.ended) {
        (Some(started), Some(ended)) => say(&format!("{started} to {ended}"))?,
        (Some(started), None) => say(&format!("{started}; its end is not recorded"))?,
        (None, Some(ended)) => say(&format!("{ended}"))?,
        (None, None) => {}
    }
    for why in &step.why {
        say(&format!("because {why}"))?;
    }
    if let Some(note) = &step.note {
        say(note)?;
    }
    match &step.evidence {
        None | Some(StepOutput::Done) => Ok(()),
        Some(StepOutput::Certificate { thumbprint, not_after, key_from }) => {
            say(&format!("certificate {thumbprint}, until {}", not_after.date()))?;
            key_from.as_ref().map_or(Ok(()), |from| say(&from.to_string()))
        }
        Some(StepOutput::Request { thumbprint, .. }) => say(&format!("request {thumbprint}")),
        Some(StepOutput::File { name, sha256 }) => say(&format!("file {name}, SHA-256 {sha256}")),
        Some(StepOutput::Served { endpoints }) => {
            for (endpoint, thumbprint) in endpoints {
                say(&format!("{endpoint} served {}", thumbprint.short()))?;
            }
            Ok(())
        }
    }
}

fn outcome(outcome: Option<Outcome>) -> (Tone, &'static str) {
    match outcome {
        Some(Outcome::Converged) => (Tone::Good, "applied"),
        Some(Outcome::Stopped) => (Tone::Bad, "stopped part-way"),
        Some(Outcome::Waiting) => (Tone::Change, "waiting"),
        Some(Outcome::Abandoned) => (Tone::Quiet, "given up"),
        None => (Tone::Bad, "not ended"),
    }
}

fn status(status: StepStatus) -> (Tone, &'static str) {
    match status {
        StepStatus::Done => (Tone::Good, "done"),
        StepStatus::Found => (Tone::Good, "found done"),
        StepStatus::Failed => (Tone::Bad, "FAILED"),
        StepStatus::Waiting => (Tone::Change, "waits"),
        StepStatus::Unknown => (Tone::Bad, "UNKNOWN"),
        StepStatus::NotReached => (Tone::Quiet, "not reached"),
    }
}
