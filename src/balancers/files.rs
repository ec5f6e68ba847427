//! Files with keys: replaced as a whole, with the owner and the mode that they had.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    durable::{self, Draft, Readers},
    model::{secret::Secret, shown::ShowPath},
};

/// Why a file could not be read or replaced. It is as it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// It is there and cannot be read.
    #[error("{} cannot be read", .0.shown())]
    Read(PathBuf, #[source] io::Error),
    /// It cannot be replaced.
    #[error("{} cannot be replaced", .0.shown())]
    Replace(PathBuf, #[source] io::Error),
}

/// The contents of a file; none when there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Secret>, FileError> {
    match durable::read(path) {
        Ok(bytes) => Ok(Some(Secret::new(bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::Read(path.to_owned(), error)),
    }
}

/// Makes a file what it was before: these contents, or not there.
pub(super) fn restore(path: &Path, before: Option<&Secret>) -> Result<(), FileError> {
    match before {
        Some(contents) => put(write_beside(path, contents)?, path),
        None => match durable::patiently(|| fs::remove_file(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(FileError::Replace(path.to_owned(), error))
            }
            Ok(()) | Err(_) => Ok(()),
        },
    }
}

/// Writes a file beside its place, for the owner and the readers of the one that is there; a new one is for its owner only.
/// A link is followed, so that it stays a link.
pub(super) fn write_beside(path: &Path, contents: &Secret) -> Result<Draft, FileError> {
    let write = || {
        let place = behind_links(path)?;
        Draft::write(&place, contents.expose(), Readers::AsBefore)
    };
    write().map_err(|error| FileError::Replace(path.to_owned(), error))
}

/// Puts what was written beside a file into its place.
pub(super) fn put(draft: Draft, path: &Path) -> Result<(), FileError> {
    draft.put().map_err(|error| FileError::Replace(path.to_owned(), error))
}

/// Removes what processes wrote beside a file and did not put in its place, because they were killed. Returns how many
/// there were.
pub(super) fn remove_beside(path: &Path) -> io::Result<usize> {
    durable::remove_drafts_of(&behind_links(path)?)
}

fn behind_links(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        place => place,
    }
}
