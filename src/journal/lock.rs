//! One writer at a time.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::{StoreError, private_directory};
use crate::model::{entry::Holder, time::Timestamp};

/// The lock. It is the operating system's, so that it ends with the process that holds it, however that ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// What the lock's file says about its holder.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Note {
    by: Holder,
    since: Timestamp,
}

impl Lock {
    pub(super) fn take(root: &Path, by: &Holder, at: Timestamp) -> Result<Self, StoreError> {
        private_directory(root)?;
        let path = root.join("lock");
        let write = |error| StoreError::Write(path.clone(), error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(write)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Self::held(&mut file, &path)),
            Err(TryLockError::Error(error)) => return Err(write(error)),
        }
        let note =
            serde_json::to_vec(&Note { by: by.clone(), since: at }).map_err(|error| write(error.into()))?;
        file.set_len(0).and_then(|()| file.write_all(&note)).and_then(|()| file.sync_all()).map_err(write)?;
        Ok(Self { file })
    }

    fn held(file: &mut File, path: &Path) -> StoreError {
        let mut text = String::new();
        let note = file
            .rewind()
            .and_then(|()| file.read_to_string(&mut text))
            .map(|_| serde_json::from_str::<Note>(&text));
        match note {
            Ok(Ok(Note { by, since })) => StoreError::Locked(by, since),
            Ok(Err(error)) => StoreError::Read(path.to_owned(), error.into()),
            Err(error) => StoreError::Read(path.to_owned(), error),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The lock itself ends with the file; an old note would only puzzle whoever reads it.
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_learns_who_is_first() {
        let root = tempfile::tempdir().unwrap();
        let by = Holder { user: "anna".into(), host: "mgmt01".into(), process: 4711 };
        let at: Timestamp = "2026-03-02T09:14:07Z".parse().unwrap();
        let first = Lock::take(root.path(), &by, at).unwrap();
        let refused = Lock::take(root.path(), &by, at).unwrap_err().to_string();
        assert_eq!(refused, "anna on mgmt01 (process 4711) has been applying since 2026-03-02T09:14:07Z");
        drop(first);
        Lock::take(root.path(), &by, at).unwrap();
    }
}
