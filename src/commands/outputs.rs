//! Where a result goes: to standard output in one format, and to files in others (`--report FORMAT=FILE`).

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{CommandError, Exit, Terminal, files, repository, session::wall_clock};
use crate::{
    manifest::{finding::Finding, yaml},
    model::shown::ShowPath,
    views::{Diagnostics, FAILURE_FORMATS, MARKDOWN_BUDGET, NoResult, Reported, ResultFormat},
};

/// What the command line says about outputs.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// The format of what goes to standard output.
    pub format: String,
    /// Further formats, each into a file.
    pub reports: Vec<ReportFile>,
}

/// `FORMAT=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// The format.
    pub format: String,
    /// The file.
    pub file: PathBuf,
}

impl FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((format, file)) if !format.is_empty() && !file.is_empty() => {
                Ok(Self { format: format.to_owned(), file: file.into() })
            }
            _ => Err(format!("`{text}` is not FORMAT=FILE; write for example html=verdict.html")),
        }
    }
}

/// A format and where it goes; without a file to standard output.
pub(super) struct Output<T: 'static> {
    pub(super) format: &'static ResultFormat<T>,
    pub(super) file: Option<PathBuf>,
}

impl Outputs {
    /// The files that reports go to.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.reports.iter().map(|report| report.file.as_path())
    }

    /// Whether something is written there. Where nothing is known at all, standard error says it to people and to programs that
    /// read JSON.
    pub(super) fn takes<T>(&self, output: &Output<T>, nothing: bool) -> bool {
        output.file.is_some() || !nothing || !["human", "json"].contains(&self.format.as_str())
    }

    /// Finds the formats, before anything is done that would be lost without them.
    pub(super) fn of<T>(&self, formats: &'static [ResultFormat<T>]) -> Result<Vec<Output<T>>, CommandError> {
        let mut outputs = vec![Output { format: format(formats, &self.format)?, file: None }];
        for ReportFile { format: name, file } in &self.reports {
            outputs.push(Output { format: format(formats, name)?, file: Some(file.clone()) });
        }
        Ok(outputs)
    }
}

/// Writes a result wherever it was asked for. Files first: they are there when standard output is closed early. One that cannot be
/// written keeps no other from it.
pub(super) fn write<T>(result: &T, outputs: &[Output<T>], terminal: Terminal) -> Result<(), CommandError> {
    let mut failed: Option<CommandError> = None;
    for Output { format, file } in outputs {
        if let Some(file) = file {
            let mut bytes = Vec::new();
            (format.write)(Terminal::file(), result, &mut bytes)?;
            if let Err(error) = files::write(file, &bytes)
                && let Some(before) = failed.replace(error)
            {
                terminal.complain(&before);
            }
        }
    }
    for Output { format, .. } in outputs.iter().filter(|output| output.file.is_none()) {
        terminal.show(|out| (format.write)(terminal.out, result, out))?;
    }
    failed.map_or(Ok(()), Err)
}

/// The same for a result with messages, whose files are named as forges want it.
pub(super) fn report<T>(
    reported: Reported<T>,
    outputs: &[Output<Reported<T>>],
    terminal: Terminal,
) -> Result<Reported<T>, CommandError> {
    let diagnostics = repository::seen_from_root(&reported.diagnostics);
    let reported = Reported { diagnostics, ..reported };
    write(&reported, outputs, terminal)?;
    Ok(reported)
}

/// A command that writes reports. Where it has no result, they tell why: one that is left as it was would be taken for its result.
#[derive(Clone, Copy)]
pub(super) struct Reporting<'a> {
    pub(super) command: &'static str,
    pub(super) manifest: &'a Path,
    pub(super) outputs: &'a Outputs,
    /// What Markdown may have at most, in bytes.
    pub(super) budget: usize,
}

impl<'a> Reporting<'a> {
    /// The reports of this command, with Markdown as long as forges take it.
    pub(super) fn of(command: &'static str, manifest: &'a Path, outputs: &'a Outputs) -> Self {
        Self { command, manifest, outputs, budget: MARKDOWN_BUDGET }
    }

    /// The same result; of an error the reports are written. What people and programs read of it on standard error is not repeated
    /// on standard output.
    pub(super) fn told<R>(
        self,
        result: Result<R, CommandError>,
        terminal: Terminal,
    ) -> Result<R, CommandError> {
        if let Err(error) = &result
            && let Err(unwritten) = self.write(error, terminal)
        {
            terminal.complain(&unwritten);
        }
        result
    }

    fn write(self, error: &CommandError, terminal: Terminal) -> Result<(), CommandError> {
        let mut outputs = self.outputs.of(FAILURE_FORMATS)?;
        outputs.retain(|output| self.outputs.takes(output, true));
        if outputs.is_empty() {
            return Ok(());
        }
        let failure = failure(error, self.command, self.manifest, self.budget);
        let diagnostics = Diagnostics {
            command: self.command,
            file: failure.manifest.clone(),
            list: failure.told().iter().map(Finding::diagnostic).collect(),
            failed: true,
            ..Diagnostics::default()
        };
        report(Reported { result: failure, diagnostics }, &outputs, terminal)?;
        Ok(())
    }
}

/// An error in place of the result of a command.
pub(super) fn failure(
    error: &CommandError,
    command: &'static str,
    manifest: &Path,
    budget: usize,
) -> NoResult {
    let CommandError { exit, summary, details, source: _, hints, findings } = error;
    let file = Some(manifest.join("manifest.yaml")).filter(|file| file.is_file());
    let file = file.unwrap_or_else(|| manifest.to_owned());
    NoResult {
        command,
        manifest: file.shown().to_string(),
        organization: organization(manifest),
        exit_code: *exit as u8,
        summary: summary.clone(),
        causes: error.causes(),
        details: details.clone(),
        hints: hints.clone(),
        findings: findings.clone(),
        at: wall_clock(),
        budget,
    }
}

/// The organization that a manifest says it is of, whatever else is wrong with it.
fn organization(manifest: &Path) -> Option<String> {
    let sources = files::manifest_sources(manifest).ok()?;
    let line = |text: &str| {
        let name = text.lines().find_map(|line| line.strip_prefix("organization:"))?;
        let name = name.split(" #").next()?.trim().trim_matches(['"', '\'']);
        (!name.is_empty()).then(|| name.to_owned())
    };
    let written = sources.iter().find_map(|source| line(&String::from_utf8_lossy(&source.bytes)));
    written.or_else(|| yaml::without_mistakes(&sources).map(|manifest| manifest.organization.to_string()))
}

fn format<T>(
    formats: &'static [ResultFormat<T>],
    name: &str,
) -> Result<&'static ResultFormat<T>, CommandError> {
    formats.iter().find(|known| known.name == name).ok_or_else(|| {
        let known: Vec<&str> = formats.iter().map(|format| format.name).collect();
        CommandError::new(Exit::Usage, format!("there is no format `{name}`; there are {}", known.join(", ")))
    })
}
