//! The journal of one run.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Mutex,
};

use super::{StoreError, create_private, sync_directory};
use crate::{
    engine::journal::{Journal, JournalError},
    model::entry::Entry,
};

/// A run that is going on.
#[derive(Debug)]
pub struct Run {
    name: String,
    runs: PathBuf,
    file: Mutex<File>,
}

impl Run {
    /// A new run; none when one of this name exists.
    pub(super) fn create(runs: &Path, name: &str) -> Result<Option<Self>, StoreError> {
        let path = runs.join(format!("{name}.jsonl"));
        match create_private(&path) {
            Ok(file) => {
                sync_directory(runs).map_err(|error| StoreError::Write(path, error))?;
                Ok(Some(Self { name: name.to_owned(), runs: runs.to_owned(), file: Mutex::new(file) }))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(StoreError::Write(path, error)),
        }
    }

    /// The folder of the run's files.
    pub fn folder(&self) -> PathBuf {
        self.runs.join(&self.name)
    }

    /// The folder of all runs.
    pub(super) fn runs(&self) -> &Path {
        &self.runs
    }
}

impl Journal for Run {
    /// One line of JSON, on disk when it returns.
    fn append(&self, entry: &Entry) -> Result<(), JournalError> {
        let write = || -> io::Result<()> {
            let mut line = serde_json::to_vec(entry)?;
            line.push(b'\n');
            let mut file = self.file.lock().expect("no panic holds it");
            file.write_all(&line)?;
            file.sync_data()
        };
        write().map_err(|error| JournalError { run: self.name.clone(), source: error.into() })
    }

    fn run(&self) -> &str {
        &self.name
    }
}
