//! Opening what a manifest names: its driver, its CAs, its runs. The composition root.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    authorities, brought,
    captures::{check_age, not_before_the_capture},
    checked::Checked,
    error::{CommandError, Exit},
    files,
    live::LiveLine,
    manifest_places::ManifestPlaces,
    secrets,
    targeting::{self, Replaced},
};
use crate::{
    balancers, checks,
    drivers::{self, DriverHandle, Opening, lab::Lab},
    issuers::csr::RequestFiles,
    journal::Store,
    manifest::{CaptureSpec, DriverSpec, Manifest, finding::Finding, yaml},
    model::{
        desired::Desired,
        entry::Holder,
        history::DueRestart,
        names::ServerName,
        organization::Observed,
        plan::Plan,
        secret::{Secret, SecretRef},
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::{progress::progress, takeovers::Search},
    ports::{
        balancer::{self, Balancers},
        driver::{Driver, Observer, Wanted},
        issuer::Issuers,
    },
    probe::{Network, from_here},
    verify::{live_certificates::see_served, row::Row, vantage},
};

/// A look at a capture instead of the servers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look<'a> {
    /// The capture; without one the manifest's driver has to be one.
    pub capture: Option<&'a Path>,
    /// The time to plan for; without it now.
    pub at: Option<Timestamp>,
}

/// A manifest with everything that it names, opened.
pub struct Session {
    /// What the manifest asks for.
    pub desired: Desired,
    /// The servers.
    pub driver: DriverHandle,
    /// The load balancers.
    pub balancers: Balancers,
    /// The manifest as it was written.
    pub manifest: Manifest,
    /// Where it is written what a message is about.
    pub places: ManifestPlaces,
    pub(super) base: PathBuf,
    /// The path by which somebody named the manifest.
    pub(super) named: PathBuf,
    /// The moment that somebody wants to plan as of.
    as_of: Option<Timestamp>,
}

impl Session {
    /// Reads the manifest and opens what it names.
    pub fn open(path: &Path) -> Result<Self, CommandError> {
        Self::open_with(path, None, false)
    }

    /// The same, with a capture in the place of the manifest's driver.
    pub fn open_looking_at(path: &Path, look: Option<Look<'_>>) -> Result<Self, CommandError> {
        Self::open_with(path, look, false)
    }

    /// The same for whoever examines the ways to servers: one that cannot be opened hides no other.
    pub(super) fn open_to_examine(path: &Path) -> Result<Self, CommandError> {
        Self::open_with(path, None, true)
    }

    fn open_with(path: &Path, look: Option<Look<'_>>, examines: bool) -> Result<Self, CommandError> {
        let checked = Checked::open(path)?;
        let (manifest, base) = (checked.manifest.clone(), checked.base.clone());
        let (resolved, places) = checked.resolved()?;
        // A lab brings its CAs along, so it is opened before they are read.
        let driver = open_driver(&manifest, &base, look, examines)?;
        let (desired, chains) = brought::desired(resolved, &manifest, &base)?;
        // A capture is read where nothing else can be reached; what it does not show of them stays unseen.
        let acts = driver.acting().is_some();
        let balancers = if acts { open_balancers(&manifest, &base)? } else { Balancers::new() };
        let as_of = look.and_then(|look| look.at);
        let named = path.to_owned();
        let mut session = Self { desired, driver, balancers, manifest, places, base, named, as_of };
        if !examines {
            session.judge(&chains)?;
        }
        Ok(session)
    }

    /// The driver as one that acts, or the way to one.
    pub fn acting(&self) -> Result<&dyn Driver, CommandError> {
        self.driver.acting().ok_or_else(|| {
            CommandError::new(Exit::Error, "a capture cannot be changed")
                .detail("It shows how the servers were; there is nobody in it who could carry out a step.")
                .hint("apply where the servers can be reached, with a manifest whose `driver` reaches them")
                .hint("to see what would happen, try it on a lab: certwright plan --rehearse")
        })
    }

    /// Looks at the servers, and takes over into the manifest what it asks the organization for. A capture that is older
    /// than the manifest allows is refused.
    pub fn observe(&mut self) -> Result<Observed, CommandError> {
        let observed = self.look()?;
        if self.driver.is_snapshot() {
            check_age(&observed, self.desired.limits.capture_age, self.driver.now())?;
        }
        self.desired = self.desired.clone().with_names_of(&observed.organization);
        Ok(observed)
    }

    /// What another version of the manifest asks for.
    pub(super) fn desired_of(other: Checked) -> Result<Desired, CommandError> {
        let (manifest, base) = (other.manifest.clone(), other.base.clone());
        Ok(brought::desired(other.resolved()?.0, &manifest, &base)?.0)
    }

    /// Where the manifest contradicts what was observed: servers, connectors and bindings that are not there.
    pub fn contradictions(&self, observed: &Observed) -> Vec<Finding> {
        let listed = self.driver.listed_servers();
        let organization = &observed.organization;
        let found = checks::contradictions(&self.manifest, &self.desired, organization, listed.as_deref());
        self.places.located(found)
    }

    /// Looks at the servers, whatever the age of what is seen.
    pub fn look(&self) -> Result<Observed, CommandError> {
        self.look_for(&self.desired)
    }

    /// The same for what another version of the manifest asks for.
    pub(super) fn look_for(&self, desired: &Desired) -> Result<Observed, CommandError> {
        let _line = LiveLine::waiting("observing the servers");
        let mut observed = self.driver.observe(Wanted::Of(desired))?;
        not_before_the_capture(&observed, self.as_of)?;
        observed.organization.balancers.extend(balancer::observe(&self.balancers));
        if !self.driver.is_snapshot() {
            vantage::note(&mut observed, &self.driver, &from_here);
        }
        Ok(observed)
    }

    /// Takes from the journals of earlier runs what is to be known of certificates that may have been replaced: since when, and
    /// by whom.
    pub fn remember(&self, observed: &mut Observed, store: &Store) -> Result<(), CommandError> {
        // What a capture that was saved knows stays where no run was ever made.
        if self.driver.is_snapshot() && store.runs()?.is_empty() {
            return Ok(());
        }
        remember(&self.desired, observed, store, &[], self.driver.now())
    }

    /// Meets the endpoints of these servers or of all, and notes what those presented that have to be restarted before they serve
    /// another certificate. Tells what was wrong.
    pub(super) fn see_served(
        &self,
        observed: &mut Observed,
        servers: Option<&BTreeSet<ServerName>>,
    ) -> Vec<Row> {
        see_served(observed, &self.desired, servers, &self.driver, &Network::default())
    }

    /// Where requests are written and answers are found.
    pub fn requests(&self) -> RequestFiles {
        RequestFiles::new(&self.base)
    }

    /// Opens the CAs for issuing: their keys are read now, so that a wrong one is found before anything is changed.
    pub fn issuers(&self) -> Result<Issuers, CommandError> {
        authorities::issuers(&self.manifest, &self.base)
    }

    /// Has certificates replaced now, whatever their dates.
    pub(super) fn replace(&mut self, replace: &[Replaced], observed: &Observed) -> Result<(), CommandError> {
        let thumbprints = self.replaced(replace, observed)?;
        if !thumbprints.is_empty() {
            self.desired = self.desired.clone().with_compromised(&thumbprints);
        }
        Ok(())
    }

    /// The certificates that are to be replaced now.
    pub(super) fn replaced(
        &self,
        replace: &[Replaced],
        observed: &Observed,
    ) -> Result<Vec<Thumbprint>, CommandError> {
        if replace.is_empty() {
            return Ok(Vec::new());
        }
        targeting::compromised(replace, &self.desired, observed, self.driver.now())
    }

    /// Takes from a plan what somebody said when it was made: whoever carries it out, or goes on with it, need not say it again.
    pub(super) fn means(&mut self, plan: &Plan) {
        self.desired = self.desired.clone().with_compromised(&plan.compromised());
    }

    /// The password of backups, when the manifest says one.
    pub fn backup_password(&self) -> Result<Option<Secret>, CommandError> {
        let reference = self.manifest.backup.as_ref().and_then(|backup| backup.password.secret());
        reference.map(|secret| secrets::read(&secret, "the password of backups", &self.base)).transpose()
    }

    /// Where runs are kept: in a directory or in a bucket.
    pub fn store(&self, state: Option<&str>) -> Result<Store, CommandError> {
        open_store(&self.base, state)
    }

    /// Where the keys of runs are kept while they are on their way: with the runs, but never in a bucket.
    pub fn keys_directory(&self, store: &Store) -> PathBuf {
        store.directory().map_or_else(|| self.base.join(STATE), Path::to_owned)
    }
}

/// Where the runs of the manifest at this path are kept. The manifest itself is not read: what was done can be told when
/// it has mistakes by now, or is gone.
pub(super) fn store_of(manifest: &Path, state: Option<&str>) -> Result<Store, CommandError> {
    open_store(&files::base_directory(manifest), state)
}

fn open_store(base: &Path, state: Option<&str>) -> Result<Store, CommandError> {
    Ok(match state {
        Some(place) => Store::open(place)?,
        None => Store::new(base.join(STATE)),
    })
}

/// Takes from the journals in a store what is to be known of certificates that may have been replaced, and of restarts that are due,
/// beside those that are known to have been due before the first of these runs.
pub(super) fn remember(
    desired: &Desired,
    observed: &mut Observed,
    store: &Store,
    due_before: &[DueRestart],
    now: Timestamp,
) -> Result<(), CommandError> {
    let runs = store.runs()?;
    let mut search = Search::begin(desired, observed, now);
    for run in runs.iter().take(MOST_RUNS) {
        if search.is_over() {
            break;
        }
        if let Some(progress) = progress(store.read(run)?) {
            search.ask(run, &progress);
        }
    }
    observed.history = Some(search.into_history(due_before));
    Ok(())
}

/// How many runs are asked about what was replaced, at most: of certificates that are left, the newest says nearly all.
const MOST_RUNS: usize = 100;

fn open_driver(
    manifest: &Manifest,
    base: &Path,
    look: Option<Look<'_>>,
    examines: bool,
) -> Result<DriverHandle, CommandError> {
    let as_of = look.and_then(|look| look.at);
    if let Some(path) = look.and_then(|look| look.capture) {
        let _line = LiveLine::waiting("reading the capture");
        let spec = CaptureSpec::at_path(path.to_owned());
        return Ok(drivers::open_capture(&spec, Path::new(""), wall_clock(), as_of)?);
    }
    let secret = |reference: &SecretRef, what: &str| secrets::read(reference, what, base);
    // Others may ask for a password meanwhile, through the command that a secret names.
    let is_lab = matches!(manifest.driver, DriverSpec::Lab(_));
    let _line = is_lab.then(|| LiveLine::waiting("opening the lab"));
    drivers::open(&Opening { manifest, base, now: wall_clock(), as_of, examines, secret: &secret })
}

fn open_balancers(manifest: &Manifest, base: &Path) -> Result<Balancers, CommandError> {
    let mut opened = Balancers::new();
    for (name, spec) in &manifest.load_balancers {
        let balancer = match balancers::open(spec, base) {
            Some(balancer) => balancer,
            None => Box::new(drivers::open_lab(manifest, base, wall_clock())?.balancer(name)),
        };
        opened.insert(name.clone(), balancer);
    }
    Ok(opened)
}

/// The lab of the manifest at this path.
pub(super) fn lab_of(path: &Path) -> Result<Lab, CommandError> {
    let sources = files::manifest_sources(path)?;
    let (manifest, _) = yaml::manifest(&sources).map_err(CommandError::findings)?;
    let _line = LiveLine::waiting("opening the lab");
    Ok(drivers::open_lab(&manifest, &files::base_directory(path), wall_clock())?)
}

/// The machine's time. Read once for each command.
pub(super) fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Timestamp::from_unix(i64::try_from(since).unwrap_or(i64::MAX))
}

pub(super) const STATE: &str = ".certwright";

/// Who runs this command, for the journal and the lock.
pub(super) fn holder() -> Holder {
    let variable = |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok());
    Holder {
        user: variable(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(nameless),
        host: gethostname::gethostname().to_string_lossy().into_owned(),
        process: std::process::id(),
    }
}

/// Who runs this command where the environment does not say it, as in containers and services: by number, where Linux tells.
fn nameless() -> String {
    #[cfg(target_os = "linux")]
    if let Ok(own) = std::fs::metadata("/proc/self") {
        return format!("uid {}", std::os::unix::fs::MetadataExt::uid(&own));
    }
    "unknown".to_owned()
}
