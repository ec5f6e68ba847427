//! What runs leave on disk: journals, keys on their way, backups; and the lock that keeps two of them apart.
//!
//! ```text
//! .certwright/lock                                    who holds it, while somebody does
//! .certwright/runs/20260302T091407Z.jsonl             the journal of a run
//! .certwright/runs/20260302T091407Z/EX01-7F3A….pfx    its backups
//! .certwright/runs/20260302T091407Z/issued/1.pem      keys on their way to the servers; gone when the run is over
//! ```
#![expect(clippy::disallowed_methods, reason = "runs are written to disk here")]

mod artifacts;
mod lock;
mod run;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub use self::{artifacts::RunFiles, lock::Lock, run::Run};
use crate::model::{entry::Holder, time::Timestamp};

/// The directory in which runs are kept.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// Why a run could not be begun or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds the lock.
    #[error("{user} on {host} (process {process}) has been applying since {since}", user = .0.user, host = .0.host, process = .0.process, since = .1)]
    Locked(Holder, Timestamp),
    /// A file could not be written.
    #[error("{} cannot be written", .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// A file could not be read.
    #[error("{} cannot be read", .0.display())]
    Read(PathBuf, #[source] io::Error),
}

impl Store {
    /// The store in this directory, which is made when it is first written to.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Takes the lock, so that only one run changes the organization at a time.
    pub fn lock(&self, by: &Holder, at: Timestamp) -> Result<Lock, StoreError> {
        Lock::take(&self.root, by, at)
    }

    /// Begins a run: its name is the time, with a number when that is taken.
    pub fn begin(&self, at: Timestamp) -> Result<Run, StoreError> {
        let runs = self.root.join("runs");
        private_directory(&runs)?;
        let mut attempt = 1;
        loop {
            let name = if attempt == 1 { at.compact() } else { format!("{}-{attempt}", at.compact()) };
            if let Some(run) = Run::create(&runs, &name)? {
                return Ok(run);
            }
            attempt += 1;
        }
    }
}

/// Makes a directory that only its owner may look into: journals name servers and certificates, backups hold keys. One
/// that exists keeps the mode that somebody gave it.
fn private_directory(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|error| StoreError::Write(path.to_owned(), error))
}

/// Makes what was renamed or created in a directory durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(path)?.sync_all() } else { Ok(()) }
}

/// Opens a new file that only its owner may read.
fn create_private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
