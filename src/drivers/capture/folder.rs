//! The files of a capture, with bounds on their number and size.

use std::{
    fs,
    io::{Cursor, Read},
    path::{Path, PathBuf},
};

use super::error::{CaptureError, MOST_BYTES, MOST_FILES};

use crate::{durable, model::shown::ShowPath};

/// A file of a capture.
pub(super) struct File {
    /// Its name, seen from the capture's folder.
    pub(super) name: String,
    /// The folders below the capture's and the file's own name without its ending: what may say the server and the cmdlet.
    words: Vec<String>,
    pub(super) form: Form,
    pub(super) bytes: Vec<u8>,
}

/// How a file is written, by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `.json`: of `certwright observe --out`, or of `ConvertTo-Json`.
    Json,
    /// `.xml`, `.clixml`: of `Export-Clixml`.
    Clixml,
    /// `.failed.txt`: why a cmdlet of the printed script failed.
    Failure,
    /// `.txt`, `.csv`, `.html`: what people export at first, and what has no certificate in it.
    Display,
}

/// The files of a capture, and what has to be said about those that are not read.
#[derive(Default)]
pub(super) struct Files {
    pub(super) files: Vec<File>,
    pub(super) notes: Vec<String>,
    bytes: u64,
}

/// Reads the files of a folder and the folders below it, of a zip file, or one file.
pub(super) fn read(path: &Path) -> Result<Files, CaptureError> {
    let mut found = Vec::new();
    let mut files = Files::default();
    if path.is_dir() {
        list(path, DEEPEST, &mut found, &mut files.notes)?;
    } else {
        // A file that is not there is said as such.
        let metadata = fs::metadata(path).map_err(|error| CaptureError::Read(path.to_owned(), error))?;
        if form_of(path).is_none() && !is_zip(path) {
            return Err(CaptureError::Nothing(path.to_owned()));
        }
        found.push((path.to_owned(), metadata.len()));
    }
    found.sort();
    let total = found.iter().fold(0_u64, |total, (_, length)| total.saturating_add(*length));
    if found.len() > MOST_FILES || total > MOST_BYTES {
        return Err(CaptureError::TooMuch(path.to_owned()));
    }
    for (file, _) in found {
        let mut bytes = Vec::new();
        durable::open(&file)
            .and_then(|mut open| open.read_to_end(&mut bytes))
            .map_err(|error| CaptureError::Read(file.clone(), error))?;
        let below = file.strip_prefix(path).ok().filter(|below| !below.as_os_str().is_empty());
        let below = below.unwrap_or_else(|| file.file_name().map_or(file.as_path(), Path::new));
        if is_zip(&file) {
            files.unzip(below, bytes).map_err(|too_much| {
                if too_much {
                    CaptureError::TooMuch(path.to_owned())
                } else {
                    CaptureError::Nothing(file.clone())
                }
            })?;
        } else {
            let words =
                below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
            files.add(below.shown().to_string(), words, bytes);
        }
    }
    Ok(files)
}

/// Why an archive cannot be read.
fn not_a_zip(error: &zip::result::ZipError) -> String {
    match error {
        zip::result::ZipError::InvalidArchive(_) => "it is not a zip file, or a part of it is missing".into(),
        zip::result::ZipError::UnsupportedArchive(_) => {
            "it is packed in a way that is not read here; pack it with Windows".into()
        }
        other => crate::model::causes::with_causes(other),
    }
}

impl Files {
    fn add(&mut self, name: String, mut words: Vec<String>, bytes: Vec<u8>) {
        let Some(form) = words.last().and_then(|last| form(last)) else { return };
        if let Some(last) = words.last_mut() {
            last.truncate(last.len() - ending(last, form));
        }
        self.files.push(File { name, words, form, bytes });
    }

    /// Adds the files of an archive, read in memory: nothing is unpacked to the disk, so their names do no harm. The error
    /// says whether there is too much in it.
    fn unzip(&mut self, archive: &Path, bytes: Vec<u8>) -> Result<(), bool> {
        let shown = archive.shown();
        let mut zip = match zip::ZipArchive::new(Cursor::new(bytes)) {
            Ok(zip) => zip,
            Err(error) => {
                self.notes.push(format!("{shown} is left out: {}", not_a_zip(&error)));
                return Ok(());
            }
        };
        if zip.len() > MOST_FILES || self.files.len() + zip.len() > MOST_FILES {
            return Err(true);
        }
        for index in 0..zip.len() {
            let mut entry = match zip.by_index(index) {
                Ok(entry) => entry,
                Err(error) => {
                    self.notes.push(format!(
                        "file {} of {shown} is left out: {}",
                        index + 1,
                        not_a_zip(&error)
                    ));
                    continue;
                }
            };
            // Windows PowerShell writes backslashes where the format wants slashes.
            let name = entry.name().map(std::borrow::Cow::into_owned).unwrap_or_default();
            let name: String = name.replace('\\', "/").chars().filter(|char| !char.is_control()).collect();
            let words: Vec<String> = name.split('/').map(str::to_owned).collect();
            if entry.is_dir() || words.last().and_then(|last| form(last)).is_none() {
                continue;
            }
            let left = MOST_BYTES.saturating_sub(self.bytes);
            let mut content = Vec::new();
            // What the archive says of a size is not believed.
            let read = entry.by_ref().take(left + 1).read_to_end(&mut content);
            self.bytes = self.bytes.saturating_add(content.len() as u64);
            if self.bytes > MOST_BYTES {
                return Err(true);
            }
            match read {
                Ok(_) => self.add(format!("{shown}/{name}"), words, content),
                Err(error) => self.notes.push(format!("{shown}/{name} is left out: {error}")),
            }
        }
        Ok(())
    }
}

impl File {
    /// Its own name without the ending.
    pub(super) fn stem(&self) -> &str {
        self.words.last().map_or("", String::as_str)
    }

    /// The name of the folder that it is in, below the capture's.
    pub(super) fn folder(&self) -> Option<String> {
        self.words.iter().rev().nth(1).cloned()
    }

    /// Whether it lies beside another one.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.words.split_last().map(|(_, folders)| folders)
            == other.words.split_last().map(|(_, folders)| folders)
    }
}

fn list(
    folder: &Path,
    depth: usize,
    found: &mut Vec<(PathBuf, u64)>,
    notes: &mut Vec<String>,
) -> Result<(), CaptureError> {
    let failed = |error| CaptureError::Read(folder.to_owned(), error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        // A link to nowhere is no file of the capture.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        match (metadata.is_dir(), depth) {
            (true, 0) => {
                notes.push(format!("{} is left out: it lies more than {DEEPEST} folders deep", path.shown()))
            }
            (true, _) => list(&path, depth - 1, found, notes)?,
            (false, _) if metadata.is_file() && (form_of(&path).is_some() || is_zip(&path)) => {
                found.push((path, metadata.len()));
            }
            (false, _) => {}
        }
        if found.len() > MOST_FILES {
            return Err(CaptureError::TooMuch(folder.to_owned()));
        }
    }
    Ok(())
}

fn is_zip(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"))
}

fn form_of(path: &Path) -> Option<Form> {
    form(path.file_name()?.to_str()?)
}

fn form(name: &str) -> Option<Form> {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, form)| *form)
}

/// How many bytes of a name are its ending.
fn ending(name: &str, form: Form) -> usize {
    match form {
        Form::Failure => FAILED.len(),
        Form::Json | Form::Clixml | Form::Display => name.rfind('.').map_or(0, |dot| name.len() - dot),
    }
}

const FAILED: &str = ".failed.txt";
const ENDINGS: [(&str, Form); 8] = [
    (".json", Form::Json),
    (".xml", Form::Clixml),
    (".clixml", Form::Clixml),
    (FAILED, Form::Failure),
    (".txt", Form::Display),
    (".csv", Form::Display),
    (".html", Form::Display),
    (".htm", Form::Display),
];
/// Folders below the capture's.
const DEEPEST: usize = 8;
