//! What opening a driver needs, and why it cannot be opened.

use std::path::{Path, PathBuf};

use super::{capture::CaptureError, lab::LabError, powershell::PowerShellError};
use crate::{
    manifest::Manifest,
    model::{
        names::ServerName,
        secret::{Secret, SecretRef},
        shown::ShowPath,
        time::Timestamp,
    },
};

/// What opening the driver of a manifest needs.
#[derive(Clone, Copy)]
pub struct Opening<'a, E> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// Its directory.
    pub base: &'a Path,
    /// The time of this computer.
    pub now: Timestamp,
    /// The moment to plan for, where somebody names one.
    pub as_of: Option<Timestamp>,
    /// Whether a server whose way cannot be opened is met later, with its error: for whoever examines the others all the same.
    pub examines: bool,
    /// Reads a secret; the text says what it is for.
    pub secret: &'a dyn Fn(&SecretRef, &str) -> Result<Secret, E>,
}

/// Why a driver cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A moment was named, and real servers have the present time.
    #[error("real servers have the present time")]
    PresentTime,
    /// A moment was named, and the lab has a clock of its own.
    #[error("the lab has a clock of its own")]
    OwnClock,
    /// A lab is needed.
    #[error("the manifest's driver is no lab")]
    NoLab,
    /// The capture.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The lab.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// What the manifest says of PowerShell.
    #[error(transparent)]
    PowerShell(PowerShellError),
    /// A file that the driver's words name.
    #[error("{} cannot be used: {why}", .file.shown())]
    File {
        /// The file.
        file: PathBuf,
        /// Why not.
        why: String,
    },
    /// A secret that cannot be one of its kind.
    #[error("{what} cannot be used: {why}")]
    Secret {
        /// What it is for.
        what: String,
        /// Why not.
        why: &'static str,
    },
    /// Windows PowerShell is not on this computer.
    #[error(
        "{server} cannot be reached from this computer: the driver `powershell` runs in Windows PowerShell, which is on Windows only"
    )]
    NotFromHere {
        /// The server.
        server: ServerName,
    },
}
