//! Why a capture cannot be used.

use std::path::PathBuf;

use crate::model::shown::ShowPath;

/// Why a capture cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// A file or the folder cannot be read.
    #[error("{} cannot be read", .0.shown())]
    Read(PathBuf, #[source] std::io::Error),
    /// There is nothing in it.
    #[error("{} holds no file of `certwright observe --out` (.json) or Export-Clixml (.xml, .clixml), nor a zip file of such", .0.shown())]
    Nothing(PathBuf),
    /// Nothing in it can be used.
    #[error("nothing in {} can be used: {}", .0.shown(), .1.join("; "))]
    NothingUsable(PathBuf, Vec<String>),
    /// More than is read.
    #[error("{} holds more than {} files or {} MiB; give each organization a folder of its own", .0.shown(), MOST_FILES, MOST_BYTES >> 20)]
    TooMuch(PathBuf),
    /// Files of several organizations, and nobody says which one counts.
    #[error("{} holds files of several organizations: {}; write the one that counts, `driver: {{ capture: {{ organization: {} }} }}` (`import --organization`), or give each a folder of its own", .0.shown(), .1.join(", "), .1.last().map_or("NAME", String::as_str))]
    SeveralOrganizations(PathBuf, Vec<String>),
    /// The organization that counts is not in it.
    #[error("{} shows no server of {named}: its servers are of {}; name the forest that they are of as `organization`, or leave that out", .path.shown(), .domains.join(", "))]
    NotOfOrganization {
        /// The capture.
        path: PathBuf,
        /// The organization that was named.
        named: String,
        /// The domains of its servers.
        domains: Vec<String>,
    },
    /// The capture does not say when it was made, and nothing in it has a date.
    #[error("{} does not say when it was captured; say it with --at MOMENT, or with `at` in the manifest's `driver`{}", .0.shown(), after(.1))]
    NoTime(PathBuf, Vec<String>),
}

/// What was said about the files, behind an error that may come from it.
fn after(notes: &[String]) -> String {
    if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) }
}

pub(super) const MOST_FILES: usize = 5_000;
/// 512 MiB: some hundred times what a large organization takes.
pub(super) const MOST_BYTES: u64 = 512 << 20;
