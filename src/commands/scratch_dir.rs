//! A temporary place for a copy of an organization. Its keys are good for nothing, and yet it goes away: with the value,
//! and where the process was killed, with the next one that needs such a place.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use super::error::{CommandError, Exit};
use crate::{durable::patiently, model::shown::ShowPath};

/// A directory that goes away with the value.
pub(super) struct Temporary {
    path: PathBuf,
    /// The operating system's lock on a file in it tells others that somebody needs it.
    needed: Option<File>,
}

impl Temporary {
    /// A directory that nobody else may look into, and that was not there before. Those that killed processes left are
    /// removed; `told` hears how many they were.
    pub(super) fn new(told: &dyn Fn(usize)) -> Result<Self, CommandError> {
        Self::new_in(&std::env::temp_dir(), told)
    }

    fn new_in(folder: &Path, told: &dyn Fn(usize)) -> Result<Self, CommandError> {
        let removed = remove_abandoned(folder);
        if removed > 0 {
            told(removed);
        }
        let nanoseconds =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
        let path = folder.join(format!("{START}{}-{nanoseconds}", std::process::id()));
        let needed = certwright_access::create_directory(&path).and_then(|()| hold(&path));
        needed.map(|needed| Self { path: path.clone(), needed: Some(needed) }).map_err(|error| {
            CommandError::new(Exit::Error, format!("{} cannot be made", path.shown())).because(error).hint(
                format!(
                    "say where there is room for temporary files: {}",
                    if cfg!(windows) { "TEMP" } else { "TMPDIR" }
                ),
            )
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Windows does not remove a directory with a file in it that is open.
        drop(self.needed.take());
        // What cannot be removed is a copy with keys that are good for nothing; the next one tries again.
        let _ = patiently(|| fs::remove_dir_all(&self.path));
    }
}

/// Removes the directories that nobody needs any more. Those of others cannot be looked into, and are theirs.
fn remove_abandoned(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    // Everybody may put a link or a pipe there, and opening a pipe waits for somebody who writes.
    let is_plain = |path: &Path| {
        path.symlink_metadata().is_ok_and(|there| there.is_dir())
            && path.join(NEEDED).symlink_metadata().is_ok_and(|there| there.is_file())
    };
    let abandoned = |path: &PathBuf| match is_plain(path).then(|| File::open(path.join(NEEDED))) {
        None => false,
        Some(Ok(needed)) => needed.try_lock().is_ok(),
        // It is being made, or somebody else's.
        Some(Err(_)) => false,
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(START)))
        .map(|entry| entry.path())
        .filter(abandoned)
        .filter(|path| fs::remove_dir_all(path).is_ok())
        .count()
}

/// Takes the lock before the file has its name, so that nobody finds it without.
fn hold(path: &Path) -> io::Result<File> {
    let unnamed = path.join("being-made");
    let file = File::create_new(&unnamed)?;
    file.lock()?;
    fs::rename(&unnamed, path.join(NEEDED))?;
    Ok(file)
}

const START: &str = "certwright-rehearsal-";
const NEEDED: &str = "needed";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_goes_and_what_a_living_one_needs_stays() {
        let folder = tempfile::tempdir().unwrap();
        let living = Temporary::new_in(folder.path(), &|_| panic!("nothing was left")).unwrap();
        let left = folder.path().join(format!("{START}4711-1"));
        fs::create_dir(&left).unwrap();
        fs::write(left.join(NEEDED), "").unwrap();
        let others = folder.path().join(format!("{START}4711-2"));
        fs::create_dir(&others).unwrap();
        let told = std::cell::Cell::new(0);
        let next = Temporary::new_in(folder.path(), &|removed| told.set(removed)).unwrap();
        assert_eq!(told.get(), 1);
        assert!(!left.exists() && others.exists() && living.path().exists() && next.path().exists());
        drop((living, next));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "that of somebody else");
    }
}
