//! An organization that can be looked at and not changed: what `verify` and `drift` are given. By construction: the
//! handle on the servers is an [`Observer`], which has no verb that acts.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use indexmap::IndexMap;

use super::{
    CommandError,
    live::LiveLine,
    manifest_places::ManifestPlaces,
    next::Place,
    session::{Look, Session},
    session_roots::no_roots,
    targeting::Named,
    unfinished,
};
use crate::{
    exchange::{edge, ending},
    manifest::{DriftSpec, Manifest, NotifySpec, VerifySpec, finding::Finding},
    model::{
        desired::Desired,
        endpoint::{Endpoint, EndpointUrl},
        names::{CertificateName, DnsName, ServerName},
        organization::Observed,
        thumbprint::Thumbprint,
        time::Timestamp,
        unfinished_run::UnfinishedRun,
    },
    plan::{Narrowing, plan_certificate, undeclared_without_certificate},
    ports::{
        balancer::Balancers,
        driver::{DriverError, Observer, Wanted},
    },
    probe::{Network, Patience, roots},
    verify::{
        check::{Check, Peer, Settings, TrustedBy},
        expectations::{self, Declared},
        health, mail_flow,
        not_provable::NotProvable,
        path_validation::Roots,
        peers::Peers,
        row::Row,
        run,
        verdict::Verdict,
    },
};

pub use crate::verify::mail_flow::Mail;

/// How endpoints are met, as the command line says it.
#[derive(Clone, Debug)]
pub struct ProbeOptions {
    /// Handshakes at the same time.
    pub at_once: usize,
    /// Handshakes at the same time with one server.
    pub per_server: usize,
    /// How often a meeting is tried again.
    pub retries: u32,
    /// How long one meeting may take.
    pub timeout: Duration,
    /// Bundles of roots that are trusted beside the others.
    pub roots: Vec<PathBuf>,
    /// Whether the roots of the system are trusted.
    pub system_roots: bool,
    /// Lists of revoked certificates.
    pub revocation_lists: Vec<PathBuf>,
    /// Whether endpoints are met of which the manifest says nothing.
    pub all: bool,
    /// Only these servers; all when it is empty.
    pub servers: Vec<ServerName>,
    /// Only these certificates of the manifest; all when it is empty.
    pub certificates: Vec<CertificateName>,
    /// Whether the pages behind HTTPS are asked.
    pub health: bool,
    /// Sender and recipient of a test message for each server, when one is to be handed over.
    pub mail: Option<Mail>,
    /// The time to judge by, where the manifest's driver is a capture; without it now.
    pub at: Option<Timestamp>,
    /// Where runs are kept.
    pub state: Option<String>,
}

/// An organization, to be looked at.
pub(super) struct ReadOnlySession {
    pub(super) desired: Desired,
    pub(super) observer: Box<dyn Observer>,
    balancers: Balancers,
    pub(super) drift: DriftSpec,
    /// Whom the manifest names to be told.
    pub(super) notify: IndexMap<String, NotifySpec>,
    /// The manifest's directory.
    pub(super) base: PathBuf,
    pub(super) places: ManifestPlaces,
    /// Where the manifest contradicts what was observed.
    pub(super) contradictions: Vec<Finding>,
    /// The newest run, when it did not come to its end.
    pub(super) unfinished_run: Option<UnfinishedRun>,
    trusted: Roots,
    system_roots: bool,
}

impl ReadOnlySession {
    /// Opens a manifest and looks at its servers. What could change them ends here.
    pub(super) fn open(path: &Path, meeting: &ProbeOptions) -> Result<(Self, Observed), CommandError> {
        let look = meeting.at.map(|at| Look { capture: None, at: Some(at) });
        let mut session = Session::open_looking_at(path, look)?;
        let mut observed = session.observe()?;
        let store = session.store(meeting.state.as_deref())?;
        session.remember(&mut observed, &store)?;
        let unfinished_run =
            unfinished::newest(&store, Place { manifest: path, state: meeting.state.as_deref() })?;
        let trusted = session.trusted()?;
        let contradictions = session.contradictions(&observed);
        let Session { desired, driver, balancers, manifest, places, base, .. } = session;
        let observer = driver.into_observer();
        let Manifest { drift, notify, verify: VerifySpec { system_roots, .. }, .. } = manifest;
        let watch = Self {
            desired,
            observer,
            balancers,
            drift,
            notify,
            base,
            places,
            contradictions,
            unfinished_run,
            trusted,
            system_roots,
        };
        Ok((watch, observed))
    }

    /// What a look is narrowed to.
    pub(super) fn narrowing(&self, meeting: &ProbeOptions) -> Result<Narrowing, CommandError> {
        let named = Named { servers: &meeting.servers, certificates: &meeting.certificates, replace: &[] };
        named.narrowing(&self.desired)
    }

    /// Meets every endpoint that the manifest implies.
    pub(super) fn meet(&self, observed: &Observed, meeting: &ProbeOptions) -> Result<Verdict, CommandError> {
        let Self { desired, observer, trusted, .. } = self;
        let declared = expectations::declared(desired, observed, observer.now());
        let declared = if meeting.all { declared.with_undeclared(desired, observed) } else { declared };
        let Declared { mut checks, mut not_provable } = declared;
        let narrowing = self.narrowing(meeting)?;
        let takes = |name: &ServerName| narrowing.takes(desired, name);
        let balancers = narrowing.servers.is_empty();
        checks.retain(|check| match &check.peer {
            Peer::Server { name, .. } => takes(name),
            Peer::Balancer(_) | Peer::Host(_) => balancers,
        });
        not_provable.retain(|what| what.server().map_or(balancers, |name| narrowing.is_about(name)));
        let certificates = &narrowing.certificates;
        if !certificates.is_empty() {
            let standing = |id| plan_certificate(id, desired, observed, observer.now())?.standing();
            let wanted = desired.certificates.keys().filter(|id| certificates.contains(&id.name));
            let wanted: BTreeSet<Thumbprint> = wanted.filter_map(standing).collect();
            checks.retain(|check| check.expected.is_some_and(|expected| wanted.contains(&expected)));
        }
        let settings = meeting.settings(trusted.clone(), self.system_roots)?;
        let seen = Some((desired, observed));
        let peers = Peers::new(observer.as_ref(), &self.balancers);
        let mut verdict = meeting.verdict(&checks, &peers, &settings, seen);
        verdict.good &= !not_provable.iter().any(NotProvable::is_error);
        verdict.not_provable = not_provable;
        // A server that is left out goes on presenting what it has.
        let servers = desired.servers.keys().filter(|name| narrowing.is_about(name));
        let (organization, now) = (&observed.organization, observer.now());
        verdict.missing_internal_transport =
            ending::missing_internal_transport(organization, desired, servers.clone());
        verdict.without_certificate =
            undeclared_without_certificate(desired, organization, servers.clone(), now);
        verdict.good &=
            verdict.missing_internal_transport.is_empty() && verdict.without_certificate.is_empty();
        verdict.missing_federation = ending::missing_federation(organization, servers.clone());
        let has_part = |name: &ServerName| desired.servers.contains_key(name) && takes(name);
        verdict.edge_distrust = edge::distrust_among(organization, has_part);
        verdict.good &= verdict.missing_federation.is_empty() && verdict.edge_distrust.is_empty();
        verdict.ending = ending::endings(organization, desired, servers, now);
        verdict.missing_auth = ending::missing_auth(organization);
        verdict.good &= verdict.missing_auth.is_none() && !verdict.ending.iter().any(|ending| ending.expired);
        Ok(verdict)
    }
}

impl ProbeOptions {
    /// The files that are read besides the manifest.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.roots.iter().chain(&self.revocation_lists).map(PathBuf::as_path)
    }

    /// Meets endpoints that no manifest names.
    pub(super) fn endpoints(
        &self,
        endpoints: &[EndpointUrl],
        name: Option<&DnsName>,
        now: Timestamp,
    ) -> Result<Verdict, CommandError> {
        let check = |url: &EndpointUrl| {
            // An address is no name, and is not asked for.
            let address = url.host.parse::<std::net::IpAddr>().is_ok();
            let own = || if address { None } else { url.host.parse().ok() };
            Check {
                peer: Peer::Host(url.host.clone()),
                endpoint: url.endpoint,
                name: name.cloned().or_else(own),
                expected: None,
                trusted_by: TrustedBy::Roots,
                presenter: None,
            }
        };
        let checks: Vec<Check> = endpoints.iter().map(check).collect();
        let settings = self.settings(Roots::default(), true)?;
        Ok(self.verdict(&checks, &Peers::servers(&Nowhere { now }), &settings, None))
    }

    fn verdict(
        &self,
        checks: &[Check],
        peers: &Peers<'_>,
        settings: &Settings,
        seen: Option<(&Desired, &Observed)>,
    ) -> Verdict {
        let network = Network { patience: Patience::of(self.timeout) };
        let progress = Progress::begin(checks.len());
        let rows = run::rows_with(checks, peers, &network, settings, &|row| progress.count(row));
        drop(progress);
        let mut verdict = Verdict::new(checks, rows, seen, peers.now());
        if self.health {
            let _asking = LiveLine::waiting("asking health pages");
            verdict.health = health::rows(checks, peers, &network, settings);
            verdict.good &= verdict.health.iter().all(|row| row.healthy);
        }
        if let Some(mail) = &self.mail {
            let _handing = LiveLine::waiting("handing test messages over");
            verdict.mail_flow = mail_flow::rows(checks, (peers, peers.now()), &network, settings, mail);
            verdict.good &= !verdict.mail_flow.is_empty() && verdict.mail_flow.iter().all(|row| row.accepted);
        }
        verdict
    }

    fn settings(&self, mut trusted: Roots, system_roots: bool) -> Result<Settings, CommandError> {
        for path in &self.roots {
            trusted = trusted.with(roots::bundle(path).map_err(no_roots)?);
        }
        for path in &self.revocation_lists {
            trusted = roots::with_revocations(trusted, path).map_err(no_roots)?;
        }
        if self.system_roots && system_roots {
            trusted = trusted.with(roots::system().map_err(no_roots)?);
        }
        let Self { at_once, per_server, retries, .. } = *self;
        Ok(Settings { at_once, per_server, retries, roots: Some(trusted) })
    }
}

/// No organization: endpoints are met where the command line says.
struct Nowhere {
    now: Timestamp,
}

impl Observer for Nowhere {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn observe(&self, _: Wanted<'_>) -> Result<Observed, DriverError> {
        Err(DriverError::failed("observing", "no manifest was given"))
    }

    fn address(&self, server: &ServerName, _: &DnsName, _: Endpoint) -> Result<String, DriverError> {
        Err(DriverError::failed(format!("finding {server}"), "no manifest was given"))
    }
}

/// How many endpoints were met, on a terminal.
struct Progress {
    line: LiveLine,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    wrong: usize,
    again: usize,
}

impl Progress {
    fn begin(total: usize) -> Self {
        Self { line: LiveLine::counting("met", total, "endpoints"), counted: Mutex::default() }
    }

    fn count(&self, row: &Row) {
        let mut counted = self.counted.lock().expect("no panic holds it");
        if row.retries == 0 {
            self.line.count();
            counted.wrong += usize::from(!row.is_good());
        } else {
            counted.again += 1;
            counted.wrong -= usize::from(row.is_good());
        }
        let told = [(counted.wrong, "wrong"), (counted.again, "tried again")];
        let told = told.iter().filter(|(number, _)| *number > 0);
        self.line.note(told.map(|(number, what)| format!(", {number} {what}")).collect::<String>());
    }
}
