//! Who waits for the lock of a directory, in the order in which they came.
//!
//! Each has a file whose name begins with the moment at which it was made, and holds the operating system's lock on it for as long as it
//! waits. Without an order, whoever looks most often is first, and somebody may wait until the time is up.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    durable::{create_private, make_private_directory},
    journal::{StoreError, store::unique},
};

/// A place in the queue. It is given up with the value, and with the process.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    name: String,
    file: Option<File>,
}

impl Place {
    /// Takes the last place.
    pub(super) fn take(directory: &Path) -> Result<Self, StoreError> {
        let folder = directory.join(FOLDER);
        let token = unique().map_err(|error| StoreError::NoRandomness(error.into()))?;
        // By the clock of whoever comes: where clocks differ, the order is a little another one, and nobody waits for ever.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("{:020}-{token}", now.as_nanos());
        let path = folder.join(&name);
        let write = |error| StoreError::Write(path.clone(), error);
        make_private_directory(&folder).map_err(write)?;
        let file = create_private(&path).map_err(write)?;
        file.lock().map_err(write)?;
        Ok(Self { path, name, file: Some(file) })
    }

    /// Whether nobody who came before still waits. What a process left behind that was killed is removed.
    pub(super) fn is_first(&self) -> bool {
        let Some(folder) = self.path.parent() else { return true };
        let Ok(entries) = fs::read_dir(folder) else { return true };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut before: Vec<String> = names.filter(|name| *name < self.name).collect();
        before.sort();
        before.iter().all(|name| !waits(&folder.join(name)))
    }
}

/// Whether the owner of a place lives. A place that is not locked yet is a moment old, or its owner is gone.
fn waits(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    if file.try_lock().is_err() {
        return true;
    }
    let age = fs::metadata(path).and_then(|there| there.modified()).map(|made| made.elapsed());
    let is_new = matches!(age, Ok(Ok(age)) if age.as_secs() < 1);
    if !is_new {
        // Somebody else may have been quicker.
        let _ = fs::remove_file(path);
    }
    is_new
}

impl Drop for Place {
    fn drop(&mut self) {
        // Windows removes no file that is open.
        drop(self.file.take());
        let _ = fs::remove_file(&self.path);
    }
}

const FOLDER: &str = "waiting";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_first_is_first_and_who_is_gone_stands_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two, three] = [(); 3].map(|()| Place::take(folder.path()).unwrap());
        assert_eq!([one.is_first(), two.is_first(), three.is_first()], [true, false, false]);
        drop(one);
        assert_eq!([two.is_first(), three.is_first()], [true, false]);
        // Killed: its file stays, and nobody holds it.
        let left = folder.path().join(FOLDER).join(format!("{:020}-x", 1));
        let old = File::create(&left).unwrap();
        old.set_modified(SystemTime::now() - std::time::Duration::from_secs(60)).unwrap();
        drop(old);
        assert!(two.is_first());
        assert!(!left.exists());
    }
}
