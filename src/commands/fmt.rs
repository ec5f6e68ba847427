//! `certwright fmt`: manifests in canonical layout.

use std::{
    collections::HashSet,
    io::Read,
    path::{Path, PathBuf},
};

use similar::TextDiff;

use super::{CommandError, Exit, Terminal, files};
use crate::{
    manifest::{
        foreign::{foreign, is_lab},
        format::formatted,
        yaml::{self, Source},
    },
    model::shown::ShowPath,
};

/// What the command line says.
#[derive(Clone, Debug)]
pub struct FmtOptions {
    /// Files, and directories whose manifests are meant.
    pub paths: Vec<PathBuf>,
    /// Whether files are only compared, and not written.
    pub check: bool,
    /// Whether what would change is shown.
    pub diff: bool,
    /// Whether the text comes from standard input and goes to standard output.
    pub stdin: bool,
}

/// Lays manifests out, and names each file that was not as it should be.
pub fn run(options: &FmtOptions, terminal: Terminal) -> Result<Exit, CommandError> {
    if options.stdin {
        return of_stdin(terminal);
    }
    let here = [PathBuf::from(".")];
    let paths = if options.paths.is_empty() { &here[..] } else { &options.paths };
    if let Some(other) = paths.iter().find(|path| !path.is_dir() && !is_yaml(path)) {
        return Err(CommandError::new(
            Exit::Usage,
            format!("{} does not end in .yaml or .yml", other.shown()),
        )
        .detail("Only manifests are laid out; other files may mean something else by their layout.")
        .hint("hand its text over, if it is one: certwright fmt --stdin"));
    }
    let (mut changed, mut failed) = (Vec::new(), None);
    for source in sources(paths)? {
        match laid_out(&source) {
            Ok((before, after)) if before == after => {}
            Ok((before, after)) => {
                if options.diff {
                    let diff = TextDiff::from_lines(&before, &after);
                    let diff = diff.unified_diff().header(&source.file, &source.file).to_string();
                    terminal.show(|out| out.write_all(diff.as_bytes()))?;
                }
                if !options.check {
                    files::write(Path::new(&source.file), after.as_bytes())?;
                }
                changed.push(source.file);
            }
            Err(error) => {
                if let Some(before) = failed.replace(error) {
                    terminal.complain(&before);
                }
            }
        }
    }
    if !options.diff {
        terminal.show(|out| changed.iter().try_for_each(|file| writeln!(out, "{file}")))?;
    }
    match failed {
        Some(error) => Err(error),
        None if options.check && !changed.is_empty() => Ok(Exit::Findings),
        None => Ok(Exit::Done),
    }
}

/// The files of all paths, each once: several organizations may share one.
fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, CommandError> {
    let (mut all, mut known) = (Vec::new(), HashSet::new());
    for path in paths {
        let (sources, _) = files::manifest_and_skipped(path)?;
        all.extend(sources.into_iter().filter(|source| known.insert(source.file.clone())));
    }
    Ok(all)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
}

fn of_stdin(terminal: Terminal) -> Result<Exit, CommandError> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(MOST)
        .read_to_end(&mut bytes)
        .map_err(|error| CommandError::new(Exit::Error, "standard input cannot be read").because(error))?;
    let (_, after) = laid_out(&Source { file: "standard input".into(), bytes })?;
    terminal.show(|out| out.write_all(after.as_bytes()))?;
    Ok(Exit::Done)
}

/// A file's text as it is and as it should be.
fn laid_out(source: &Source) -> Result<(String, String), CommandError> {
    let text = String::from_utf8_lossy(&source.bytes);
    if let Some(why) = foreign(&text).filter(|_| !is_lab(&text)) {
        return Err(CommandError::new(Exit::Error, format!("{} is no manifest: {why}", source.file))
            .detail("It is left as it is: files of others may mean something else by their layout."));
    }
    yaml::document::<serde_json::Value>(source.clone(), yaml::DocumentKind::ANY)
        .map_err(CommandError::findings)?;
    let before = String::from_utf8_lossy(&source.bytes).into_owned();
    let after = formatted(&before).map_err(|error| {
        CommandError::new(Exit::Findings, format!("{} is left as it is", source.file)).because(error)
    })?;
    Ok((before, after))
}

/// A little more than the largest manifest.
const MOST: u64 = 5 * 1024 * 1024;
