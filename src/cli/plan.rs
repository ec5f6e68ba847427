//! The arguments of `plan` and `show`.

use std::path::PathBuf;

use clap::{Args, builder::PossibleValuesParser};

use super::{
    common::ManifestPath,
    run::{HandshakeArgs, Part, State},
};
use crate::{
    commands::{
        self, CommandError, Exit, Outputs, ReportFile, Terminal,
        plan::{MARKDOWN_BUDGET, PLAN_FORMATS, PlanOptions},
        session::Look,
        show::SHOWN_FORMATS,
    },
    model::time::Timestamp,
};

#[derive(Debug, Args)]
pub(super) struct Plan {
    #[command(flatten)]
    manifest: ManifestPath,
    /// Plan from this capture instead of the servers
    #[arg(long, value_name = "DIR")]
    capture: Option<PathBuf>,
    /// With a capture: plan as of this time instead of now. Only then equal inputs give equal bytes: what is due, and the age of the
    /// capture, depend on the clock
    #[arg(long, value_name = "MOMENT")]
    at: Option<Timestamp>,
    /// Save the plan in this file, for `apply`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Compare with the plan of another version of the manifest: a directory, or a Git revision
    #[arg(long, value_name = "DIR|REV", conflicts_with = "rehearse")]
    against: Option<String>,
    /// Rehearse the plan on a temporary copy of the organization, and report what happens
    #[arg(long, conflicts_with = "detailed_exitcode")]
    rehearse: bool,
    /// With --rehearse: faults to inject into the copy, written as `faults:` in lab.yaml
    #[arg(long, value_name = "FILE", requires = "rehearse")]
    faults: Option<PathBuf>,
    /// Exit with 2 if there are changes to make
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    met: HandshakeArgs,
    #[command(flatten)]
    state: State,
    /// Output format; `powershell` is a script of the same steps, for change tickets and for doing them by hand
    #[arg(long, default_value = "human", value_parser = PossibleValuesParser::new(PLAN_FORMATS.iter().map(|format| format.name)))]
    format: String,
    /// Also write the plan, or its warnings, to a file: markdown=comment.md; can be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<ReportFile>,
    #[command(flatten)]
    budget: Budget,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The saved plan
    #[arg(value_name = "PLAN")]
    file: PathBuf,
    /// Output format
    #[arg(long, default_value = "human", value_parser = PossibleValuesParser::new(SHOWN_FORMATS.iter().map(|format| format.name)))]
    format: String,
    /// Also write the plan to a file: markdown=comment.md; can be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<ReportFile>,
    #[command(flatten)]
    budget: Budget,
}

#[derive(Clone, Copy, Debug, Args)]
struct Budget {
    /// The maximum size of the Markdown; details are left out to stay within it, with a note
    #[arg(long, value_name = "BYTES", default_value_t = MARKDOWN_BUDGET, value_parser = at_least_a_screen)]
    max_bytes: usize,
}

/// Less has no room for what matters most.
fn at_least_a_screen(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes) if bytes >= LEAST => Ok(bytes),
        Ok(_) => Err(format!("a plan needs at least {LEAST} bytes")),
        Err(_) => Err("it is a number of bytes".to_owned()),
    }
}

const LEAST: usize = 1_000;

impl Plan {
    pub(super) fn run(self, terminal: Terminal) -> Result<Exit, CommandError> {
        let Self { manifest, capture, at, out, against, rehearse, faults, .. } = self;
        let look = Look { capture: capture.as_deref(), at };
        let options = PlanOptions {
            look: (capture.is_some() || at.is_some()).then_some(look),
            save: out.as_deref(),
            against: against.as_deref(),
            rehearse,
            faults: faults.as_deref(),
            detailed_exitcode: self.detailed_exitcode,
            only: self.part.named(),
            handshakes: self.met.handshakes,
            max_bytes: self.budget.max_bytes,
            state: self.state.place.as_deref(),
            outputs: &Outputs { format: self.format, reports: self.reports },
        };
        commands::plan::run(&manifest.path, options, terminal)
    }
}

impl Show {
    pub(super) fn run(self, terminal: Terminal) -> Result<Exit, CommandError> {
        let Self { file, format, reports, budget } = self;
        commands::show::run(&file, &Outputs { format, reports }, budget.max_bytes, terminal)
    }
}
