//! The files of a capture, with bounds on their number and size.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::CaptureError;

/// A file of a capture.
pub(super) struct File {
    /// Its name, seen from the capture's folder.
    pub(super) name: String,
    /// The folders below the capture's and the file's own name without its ending: what may say the server and the cmdlet.
    pub(super) words: Vec<String>,
    pub(super) form: Form,
    pub(super) bytes: Vec<u8>,
}

/// How a file is written, by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `.json`: of `certwright observe --out`.
    Json,
    /// `.xml`, `.clixml`: of `Export-Clixml`.
    Clixml,
    /// `.failed.txt`: why a cmdlet of the printed script failed.
    Failure,
}

/// Reads the files of a folder and the folders below it, or one file.
pub(super) fn read(path: &Path) -> Result<Vec<File>, CaptureError> {
    let mut found = Vec::new();
    if path.is_dir() {
        list(path, DEEPEST, &mut found)?;
    } else {
        let form = form(path).ok_or_else(|| CaptureError::Nothing(path.to_owned()));
        // A file that is not there is said as such.
        let metadata = fs::metadata(path).map_err(|error| CaptureError::Read(path.to_owned(), error))?;
        found.push((path.to_owned(), form?, metadata.len()));
    }
    found.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    if found.is_empty() {
        return Err(CaptureError::Nothing(path.to_owned()));
    }
    let total = found.iter().fold(0_u64, |total, (_, _, length)| total.saturating_add(*length));
    if found.len() > MOST_FILES || total > MOST_BYTES {
        return Err(CaptureError::TooMuch(path.to_owned()));
    }
    found.into_iter().map(|(file, form, _)| open(path, &file, form)).collect()
}

fn list(folder: &Path, depth: usize, found: &mut Vec<(PathBuf, Form, u64)>) -> Result<(), CaptureError> {
    let failed = |error| CaptureError::Read(folder.to_owned(), error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        // A link to nowhere is no file of the capture.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_dir() && depth > 0 {
            list(&path, depth - 1, found)?;
        } else if let Some(form) = form(&path).filter(|_| metadata.is_file()) {
            found.push((path, form, metadata.len()));
        }
        if found.len() > MOST_FILES {
            return Err(CaptureError::TooMuch(folder.to_owned()));
        }
    }
    Ok(())
}

fn form(path: &Path) -> Option<Form> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    [(".json", Form::Json), (".xml", Form::Clixml), (".clixml", Form::Clixml), (FAILED, Form::Failure)]
        .into_iter()
        .find(|(ending, _)| name.ends_with(ending))
        .map(|(_, form)| form)
}

fn open(root: &Path, path: &Path, form: Form) -> Result<File, CaptureError> {
    let bytes = fs::read(path).map_err(|error| CaptureError::Read(path.to_owned(), error))?;
    let below = path.strip_prefix(root).ok().filter(|below| !below.as_os_str().is_empty());
    let below = below.unwrap_or_else(|| path.file_name().map_or(path, Path::new));
    let mut words: Vec<String> =
        below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if let Some(last) = words.last_mut() {
        let stem = last.len() - ending(last, form);
        last.truncate(stem);
    }
    Ok(File { name: below.display().to_string(), words, form, bytes })
}

/// How many bytes of a name are its ending.
fn ending(name: &str, form: Form) -> usize {
    match form {
        Form::Failure => FAILED.len(),
        Form::Json | Form::Clixml => name.rfind('.').map_or(0, |dot| name.len() - dot),
    }
}

const FAILED: &str = ".failed.txt";
/// Folders below the capture's.
const DEEPEST: usize = 3;
pub(super) const MOST_FILES: usize = 5_000;
/// 512 MiB: some hundred times what a large organization takes.
pub(super) const MOST_BYTES: u64 = 512 << 20;
