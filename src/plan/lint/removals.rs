//! Laws about removals: only what is certwright's goes, and not before its grace time is over.

use std::collections::{BTreeMap, BTreeSet};

use super::law::Unsafe;
use crate::{
    exchange::{named, simulation::SimulatedOrganization},
    model::{
        action::{Action, CertRef, StepId},
        certificate::Certificate,
        desired::{CertificateId, Desired, DesiredCertificate},
        history::History,
        names::{ConnectorName, ServerName},
        organization::Observed,
        plan::{Plan, Step},
        policy::{Retire, WhereUnproved},
        service::Restartable,
        thumbprint::Thumbprint,
        time::{Span, Timestamp},
        unmet::{Unmet, UnmetPlace},
    },
    plan::{
        decide, expect, lineage,
        predecessors::{Predecessors, was_used},
        restarts_due,
        unnamed::unnamed,
    },
};

/// What tells whether a certificate may go, as it was before the plan.
pub(super) struct Removals<'a> {
    plan: &'a Plan,
    desired: &'a Desired,
    observed: &'a Observed,
    predecessors: Predecessors<'a>,
    /// The last import of each certificate that is known when the plan is made.
    imports: BTreeMap<(&'a ServerName, Thumbprint), StepId>,
    /// What stands for each certificate of the manifest when its first predecessor goes.
    successors: BTreeMap<CertificateId, Option<Certificate>>,
    /// The send connectors of each source server.
    senders: BTreeMap<ServerName, Vec<ConnectorName>>,
    /// What earlier runs have left to restart.
    restarts: BTreeSet<(ServerName, Restartable)>,
    now: Timestamp,
}

impl<'a> Removals<'a> {
    pub(super) fn of(plan: &'a Plan, desired: &'a Desired, observed: &'a Observed, now: Timestamp) -> Self {
        let predecessors = Predecessors::of(desired, observed, now);
        let imports = plan.steps.iter().filter_map(|step| match &step.action {
            Action::Import { server, certificate: CertRef::Known(thumbprint), .. } => {
                Some(((server, *thumbprint), step.id))
            }
            _ => None,
        });
        let imports = imports.collect();
        let senders = named::by_server(&observed.organization);
        let restarts = restarts_due::left(desired, observed);
        let successors = BTreeMap::new();
        Self { plan, desired, observed, predecessors, imports, successors, senders, restarts, now }
    }

    /// What is wrong with a step's removal, in the organization as it is before the step.
    pub(super) fn check(
        &mut self,
        world: &SimulatedOrganization,
        step: &Step,
        action: &Action,
    ) -> Vec<Unsafe> {
        let known = action.removals().into_iter().filter_map(|(server, certificate)| match certificate {
            CertRef::Known(thumbprint) => Some((server, thumbprint)),
            CertRef::FromStep(_) => None,
        });
        let problems =
            known.flat_map(|(server, thumbprint)| self.check_one(world, step, server, thumbprint)).collect();
        for settled in restarts_due::settled_by(action) {
            self.restarts.remove(&settled);
        }
        problems
    }

    fn check_one(
        &mut self,
        world: &SimulatedOrganization,
        step: &Step,
        server: &ServerName,
        thumbprint: Thumbprint,
    ) -> Vec<Unsafe> {
        let id = self.declared_for(step, server, thumbprint);
        let id = id.as_ref();
        let declared = id.and_then(|id| self.desired.certificates.get(id));
        // The way back takes away what the run has brought; services come off a certificate by removing it for a moment; and
        // the Auth certificate has laws of its own.
        if self.plan.rolls_back.is_some()
            || self.comes_back(step, server, thumbprint)
            || (declared.is_none() && self.is_of_auth(id))
        {
            return Vec::new();
        }
        let Some(stored) = world.organization.servers.get(server).and_then(|own| own.certificate(thumbprint))
        else {
            return Vec::new();
        };
        let settled = restarts_due::settled_by(&step.action);
        if let Some((_, service)) = due_on(&self.restarts, server).find(|due| !settled.contains(due)) {
            let (server, service) = (server.clone(), *service);
            return vec![Unsafe::RestartLeft { step: step.id, server, service }];
        }
        if lineage::may_be_protected(&self.desired.protect, stored) {
            return vec![Unsafe::Protected(step.id)];
        }
        let owned = declared.is_some_and(|declared| {
            let successor = self.successor(declared, world);
            successor.is_some_and(|successor| self.predecessors.owns(declared, server, stored, &successor))
        });
        if !owned {
            return vec![Unsafe::NotOwned { step: step.id, server: server.clone(), certificate: thumbprint }];
        }
        let Some(Retire::When(when)) = declared.map(|declared| &declared.retire) else {
            return vec![Unsafe::NotOwned { step: step.id, server: server.clone(), certificate: thumbprint }];
        };
        let compromised = declared.is_some_and(|declared| {
            History::is_compromised(declared, self.observed.history.as_ref(), thumbprint)
        });
        if let (WhereUnproved::Keep, Some(place)) = (when.unproved, self.unmet(world, declared, server)) {
            let (server, certificate) = (server.clone(), thumbprint);
            return vec![Unsafe::PlaceNotProved { step: step.id, server, certificate, place }];
        }
        let over = when.after == Span::ZERO
            || compromised
            || (!was_used(self.observed, server, thumbprint, self.now)
                && (self.predecessors.taken_over(server, thumbprint))
                    .is_some_and(|since| since.plus(when.after) <= self.now));
        if over {
            return Vec::new();
        }
        vec![Unsafe::GraceNotOver { step: step.id, server: server.clone(), certificate: thumbprint }]
    }

    /// The certificate of the manifest whose predecessor goes: that of the step, or of the others that the step is about.
    fn declared_for(
        &self,
        step: &Step,
        server: &ServerName,
        thumbprint: Thumbprint,
    ) -> Option<CertificateId> {
        let own = step.certificate.clone();
        let Action::RemoveNamed { .. } = step.action else { return own };
        let observed = self.observed.organization.servers.get(server)?.certificate(thumbprint)?;
        let server_own = (self.desired.servers.get(server)?, self.observed.organization.servers.get(server)?);
        // What a server does not use has no predecessor there.
        let mut used = server_own.0.uses().filter_map(|id| self.desired.certificates.get(id));
        let of = used
            .find(|declared| lineage::same_lineage(declared, self.desired, server_own, observed, self.now));
        of.map(|declared| declared.id.clone()).or(own)
    }

    fn comes_back(&self, step: &Step, server: &ServerName, thumbprint: Thumbprint) -> bool {
        self.imports.get(&(server, thumbprint)).is_some_and(|import| *import > step.id)
    }

    /// A place of the successor that nobody can meet.
    fn unmet(
        &mut self,
        world: &SimulatedOrganization,
        declared: Option<&DesiredCertificate>,
        server: &ServerName,
    ) -> Option<UnmetPlace> {
        let declared = declared?;
        let successor = self.successor(declared, world)?.thumbprint;
        let (own, observed) = (self.desired.servers.get(server)?, world.organization.servers.get(server)?);
        let chosen = |id: &CertificateId| (*id == declared.id).then_some(successor);
        let senders = self.senders.get(server).map(Vec::as_slice).unwrap_or_default();
        let of = (&world.organization, observed);
        let unmet = expect::unmet(own, of, senders, &chosen, self.now);
        let unmet = unmet.into_iter().find(|(_, shown)| *shown == successor).map(|(place, _)| place);
        unmet.or_else(|| {
            let bare = unnamed(self.desired, &world.organization, server, self.now);
            let first = bare.into_iter().next()?;
            Some(UnmetPlace { place: first.connector.to_string(), why: Unmet::Sends })
        })
    }

    fn is_of_auth(&self, id: Option<&CertificateId>) -> bool {
        self.desired.auth.as_ref().is_some_and(|auth| Some(&auth.certificate.id) == id)
    }

    fn successor(
        &mut self,
        declared: &DesiredCertificate,
        world: &SimulatedOrganization,
    ) -> Option<Certificate> {
        let Self { desired, observed, now, .. } = self;
        let found = self.successors.entry(declared.id.clone()).or_insert_with(|| {
            let thumbprint =
                decide::choose(declared, desired, (&world.organization, observed.history.as_ref()), *now)
                    .standing()?;
            let mut servers = declared.servers.iter().filter_map(|name| world.organization.servers.get(name));
            servers.find_map(|server| server.certificate(thumbprint)).map(|stored| stored.certificate.clone())
        });
        found.clone()
    }
}

/// The restarts that a server still needs. They are sorted by servers, and `Transport` is the first of a server's.
fn due_on<'a>(
    restarts: &'a BTreeSet<(ServerName, Restartable)>,
    server: &'a ServerName,
) -> impl Iterator<Item = &'a (ServerName, Restartable)> {
    restarts.range((server.clone(), Restartable::Transport)..).take_while(move |due| due.0 == *server)
}
