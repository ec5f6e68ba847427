//! Output for people, at 80 columns and without colour complete.

mod against;
mod diagnosis;
mod drift;
mod explain;
mod findings;
mod forecast;
mod hint;
mod history;
mod mistake;
mod observed;
mod outlook;
mod part;
mod plan;
mod rehearsal;
mod report;
mod smtp;
mod steps;
mod thumbprints;
mod unfinished;
mod verdict;
mod words;

use std::io;

pub use self::{
    against::write as against,
    drift::write as drift,
    findings::check,
    forecast::forecasts,
    mistake::{Mistake, mistake, next_steps},
    outlook::{calendar, not_known, status},
    steps::describe,
    thumbprints::Thumbprints,
};
pub(super) use self::{part::rest, plan::explains_step, steps::undo};
use super::{
    Layout, View,
    layout::{Tone, columns, wrap_whole},
    results::PlanResult,
};
use crate::{
    apply::{
        history::{RunDetail, RunSummary},
        rehearsal::Rehearsal,
        report::Report,
    },
    explain::Explanation,
    manifest::finding::Finding,
    model::{diagnosis::Diagnosis, entry::StepOutput, organization::Observed, plan::Plan, time::Timestamp},
    verify::{smtp_choices::SmtpChoices, verdict::Verdict},
};

/// Text for a terminal or a ticket.
#[derive(Debug)]
pub struct Human {
    /// The screen.
    pub layout: Layout,
}

impl View for Human {
    fn plan(&self, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
        with_whole_thumbprints(self.layout, plan, out, |out| plan::write(self.layout, plan, None, out))
    }

    fn observed(&self, observed: &Observed, now: Timestamp, out: &mut dyn io::Write) -> io::Result<()> {
        with_whole_thumbprints(self.layout, observed, out, |out| {
            observed::write(self.layout, observed, now, out)
        })
    }

    fn findings(&self, findings: &[Finding], files: usize, out: &mut dyn io::Write) -> io::Result<()> {
        findings::write(self.layout, findings, files, out)
    }

    fn report(&self, report: &Report, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
        let outputs: Vec<&StepOutput> = report.outputs().collect();
        with_whole_thumbprints(self.layout, &(plan, outputs), out, |out| {
            report::write(self.layout, report, plan, out)
        })
    }

    fn history(&self, runs: &[RunSummary], out: &mut dyn io::Write) -> io::Result<()> {
        with_whole_thumbprints(self.layout, &runs, out, |out| history::write_all(self.layout, runs, out))
    }

    fn run(&self, run: &RunDetail, out: &mut dyn io::Write) -> io::Result<()> {
        with_whole_thumbprints(self.layout, run, out, |out| history::write(self.layout, run, out))
    }

    fn verdict(&self, verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()> {
        with_whole_thumbprints(self.layout, verdict, out, |out| verdict::write(self.layout, verdict, out))
    }

    fn smtp(&self, choices: &SmtpChoices, out: &mut dyn io::Write) -> io::Result<()> {
        with_whole_thumbprints(self.layout, choices, out, |out| smtp::write(self.layout, choices, out))
    }

    fn catalogue(&self, entries: &[&Explanation], out: &mut dyn io::Write) -> io::Result<()> {
        explain::list(self.layout, entries, out)
    }

    fn entries(&self, entries: &[&Explanation], out: &mut dyn io::Write) -> io::Result<()> {
        explain::write(self.layout, entries, out)
    }

    fn diagnosis(&self, diagnosis: &Diagnosis, out: &mut dyn io::Write) -> io::Result<()> {
        diagnosis::write(self.layout, diagnosis, out)
    }

    fn rehearsal(&self, rehearsal: &Rehearsal, out: &mut dyn io::Write) -> io::Result<()> {
        let plans = rehearsal.rounds.iter().chain(&rehearsal.back).map(|round| &round.plan);
        let plans: Vec<&Plan> = plans.chain([&rehearsal.left]).collect();
        with_whole_thumbprints(self.layout, &plans, out, |out| rehearsal::write(self.layout, rehearsal, out))
    }
}

/// Writes a plan with what else there is to be said of it.
pub fn planned(layout: Layout, result: &PlanResult, out: &mut dyn io::Write) -> io::Result<()> {
    let PlanResult { plan, unfinished_run, against, refused, organization: _, budget: _ } = result;
    if let Some(refused) = refused {
        let text = format!("{} {refused}.", layout.paint(Tone::Bad, "Not to be applied:"));
        writeln!(out, "{}", layout.paragraph(&text))?;
    }
    with_whole_thumbprints(layout, plan, out, |out| {
        plan::write(layout, plan, unfinished_run.as_ref(), out)?;
        against.as_ref().map_or(Ok(()), |against| self::against(layout, against, out))
    })
}

/// Writes what `write` does; where lines are not broken, thumbprints are whole, so that they can be searched for and pasted.
pub(in crate::views) fn with_whole_thumbprints<T: serde::Serialize>(
    layout: Layout,
    value: &T,
    out: &mut dyn io::Write,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    if !layout.is_unbroken() {
        return write(out);
    }
    let mut text = Vec::new();
    write(&mut text)?;
    let known = Thumbprints::of(value)?;
    out.write_all(known.whole(&String::from_utf8_lossy(&text)).as_bytes())
}

/// A text of others, such as what is wrong with a command line, with its lines broken; none when all of them fit.
pub fn broken(layout: Layout, text: &str) -> Option<String> {
    if text.lines().all(|line| columns(line) <= layout.width) {
        return None;
    }
    let line = |line: &str| match line.strip_prefix("error: ") {
        Some(what) => layout.headed(Tone::Bad, "error", what),
        None => format!("{}\n", hanging(layout, line, 2)),
    };
    Some(text.lines().map(line).collect())
}

/// What is said beside the output, broken between words; what follows the first line stands a little to the right.
pub fn sentence(layout: Layout, words: &str) -> String {
    hanging(layout, words, 2)
}

/// The same, with the columns by which what follows the first line stands to the right.
pub fn hanging(layout: Layout, words: &str, columns: usize) -> String {
    let indent = format!("\n{:columns$}", "");
    let broken = |line: &str| wrap_whole(line, layout.width.saturating_sub(columns)).join(&indent);
    words.lines().map(broken).collect::<Vec<_>>().join("\n")
}
