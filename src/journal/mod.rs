//! What runs leave behind: journals, keys on their way, backups; and the lock that keeps two of them apart. It is kept
//! in a directory, or in a bucket that several runners share:
//!
//! ```text
//! .certwright/lock                                    who holds it, while somebody does
//! .certwright/runs/20260302T091407Z.jsonl             the journal of a run
//! .certwright/runs/20260302T091407Z/plan.json          its plan
//! .certwright/runs/20260302T091407Z/opened             that its journal has an entry
//! .certwright/runs/20260302T091407Z/2-EX01-7F3A….pfx  its backups
//! .certwright/runs/20260302T091407Z/issued/1.pem      keys on their way to the servers; gone when the run is over
//!
//! s3://bucket/folder/lock                                         the same
//! s3://bucket/folder/runs/20260302T091407Z/begun.json             that there is such a run
//! s3://bucket/folder/runs/20260302T091407Z/plan.json              its plan
//! s3://bucket/folder/runs/20260302T091407Z/journal/000001.json    each entry of its journal
//! s3://bucket/folder/runs/20260302T091407Z/2-EX01-7F3A….pfx       its backups, never without a password
//! ```
//!
//! Keys on their way never leave the machine: of a run whose journal is in a bucket, they are in a directory.
#![expect(
    clippy::disallowed_methods,
    reason = "runs are written to disks and buckets here, and locks need clocks and randomness"
)]

mod artifacts;
mod error;
mod line;
mod lock;
mod run;
pub mod store;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use self::store::{Blobs, LocalDirectory, StorePlace};
pub use self::{
    artifacts::RunFiles,
    error::StoreError,
    lock::{Abandoned, Held, Lease, Lock, LockLost, LockOptions, NotReleased, TakenOver},
    run::Run,
};
use crate::durable;
use crate::model::{
    entry::{Entry, Holder},
    secret::Secret,
    time::Timestamp,
};

/// The place in which runs are kept.
#[derive(Clone, Debug)]
pub struct Store {
    blobs: Arc<dyn Blobs>,
}

impl Store {
    /// The store in a directory, or at the address of a bucket (`s3://`, `az://`, `gs://`). A bucket's credentials and
    /// endpoint come from the environment. Nothing is looked at yet.
    pub fn open(place: &str) -> Result<Self, StoreError> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::open_with(place, std::env::vars_os().filter_map(text))
    }

    /// The same, with these variables instead of the environment's.
    pub fn open_with(
        place: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, StoreError> {
        Ok(Self { blobs: store::open(StorePlace::parse(place)?, variables)?.into() })
    }

    /// The store in this directory, which is made when it is first written to.
    pub fn new(root: PathBuf) -> Self {
        Self { blobs: Arc::new(LocalDirectory::new(root)) }
    }

    /// Where it is, for messages. It never holds a secret.
    pub fn describe(&self) -> String {
        self.blobs.describe()
    }

    /// The directory, when it is one.
    pub fn directory(&self) -> Option<&Path> {
        self.blobs.directory()
    }

    /// The files of the store.
    pub fn blobs(&self) -> &dyn Blobs {
        self.blobs.as_ref()
    }

    /// Takes the lock, so that only one run changes the organization at a time.
    pub fn lock(&self, by: &Holder, at: Timestamp, options: &LockOptions) -> Result<Lock, StoreError> {
        let lock = Lock::take(&self.blobs, by, at, options)?;
        if let Some(directory) = self.directory() {
            store::keep_out_of_git(directory)
                .map_err(|error| StoreError::Write(directory.join(".gitignore"), error))?;
        }
        Ok(lock)
    }

    /// Says before a run whether it may leave backups with keys here: in a bucket, only with a password.
    pub fn check_backups(&self, password: Option<&Secret>) -> Result<(), StoreError> {
        match password {
            Some(password) if !password.expose().is_empty() => Ok(()),
            Some(_) | None if self.directory().is_some() => Ok(()),
            Some(_) | None => Err(StoreError::Unprotected(self.describe())),
        }
    }

    /// Begins a run: its name is the time, with a number when that is taken.
    pub fn begin(&self, at: Timestamp) -> Result<Run, StoreError> {
        let mut attempt = 1;
        loop {
            let name = if attempt == 1 { at.compact() } else { format!("{}-{attempt}", at.compact()) };
            if let Some(run) = Run::create(&self.blobs, &name)? {
                return Ok(run);
            }
            attempt += 1;
        }
    }

    /// The names of all runs, newest first.
    pub fn runs(&self) -> Result<Vec<String>, StoreError> {
        let listed = self.blobs.list("runs")?;
        let end = if self.directory().is_some() { ".jsonl" } else { "/" };
        let mut names: BTreeSet<String> = listed
            .iter()
            .filter_map(|name| name.strip_suffix(end))
            .filter(|name| is_name(name))
            .map(str::to_owned)
            .collect();
        if self.directory().is_some() {
            // A run whose journal is gone is no run that never was.
            for name in listed.iter().filter_map(|name| name.strip_suffix('/')).filter(|name| is_name(name)) {
                if !names.contains(name) && run::has_keys(self.blobs.as_ref(), name)? {
                    names.insert(name.to_owned());
                }
            }
        }
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort_by(|one, other| age(other).cmp(&age(one)));
        Ok(names)
    }

    /// The journal of a run, with its plan in the first entry. What a power cut left of a last line is left out: its entry was never announced as
    /// written.
    pub fn read(&self, run: &str) -> Result<Vec<Entry>, StoreError> {
        self.check_name(run)?;
        let blobs = self.blobs.as_ref();
        let entries = match run::read(blobs, run) {
            Err(StoreError::NoSuchRun(..)) if self.directory().is_some() && run::has_keys(blobs, run)? => {
                return Err(lost(run, "its journal is missing, and its folder holds keys of certificates"));
            }
            entries => entries?,
        };
        if entries.is_empty() && self.directory().is_some() && run::has_left_something(blobs, run)? {
            return Err(lost(run, "its journal is empty, although the run was begun"));
        }
        Ok(entries)
    }

    /// Removes the half-written files of a run whose process was killed while it wrote a backup: they may hold keys. Nobody
    /// else writes there while the lock is held. Returns how many there were.
    pub fn remove_drafts(&self, run: &str) -> Result<usize, StoreError> {
        self.check_name(run)?;
        let folder = self.directory().map(|root| root.join("runs").join(run));
        folder.map_or(Ok(0), |folder| {
            durable::remove_drafts(&folder, Duration::ZERO).map_err(|error| StoreError::Write(folder, error))
        })
    }

    /// Opens a run that was begun before, to append to its journal.
    pub fn resume(&self, run: &str) -> Result<Run, StoreError> {
        self.check_name(run)?;
        Run::resume(&self.blobs, run)
    }

    /// A name may come from a command line, and becomes part of a path.
    fn check_name(&self, run: &str) -> Result<(), StoreError> {
        if is_name(run) { Ok(()) } else { Err(StoreError::NoSuchRun(run.into(), self.describe())) }
    }
}

fn lost(run: &str, how: &str) -> StoreError {
    StoreError::Damaged { run: run.into(), entry: 1, source: how.into() }
}

fn is_name(run: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !run.is_empty() && run.len() <= LONGEST_NAME && run.bytes().all(fits)
}

/// Sorts names by their time, then by their number.
fn age(run: &str) -> (&str, u64) {
    match run.split_once('-') {
        Some((time, number)) => (time, number.parse().unwrap_or(0)),
        None => (run, 1),
    }
}

const LONGEST_NAME: usize = 64;
