//! The operating system's lock in a directory. It ends with the process that holds it, however that ends.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use crate::{
    durable::{make_private_directory, open_private},
    journal::StoreError,
};

/// The operating system's lock, held.
#[derive(Debug)]
pub(super) struct ProcessLock {
    _file: File,
}

impl ProcessLock {
    /// Takes it; none when another process has it. The file stays: one that is removed and made anew could be locked
    /// twice.
    pub(super) fn take(directory: &Path) -> Result<Option<Self>, StoreError> {
        let path = directory.join(FILE);
        let write = |error| StoreError::Write(path.clone(), error);
        make_private_directory(directory).map_err(|error| StoreError::Write(directory.to_owned(), error))?;
        let file = open_private(&path).map_err(write)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(write(error)),
        }
    }
}

const FILE: &str = "lock.process";
