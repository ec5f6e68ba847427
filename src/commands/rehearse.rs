//! `certwright plan --rehearse`: tonight's plan, carried out on a copy of the organization in a temporary place. The copy
//! has keys of its own, and so have the CAs that issue in it: no secret of the manifest is read, and nothing real changes.

use std::{fs, io::Write, path::Path};

use super::{
    brought::answers,
    error::{CommandError, Exit},
    files,
    prove::unsafe_plan,
    scratch_dir::Temporary,
    session::{Session, holder, remember},
    terminal::Terminal,
};
use crate::{
    apply::{
        executor,
        ports::Ports,
        rehearsal::{self, Rehearsal, RehearsalError, Stage},
        report::{Report, StepResult},
    },
    drivers::lab::Lab,
    issuers::{csr::RequestFiles, local_ca::LocalCa},
    journal::{RunFiles, Store},
    model::{
        action::{Action, Condition},
        bundle::Chains,
        day::Day,
        desired::{Answers, Desired, DesiredCertificate, Origin},
        dn::DistinguishedName,
        entry::Outcome,
        fact::Fact,
        history::{History, Takeover},
        names::BalancerName,
        organization::Observed,
        plan::{Plan, Step},
        service::Restartable,
        time::{Span, Timestamp},
        unfinished_run::UnfinishedRun,
    },
    pki::{keys::Keys, pem},
    plan::{
        Narrowing,
        lint::Unsafe,
        outlook::limit_of_public_cas,
        progress::{Progress, progress},
        recovery::Kept,
        takeovers,
    },
    ports::{
        artifacts::Artifacts,
        balancer::{self, Balancer, Balancers},
        driver::{Driver, Observer, Wanted},
        issuer::Issuers,
    },
    probe::Network,
    verify::{check::Check, peers::Peers, row::Row, run},
};

/// Rehearses a plan, and reports step by step what would have happened.
pub(super) fn rehearse(
    session: &Session,
    observed: &Observed,
    (planned, unfinished_run): (&Plan, Option<UnfinishedRun>),
    faults: Option<&Path>,
    format: &str,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let faults = faults.map_or(Ok(Vec::new()), files::read)?;
    let directory = Temporary::new(&|removed| {
        terminal.say(&format!(
            "{removed} copies of organizations that killed rehearsals left behind are removed"
        ));
    })?;
    let mut copy = Copy::open(directory, &session.desired, observed, &faults, session.driver.now())?;
    let narrowing = planned.only.as_ref().map(Narrowing::from).unwrap_or_default();
    let no_way_back = |problems: &[Unsafe]| unsafe_plan(problems).details.join(" ");
    let rehearsal = match rehearsal::rehearse(&mut copy, planned, &narrowing, &no_way_back) {
        Ok(rehearsal) => Rehearsal { unfinished_run, ..rehearsal },
        Err(RehearsalError::Unsafe(problems)) => return Err(unsafe_plan(&problems)),
        Err(RehearsalError::Stage(error)) => return Err(error),
    };
    terminal.show(|out| terminal.view(format).rehearsal(&rehearsal, out))?;
    let stopped = rehearsal.rounds.iter().any(|round| round.report.outcome == Outcome::Stopped);
    let bad = rehearsal.rows.iter().any(|row| !row.is_good());
    Ok(match (stopped, bad) {
        (true, _) => Exit::Stopped,
        (false, true) => Exit::VerificationFailed,
        (false, false) if !rehearsal.left.is_empty() => Exit::Waiting,
        (false, false) => Exit::Done,
    })
}

/// The temporary place: the copy, and the manifest with CAs that are there.
pub(super) struct Copy {
    directory: Temporary,
    desired: Desired,
    lab: Lab,
    balancers: Balancers,
    store: Store,
    requests: RequestFiles,
    /// What the journals say about the certificates of which these are copies.
    history: Option<History>,
    now: Timestamp,
    /// How long answers of CAs live: so long, or as long as those of public CAs may at the time.
    lifetime: Option<Span>,
}

impl Copy {
    pub(super) fn open(
        directory: Temporary,
        desired: &Desired,
        observed: &Observed,
        faults: &[u8],
        now: Timestamp,
    ) -> Result<Self, CommandError> {
        let place = directory.path().join("lab");
        let lab = Lab::copy(observed, &place, now)?;
        if !faults.is_empty() {
            // A list under `faults:`, as in any lab.
            let failed = |error: std::io::Error| {
                CommandError::new(Exit::Error, "the faults cannot be put into the copy").because(error)
            };
            let mut file =
                fs::OpenOptions::new().append(true).open(place.join("lab.yaml")).map_err(failed)?;
            file.write_all(faults).map_err(failed)?;
        }
        // An answer that is there belongs to the real request's key.
        let mut desired = desired.clone().with_answers(&Answers::new());
        desired.certificates.values_mut().for_each(made_anew);
        let balancer =
            |name: &BalancerName| -> (_, Box<dyn Balancer>) { (name.clone(), Box::new(lab.balancer(name))) };
        let balancers = desired.balancers.keys().map(balancer).collect();
        let store = Store::new(directory.path().join("runs"));
        let requests = RequestFiles::new(directory.path());
        let copied = lab.observe(Wanted::Of(&desired))?.organization;
        let of_copy = |history| takeovers::of_copy(history, &observed.organization, &copied);
        let history = observed.history.as_ref().map(of_copy);
        Ok(Self {
            directory,
            desired,
            lab,
            balancers,
            store,
            requests,
            history,
            now,
            lifetime: Some(Span::days(47)),
        })
    }

    /// The same, where answers live as long as public CAs may give at the time.
    pub(super) fn with_lifetimes_of_the_day(self) -> Self {
        Self { lifetime: None, ..self }
    }

    /// Moves the clock.
    pub(super) fn set_clock(&mut self, at: Timestamp) -> Result<(), CommandError> {
        self.lab.set_clock(at)?;
        self.now = at;
        Ok(())
    }

    /// Certificates that a run has issued, by their steps.
    fn kept(&self, run: &str, progress: &Progress) -> Result<Kept, CommandError> {
        let files = RunFiles::new(&self.store.resume(run)?, self.directory.path().to_owned(), None);
        let mut kept = Kept::new();
        for step in &progress.plan.steps {
            if matches!(step.action, Action::Issue { .. }) {
                let issued = files.issued(step.id).map_err(|error| {
                    CommandError::new(Exit::Error, "what the run has kept cannot be read").because(error)
                })?;
                kept.extend(issued.map(|bundle| (step.id, bundle.certificate)));
            }
        }
        Ok(kept)
    }

    /// CAs of the names of the real ones, with keys of their own.
    fn issuers(&self) -> Result<Issuers, CommandError> {
        let mut issuers = Issuers::new();
        for certificate in self.desired.certificates.values() {
            let name = &certificate.issuer;
            if let Origin::LocalCa { subject, lifetime } = &certificate.origin {
                let subject = subject.clone().unwrap_or_else(|| ca_called(name.as_str()));
                let authority = self.lab.authority_of(&subject)?;
                issuers.insert(
                    name.clone(),
                    Box::new(LocalCa::new(name.clone(), authority, *lifetime, Keys::Fresh)),
                );
            }
        }
        Ok(issuers)
    }

    /// The CA that answers a request: one called as the manifest's issuer.
    fn answers(&self, file: &str) -> DistinguishedName {
        let asks =
            self.desired.certificates.values().find(
                |certificate| matches!(&certificate.origin, Origin::Csr { file: own, .. } if own == file),
            );
        ca_called(asks.map_or("CA", |certificate| certificate.issuer.as_str()))
    }
}

impl Stage for Copy {
    type Error = CommandError;

    fn desired(&self) -> &Desired {
        &self.desired
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn apply(&mut self, plan: &Plan) -> Result<Report, CommandError> {
        let run = self.store.begin(self.now)?;
        let files = RunFiles::new(&run, self.directory.path().to_owned(), None);
        // A lab of its own for each run: faults that have struck are noted on its disk.
        let driver = Lab::open(self.lab.path(), self.now)?.into_driver();
        let ports = Ports {
            driver: driver.as_ref(),
            balancers: &self.balancers,
            issuers: &self.issuers()?,
            requests: &self.requests,
            journal: &run,
            artifacts: &files,
            prober: &Network::default(),
            // The keys of the copy are its own, and so are its CAs: nobody trusts them.
            roots: None,
            clock: &|| self.now,
            by: holder(),
            go_on: &|| Ok(()),
            pause: &|_| {},
        };
        Ok(executor::apply(plan, &self.desired, (&self.desired.limits).into(), &ports, &|_| {})?)
    }

    fn look(&self) -> Result<Observed, CommandError> {
        let mut observed = self.lab.observe(Wanted::Of(&self.desired))?;
        observed.organization.balancers = balancer::observe(&self.balancers);
        let Some(History { takeovers, issued, replaced, compromised, published, unexportable, restarts_due }) =
            &self.history
        else {
            return Ok(observed);
        };
        remember(&self.desired, &mut observed, &self.store, restarts_due, self.now)?;
        if let Some(own) = &mut observed.history {
            let known = |old: &&Takeover| own.takeover(&old.server, old.certificate).is_some();
            let earlier: Vec<Takeover> = takeovers.iter().filter(|old| !known(old)).cloned().collect();
            own.takeovers.extend(earlier);
            own.issued.extend(issued);
            own.replaced.extend(replaced);
            own.compromised.extend(compromised);
            own.published = own.published.or(*published);
            own.unexportable.extend(unexportable.iter().cloned());
        }
        Ok(observed)
    }

    /// Plays the CAs that people carry requests to, each with the lifetime that public CAs have from 2029 on.
    fn answer(&mut self) -> Result<Vec<String>, CommandError> {
        let open: Vec<(String, Vec<u8>)> = self
            .requests
            .open(self.desired.request_files())?
            .into_iter()
            .map(|(file, request)| (file.to_owned(), request))
            .collect();
        let mut answered = Vec::new();
        for (file, request) in open {
            let wrong = |error: pem::PemError| {
                CommandError::new(Exit::Error, format!("{file}.csr is no request for a certificate"))
                    .because(error)
            };
            let authority = self.lab.authority_of(&self.answers(&file))?;
            let der = pem::request(&request).map_err(wrong)?;
            let lifetime = self.lifetime.unwrap_or_else(|| limit_of_public_cas(self.now));
            let (from, to) = (self.now, self.now.plus(lifetime));
            let answer = authority.answer(&der, from, to).map_err(|error| {
                CommandError::new(Exit::Error, format!("{file}.csr cannot be answered")).because(error)
            })?;
            self.requests.put_answer(&file, &answer)?;
            answered.push(file);
        }
        let answers = answers(&self.requests, self.desired.request_files(), &mut Chains::new());
        self.desired = self.desired.clone().with_answers(&answers);
        Ok(answered)
    }

    /// Plays the people who do what certwright cannot. What they did, as the steps say it.
    fn play_people(&mut self, plan: &Plan, report: &Report) -> Result<Vec<String>, CommandError> {
        let mut done = Vec::new();
        let waits = |step: &&Step| matches!(report.steps.get(&step.id), Some(StepResult::Parked(_)));
        for step in plan.steps.iter().filter(waits) {
            let Action::Manual { task: what, until, .. } = &step.action else { continue };
            match until {
                Condition::HybridApplied {} => self.lab.run_hybrid_wizard()?,
                Condition::EdgeSubscribed { edge, .. } => self.lab.subscribe_edge(edge)?,
                Condition::EdgeAwaited { edge } => {
                    self.desired.subscribe_anew.insert(edge.clone(), Day::after(self.now, 0));
                }
                Condition::Served { server, .. } => {
                    for what in [Restartable::Transport, Restartable::MailboxTransport] {
                        self.lab.restart(server, what, &[])?;
                    }
                }
                Condition::OnlineTold { subject } => self.desired.told_subject = Some(subject.clone()),
                Condition::Answer { .. } | Condition::Moment { .. } | Condition::AuthTold { .. } => continue,
            }
            done.push(what.clone());
        }
        Ok(done)
    }

    fn meet(&self, checks: &[Check]) -> Vec<Row> {
        run::rows(checks, &Peers::new(&self.lab, &self.balancers), &Network::default())
    }

    fn recall(&self, run: &str) -> Result<Option<(Progress, Kept)>, CommandError> {
        let Some(progress) = progress(self.store.read(run)?) else { return Ok(None) };
        let kept = self.kept(run, &progress)?;
        Ok(Some((progress, kept)))
    }
}

/// A certificate of a PFX file is one of a CA in the copy, which has keys of its own.
fn made_anew(certificate: &mut DesiredCertificate) {
    let Origin::Pfx { holds: Fact::Known(held), .. } = &certificate.origin else { return };
    let (subject, issuer) = (held.subject.clone(), held.issuer.clone());
    let lifetime = held.not_after.since(held.not_before);
    certificate.subject = subject;
    certificate.origin = Origin::LocalCa { subject: Some(issuer), lifetime };
}

fn ca_called(name: &str) -> DistinguishedName {
    DistinguishedName::common_name_only(&format!("{name}, rehearsed"))
}
