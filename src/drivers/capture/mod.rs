//! An organization as it was saved: what `certwright observe --out` wrote, and files of `Export-Clixml` that an
//! administrator made on the servers. It only looks; there is nobody in it who could do anything.
//!
//! Each file shows a part of the organization, and the parts are joined. What no file shows is unknown, never empty; what
//! two files contradict each other about is unknown too; a file that cannot be used is said, and the others still count.
#![expect(clippy::disallowed_methods, reason = "drivers are where IO lives")]

mod exports;
mod folder;
mod merge;
mod part;
mod read;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use self::{
    merge::Merger,
    part::{Part, Parts},
};
use crate::{
    manifest::CaptureSpec,
    model::{
        endpoint::Endpoint,
        fact::Fact,
        names::{DnsName, ServerName},
        organization::{Observed, Organization},
        server::Server,
        time::Timestamp,
    },
    ports::driver::{DriverError, Observer, Wanted},
};

/// A capture that has been read.
pub struct Capture {
    path: PathBuf,
    parts: Vec<Part>,
    notes: Vec<String>,
    /// When it was made, as far as the manifest or the files say it.
    at: Option<Timestamp>,
    organization: Option<String>,
    /// The forests whose servers are listed.
    listed: Vec<String>,
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

/// The script that an administrator runs in the Exchange Management Shell to capture an organization. Windows PowerShell
/// 5.1, read-only.
pub const SCRIPT: &str = include_str!("scripts/organization.ps1");
/// The same for an Edge Transport server, which no other server can ask.
pub const EDGE_SCRIPT: &str = include_str!("scripts/edge.ps1");

impl Capture {
    /// The driver's name.
    pub const NAME: &str = "capture";

    /// Reads the capture at a path that is relative to `base`. `now` is the machine's time: a capture has none.
    pub fn open(spec: &CaptureSpec, base: &Path, now: Timestamp) -> Result<Self, CaptureError> {
        let CaptureSpec { path, at, organization } = spec;
        let path = base.join(path);
        let Parts { parts, notes, said, listed } = part::read(&folder::read(&path)?);
        if parts.is_empty() {
            return Err(CaptureError::NothingUsable(path, notes));
        }
        // Of parts that were made at different times the oldest decides how much may have changed since.
        let at = at.or(said.into_iter().min());
        Ok(Self { path, parts, notes, at, organization: organization.clone(), listed, now })
    }

    fn observed(&self, wanted: Wanted<'_>) -> Result<Observed, CaptureError> {
        let forest = self.forest(wanted)?;
        let mut notes = self.notes.clone();
        let at = self.made(forest.as_ref(), &mut notes)?;
        let mut merger = Merger::new(notes);
        for part in &self.parts {
            match part.is_of_another(forest.as_ref()) {
                Some((of, wanted)) => merger.leave_out(part, of, wanted),
                None => merger.add(part),
            }
        }
        let (mut organization, notes) = merger.finish();
        if let Some(names) = wanted.servers() {
            organization.servers.retain(|name, _| names.contains(name));
            // What the manifest names and the capture does not show is unknown.
            for name in names {
                organization.servers.entry(name.clone()).or_insert_with(nothing_of_a_server);
            }
        }
        Ok(Observed {
            version: Observed::VERSION,
            at,
            driver: Self::NAME.into(),
            answers_prompts: self.parts.iter().all(|part| part.answers_prompts),
            notes,
            organization,
        })
    }

    /// When the organization was captured. Where nobody says it, it was not before the latest change of any object.
    fn made(&self, forest: Option<&String>, notes: &mut Vec<String>) -> Result<Timestamp, CaptureError> {
        if let Some(at) = self.at {
            return Ok(at);
        }
        let parts = self.parts.iter().filter(|part| part.is_of_another(forest).is_none());
        let changed = parts.filter_map(|part| part.changed).max();
        let changed = changed.ok_or_else(|| CaptureError::NoTime(self.path.clone()))?;
        notes.push(format!(
            "the capture does not say when it was made; something in it changed at {changed}, so it may be less old than is shown; say it with `at` in the manifest's `driver`"
        ));
        Ok(changed)
    }

    /// The forest of the organization to look at: the one that is named, the only one, that of the manifest's servers, or
    /// the only one whose servers are listed.
    fn forest(&self, wanted: Wanted<'_>) -> Result<Option<String>, CaptureError> {
        let there: BTreeSet<&String> = self.parts.iter().filter_map(|part| part.forest.as_ref()).collect();
        let several = || {
            let names = there.iter().map(ToString::to_string).collect();
            CaptureError::SeveralOrganizations(self.path.clone(), names)
        };
        if let Some(named) = &self.organization {
            let named = named.to_lowercase();
            return if there.is_empty() || there.contains(&named) { Ok(Some(named)) } else { Err(several()) };
        }
        if there.len() <= 1 {
            return Ok(there.into_iter().next().cloned());
        }
        let names = wanted.servers().unwrap_or_default();
        let is_wanted = |part: &&Part| part.organization.servers.keys().any(|name| names.contains(name));
        let of_manifest: BTreeSet<&String> =
            self.parts.iter().filter(is_wanted).filter_map(|part| part.forest.as_ref()).collect();
        let mut likely = of_manifest.into_iter();
        let mut listed = self.listed.iter();
        match (likely.next(), likely.next(), listed.next(), listed.next()) {
            (Some(only), None, ..) | (None, None, Some(only), None) => Ok(Some(only.clone())),
            _ => Err(several()),
        }
    }
}

impl Observer for Capture {
    /// The machine's time, but never before the capture was made.
    fn now(&self) -> Timestamp {
        let changed = || self.parts.iter().filter_map(|part| part.changed).max();
        self.at.or_else(changed).map_or(self.now, |at| at.max(self.now))
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
        peers: not_captured(),
        online_root: not_captured(),
        endpoints: BTreeMap::new(),
        served: BTreeMap::new(),
    }
}

/// An organization of which nothing was captured.
fn nothing_of_an_organization() -> Organization {
    Organization {
        servers: BTreeMap::new(),
        send_connectors: not_captured(),
        accepted_domains: not_captured(),
        hybrid: not_captured(),
        auth: not_captured(),
        federation: not_captured(),
        edge_subscriptions: not_captured(),
        im_overrides: not_captured(),
        balancers: BTreeMap::new(),
    }
}

/// A text from a capture that is short and safe to show.
fn shown(text: &str) -> String {
    text.chars().take(120).collect::<String>().escape_debug().to_string()
}

fn not_captured<T>() -> Fact<T> {
    Fact::unknown(NOT_CAPTURED)
}

const NOT_CAPTURED: &str = "not captured";
