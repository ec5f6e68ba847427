//! What the journals of earlier runs say about certificates that may have been replaced. Runs are asked from the newest to
//! the oldest, and only until they have told enough: plans say of each certificate that they leave why they do.

mod changed;

use std::collections::{BTreeMap, BTreeSet};

use self::changed::Changed;
use super::{
    Supply, plan_certificate,
    progress::{Progress, StepState, certificate_of},
    restarts_due,
};
use crate::{
    exchange::{builtin, simulation::SimulatedOrganization},
    model::{
        action::{Action, BundleSource, CertRef},
        desired::{CertificateId, Desired},
        entry::{OtherSource, StepOutput},
        failure::FailureCode,
        history::{DueRestart, History, Published, Takeover, UnexportableKey},
        names::ServerName,
        organization::{Observed, Organization},
        plan::{LeftBecause, Plan, Step},
        policy::Retire,
        server::StoredCertificate,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// A search in the journals of runs.
#[derive(Debug)]
pub struct Search<'a> {
    /// The certificates of which no run has told yet.
    open: BTreeSet<(ServerName, Thumbprint)>,
    /// All that were asked for.
    wanted: BTreeSet<Thumbprint>,
    /// The present Auth certificate, when the one before it is still accepted and no run has told since when.
    auth: Option<Thumbprint>,
    /// Certificates that are to be copied from a server, while no run has told of it.
    copied: BTreeSet<(ServerName, Thumbprint)>,
    /// What newer runs have rolled back: runs by their names, with where something was given back.
    undone: BTreeMap<String, Changed>,
    /// Restarts that runs owe.
    due: restarts_due::Search<'a>,
    found: History,
}

impl<'a> Search<'a> {
    /// The search for what may have been replaced on the servers of a manifest: what has a name of a certificate of the
    /// manifest, is of its kind, and does not stand for it.
    pub fn begin(desired: &Desired, observed: &'a Observed, now: Timestamp) -> Self {
        let (mut open, mut copied) = (BTreeSet::new(), BTreeSet::new());
        for (id, certificate) in &desired.certificates {
            let decision = plan_certificate(id, desired, observed, now);
            if let Some(Supply::Have { thumbprint, missing, from: Some(from) }) =
                decision.as_ref().map(|decision| &decision.supply)
                && (!missing.is_empty() || certificate.servers.len() > 1)
            {
                copied.insert((from.clone(), *thumbprint));
            }
            if certificate.retire == Retire::Never {
                continue;
            }
            let standing = decision.and_then(|decision| decision.standing());
            for name in &certificate.servers {
                let server = observed.organization.servers.get(name);
                let store = server.and_then(|server| server.certificates.known());
                let replaced = store.into_iter().flat_map(|store| store.0.values()).filter(|stored| {
                    let facts = &stored.certificate;
                    Some(facts.thumbprint) != standing
                        && facts.is_self_signed() == certificate.origin.is_self_signed()
                        && certificate.names.iter().any(|name| facts.covers(name))
                        && builtin::recognise(facts).is_none()
                });
                open.extend(replaced.map(|stored| (name.clone(), stored.certificate.thumbprint)));
            }
        }
        let wanted = open.iter().map(|(_, thumbprint)| *thumbprint).collect();
        let auth = desired.auth.as_ref().and(observed.organization.auth.known()).and_then(Option::as_ref);
        let auth = auth.filter(|config| config.previous.is_some()).and_then(|config| config.current);
        let due = restarts_due::Search::begin(desired, observed, now);
        Self { open, wanted, auth, copied, undone: BTreeMap::new(), due, found: History::default() }
    }

    /// Whether older runs can tell nothing more.
    pub fn is_over(&self) -> bool {
        self.open.is_empty() && self.auth.is_none() && self.copied.is_empty() && self.due.is_over()
    }

    /// Asks a run, which has this name; newer ones were asked before.
    #[expect(clippy::too_many_lines, reason = "an arm for each reason why a certificate stays")]
    pub fn ask(&mut self, name: &str, run: &Progress) {
        self.due.ask(name, run);
        self.ask_of_issued(run);
        self.ask_of_auth(run);
        self.ask_of_copies(run);
        // What a run has made was copied by no older one.
        let done = run.done();
        let made = run.plan.steps.iter().filter(|step| match &step.action {
            Action::Import { from, .. } => !matches!(from, BundleSource::Server(_)),
            Action::Create { .. } | Action::Complete { .. } => true,
            _ => false,
        });
        let made = made.filter_map(|step| certificate_of(done.get(&step.id)?));
        let made: BTreeSet<Thumbprint> = made.collect();
        self.copied.retain(|(_, copied)| !made.contains(copied));
        let undone = self.undone.remove(name).unwrap_or_default();
        let mut changed = Changed::by(run);
        if let Some(rolled_back) = &run.plan.rolls_back {
            changed.leave_out(&undone);
            self.undone.insert(rolled_back.clone(), changed);
            return;
        }
        self.found
            .compromised
            .extend(run.plan.compromised().into_iter().filter(|own| self.wanted.contains(own)));
        let verified = verified(run);
        for left in run.plan.left_alone.iter().filter(|left| !undone.holds(&left.server)) {
            let proved = verified.get(&left.server).copied();
            // What a run only repeats may have been rolled back since; where it neither changed nor met anything, it has
            // replaced nothing: older ones tell.
            let did_nothing = proved.is_none() && !changed.holds(&left.server);
            let did_nothing_for = |id: &CertificateId| proved.is_none() && !changed.brought(&left.server, id);
            let left_to_older = match &left.why {
                LeftBecause::Until { .. } | LeftBecause::OverLimit { since: Some(_), .. } => {
                    self.undone.values().any(|undone| undone.holds(&left.server))
                }
                LeftBecause::UntilProved { by: id, .. }
                | LeftBecause::OverLimit { since: None, of: id, .. }
                | LeftBecause::NamedWithSuccessor { of: id, .. }
                | LeftBecause::Unproved { of: id, .. } => did_nothing_for(id),
                LeftBecause::RetireNever
                | LeftBecause::StillUsed { .. }
                | LeftBecause::WithoutKey
                | LeftBecause::MayBeProtected { .. }
                | LeftBecause::UseUnknown { .. }
                | LeftBecause::LookAlike { .. }
                | LeftBecause::UsedElsewhere { .. }
                | LeftBecause::Unmanaged
                | LeftBecause::Protected { .. } => did_nothing,
            };
            if left_to_older {
                continue;
            }
            match &left.why {
                LeftBecause::UntilProved { by, .. } => {
                    self.tell(&left.server, left.certificate, Some(by), proved);
                }
                LeftBecause::Until { since: Some(since), by: Some(by), .. } => {
                    self.tell(&left.server, left.certificate, Some(by), Some(*since));
                }
                LeftBecause::NamedWithSuccessor { of, compromised, .. } => {
                    if *compromised {
                        self.found.compromised.insert(left.certificate);
                    }
                    self.tell(&left.server, left.certificate, Some(of), proved);
                }
                LeftBecause::OverLimit { of, since, .. } => {
                    self.tell(&left.server, left.certificate, Some(of), since.or(proved));
                }
                // Where the server was not met, nothing has changed there: an older run tells since when.
                LeftBecause::Unproved { of, .. } => {
                    if self.wanted.contains(&left.certificate) {
                        self.found.replaced.insert(left.certificate);
                    }
                    if proved.is_some() {
                        self.tell(&left.server, left.certificate, Some(of), proved);
                    }
                }
                // Written before take-overs were: it proves nothing.
                LeftBecause::Until { .. } => {}
                // The run knew it for a predecessor, and looked no further.
                LeftBecause::RetireNever
                | LeftBecause::StillUsed { .. }
                | LeftBecause::WithoutKey
                | LeftBecause::MayBeProtected { .. }
                | LeftBecause::UseUnknown { .. } => {
                    if self.wanted.contains(&left.certificate) {
                        self.found.replaced.insert(left.certificate);
                    }
                    self.tell(&left.server, left.certificate, None, None);
                }
                LeftBecause::LookAlike { .. }
                | LeftBecause::UsedElsewhere { .. }
                | LeftBecause::Unmanaged
                | LeftBecause::Protected { .. } => {
                    self.tell(&left.server, left.certificate, None, None);
                }
            }
        }
        // What was to be removed and is still there: the run did not come so far.
        for step in &run.plan.steps {
            let Some(id) = &step.certificate else { continue };
            for (server, certificate) in step.action.removals() {
                let proved = verified.get(server).copied();
                let has_replaced = !undone.holds(server) && changed.brought(server, id);
                if let (CertRef::Known(thumbprint), true) = (certificate, has_replaced) {
                    self.tell(server, thumbprint, Some(id), proved);
                }
            }
        }
    }

    /// What a run has issued, created or imported.
    fn ask_of_issued(&mut self, run: &Progress) {
        // What a way back brings again was there before, and so was what was taken away to take services off it.
        if run.plan.rolls_back.is_none() {
            let again = |step: &Step| {
                matches!(&step.action, Action::Import { from: BundleSource::Backup { .. }, .. })
            };
            let done = run.done();
            let brought = run.plan.steps.iter().filter(|step| !again(step));
            let brought = brought.filter_map(|step| certificate_of(done.get(&step.id)?));
            self.found.issued.extend(brought.filter(|made| self.wanted.contains(made)));
        }
    }

    /// When a run has published the present Auth certificate; or else, from when on it has told Exchange to.
    fn ask_of_auth(&mut self, run: &Progress) {
        let Some(current) = self.auth else { return };
        let done = run.done();
        let ended = |step: &Step| run.steps.get(&step.id).and_then(|record| record.ended);
        let is_current = |certificate: CertRef| match certificate {
            CertRef::Known(thumbprint) => thumbprint == current,
            CertRef::FromStep(made) => done.get(&made).and_then(certificate_of) == Some(current),
        };
        let mut at = None;
        for step in run.plan.steps.iter().filter(|step| done.contains_key(&step.id)) {
            match step.action {
                Action::StageAuth { certificate, effective } if is_current(certificate) => {
                    at = effective.or_else(|| ended(step));
                }
                Action::PublishAuth { certificate } if is_current(certificate) => at = ended(step).or(at),
                _ => {}
            }
        }
        if let Some(at) = at {
            self.auth = None;
            self.found.published = Some(Published { certificate: current, at });
        }
    }

    /// Whether a key that others have too, or are to have, was copied by this run, or could not be.
    fn ask_of_copies(&mut self, run: &Progress) {
        for step in &run.plan.steps {
            let Action::Import {
                certificate: CertRef::Known(thumbprint),
                from: BundleSource::Server(from),
                ..
            } = &step.action
            else {
                continue;
            };
            let key = (from.clone(), *thumbprint);
            let Some(record) = run.steps.get(&step.id).filter(|_| self.copied.contains(&key)) else {
                continue;
            };
            let is_refused = match &record.state {
                StepState::Done(StepOutput::Certificate {
                    key_from: Some(OtherSource { refused, .. }),
                    ..
                }) => *refused,
                StepState::Done(_) | StepState::Found(_) => false,
                StepState::Failed(failure) if failure.code == Some(FailureCode::KeyNotExported) => true,
                StepState::Failed(_) | StepState::Parked(_) | StepState::Unknown(_) => continue,
            };
            self.copied.remove(&key);
            let at = record.ended.or(record.started).filter(|_| is_refused);
            let (server, certificate) = key;
            self.found.unexportable.extend(at.map(|at| UnexportableKey { server, certificate, at }));
        }
    }

    /// What was found. What was known before of restarts that are due stays where no run has done them.
    pub fn into_history(mut self, due_before: &[DueRestart]) -> History {
        self.found.restarts_due = self.due.into_due(due_before);
        self.found
    }

    fn tell(
        &mut self,
        server: &ServerName,
        certificate: Thumbprint,
        by: Option<&CertificateId>,
        at: Option<Timestamp>,
    ) {
        if !self.open.remove(&(server.clone(), certificate)) {
            return;
        }
        let takeover = by.map(|by| Takeover { server: server.clone(), certificate, by: by.clone(), at });
        self.found.takeovers.extend(takeover);
    }
}

/// When each server was verified last.
fn verified(run: &Progress) -> BTreeMap<ServerName, Timestamp> {
    let done = run.done();
    let mut verified: BTreeMap<ServerName, Timestamp> = BTreeMap::new();
    for step in run.plan.steps.iter().filter(|step| done.contains_key(&step.id)) {
        let ended = run.steps.get(&step.id).and_then(|record| record.ended);
        if let (Action::Verify { server, .. }, Some(ended)) = (&step.action, ended) {
            let last = verified.entry(server.clone()).or_insert(ended);
            *last = ended.max(*last);
        }
    }
    verified
}

/// The history after a plan was carried out at this time.
pub(super) fn after(
    plan: &Plan,
    world: &SimulatedOrganization,
    before: Option<&History>,
    now: Timestamp,
) -> Option<History> {
    let mut history = before?.clone();
    let proved = plan.left_alone.iter().filter(|left| matches!(left.why, LeftBecause::UntilProved { .. }));
    let proved: BTreeSet<_> = proved.map(|left| (&left.server, left.certificate)).collect();
    history.takeovers.retain(|old| !proved.contains(&(&old.server, old.certificate)));
    for left in &plan.left_alone {
        if let LeftBecause::UntilProved { by, .. } = &left.why {
            history.takeovers.push(Takeover {
                server: left.server.clone(),
                certificate: left.certificate,
                by: by.clone(),
                at: Some(now),
            });
        }
    }
    let published = plan.steps.iter().rev().find_map(|step| match step.action {
        Action::PublishAuth { certificate } => Some(certificate),
        _ => None,
    });
    if let Some(certificate) = published {
        history.published = Some(Published { certificate: world.thumbprint(certificate), at: now });
    }
    restarts_due::after(plan.steps.iter(), &mut history.restarts_due);
    Some(history)
}

/// What is known of an organization's certificates, said of those of its copy, which have other thumbprints: they are found by
/// their subjects and dates.
pub fn of_copy(history: &History, original: &Organization, copy: &Organization) -> History {
    let find = |server: &ServerName, certificate: Thumbprint| {
        let old = &original.servers.get(server)?.certificate(certificate)?.certificate;
        let store = &copy.servers.get(server)?.certificates.known()?.0;
        let is_copy = |new: &&StoredCertificate| {
            let new = &new.certificate;
            (&new.subject, &new.names, new.not_before, new.not_after)
                == (&old.subject, &old.names, old.not_before, old.not_after)
        };
        store.values().find(is_copy).map(|stored| stored.certificate.thumbprint)
    };
    let takeovers = history.takeovers.iter().filter_map(|takeover| {
        let certificate = find(&takeover.server, takeover.certificate)?;
        Some(Takeover { certificate, ..takeover.clone() })
    });
    let copies = |known: &BTreeSet<Thumbprint>| {
        let of_server =
            |server| known.iter().filter_map(|certificate| find(server, *certificate)).collect::<Vec<_>>();
        original.servers.keys().flat_map(of_server).collect()
    };
    History {
        takeovers: takeovers.collect(),
        issued: copies(&history.issued),
        replaced: copies(&history.replaced),
        compromised: copies(&history.compromised),
        published: history.published.and_then(|published| {
            let certificate =
                original.servers.keys().find_map(|server| find(server, published.certificate))?;
            Some(Published { certificate, ..published })
        }),
        unexportable: history
            .unexportable
            .iter()
            .filter_map(|key| {
                let certificate = find(&key.server, key.certificate)?;
                Some(UnexportableKey { certificate, ..key.clone() })
            })
            .collect(),
        restarts_due: history.restarts_due.clone(),
    }
}
