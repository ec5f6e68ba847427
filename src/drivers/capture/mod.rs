//! An organization as it was saved: what `certwright observe --out` wrote, and files of `Export-Clixml` that an
//! administrator made on the servers. It only looks; there is nobody in it who could do anything. Here the files are found
//! and opened; what their objects say is for `drivers::objects`.
//!
//! Each file shows a part of the organization, and the parts are joined. What no file shows is unknown, never empty; what
//! two files contradict each other about is unknown too; a file that cannot be used is said, and the others still count.
#![expect(clippy::disallowed_methods, reason = "drivers are where IO lives")]

mod error;
mod exports;
mod folder;
mod foreign;
mod part;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::OnceLock,
};

pub use self::error::CaptureError;
use self::{
    folder::{File, Form},
    part::Parts,
    words::listed,
};
use crate::{
    drivers::objects::{Merger, Part},
    exchange::bound_addresses::bound_addresses,
    manifest::CaptureSpec,
    model::{
        endpoint::Endpoint,
        names::{DnsName, ServerName},
        organization::Observed,
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
    /// The servers of each forest of which every server is listed.
    complete: BTreeMap<Option<String>, Vec<ServerName>>,
    now: Timestamp,
    /// When nothing says when it was made: the moment that somebody wants to plan as of.
    as_of: Option<Timestamp>,
    /// When the organization was captured that was looked at.
    looked_at: OnceLock<Timestamp>,
    /// The forest that was looked at.
    forest: OnceLock<Option<String>>,
}

/// The script that an administrator runs in the Exchange Management Shell to capture an organization. Windows PowerShell
/// 5.1, read-only.
pub const SCRIPT: &str = concat!(
    include_str!("scripts/organization.ps1"),
    include_str!("scripts/common.ps1"),
    include_str!("../objects/read-windows.ps1"),
    include_str!("scripts/windows.ps1"),
    include_str!("scripts/organization-body.ps1"),
    include_str!("scripts/end.ps1"),
);
/// The same for an Edge Transport server, which no other server can ask.
pub const EDGE_SCRIPT: &str = concat!(
    include_str!("scripts/edge.ps1"),
    include_str!("scripts/common.ps1"),
    include_str!("../objects/read-windows.ps1"),
    include_str!("scripts/windows.ps1"),
    include_str!("scripts/edge-body.ps1"),
    include_str!("scripts/end.ps1"),
);

impl Capture {
    /// The driver's name.
    pub const NAME: &str = "capture";

    /// Reads the capture at a path that is relative to `base`. `now` is the machine's time, or the moment that somebody wants
    /// to plan as of: a capture has none.
    pub fn open(spec: &CaptureSpec, base: &Path, now: Timestamp) -> Result<Self, CaptureError> {
        let CaptureSpec { path, at, organization } = spec;
        let path = base.join(path);
        let Parts { parts, notes, said, listed, complete } = part::read(read(&path)?);
        if parts.is_empty() {
            return Err(CaptureError::NothingUsable(path, notes));
        }
        // Of parts that were made at different times the oldest decides how much may have changed since.
        let at = at.or(said.into_iter().min());
        Ok(Self {
            path,
            parts,
            notes,
            at,
            organization: organization.clone(),
            listed,
            complete,
            now,
            as_of: None,
            looked_at: OnceLock::new(),
            forest: OnceLock::new(),
        })
    }

    /// Takes this moment for the one of the capture, where neither the manifest nor the files say any.
    #[must_use]
    pub fn made_at_least(mut self, moment: Option<Timestamp>) -> Self {
        self.as_of = moment;
        self
    }

    fn observed(&self, wanted: Wanted<'_>) -> Result<Observed, CaptureError> {
        let forest = self.forest(wanted)?;
        let mut notes = self.notes.clone();
        let at = self.made(forest.as_ref(), &mut notes)?;
        let _ = self.looked_at.set(at);
        let _ = self.forest.set(forest.clone());
        let mut merger = Merger::new(notes);
        for part in self.parts.iter().filter(|part| part.is_of_another(forest.as_ref()).is_none()) {
            merger.add(part);
        }
        let (mut organization, mut notes) = merger.finish();
        notes.extend(self.of_others(forest.as_ref()));
        let other_servers = wanted.others(organization.servers.iter());
        if let Some(names) = wanted.servers() {
            let others: Vec<String> = organization
                .servers
                .iter()
                .filter(|(name, _)| !names.contains(name))
                .map(|(name, server)| match server.version.known() {
                    Some(_) => name.to_string(),
                    None => self.unlisted(name, forest.as_ref()),
                })
                .collect();
            if !others.is_empty() && !names.is_empty() {
                notes.push(format!(
                    "the capture shows servers that the manifest does not name: {}",
                    others.join(", ")
                ));
            }
            organization.servers.retain(|name, _| names.contains(name));
            // What the manifest names and the capture does not show is unknown.
            for name in names {
                organization.servers.entry(name.clone()).or_insert_with(Server::not_captured);
            }
        }
        Ok(Observed {
            history: None,
            version: Observed::VERSION,
            at,
            driver: Self::NAME.into(),
            answers_prompts: self.parts.iter().all(|part| part.answers_prompts),
            notes,
            organization,
            other_servers,
        })
    }

    /// A server that the list of servers does not have, with the files that tell of it.
    fn unlisted(&self, name: &ServerName, forest: Option<&String>) -> String {
        let own = self.parts.iter().filter(|part| part.is_of_another(forest).is_none());
        let of_it = own.filter(|part| part.organization.servers.contains_key(name));
        let files: BTreeSet<&str> = of_it.map(|part| part.source.as_str()).collect();
        format!("{name} (in {})", listed(files.into_iter()))
    }

    /// One line for the files of each other organization.
    fn of_others(&self, forest: Option<&String>) -> Vec<String> {
        let mut others: BTreeMap<&String, BTreeSet<&str>> = BTreeMap::new();
        for part in &self.parts {
            if let Some((of, _)) = part.is_of_another(forest) {
                others.entry(of).or_default().insert(&part.source);
            }
        }
        let wanted = forest.map_or("", String::as_str);
        let line = |(of, files): (&&String, &BTreeSet<&str>)| match files.first() {
            Some(file) if files.len() == 1 => format!(
                "{file} is left out: it is of the organization {of}, and this is about {wanted}; keep a folder for each"
            ),
            _ => format!(
                "{} are left out: they are of the organization {of}, and this is about {wanted}; keep a folder for each",
                listed(files.iter().copied())
            ),
        };
        others.iter().map(line).collect()
    }

    /// When the organization was captured. Where nobody says it, it was not before the latest change of any object.
    fn made(&self, forest: Option<&String>, notes: &mut Vec<String>) -> Result<Timestamp, CaptureError> {
        if let Some(at) = self.at {
            return Ok(at);
        }
        let parts = self.parts.iter().filter(|part| part.is_of_another(forest).is_none());
        let newest = parts.filter_map(|part| part.not_before).max();
        let Some(newest) = newest.or(self.as_of) else {
            return Err(CaptureError::NoTime(self.path.clone(), self.notes.clone()));
        };
        notes.push(format!(
            "the capture does not say when it was made; the newest thing in it is of {newest}, so it was made then or later; say it with `at` in the manifest's `driver`"
        ));
        Ok(newest)
    }

    /// The organization that is named, where its servers are of it or nothing says of which they are.
    fn of_domain(&self, named: String) -> Result<String, CaptureError> {
        let servers = self.parts.iter().flat_map(|part| part.organization.servers.values());
        let names = servers.filter_map(|server| server.fqdn.known()).map(ToString::to_string);
        let domains: BTreeSet<String> =
            names.filter_map(|name| Some(name.split_once('.')?.1.to_lowercase())).collect();
        let is_of = |domain: &String| *domain == named || domain.ends_with(&format!(".{named}"));
        if domains.is_empty() || domains.iter().any(is_of) {
            return Ok(named);
        }
        let (path, domains) = (self.path.clone(), domains.into_iter().collect());
        Err(CaptureError::NotOfOrganization { path, named, domains })
    }

    /// The forest of the organization to look at: the one that is named, the only one, that of the manifest's servers, or
    /// the only one whose servers are listed, where the manifest's are of it.
    fn forest(&self, wanted: Wanted<'_>) -> Result<Option<String>, CaptureError> {
        let there: BTreeSet<&String> = self.parts.iter().filter_map(|part| part.forest.as_ref()).collect();
        let several = || {
            let names = there.iter().map(ToString::to_string).collect();
            CaptureError::SeveralOrganizations(self.path.clone(), names)
        };
        if let Some(named) = &self.organization {
            let named = named.to_lowercase();
            if there.contains(&named) {
                return Ok(Some(named));
            }
            // What `observe --out` saved names no forest; its servers have names.
            return if there.is_empty() { self.of_domain(named).map(Some) } else { Err(several()) };
        }
        if there.len() <= 1 {
            return Ok(there.into_iter().next().cloned());
        }
        let names = wanted.servers().unwrap_or_default();
        let is_wanted = |part: &&Part| part.organization.servers.keys().any(|name| names.contains(name));
        let of_manifest: BTreeSet<&String> =
            self.parts.iter().filter(is_wanted).filter_map(|part| part.forest.as_ref()).collect();
        let mut likely = of_manifest.iter();
        let mut listed = self.listed.iter();
        match (likely.next(), likely.next(), listed.next(), listed.next()) {
            (Some(only), None, ..) => Ok(Some((*only).clone())),
            // Files that tell of the same names as the servers of another forest are left out, as they are without a manifest.
            (first, _, Some(only), None) if first.is_none() || of_manifest.contains(only) => {
                Ok(Some(only.clone()))
            }
            _ => Err(several()),
        }
    }
}

impl Observer for Capture {
    fn is_snapshot(&self) -> bool {
        true
    }

    /// The machine's time, or the one to plan as of, but never before the capture was made.
    fn now(&self) -> Timestamp {
        self.looked_at.get().copied().or(self.at).map_or(self.now, |at| at.max(self.now))
    }

    /// What `Get-ExchangeServer` lists, where it is known to have come to its end, and what other files are of.
    fn listed_servers(&self) -> Option<Vec<ServerName>> {
        let forest = self.forest.get()?.as_ref();
        let mut servers = self.complete.get(&forest.cloned())?.clone();
        let own = self.parts.iter().filter(|part| part.is_of_another(forest).is_none());
        servers.extend(own.flat_map(|part| part.organization.servers.keys()).cloned());
        servers.sort();
        servers.dedup();
        Some(servers)
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
        let said = servers.find_map(|server| {
            server.endpoints.get(&endpoint).copied().or_else(|| bound_addresses(server).remove(&endpoint))
        });
        Ok(said.map_or_else(|| format!("{fqdn}:{}", endpoint.port), |own| own.to_string()))
    }
}

/// The files at a path. Texts that are nobody's business are no capture.
fn read(path: &Path) -> Result<folder::Files, CaptureError> {
    let files = folder::read(path)?;
    let is_other = |file: &File| file.form == Form::Display && foreign::display(file).is_none();
    if files.notes.is_empty() && files.files.iter().all(is_other) {
        return Err(CaptureError::Nothing(path.to_owned()));
    }
    Ok(files)
}
