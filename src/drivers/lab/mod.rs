//! An Exchange organization simulated in a directory, with real keys, real certificates and real TLS endpoints on
//! loopback. What its verbs change and refuse is [`exchange`](crate::exchange)'s knowledge; here are the files, the keys
//! and the sockets.
//!
//! ```text
//! lab.yaml                        what the organization was set up with; written by people
//! state/organization.json         the clock, and what Active Directory holds
//! state/servers/EX01.json         one server: its store, its bindings, its connectors, what its services have loaded
//! state/keys/EX01/7F3A….key       private keys, readable by their owner only
//! state/authorities/corp-ca.crt   the lab's own CAs, and their keys
//! state/serving.json              where the endpoints listen, while somebody serves them
//! state/faults.json               which of the faults in lab.yaml have struck
//! ```
#![expect(clippy::disallowed_methods, reason = "drivers are where IO lives")]

mod auth;
mod balancer;
mod change;
mod copying;
mod directory;
mod edges;
pub mod faults;
mod faulty;
mod files;
mod fresh;
mod intermediates;
mod overrides;
mod pickup;
mod removals;
pub mod seed;
mod seed_connector;
mod seed_keys;
mod seed_moment;
mod seeding;
pub mod serve;
mod tls;
mod verbs;
mod whole_state;
mod wizard;

use std::path::{Path, PathBuf};

pub use self::{balancer::LabBalancer, directory::Directory, files::LabError};
use self::{
    faults::Fault,
    seed::Prompts,
    serve::{Announced, Serving},
};
use crate::{
    durable, exchange,
    model::{
        certificate::Certificate,
        dn::DistinguishedName,
        endpoint::Endpoint,
        names::{BalancerName, DnsName, IssuerName, ServerName},
        organization::Observed,
        time::{Span, Timestamp},
    },
    pki::{keys::Keys, mint::Authority, pem},
    ports::{
        BoxError,
        driver::{DriverError, Observer, Wanted},
    },
};

/// A lab that has been opened.
pub struct Lab {
    directory: Directory,
    keys: Keys,
    now: Timestamp,
    prompts: Prompts,
    authorities: Vec<IssuerName>,
    faults: Vec<Fault>,
    /// The endpoints that this process serves for itself, opened when somebody asks for one.
    serving: Serving,
}

impl Lab {
    /// Opens the lab in this directory; sets it up from its `lab.yaml` when that has not been done yet. `wall_clock` is
    /// the machine's time, for labs that follow it.
    pub fn open(path: &Path, wall_clock: Timestamp) -> Result<Self, LabError> {
        let directory = Directory::new(path.to_owned());
        let seed = directory.read_seed()?;
        directory.set_up_once(|| seeding::set_up(&directory, &seed, wall_clock))?;
        let organization = directory.organization()?;
        let keys = match &seed.keys {
            None => Keys::Fresh,
            Some(pool) => Keys::pool(&path.join(pool), organization.keys_taken).map_err(LabError::key)?,
        };
        let now = organization.clock.unwrap_or(wall_clock);
        let serving = Serving::new(&directory, now);
        let authorities = directory.authority_names()?;
        Ok(Self { directory, keys, now, prompts: seed.prompts, authorities, faults: seed.faults, serving })
    }

    /// Makes a lab in a directory as an observation shows the organization, and opens it. Its clock stands at `clock`.
    pub fn copy(observed: &Observed, path: &Path, clock: Timestamp) -> Result<Self, LabError> {
        copying::write_seed(observed, path, clock)?;
        Self::open(path, clock)
    }

    /// Where the lab is.
    pub fn path(&self) -> &PathBuf {
        self.directory.path()
    }

    /// The lab's load balancer of this name.
    pub fn balancer(&self, name: &BalancerName) -> LabBalancer {
        LabBalancer::new(&self.directory, name)
    }

    /// Has a CA of the lab answer a request that is for this issuer of the manifest: the one that is named; else the lab's only one, or
    /// the one that is called like the issuer.
    pub fn answer(
        &self,
        request: &[u8],
        issuer: Option<&IssuerName>,
        authority: Option<&IssuerName>,
        lifetime: Span,
    ) -> Result<Certificate, LabError> {
        let names = || self.authorities.iter().map(IssuerName::as_str).collect::<Vec<_>>().join(", ");
        let name = match (authority, self.authorities.as_slice()) {
            (Some(name), known) if known.contains(name) => name,
            (None, [only]) => only,
            (None, known) => issuer
                .filter(|issuer| known.contains(issuer))
                .ok_or_else(|| LabError::WhichAuthority(names()))?,
            (Some(_), _) => return Err(LabError::WhichAuthority(names())),
        };
        let authority = copying::authority(&self.directory, name)?;
        authority.answer(request, self.now, self.now.plus(lifetime)).map_err(LabError::key)
    }

    /// The CA of the lab that has this subject; made, when there is none.
    pub fn authority_of(&self, subject: &DistinguishedName) -> Result<Authority, LabError> {
        copying::authority_of(&self.directory, subject, &self.keys, self.now)
    }

    /// Serves every endpoint of the lab, also for other processes, until the value is dropped.
    pub fn serve(&self) -> Result<Announced, LabError> {
        serve::announce(&self.directory, self.now)
    }

    /// Throws the state away; the next opening sets the lab up anew.
    pub fn reset(self) -> Result<(), LabError> {
        self.directory.clear()
    }

    /// Moves the lab's clock, which stands still between commands.
    pub fn set_clock(&mut self, to: Timestamp) -> Result<(), LabError> {
        self.directory.change_organization(|state| {
            state.clock = Some(to);
            auth::publish_when_due(state, to, false);
            Ok(())
        })?;
        self.now = to;
        Ok(())
    }
}

impl Observer for Lab {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn own_roots(&self) -> Vec<Certificate> {
        let read = |name: &IssuerName| {
            let bytes = durable::read(&self.directory.authority_file(name.as_str(), "crt")).ok()?;
            pem::certificates(&bytes).ok()?.pop()
        };
        self.authorities.iter().filter_map(read).collect()
    }

    fn observe(&self, wanted: Wanted<'_>) -> Result<Observed, DriverError> {
        let mut organization =
            self.directory.observe(wanted).map_err(|error| failed("observing the lab", error))?;
        let other_servers =
            self.directory.others(wanted).map_err(|error| failed("observing the lab", error))?;
        exchange::verbs::auth::blind(&mut organization, self.now);
        organization.servers.values_mut().for_each(serve::met_from_here);
        let answers_prompts = self.prompts == Prompts::Answer;
        Ok(Observed {
            history: None,
            version: Observed::VERSION,
            at: self.now,
            driver: "lab".into(),
            answers_prompts,
            notes: Vec::new(),
            organization,
            other_servers,
        })
    }

    fn listed_servers(&self) -> Option<Vec<ServerName>> {
        self.directory.server_names().ok()
    }

    fn address(&self, server: &ServerName, _: &DnsName, endpoint: Endpoint) -> Result<String, DriverError> {
        let doing = || format!("finding {endpoint} of {server}");
        let found = match self.directory.served_elsewhere().map_err(|error| failed(doing(), error))? {
            Some(addresses) => addresses.get(server).and_then(|endpoints| endpoints.get(&endpoint)).copied(),
            None => self.serving.open(server, endpoint).map_err(|error| failed(doing(), error))?,
        };
        found
            .map(|address| address.to_string())
            .ok_or_else(|| failed(doing(), "the server has no such endpoint"))
    }
}

fn failed(what: impl Into<String>, source: impl Into<BoxError>) -> DriverError {
    DriverError::failed(what, source)
}
