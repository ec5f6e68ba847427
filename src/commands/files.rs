//! Files that users name.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::error::{CommandError, Exit};
use crate::{
    durable::{self, Readers},
    manifest::yaml::Source,
};

/// The manifest's files: the file itself, or those of the directory in the order of their names.
pub(super) fn manifest_sources(path: &Path) -> Result<Vec<Source>, CommandError> {
    if !path.exists() {
        return Err(CommandError::new(Exit::Error, format!("{} does not exist", path.display()))
            .hint("name a manifest or the directory that holds it: certwright plan examples/contoso"));
    }
    let files = if path.is_dir() { yaml_files(path)? } else { vec![path.to_owned()] };
    files.iter().map(|file| Ok(Source { file: file.display().to_string(), bytes: read(file)? })).collect()
}

fn yaml_files(directory: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let unreadable = |error| {
        CommandError::new(Exit::Error, format!("{} cannot be read", directory.display())).because(error)
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if yaml && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(CommandError::new(Exit::Error, format!("{} holds no manifest", directory.display()))
            .detail("A manifest is a file that ends in .yaml or .yml; directories below are not looked into.")
            .hint("see examples/contoso/manifest.yaml for one to start from"));
    }
    Ok(files)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    fs::read(path).map_err(|error| {
        CommandError::new(Exit::Error, format!("{} cannot be read", path.display())).because(error)
    })
}

/// The directory that relative paths of a manifest start from.
pub(super) fn base_directory(path: &Path) -> PathBuf {
    let base = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    if base.as_os_str().is_empty() { PathBuf::from(".") } else { base.to_owned() }
}

/// Writes JSON for people to read too: whole, or not at all. A folder that is not there yet is made.
pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), CommandError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| unwritable(path, error.into()))?;
    bytes.push(b'\n');
    write(path, &bytes)
}

/// Writes a file: whole, or not at all. Whoever reads it meanwhile sees the one before. A link stays a link, and what is
/// no file, such as `/dev/stdout` or a pipe, is written into and never replaced.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| unwritable(path, error);
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let written =
            fs::OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(bytes));
        return written.map_err(failed);
    }
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    durable::write(&place, bytes, Readers::Usual).map_err(failed)
}

fn unwritable(path: &Path, error: std::io::Error) -> CommandError {
    CommandError::new(Exit::Error, format!("{} cannot be written", path.display()))
        .because(error)
        .hint("name a place that can be written and has room; a file that was there is as it was")
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("plan.json"), folder.path().join("latest.json"));
        fs::write(&file, "old").unwrap();
        symlink("plan.json", &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("plan.json"));
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside");
    }

    #[test]
    fn a_device_is_written_into_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let full = folder.path().join("full");
        symlink("/dev/full", &full).unwrap();
        let error = write(&full, b"plan").unwrap_err();
        assert!(error.causes().join(" ").contains("No space left on device"), "{:?}", error.causes());
        assert_eq!(fs::read_link(&full).unwrap(), Path::new("/dev/full"));
    }
}
