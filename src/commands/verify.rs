//! `certwright verify`: what clients really get.

use std::path::{Path, PathBuf};

use super::{
    CommandError, Exit, Terminal, files,
    read_only_session::{ProbeOptions, ReadOnlySession},
    session::wall_clock,
};
pub use crate::views::VERDICT_FORMATS;
use crate::{
    model::{endpoint::EndpointUrl, names::DnsName},
    probe::smtp_logs,
    verify::verdict::Verdict,
    views::VerdictFormat,
};

/// What the command line says.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Endpoints to meet instead of those of a manifest.
    pub endpoints: Vec<EndpointUrl>,
    /// The name to ask them for.
    pub name: Option<DnsName>,
    /// How they are met.
    pub meeting: ProbeOptions,
    /// Directories of SMTP protocol logs.
    pub smtp_logs: Vec<PathBuf>,
    /// What is written, and how.
    pub output: Outputs,
}

/// What is written, and how.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// The format of what goes to standard output.
    pub format: String,
    /// Further formats, as `FORMAT=FILE`.
    pub reports: Vec<String>,
    /// A file for the textfile collector of Prometheus.
    pub prometheus: Option<PathBuf>,
}

/// Meets every endpoint that the manifest implies, or those of the command line.
pub fn run(path: &Path, options: &VerifyOptions, terminal: Terminal) -> Result<Exit, CommandError> {
    let outputs = options.output.parse()?;
    let mut verdict = if options.endpoints.is_empty() {
        let (watch, observed) = ReadOnlySession::open(path, options.meeting.at)?;
        watch.meet(&observed, &options.meeting)?
    } else {
        options.meeting.endpoints(&options.endpoints, options.name.as_ref(), wall_clock())?
    };
    if !options.smtp_logs.is_empty() {
        let shown = smtp_logs::read(&options.smtp_logs).map_err(|error| {
            CommandError::new(Exit::Error, "the SMTP protocol logs cannot be read").because(error)
        })?;
        verdict.smtp_log = Some(shown);
    }
    write(&verdict, &outputs, terminal)?;
    Ok(if verdict.good { Exit::Done } else { Exit::VerificationFailed })
}

/// Writes a verdict wherever it was asked for.
pub(super) fn write(verdict: &Verdict, outputs: &[Output], terminal: Terminal) -> Result<(), CommandError> {
    for Output { format, file } in outputs {
        match file {
            None => terminal.show(|out| (format.write)(terminal.out, verdict, out))?,
            Some(file) => {
                let mut bytes = Vec::new();
                (format.write)(Terminal::page(), verdict, &mut bytes)?;
                files::write(file, &bytes)?;
            }
        }
    }
    Ok(())
}

/// A format and where it goes; without a file to standard output.
pub(super) struct Output {
    pub(super) format: &'static VerdictFormat,
    pub(super) file: Option<PathBuf>,
}

impl Outputs {
    /// Reads them, before anything is done that would be lost with them.
    pub(super) fn parse(&self) -> Result<Vec<Output>, CommandError> {
        let mut outputs = vec![Output { format: format(&self.format)?, file: None }];
        for report in &self.reports {
            let (name, file) = report.split_once('=').ok_or_else(|| {
                CommandError::new(Exit::Usage, format!("`{report}` is not FORMAT=FILE"))
                    .hint("write for example: --report html=verdict.html")
            })?;
            outputs.push(Output { format: format(name)?, file: Some(file.into()) });
        }
        if let Some(file) = &self.prometheus {
            outputs.push(Output { format: format("prometheus")?, file: Some(file.clone()) });
        }
        Ok(outputs)
    }
}

fn format(name: &str) -> Result<&'static VerdictFormat, CommandError> {
    VERDICT_FORMATS.iter().find(|known| known.name == name).ok_or_else(|| {
        let known: Vec<&str> = VERDICT_FORMATS.iter().map(|format| format.name).collect();
        CommandError::new(Exit::Usage, format!("there is no format `{name}`; there are {}", known.join(", ")))
    })
}
