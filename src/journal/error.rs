//! What can go wrong with a place in which runs are kept.

use std::{io, path::PathBuf};

use super::{
    lock::Held,
    store::{BlobError, PlaceError},
};
use crate::{model::shown::ShowPath, ports::BoxError};

/// Why a run could not be begun or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds the lock.
    #[error("{who} has been applying since {since}", who = .0.who(), since = .0.since)]
    Locked(Held),
    /// The lock was not renewed in time; whether its holder lives is not known.
    #[error("{who} took the lock in {place} at {since} and has not renewed it since {renewed}", who = .0.who(), place = .0.place, since = .0.since, renewed = .0.renewed)]
    Stale(Held),
    /// The store takes writes that it should refuse, so that no lock in it would keep anybody out.
    #[error(
        "{0} ignores the conditions of a write (If-None-Match, If-Match), so that two runs could both have the lock"
    )]
    NoConditions(String),
    /// No run has this name.
    #[error("there is no run `{0}` in {1}")]
    NoSuchRun(String, String),
    /// A journal is damaged, or was written by a newer program.
    #[error("entry {entry} of the journal of run {run} cannot be read")]
    Damaged {
        /// The run.
        run: String,
        /// The number of the entry, which in a file is that of its line.
        entry: u64,
        /// What is wrong with it.
        source: BoxError,
    },
    /// Another process appends to this journal.
    #[error("somebody else is writing the journal of run {0}")]
    InUse(String),
    /// A backup would leave the machine without a password.
    #[error("backups in {0} would hold private keys without a password")]
    Unprotected(String),
    /// The name of the place is none, or what it needs is missing.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The place cannot be used.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A file could not be written.
    #[error("{} cannot be written", .0.shown())]
    Write(PathBuf, #[source] io::Error),
    /// The system gives no random numbers.
    #[error("no unique id for the lock can be made")]
    NoRandomness(#[source] BoxError),
    /// The system gives no thread.
    #[error("the lock cannot be renewed in the background")]
    Thread(#[source] io::Error),
}
