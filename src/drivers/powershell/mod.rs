//! Real Exchange servers, by Windows PowerShell: a script that is sent to a PowerShell here or, by `ssh`, there, takes
//! requests as data and answers each. Exchange's cmdlets run in a remote runspace of each server, IIS and Windows by
//! Windows remote management. One session for each server, and what one server does not do is no matter of the others.
//!
//! From the outside in: [`PowerShell`] is the driver, `session` one server's session, [`channel`] the way there,
//! [`script`] what runs at its end.
#![expect(clippy::disallowed_methods, reason = "drivers are where IO lives")]

mod answer;
pub mod channel;
mod cmdlets;
mod doctor;
mod error;
mod observation;
pub(in crate::drivers) mod open;
mod redaction;
mod request;
mod said;
pub mod script;
mod session;
mod side;
mod side_by_side;
mod standstill;
mod verbs;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

pub use self::{
    answer::{AnswerKind, Answered, Mutated},
    channel::{Channel, stdio::StdioChannel},
    error::PowerShellError,
    request::Request,
    session::{Connect, Credential, ServerAccess, Timeouts, WindowsAccess},
};
use self::{
    observation::{Refused, Seen},
    session::Session,
};
use crate::{
    exchange::{bound_addresses::bound_addresses, cmdlet::Target},
    model::{
        diagnosis::ServerDiagnosis,
        endpoint,
        names::{DnsName, ServerName},
        organization::Observed,
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
        version::ServerVersion,
    },
    ports::driver::{DriverError, Observer, Wanted},
};

/// An organization that is reached by PowerShell.
pub struct PowerShell {
    sessions: BTreeMap<ServerName, Session>,
    /// What each server runs, as far as it was said or seen.
    versions: Mutex<BTreeMap<ServerName, ServerVersion>>,
    /// The servers whose Default Web Site was seen to require SSL.
    requiring_ssl: Mutex<BTreeSet<ServerName>>,
    /// The endpoints that were seen to listen at one address only.
    bound: Mutex<BTreeMap<ServerName, BTreeMap<endpoint::Endpoint, SocketAddr>>>,
    /// Whether questions of cmdlets could be answered when the plan was made.
    answered: Mutex<bool>,
    /// Which server has shown what is the organization's, by the cmdlet: it has the one that sets it too.
    shown_by: Mutex<BTreeMap<String, ServerName>>,
    /// What of Windows each server refused when the plan was made.
    refused: Mutex<BTreeMap<ServerName, Refused>>,
    /// What each server's bindings were seen to have when the plan was made. One that has something else now was changed by
    /// somebody else.
    sites: Mutex<BTreeMap<ServerName, BTreeMap<SiteBinding, Option<Thumbprint>>>>,
}

impl PowerShell {
    /// The driver's name.
    pub const NAME: &str = observation::NAME;

    /// These servers. Nothing is reached yet. `versions` are those that the manifest says.
    pub fn new(endpoints: Vec<ServerAccess>, versions: BTreeMap<ServerName, ServerVersion>) -> Self {
        let sessions =
            endpoints.into_iter().map(|endpoint| (endpoint.name.clone(), Session::new(endpoint))).collect();
        Self {
            sessions,
            versions: Mutex::new(versions),
            requiring_ssl: Mutex::default(),
            bound: Mutex::default(),
            answered: Mutex::default(),
            shown_by: Mutex::default(),
            refused: Mutex::default(),
            sites: Mutex::default(),
        }
    }

    fn session(&self, server: &ServerName) -> Result<&Session, DriverError> {
        self.sessions.get(server).ok_or_else(|| {
            DriverError::barred(format!("reaching {server}"), "the manifest does not name this server")
        })
    }

    fn version(&self, server: &ServerName) -> Option<ServerVersion> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(server).copied()
    }

    fn requires_ssl(&self, server: &ServerName) -> bool {
        self.requiring_ssl.lock().unwrap_or_else(PoisonError::into_inner).contains(server)
    }

    /// What a binding was last seen to have, empty for no certificate; none where that is not known.
    fn seen_binding(&self, server: &ServerName, site: &SiteBinding) -> Option<String> {
        let sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = sites.get(server)?.get(site)?;
        Some(seen.map_or_else(String::new, |own| own.to_string()))
    }

    /// Notes what was done with bindings of a port. Those of one port may share what they have, so that nobody knows what the
    /// others have. Of the one that was meant it is known: what it was given, or, where nobody saw the end, that or what it had
    /// before. Where nothing was done, all is as it was.
    fn note_bindings(
        &self,
        server: &ServerName,
        outcome: &Result<(), DriverError>,
        port: u16,
        meant: Option<(&SiteBinding, Thumbprint)>,
    ) {
        let done = match outcome {
            Ok(()) => true,
            Err(DriverError::OutcomeUnknown { .. }) => false,
            Err(DriverError::Refused(_) | DriverError::Unreachable { .. } | DriverError::Failed { .. }) => {
                return;
            }
        };
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(seen) = sites.get_mut(server) else { return };
        seen.retain(|site, _| site.port != port || meant.is_some_and(|(meant, _)| meant == site));
        if let Some((site, certificate)) = meant.filter(|_| done) {
            seen.insert(site.clone(), Some(certificate));
        }
    }

    fn target<'a>(&self, session: &'a Session) -> Target<'a> {
        Target {
            server: &session.endpoint.name,
            release: self.version(&session.endpoint.name).map(ServerVersion::release),
            edge: session.endpoint.edge,
            requires_ssl: self.requires_ssl(&session.endpoint.name),
        }
    }
}

impl Observer for PowerShell {
    /// The time of the computer that certwright runs on.
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    fn observe(&self, wanted: Wanted<'_>) -> Result<Observed, DriverError> {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Seen { observed, shown_by, refused } =
            observation::observe(&self.sessions, &versions, wanted, self.now())?;
        self.shown_by.lock().unwrap_or_else(PoisonError::into_inner).extend(shown_by);
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, server) in &observed.organization.servers {
            if let Some(version) = server.version.known() {
                versions.insert(name.clone(), *version);
            }
        }
        let mut requiring = self.requiring_ssl.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, server) in &observed.organization.servers {
            if let Some(web) = server.web.known() {
                if web.require_ssl {
                    requiring.insert(name.clone())
                } else {
                    requiring.remove(name)
                };
            }
        }
        // What a plan rests on is what was seen for it. A look of a step does not change that.
        let is_for_plans = match wanted {
            Wanted::Everything | Wanted::Of(_) => true,
            Wanted::Servers(_) | Wanted::Organization | Wanted::Store(_) => false,
        };
        if is_for_plans {
            self.refused.lock().unwrap_or_else(PoisonError::into_inner).extend(refused);
            *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = observed.answers_prompts;
        }
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, server) in observed.organization.servers.iter().filter(|_| is_for_plans) {
            if let Some(seen) = server.sites.known() {
                sites.insert(name.clone(), seen.clone());
            }
        }
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, server) in &observed.organization.servers {
            if server.receive_connectors.known().is_some() && server.sites.known().is_some() {
                bound.insert(name.clone(), bound_addresses(server));
            }
        }
        Ok(observed)
    }

    fn examine(&self) -> Option<Vec<ServerDiagnosis>> {
        Some(self.diagnoses(&|| self.now()))
    }

    /// The server itself, not a name that a load balancer answers to; what listens at one address only, there.
    fn address(
        &self,
        server: &ServerName,
        fqdn: &DnsName,
        endpoint: endpoint::Endpoint,
    ) -> Result<String, DriverError> {
        let bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        let own = bound.get(server).and_then(|endpoints| endpoints.get(&endpoint));
        Ok(own.map_or_else(|| format!("{fqdn}:{}", endpoint.port), ToString::to_string))
    }
}
