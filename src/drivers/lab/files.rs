//! The lab's files.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    durable::{self, Readers},
    json::{self, Spacing},
    manifest::finding::Finding,
    model::{names::ServerName, secret::Secret, shown::ShowPath},
    ports::BoxError,
};

/// Why a lab could not do something.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A file could not be read.
    #[error("{} cannot be read", .0.shown())]
    Read(PathBuf, #[source] io::Error),
    /// A file could not be written.
    #[error("{} cannot be written", .0.shown())]
    Write(PathBuf, #[source] io::Error),
    /// A file of the lab's state is broken.
    #[error("{} is not what certwright wrote", .0.shown())]
    Broken(PathBuf, #[source] serde_json::Error),
    /// A file that is written last is not there, and what was written before it is.
    #[error("{} is missing, and the keys and CAs of the lab are there", .0.shown())]
    Lost(PathBuf),
    /// There is no lab.
    #[error("{} does not exist: a lab needs a `lab.yaml` that says what it is set up with", .0.shown())]
    NoSeed(PathBuf),
    /// There is a lab already where one was to be made.
    #[error("{} exists already; name a directory that holds no lab", .0.shown())]
    Exists(PathBuf),
    /// The seed is wrong.
    #[error("lab.yaml has mistakes")]
    Seed(Vec<Finding>),
    /// The seed asks for what cannot be.
    #[error("lab.yaml cannot be set up: {0}")]
    CannotSetUp(String),
    /// Making a key or a certificate failed.
    #[error("making the lab's keys and certificates failed")]
    Pki(#[source] BoxError),
    /// Nobody says which CA.
    #[error("name the CA that answers with --authority; this lab has: {0}")]
    WhichAuthority(String),
    /// The server is subscribed to no site.
    #[error(
        "{0} is no Edge server with a subscription in this lab; lab.yaml has them under `edgeSubscriptions`"
    )]
    NoSubscription(ServerName),
    /// A socket could not be opened.
    #[error("listening on loopback failed")]
    Listen(#[source] io::Error),
    /// Another process serves already.
    #[error("another process serves this lab already; `certwright observe` shows where")]
    AlreadyServed,
    /// Exchange says no.
    #[error(transparent)]
    Refused(#[from] crate::exchange::refusal::Refusal),
}

impl LabError {
    pub(super) fn key(error: impl Into<BoxError>) -> Self {
        Self::Pki(error.into())
    }
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, LabError> {
    let bytes = durable::read(path).map_err(|error| LabError::Read(path.to_owned(), error))?;
    serde_json::from_slice(&bytes).map_err(|error| LabError::Broken(path.to_owned(), error))
}

pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), LabError> {
    let mut bytes =
        json::bytes(value, Spacing::Indented).map_err(|error| LabError::Broken(path.to_owned(), error))?;
    bytes.push(b'\n');
    write(path, &bytes)
}

pub(super) fn write_secret(path: &Path, secret: &Secret) -> Result<(), LabError> {
    write_for(path, secret.expose(), Readers::Owner)
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    write_for(path, bytes, Readers::Usual)
}

fn write_for(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), LabError> {
    durable::write(path, bytes, readers).map_err(|error| LabError::Write(path.to_owned(), error))
}
