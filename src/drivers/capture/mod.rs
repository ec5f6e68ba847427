//! An organization as it was saved: what `certwright observe --out` wrote, and files of `Export-Clixml` that an
//! administrator made on the servers. It only looks; there is nobody in it who could do anything.
//!
//! Each file shows a part of the organization, and the parts are joined. What no file shows is unknown, never empty; what
//! two files contradict each other about is unknown too; a file that cannot be used is said, and the others still count.
#![expect(clippy::disallowed_methods, reason = "drivers are where IO lives")]

mod folder;
mod merge;
mod part;

use std::path::{Path, PathBuf};

use self::{merge::Merger, part::Part};
use crate::{
    engine::driver::{DriverError, Observer, Wanted},
    model::{
        endpoint::Endpoint,
        fact::Fact,
        manifest::CaptureSpec,
        names::{DnsName, ServerName},
        organization::{Observed, Organization},
        server::Server,
        time::Timestamp,
    },
};

/// A capture that has been read.
pub struct Capture {
    path: PathBuf,
    parts: Vec<Part>,
    notes: Vec<String>,
    at: Option<Timestamp>,
    now: Timestamp,
}

/// Why a capture cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// A file or the folder cannot be read.
    #[error("{} cannot be read", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    /// There is nothing in it.
    #[error("{} holds no file of `certwright observe --out` (.json) or Export-Clixml (.xml, .clixml)", .0.display())]
    Nothing(PathBuf),
    /// Nothing in it can be used.
    #[error("nothing in {} can be used: {}", .0.display(), .1.join("; "))]
    NothingUsable(PathBuf, Vec<String>),
    /// More than is read.
    #[error("{} holds more than {} files or {} MiB; give each organization a folder of its own", .0.display(), folder::MOST_FILES, folder::MOST_BYTES >> 20)]
    TooMuch(PathBuf),
    /// Files of several organizations, and nobody says which one counts.
    #[error("{} holds files of several organizations: {}; say which one counts with `organization`, or give each a folder of its own", .0.display(), .1.join(", "))]
    SeveralOrganizations(PathBuf, Vec<String>),
    /// The capture does not say when it was made, and nothing in it has a date.
    #[error("{} does not say when it was captured; say it with `at` in the manifest's `driver`", .0.display())]
    NoTime(PathBuf),
}

impl Capture {
    /// The driver's name.
    pub const NAME: &str = "capture";

    /// Reads the capture at a path that is relative to `base`. `now` is the machine's time: a capture has none.
    pub fn open(spec: &CaptureSpec, base: &Path, now: Timestamp) -> Result<Self, CaptureError> {
        let CaptureSpec { path, at } = spec;
        let path = base.join(path);
        let files = folder::read(&path)?;
        let (parts, notes) = part::read(files);
        if parts.is_empty() {
            return Err(CaptureError::NothingUsable(path, notes));
        }
        Ok(Self { path, parts, notes, at: *at, now })
    }

    fn observed(&self, wanted: Wanted<'_>) -> Result<Observed, CaptureError> {
        let mut merger = Merger::new(self.notes.clone());
        for part in &self.parts {
            merger.add(part);
        }
        let (mut organization, notes) = merger.finish();
        if let Wanted::Of(desired) = wanted {
            // What the manifest names and the capture does not show is unknown.
            for name in desired.servers.keys() {
                organization.servers.entry(name.clone()).or_insert_with(nothing_of_a_server);
            }
            organization.servers.retain(|name, _| desired.servers.contains_key(name));
        }
        let seen = self.parts.iter().filter_map(|part| part.at).max();
        let at = self.at.or(seen).ok_or_else(|| CaptureError::NoTime(self.path.clone()))?;
        Ok(Observed {
            version: Observed::VERSION,
            at,
            driver: Self::NAME.into(),
            answers_prompts: self.parts.iter().all(|part| part.answers_prompts),
            notes,
            organization,
        })
    }
}

impl Observer for Capture {
    /// The machine's time, but never before the capture was made.
    fn now(&self) -> Timestamp {
        let seen = self.parts.iter().filter_map(|part| part.at).max();
        seen.map_or(self.now, |seen| seen.max(self.now))
    }

    fn observe(&self, wanted: Wanted<'_>) -> Result<Observed, DriverError> {
        self.observed(wanted).map_err(|error| DriverError::failed("looking at the capture", error))
    }

    /// Where the capture says, or the server's own name: handshakes need no credentials.
    fn address(
        &self,
        server: &ServerName,
        fqdn: &DnsName,
        endpoint: Endpoint,
    ) -> Result<String, DriverError> {
        let mut servers = self.parts.iter().filter_map(|part| part.organization.servers.get(server));
        let said = servers.find_map(|server| server.endpoints.get(&endpoint));
        Ok(said.map_or_else(|| format!("{fqdn}:{}", endpoint.port), ToString::to_string))
    }
}

/// A server of which nothing was captured.
fn nothing_of_a_server() -> Server {
    Server {
        fqdn: not_captured(),
        version: not_captured(),
        roles: not_captured(),
        operating_system: not_captured(),
        certificates: not_captured(),
        requests: not_captured(),
        internal_transport: not_captured(),
        pop: not_captured(),
        imap: not_captured(),
        um: not_captured(),
        sites: not_captured(),
        receive_connectors: not_captured(),
        endpoints: std::collections::BTreeMap::new(),
    }
}

/// An organization of which nothing was captured.
fn nothing_of_an_organization() -> Organization {
    Organization {
        servers: std::collections::BTreeMap::new(),
        send_connectors: not_captured(),
        accepted_domains: not_captured(),
        hybrid: not_captured(),
        auth: not_captured(),
        federation: not_captured(),
        edge_subscriptions: not_captured(),
    }
}

fn not_captured<T>() -> Fact<T> {
    Fact::unknown(NOT_CAPTURED)
}

const NOT_CAPTURED: &str = "not captured";
