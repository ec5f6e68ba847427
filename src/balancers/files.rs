//! Files with keys: replaced as a whole, with the owner and the mode that they had.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::model::secret::Secret;

/// Why a file could not be read or replaced. It is as it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// It is there and cannot be read.
    #[error("{} cannot be read", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// It cannot be replaced.
    #[error("{} cannot be replaced", .0.display())]
    Replace(PathBuf, #[source] io::Error),
}

/// A file that is written and not in its place yet. It goes away with the value.
pub(super) struct Beside {
    beside: PathBuf,
    place: PathBuf,
}

/// The contents of a file; none when there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Secret>, FileError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Secret::new(bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::Read(path.to_owned(), error)),
    }
}

/// Makes a file what it was before: these contents, or not there.
pub(super) fn restore(path: &Path, before: Option<&Secret>) -> Result<(), FileError> {
    match before {
        Some(contents) => write_beside(path, contents)?.put_in_place(),
        None => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(FileError::Replace(path.to_owned(), error))
            }
            Ok(()) | Err(_) => Ok(()),
        },
    }
}

/// Writes a file beside its place, with the owner and the mode of the one that is there; a new one is for its owner only.
/// A link is followed, so that it stays a link.
pub(super) fn write_beside(path: &Path, contents: &Secret) -> Result<Beside, FileError> {
    let error = |error| FileError::Replace(path.to_owned(), error);
    let place = match fs::canonicalize(path) {
        Ok(place) => place,
        Err(failed) if failed.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(failed) => return Err(error(failed)),
    };
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(format!("{BESIDE}{}", std::process::id()));
    let beside = Beside { beside: place.with_file_name(name), place };
    write_like(&beside.beside, &beside.place, contents).map_err(error)?;
    Ok(beside)
}

/// Removes what processes wrote beside a file and did not put in its place, because they were killed. Returns how many
/// there were.
pub(super) fn remove_beside(path: &Path) -> io::Result<usize> {
    let place = match fs::canonicalize(path) {
        Ok(place) => place,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut start = place.file_name().unwrap_or_default().to_owned();
    start.push(BESIDE);
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let process = name.as_encoded_bytes().strip_prefix(start.as_encoded_bytes());
        if process.is_some_and(|process| !process.is_empty() && process.iter().all(u8::is_ascii_digit)) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

impl Beside {
    /// Puts it where it belongs, in place of what is there.
    pub(super) fn put_in_place(self) -> Result<(), FileError> {
        let folder = self.place.parent().unwrap_or(Path::new("."));
        let put = || {
            fs::rename(&self.beside, &self.place)?;
            // A rename is durable once the directory is.
            if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
        };
        put().map_err(|error| FileError::Replace(self.place.clone(), error))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // In its place it has another name by now.
        let _ = fs::remove_file(&self.beside);
    }
}

fn write_like(path: &Path, like: &Path, contents: &Secret) -> io::Result<()> {
    // Left by a run that died; its mode may be anything.
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(contents.expose())?;
    #[cfg(unix)]
    if let Ok(present) = fs::metadata(like) {
        use std::os::unix::fs::{MetadataExt, fchown};
        let ours = file.metadata()?;
        if (ours.uid(), ours.gid()) != (present.uid(), present.gid()) {
            fchown(&file, Some(present.uid()), Some(present.gid()))?;
        }
        // After the owner: changing that takes bits away.
        file.set_permissions(present.permissions())?;
    }
    #[cfg(not(unix))]
    let _ = like;
    file.sync_all()
}

/// What stands in a name between that of the file and the number of the process.
const BESIDE: &str = ".certwright-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_wrote_beside_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let names =
            ["mail.pem", "mail.pem.certwright-4711", "mail.pem.certwright-old", "other.pem.certwright-4711"];
        for name in names {
            fs::write(file(name), "a key").unwrap();
        }
        assert_eq!(remove_beside(&file("mail.pem")).unwrap(), 1);
        let left: Vec<&str> = names.into_iter().filter(|name| file(name).exists()).collect();
        assert_eq!(left, ["mail.pem", "mail.pem.certwright-old", "other.pem.certwright-4711"]);
        assert_eq!(remove_beside(&file("none/mail.pem")).unwrap(), 0);
    }
}
