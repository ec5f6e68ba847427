//! What every format can show.

use std::io;

use crate::{
    apply::{
        history::{RunDetail, RunSummary},
        rehearsal::Rehearsal,
        report::Report,
    },
    explain::Explanation,
    manifest::finding::Finding,
    model::{diagnosis::Diagnosis, organization::Observed, plan::Plan, time::Timestamp},
    verify::{smtp_choices::SmtpChoices, verdict::Verdict},
};

/// A format of output.
pub trait View {
    /// A plan.
    fn plan(&self, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()>;
    /// What was observed, with days counted from `now`.
    fn observed(&self, observed: &Observed, now: Timestamp, out: &mut dyn io::Write) -> io::Result<()>;
    /// What checks found, and how many files they looked at.
    fn findings(&self, findings: &[Finding], files: usize, out: &mut dyn io::Write) -> io::Result<()>;
    /// What a run did.
    fn report(&self, report: &Report, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()>;
    /// The runs of the past, the newest first.
    fn history(&self, runs: &[RunSummary], out: &mut dyn io::Write) -> io::Result<()>;
    /// A run of the past.
    fn run(&self, run: &RunDetail, out: &mut dyn io::Write) -> io::Result<()>;
    /// What endpoints serve.
    fn verdict(&self, verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()>;
    /// Which certificates SMTP chooses on a server.
    fn smtp(&self, choices: &SmtpChoices, out: &mut dyn io::Write) -> io::Result<()>;
    /// The catalogue, a sentence for each entry.
    fn catalogue(&self, entries: &[&Explanation], out: &mut dyn io::Write) -> io::Result<()>;
    /// Entries of the catalogue, whole.
    fn entries(&self, entries: &[&Explanation], out: &mut dyn io::Write) -> io::Result<()>;
    /// What was found on the way to the servers.
    fn diagnosis(&self, diagnosis: &Diagnosis, out: &mut dyn io::Write) -> io::Result<()>;
    /// What a rehearsal came to.
    fn rehearsal(&self, rehearsal: &Rehearsal, out: &mut dyn io::Write) -> io::Result<()>;
}
