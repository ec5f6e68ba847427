//! A directory of this machine, or one that several machines share.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::blobs::{Blob, BlobError, Blobs, LARGEST, Put, Version, check_size, moment};
use crate::{
    durable::{
        Draft, PutNew, Readers, create_private, is_draft, make_private_directory, open_private, patiently,
        remove_drafts, sync_directory,
    },
    model::{shown::ShowPath, time::Timestamp},
};

/// A directory. It is made when it is first written to; what is in it only its owner may read.
#[derive(Debug)]
pub struct LocalDirectory {
    root: PathBuf,
}

impl LocalDirectory {
    /// The directory at this path.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn file(&self, path: &str) -> PathBuf {
        path.split('/').filter(|part| !part.is_empty()).fold(self.root.clone(), |path, part| path.join(part))
    }

    fn written(&self, path: &str, put: io::Result<Put>) -> Result<Put, BlobError> {
        put.map_err(|error| BlobError::Write(self.file(path).shown().to_string(), error.into()))
    }

    fn create_file(&self, path: &Path, bytes: &[u8]) -> io::Result<Put> {
        make_private_directory(path.parent().unwrap_or(&self.root))?;
        match draft(path, bytes)?.put_new()? {
            PutNew::Done => {}
            PutNew::Taken => return Ok(Put::Taken),
            // Looking and renaming under the guard is as good, between programs that take it.
            PutNew::Unsupported(draft) => {
                let _guard = self.guard()?;
                if path.try_exists()? {
                    return Ok(Put::Taken);
                }
                draft.put()?;
            }
        }
        Ok(Put::Done(version(bytes)))
    }

    fn replace_file(&self, path: &Path, bytes: &[u8], before: &Version) -> io::Result<Put> {
        if !path.try_exists()? {
            return Ok(Put::Taken);
        }
        let draft = draft(path, bytes)?;
        let _guard = self.guard()?;
        match read_bounded(path)? {
            Some((have, _)) if version(&have).is(before) => {}
            Some(_) | None => return Ok(Put::Taken),
        }
        draft.put()?;
        Ok(Put::Done(version(bytes)))
    }

    /// Keeps others from replacing files while one looks and replaces. It is held for moments only; a process that was
    /// stopped in one of them makes others fail rather than wait for ever.
    fn guard(&self) -> io::Result<File> {
        let path = self.root.join(GUARD);
        let file = open_private(&path)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if begun.elapsed() > PATIENCE => {
                    let text = format!("another process has been writing for {} seconds", PATIENCE.as_secs());
                    return Err(io::Error::new(io::ErrorKind::TimedOut, text));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(2)),
            }
        }
    }
}

impl Blobs for LocalDirectory {
    fn read(&self, path: &str) -> Result<Option<Blob>, BlobError> {
        let file = self.file(path);
        let found = read_bounded(&file);
        let found = found.map_err(|error| BlobError::Read(file.shown().to_string(), error.into()))?;
        Ok(found.map(|(bytes, written)| Blob {
            version: version(&bytes),
            bytes,
            written,
            now: moment(SystemTime::now()),
        }))
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<Put, BlobError> {
        check_size(|| self.file(path).shown().to_string(), bytes)?;
        self.written(path, self.create_file(&self.file(path), bytes))
    }

    fn replace(&self, path: &str, bytes: &[u8], version: &Version) -> Result<Put, BlobError> {
        check_size(|| self.file(path).shown().to_string(), bytes)?;
        self.written(path, self.replace_file(&self.file(path), bytes, version))
    }

    fn remove(&self, path: &str) -> Result<(), BlobError> {
        let file = self.file(path);
        let remove = || {
            if !file.try_exists()? {
                return Ok(());
            }
            let _guard = self.guard()?;
            match patiently(|| fs::remove_file(&file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => sync_directory(file.parent().unwrap_or(&self.root)),
            }
        };
        remove().map_err(|error| BlobError::Write(file.shown().to_string(), error.into()))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, BlobError> {
        let folder = self.file(folder);
        let list = || -> io::Result<Vec<String>> {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let mut names = Vec::new();
            for entry in entries {
                let entry = entry?;
                // What is not text none of us has written.
                let Ok(name) = entry.file_name().into_string() else { continue };
                if name != GUARD && name != GITIGNORE && !is_draft(&name) {
                    names.push(if entry.file_type()?.is_dir() { name + "/" } else { name });
                }
            }
            names.sort();
            Ok(names)
        };
        list().map_err(|error| BlobError::Read(folder.shown().to_string(), error.into()))
    }

    fn read_all(&self, paths: &[String]) -> Result<Vec<Blob>, BlobError> {
        let read = |path: &String| {
            let gone = || io::Error::from(io::ErrorKind::NotFound);
            let missing = || BlobError::Read(self.file(path).shown().to_string(), gone().into());
            self.read(path)?.ok_or_else(missing)
        };
        paths.iter().map(read).collect()
    }

    fn describe(&self) -> String {
        self.root.shown().to_string()
    }

    fn directory(&self) -> Option<&Path> {
        Some(&self.root)
    }
}

/// The file, written beside its place.
fn draft(path: &Path, bytes: &[u8]) -> io::Result<Draft> {
    if let Some(folder) = path.parent() {
        // What processes left that were killed while they wrote. That it cannot be removed keeps nobody from writing.
        let _ = remove_drafts(folder, ABANDONED);
    }
    Draft::write(path, bytes, Readers::Owner)
}

fn version(bytes: &[u8]) -> Version {
    let digest = HEXLOWER.encode(&Sha256::digest(bytes));
    Version { tag: Some(digest), generation: None }
}

/// Opens a file for reading; none when there is none. What is no file could keep the reader waiting for ever, and a link that
/// leads nowhere would look like a place that is free.
pub(in crate::journal) fn open_file(path: &Path) -> io::Result<Option<File>> {
    match fs::metadata(path) {
        Ok(there) if there.is_file() => File::open(path).map(Some),
        Ok(_) => Err(io::Error::other("it is not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_symlink() => {
            Err(io::Error::other("it is a link that leads nowhere"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps Git from what runs leave in a directory: journals name servers, backups hold keys. Where others have something there, or
/// say themselves what Git sees, only the folder of the runs is kept from it: the rest is theirs.
pub(in crate::journal) fn keep_out_of_git(directory: &Path) -> io::Result<()> {
    make_private_directory(directory)?;
    if is_our_own(directory)? {
        return ignore_all_in(directory);
    }
    let runs = directory.join(RUNS);
    make_private_directory(&runs)?;
    ignore_all_in(&runs)
}

/// Whether nothing lies in the directory but what certwright puts there.
fn is_our_own(directory: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let ours = match name.to_str() {
            Some(GITIGNORE) => {
                fs::read(directory.join(GITIGNORE)).is_ok_and(|there| there == IGNORES_ALL.as_bytes())
            }
            Some(name) => name == RUNS || name == GUARD || name.starts_with(LOCK) || is_draft(name),
            None => false,
        };
        if !ours {
            return Ok(false);
        }
    }
    Ok(true)
}

fn ignore_all_in(directory: &Path) -> io::Result<()> {
    let path = directory.join(GITIGNORE);
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    let mut file = match create_private(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        file => file?,
    };
    file.write_all(IGNORES_ALL.as_bytes())
}

fn read_bounded(path: &Path) -> io::Result<Option<(Vec<u8>, Timestamp)>> {
    let Some(file) = open_file(path)? else { return Ok(None) };
    let written = moment(file.metadata()?.modified()?);
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is larger than anything that certwright writes",
        ));
    }
    Ok(Some((bytes, written)))
}

const GUARD: &str = ".guard";
const GITIGNORE: &str = ".gitignore";
const IGNORES_ALL: &str =
    "# Made by certwright: runs, their keys and backups belong into no repository.\n*\n";
/// The folder of the runs, and how the names of the files of the lock begin.
const RUNS: &str = "runs";
const LOCK: &str = "lock";
const PATIENCE: Duration = Duration::from_secs(10);
const ABANDONED: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(prepare: impl Fn(&Path)) -> (Option<String>, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        keep_out_of_git(folder.path()).unwrap();
        keep_out_of_git(folder.path()).unwrap();
        let read = |path: &str| fs::read_to_string(folder.path().join(path)).ok();
        (read(".gitignore"), read("runs/.gitignore"))
    }

    #[test]
    fn git_sees_nothing_of_runs_and_all_that_is_of_others() {
        let all = Some(IGNORES_ALL.to_owned());
        let own = |folder: &Path| fs::write(folder.join("lock"), "").unwrap();
        assert_eq!(ignored(own), (all.clone(), None));
        // A folder of the repository, or its root.
        let shared = |folder: &Path| fs::write(folder.join("manifest.yaml"), "").unwrap();
        assert_eq!(ignored(shared), (None, all.clone()));
        let said = |folder: &Path| fs::write(folder.join(".gitignore"), "*.tmp\n").unwrap();
        assert_eq!(ignored(said), (Some("*.tmp\n".to_owned()), all));
    }
}
