//! What became of the steps of a run that died: decided by looking at the organization, never by guessing.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::progress::{Progress, StepRecord, StepState, certificate_of};
use crate::{
    exchange::{edge, hybrid, simulation::SimulatedOrganization},
    model::{
        action::{Action, CertRef, CertificateRequest, Condition, Recovery, ServiceGroup, StepId},
        certificate::Certificate,
        entry::StepOutput,
        fact::Fact,
        fact_key::{FactKey, ServerPart},
        names::ServerName,
        organization::Observed,
        plan::{Plan, Step},
        server::{PendingRequest, Server, StoredCertificate},
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// Certificates that are there and on no server yet, by the step that they come from: those that were issued and are kept
/// with their keys, and those with which a CA has answered in the meantime.
pub type Kept = BTreeMap<StepId, Certificate>;

/// How far a run is, as its journal and the organization together tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The steps that need not be done again, with what they have left.
    pub done: BTreeMap<StepId, StepOutput>,
    /// Those of them that nobody saw end and that turn out to be done.
    pub found: BTreeMap<StepId, StepOutput>,
    /// Steps that were done in part.
    pub begun: BTreeMap<StepId, Begun>,
    /// Steps that were begun once and are done again: services that they stop may stand still.
    pub again: BTreeSet<StepId>,
    /// Those that may have left a server drained.
    pub left_drained: BTreeSet<StepId>,
}

/// What a step has done before it was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The certificate is there; its services may not be enabled.
    Stored(StepOutput),
    /// A request is there whose file was never written: its answer could not be asked for.
    Orphan(Thumbprint),
    /// The certificate is gone; the services that stood still for it may do so still.
    Removed,
}

/// A step of which the organization does not show whether it was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("whether {step:?} was done cannot be seen: {why}")]
pub struct Unsettled {
    /// The step.
    pub step: StepId,
    /// Why not.
    pub why: String,
}

/// Decides about every step whose end nobody saw, about every one that failed, and about those that waited.
pub fn settle(
    progress: &Progress,
    observed: &Observed,
    kept: &Kept,
    now: Timestamp,
) -> Result<Settled, Unsettled> {
    let mut settled = Settled { done: progress.done(), ..Settled::default() };
    let waits = |record: &StepRecord| matches!(record.state, StepState::Parked(_));
    let waiting = progress.steps.iter().filter(|(_, record)| waits(record)).map(|(step, _)| *step);
    let in_doubt: BTreeSet<StepId> = progress.in_doubt().into_iter().chain(waiting).collect();
    let world = SimulatedOrganization::new(observed.organization.clone(), now);
    let mut made: BTreeSet<Thumbprint> = settled.done.values().filter_map(certificate_of).collect();
    for step in progress.plan.steps.iter().filter(|step| in_doubt.contains(&step.id)) {
        let look = Look { progress, settled: &settled, made: &made, world: &world, kept };
        match look.at(step)? {
            Seen::Nothing => {}
            Seen::Done(output) => {
                made.extend(certificate_of(&output));
                settled.done.insert(step.id, output.clone());
                settled.found.insert(step.id, output);
            }
            Seen::Begun(begun) => drop(settled.begun.insert(step.id, begun)),
        }
    }
    settled.again = progress.in_doubt().into_iter().filter(|step| !settled.done.contains_key(step)).collect();
    settled.left_drained = progress.may_have_left_drained();
    repeat_restarts(&mut settled, progress);
    forget_evidence(&mut settled, &progress.plan);
    Ok(settled)
}

/// Where endpoints did not serve what they should, the services before them are restarted once more: a restart that was
/// reported and did not happen looks just like that.
fn repeat_restarts(settled: &mut Settled, progress: &Progress) {
    let mut failed: BTreeSet<&ServerName> = BTreeSet::new();
    // From the last step on, so that a verification is met before the restarts that it is about.
    for step in progress.plan.steps.iter().rev() {
        let state = || progress.steps.get(&step.id).map(|record| &record.state);
        match &step.action {
            Action::Verify { server, .. }
                if matches!(state(), Some(StepState::Failed(_) | StepState::Unknown(_))) =>
            {
                failed.insert(server);
            }
            Action::Restart { server, .. } if failed.contains(server) => drop(settled.done.remove(&step.id)),
            _ => {}
        }
    }
}

/// Evidence does not outlive the process that gathered it: before a removal that is still to come, its server is
/// verified again, and the gates behind that verification are closed until then.
fn forget_evidence(settled: &mut Settled, plan: &Plan) {
    let mut removals: BTreeSet<&ServerName> = plan
        .steps
        .iter()
        .filter(|step| !settled.done.contains_key(&step.id))
        .flat_map(|step| step.action.removals())
        .map(|(server, _)| server)
        .collect();
    for step in plan.steps.iter().rev() {
        if let Action::Verify { server, .. } = &step.action
            && removals.contains(server)
            && settled.done.remove(&step.id).is_some()
        {
            removals.remove(server);
        }
    }
    for step in plan.steps.iter().filter(|step| matches!(step.action, Action::Gate { .. })) {
        if step.after.iter().any(|after| !settled.done.contains_key(after)) {
            settled.done.remove(&step.id);
        }
    }
}

impl Settled {
    /// The certificate that a step has made, in whole or in part.
    pub fn made(&self, step: StepId) -> Option<Thumbprint> {
        let begun = || match self.begun.get(&step)? {
            Begun::Stored(output) => certificate_of(output),
            Begun::Orphan(_) | Begun::Removed => None,
        };
        self.done.get(&step).and_then(certificate_of).or_else(begun)
    }

    /// The plan, naming certificates that are there by their thumbprints.
    pub(super) fn naming_what_is_there<'a>(&self, plan: &'a Plan) -> Cow<'a, Plan> {
        if self.done.is_empty() && self.begun.is_empty() {
            return Cow::Borrowed(plan);
        }
        let mut named = plan.clone();
        for step in &mut named.steps {
            step.action = step.action.with_known(&|step| self.made(step));
        }
        Cow::Owned(named)
    }

    /// What is left to do of a step, naming certificates that are there by their thumbprints.
    pub(super) fn rest_of(&self, step: &Step) -> Vec<Action> {
        let action = step.action.with_known(&|step| self.made(step));
        let Some(server) = action.server().cloned() else { return vec![action] };
        match (self.begun.get(&step.id), action) {
            (None, action) => vec![action],
            (Some(Begun::Removed), Action::Remove { while_stopped, .. }) => {
                let start = |group: ServiceGroup| Action::Restart {
                    server: server.clone(),
                    service: group.service,
                    services: group.services,
                    unless_served: Vec::new(),
                    drain: None,
                };
                while_stopped.into_iter().map(start).collect()
            }
            (Some(Begun::Removed), _) => Vec::new(),
            (Some(Begun::Orphan(request)), action) => {
                vec![Action::RemoveRequest { server, request: CertRef::Known(*request) }, action]
            }
            (Some(Begun::Stored(output)), mut action) => {
                let services = action.enabling().map(|(_, services, answer)| (services.clone(), *answer));
                match (services, certificate_of(output)) {
                    (Some((services, default_smtp)), Some(thumbprint)) if !services.is_empty() => {
                        let certificate = CertRef::Known(thumbprint);
                        vec![Action::Bind { server, certificate, services, default_smtp }]
                    }
                    _ => Vec::new(),
                }
            }
        }
    }
}

/// What can be seen of a step.
enum Seen {
    Nothing,
    Done(StepOutput),
    Begun(Begun),
}

struct Look<'a> {
    progress: &'a Progress,
    settled: &'a Settled,
    /// Every certificate that steps of the run have made.
    made: &'a BTreeSet<Thumbprint>,
    world: &'a SimulatedOrganization,
    kept: &'a Kept,
}

impl Look<'_> {
    fn at(&self, step: &Step) -> Result<Seen, Unsettled> {
        let action = step.action.with_known(&|step| self.settled.made(step));
        let organization = &self.world.organization;
        match action.facts().recovery {
            Recovery::Condition(Condition::EdgeSubscribed { edge, before })
                if edge::is_trusted(organization, edge, *before) =>
            {
                Ok(Seen::Done(StepOutput::Done))
            }
            Recovery::Condition(Condition::HybridApplied {}) if hybrid::is_applied(organization) => {
                Ok(Seen::Done(StepOutput::Done))
            }
            Recovery::Kept | Recovery::Condition(_) => {
                Ok(self.kept.get(&step.id).map_or(Seen::Nothing, |kept| Seen::Done(output_of(kept))))
            }
            Recovery::NewCertificate(server, request) => {
                let made = self.new_certificate(step.id, server, request)?;
                Ok(made.map_or(Seen::Nothing, |stored| Seen::Begun(Begun::Stored(stored))))
            }
            Recovery::NewRequest(server, request) => {
                let orphan = self.new_request(step.id, server, request)?;
                Ok(orphan.map_or(Seen::Nothing, |request| Seen::Begun(Begun::Orphan(request))))
            }
            Recovery::InStore(server, certificate, enable) => {
                self.store(step.id, server)?;
                let thumbprint = self.world.thumbprint(certificate);
                let found = self.server(step.id, server)?.certificate(thumbprint);
                let Some(stored) = found else { return Ok(Seen::Nothing) };
                let output = output_of(&stored.certificate);
                Ok(if enable.is_empty() { Seen::Done(output) } else { Seen::Begun(Begun::Stored(output)) })
            }
            Recovery::NotInStore(server, while_stopped) => {
                self.store(step.id, server)?;
                Ok(match self.held(&action) {
                    Seen::Done(_) if !while_stopped.is_empty() => Seen::Begun(Begun::Removed),
                    seen => seen,
                })
            }
            Recovery::Requests(server) => {
                self.requests(step.id, server)?;
                Ok(self.held(&action))
            }
            Recovery::AuthConfiguration => match &organization.auth {
                Fact::Known(_) => Ok(self.held(&action)),
                Fact::Unknown(why) => {
                    let why = format!("the Auth configuration is unknown: {}", why.why);
                    Err(Unsettled { step: step.id, why })
                }
            },
            Recovery::LoadBalancer => Ok(self.held(&action)),
            Recovery::Repeat | Recovery::Impossible => Ok(Seen::Nothing),
        }
    }

    fn held(&self, action: &Action) -> Seen {
        if self.world.holds(action) { Seen::Done(StepOutput::Done) } else { Seen::Nothing }
    }

    /// The certificate that the server made for this step: it is as was asked, was not there before the run, and no other
    /// step has made it.
    fn new_certificate(
        &self,
        step: StepId,
        server: &ServerName,
        request: &CertificateRequest,
    ) -> Result<Option<StepOutput>, Unsettled> {
        let new = |stored: &&StoredCertificate| {
            let certificate = &stored.certificate;
            is_as_asked(certificate, request)
                && certificate.is_self_signed()
                && self.is_new(server, ServerPart::Certificate(certificate.thumbprint), certificate)
        };
        let found = self.store(step, server)?.into_iter().filter(new);
        let mut outputs = found.map(|stored| output_of(&stored.certificate));
        let first = outputs.next();
        if outputs.next().is_some() {
            let why = format!("{server} has several new certificates that it could have made");
            return Err(Unsettled { step, why });
        }
        Ok(first)
    }

    /// The request that the server made for this step. Its file is written after it, so it may have none; then nobody
    /// can answer it, and it has to go.
    fn new_request(
        &self,
        step: StepId,
        server: &ServerName,
        request: &CertificateRequest,
    ) -> Result<Option<Thumbprint>, Unsettled> {
        let new = |pending: &&PendingRequest| {
            let certificate = &pending.certificate;
            is_as_asked(certificate, request)
                && self.is_new(server, ServerPart::Request(certificate.thumbprint), certificate)
        };
        let found = self.requests(step, server)?.iter().find(new);
        Ok(found.map(|pending| pending.certificate.thumbprint))
    }

    /// Whether the plan's basis did not know it and no other step has made it: a certificate is never issued twice, and
    /// one that was there before is never taken for the work of a step.
    fn is_new(&self, server: &ServerName, part: ServerPart, certificate: &Certificate) -> bool {
        let fact = FactKey::Server(server.clone(), part);
        !self.progress.plan.basis.facts.contains_key(&fact) && !self.made.contains(&certificate.thumbprint)
    }

    fn store(&self, step: StepId, name: &ServerName) -> Result<Vec<&StoredCertificate>, Unsettled> {
        let certificates = &self.server(step, name)?.certificates;
        match certificates.known() {
            Some(store) => Ok(store.0.values().collect()),
            None => Err(unseen(step, name, certificates.why_unknown())),
        }
    }

    fn requests(&self, step: StepId, name: &ServerName) -> Result<&[PendingRequest], Unsettled> {
        let requests = &self.server(step, name)?.requests;
        requests.known().map(AsRef::as_ref).ok_or_else(|| unseen(step, name, requests.why_unknown()))
    }

    fn server(&self, step: StepId, name: &ServerName) -> Result<&Server, Unsettled> {
        self.world.organization.servers.get(name).ok_or_else(|| unseen(step, name, None))
    }
}

fn unseen(step: StepId, server: &ServerName, why: Option<&str>) -> Unsettled {
    Unsettled { step, why: format!("{server} {}", why.unwrap_or("was not observed")) }
}

fn is_as_asked(certificate: &Certificate, request: &CertificateRequest) -> bool {
    let names = |names: &[crate::model::names::DnsName]| names.iter().cloned().collect::<BTreeSet<_>>();
    certificate.subject == request.subject && names(&certificate.names) == names(&request.names)
}

fn output_of(certificate: &Certificate) -> StepOutput {
    StepOutput::Certificate {
        thumbprint: certificate.thumbprint,
        not_after: certificate.not_after,
        key_from: None,
    }
}
