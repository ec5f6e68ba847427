//! How results look: each format is a [`View`] on the same finished values. Views write what they are given and decide
//! nothing.

mod events;
mod history;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
mod layout;
pub mod powershell;
pub mod prometheus;
pub mod smtp;

use std::io;

pub use self::{
    events::{Counts, RunEvent, Running, StepEnd, StepLine},
    history::{RunDetail, RunSession, RunSummary, StepDetail, StepStatus},
    layout::Layout,
    smtp::SmtpChoices,
};
use crate::{
    apply::report::Report,
    explain::Entry,
    manifest::finding::Finding,
    model::{organization::Observed, plan::Plan},
    verify::{run::Row, verdict::Verdict},
};

/// A format of output.
pub trait View {
    /// A plan.
    fn plan(&self, plan: &Plan, out: &mut dyn io::Write) -> io::Result<()>;
    /// What was observed.
    fn observed(&self, observed: &Observed, out: &mut dyn io::Write) -> io::Result<()>;
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
    fn catalogue(&self, entries: &[&Entry], out: &mut dyn io::Write) -> io::Result<()>;
    /// Entries of the catalogue, whole.
    fn entries(&self, entries: &[&Entry], out: &mut dyn io::Write) -> io::Result<()>;
    /// What a rehearsal came to.
    fn rehearsal(&self, rehearsal: &Rehearsal, out: &mut dyn io::Write) -> io::Result<()>;
}

/// A plan that was carried out on a copy of the organization.
#[derive(Debug)]
pub struct Rehearsal {
    /// The format of this file.
    pub version: u32,
    /// The time that it was rehearsed for.
    pub at: crate::model::time::Timestamp,
    /// The runs: one, and one more after each answer of a CA.
    pub rounds: Vec<Round>,
    /// What the copy's endpoints served afterwards.
    pub rows: Vec<Row>,
    /// The plan that was left to make afterwards.
    pub left: Plan,
    /// The way back: a run for each run, the newest first.
    pub back: Vec<Round>,
    /// Why there is no way back, or not all of it.
    pub no_way_back: Option<String>,
    /// What was different from the beginning when everything had been taken back.
    pub different: Vec<String>,
}

/// A run of a rehearsal.
#[derive(Debug)]
pub struct Round {
    /// What was to be done.
    pub plan: Plan,
    /// What came of it.
    pub report: Report,
    /// The requests that a CA of the copy answered afterwards.
    pub answered: Vec<String>,
    /// What people did on the copy afterwards, as the steps say it.
    pub by_hand: Vec<String>,
}

/// A format, by the name it has on the command line.
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// Makes the view.
    pub view: fn(Layout) -> Box<dyn View>,
}

/// A format of verdicts, by the name it has on the command line.
#[derive(Debug)]
pub struct VerdictFormat {
    /// Its name.
    pub name: &'static str,
    /// Writes it.
    pub write: fn(Layout, &Verdict, &mut dyn io::Write) -> io::Result<()>,
}

/// The formats of verdicts, in the order users see them.
pub static VERDICT_FORMATS: &[VerdictFormat] = &[
    VerdictFormat {
        name: "human",
        write: |layout, verdict, out| human::Human { layout }.verdict(verdict, out),
    },
    VerdictFormat { name: "json", write: |_, verdict, out| json::Json.verdict(verdict, out) },
    VerdictFormat { name: "junit", write: |_, verdict, out| junit::verdict(verdict, out) },
    VerdictFormat { name: "html", write: |_, verdict, out| html::verdict(verdict, out) },
    VerdictFormat { name: "prometheus", write: |_, verdict, out| prometheus::verdict(verdict, out) },
];

/// The formats, in the order users see them.
pub static FORMATS: &[Format] = &[
    Format { name: "human", view: |layout| Box::new(human::Human { layout }) },
    Format { name: "json", view: |_| Box::new(json::Json) },
];
