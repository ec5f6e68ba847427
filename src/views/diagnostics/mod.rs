//! Messages in the formats of CI systems and forges. All are made of diagnostics, never of sentences for people.

mod annotations;
mod gitlab;
mod junit;
mod sarif;
mod told;

pub use self::told::{Accepted, Diagnostics, Reported};
use super::results::ResultFormat;

impl<T> ResultFormat<Reported<T>> {
    /// SARIF 2.1.0, for code scanning.
    pub(super) const SARIF: Self =
        Self { name: "sarif", write: |_, reported, out| sarif::write(&reported.diagnostics, out) };
    /// JUnit, for lists of tests.
    pub(super) const JUNIT: Self =
        Self { name: "junit", write: |_, reported, out| junit::write(&reported.diagnostics, out) };
    /// Workflow commands of GitHub Actions.
    pub(super) const GITHUB: Self =
        Self { name: "github", write: |_, reported, out| annotations::github(&reported.diagnostics, out) };
    /// Logging commands of Azure Pipelines.
    pub(super) const AZURE: Self =
        Self { name: "azure", write: |_, reported, out| annotations::azure(&reported.diagnostics, out) };
    /// Code Quality of GitLab.
    pub(super) const GITLAB: Self =
        Self { name: "gitlab", write: |_, reported, out| gitlab::write(&reported.diagnostics, out) };
}
