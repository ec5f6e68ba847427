//! The files of a run: keys on their way to servers, and backups of what is removed.

use super::BoxError;
use crate::model::{action::StepId, bundle::Bundle, names::PeerName};

/// Keeps the files of a run. Files that hold keys are readable by their owner only.
pub trait Artifacts: Send + Sync {
    /// Keeps what was issued until it is on the servers, so that a run that dies does not need another certificate.
    fn keep_issued(&self, step: StepId, bundle: &Bundle) -> Result<(), ArtifactError>;

    /// What was kept for this step, if anything was.
    fn issued(&self, step: StepId) -> Result<Option<Bundle>, ArtifactError>;

    /// Forgets what was issued: the run is over and the keys are on the servers.
    fn forget_issued(&self) -> Result<(), ArtifactError>;

    /// Writes a backup: PFX when the bundle has its key, else the certificate alone. Returns the file's name and SHA-256.
    fn back_up(
        &self,
        step: StepId,
        of: &PeerName,
        bundle: &Bundle,
    ) -> Result<(String, String), ArtifactError>;

    /// Reads the backup that a step of a run made; of this run when none is named.
    fn backup(&self, run: Option<&str>, step: StepId) -> Result<Bundle, ArtifactError>;
}

/// Why a file of a run could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{what} failed")]
pub struct ArtifactError {
    /// What was tried, on which file.
    pub what: String,
    /// Why it failed.
    #[source]
    pub source: BoxError,
}
