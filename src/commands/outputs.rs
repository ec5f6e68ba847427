//! Where a result goes: to standard output in one format, and to files in others (`--report FORMAT=FILE`).

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{CommandError, Exit, Terminal, files, repository};
use crate::views::{Reported, ResultFormat};

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

fn format<T>(
    formats: &'static [ResultFormat<T>],
    name: &str,
) -> Result<&'static ResultFormat<T>, CommandError> {
    formats.iter().find(|known| known.name == name).ok_or_else(|| {
        let known: Vec<&str> = formats.iter().map(|format| format.name).collect();
        CommandError::new(Exit::Usage, format!("there is no format `{name}`; there are {}", known.join(", ")))
    })
}
