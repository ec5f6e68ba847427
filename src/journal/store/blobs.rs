//! What a place for small files is asked, and answers.

use std::{
    fmt,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use data_encoding::HEXLOWER;

use crate::{model::time::Timestamp, ports::BoxError};

/// A place for small files. Paths are relative, with `/` between their parts, made of the characters that every store
/// takes: letters, digits, `.`, `_` and `-`.
pub trait Blobs: fmt::Debug + Send + Sync {
    /// The file at this path, if there is one.
    fn read(&self, path: &str) -> Result<Option<Blob>, BlobError>;

    /// Writes a file, only when none is there. When it returns, the file will be there after a power cut.
    fn create(&self, path: &str, bytes: &[u8]) -> Result<Put, BlobError>;

    /// Replaces a file, only when it is still this version. One that is not there any more was changed.
    fn replace(&self, path: &str, bytes: &[u8], version: &Version) -> Result<Put, BlobError>;

    /// Removes a file. One that is not there is no error.
    fn remove(&self, path: &str) -> Result<(), BlobError>;

    /// The names in a folder, sorted; those of folders end with a slash. A folder that is not there is empty.
    fn list(&self, folder: &str) -> Result<Vec<String>, BlobError>;

    /// Several files at once, in this order. Each has to be there.
    fn read_all(&self, paths: &[String]) -> Result<Vec<Blob>, BlobError>;

    /// Where this is, for messages. It never holds a secret.
    fn describe(&self) -> String;

    /// The directory, when the place is one on this machine.
    fn directory(&self) -> Option<&Path>;
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Blob {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Which version of it this is.
    pub version: Version,
    /// When it was written, by the store's clock.
    pub written: Timestamp,
    /// When it was read, by the store's clock; by this machine's when the store does not tell.
    pub now: Timestamp,
}

/// What tells one content of a file from another: what a store calls ETag or generation, of a local file its digest.
#[derive(Clone, Debug)]
pub struct Version {
    pub(super) tag: Option<String>,
    pub(super) generation: Option<String>,
}

/// What came of a conditional write.
#[derive(Clone, Debug)]
#[must_use = "somebody else may have been first"]
pub enum Put {
    /// It is written; this is its version.
    Done(Version),
    /// Somebody else was first; nothing was written.
    Taken,
}

/// Why a place could not be used. Each names the file or folder with its place.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no such bucket or container.
    #[error("{0} is not there; the bucket or container has to be made beforehand")]
    Missing(String, #[source] BoxError),
    /// The credentials do not allow it, or there are none.
    #[error("{0}: access is denied")]
    Denied(String, #[source] BoxError),
    /// The store did not answer.
    #[error("{0} cannot be reached")]
    Unreachable(String, #[source] BoxError),
    /// It could not be read.
    #[error("{0} cannot be read")]
    Read(String, #[source] BoxError),
    /// It could not be written.
    #[error("{0} cannot be written")]
    Write(String, #[source] BoxError),
    /// It is larger than what can be read again. Nothing was written.
    #[error("{place} would have {bytes} bytes, and certwright reads no more than {LARGEST}")]
    TooLarge {
        /// The file.
        place: String,
        /// Its size.
        bytes: usize,
    },
}

impl Version {
    /// Whether it is the same version. Not every answer of a store tells both, and the tag alone decides.
    pub(in crate::journal) fn is(&self, other: &Self) -> bool {
        match (&self.tag, &other.tag) {
            (Some(tag), Some(other)) => tag == other,
            (Some(_), None) | (None, Some(_)) => false,
            (None, None) => self.generation == other.generation,
        }
    }
}

/// The machine's time.
pub(in crate::journal) fn wall_clock() -> Timestamp {
    moment(SystemTime::now())
}

pub(super) fn moment(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Timestamp::from_unix(i64::try_from(since).unwrap_or(i64::MAX))
}

/// A text that nobody else will think of: 128 random bits in hexadecimal.
pub(in crate::journal) fn unique() -> Result<String, aws_lc_rs::error::Unspecified> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(HEXLOWER.encode(&bytes))
}

/// Refuses to write what nobody could read again.
pub(super) fn check_size(place: impl FnOnce() -> String, bytes: &[u8]) -> Result<(), BlobError> {
    if bytes.len() as u64 > LARGEST {
        return Err(BlobError::TooLarge { place: place(), bytes: bytes.len() });
    }
    Ok(())
}

/// The largest file, and the longest line of a journal, that is written and read, in bytes. A plan has about six thousand
/// for each server.
pub(in crate::journal) const LARGEST: u64 = 64 << 20;
