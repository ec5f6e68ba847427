//! The law about send connectors: while mail is sent, each has a certificate, and never one that the server signed itself where
//! it had one of a CA. Microsoft 365 takes mail that comes so for anonymous, and it cannot be called back (facts 6.10, 7.4).

use std::collections::{BTreeMap, BTreeSet};

use super::law::Unsafe;
use crate::{
    exchange::{hybrid, named, selection::Presented, simulation::SimulatedOrganization},
    model::{
        action::{Action, Condition, ConnectorRef, StepId},
        desired::Desired,
        dn::DistinguishedName,
        names::{ConnectorName, ServerName},
        organization::{Observed, Organization},
        plan::{Plan, Step},
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// A send connector on one of its source servers.
type Sender = (ConnectorName, ServerName);

/// What send connectors showed before the plan, where that was valid, and where they show something else.
pub(super) struct Senders<'a> {
    plan: &'a Plan,
    desired: &'a Desired,
    before: BTreeMap<Sender, Shown>,
    on: BTreeMap<ServerName, Vec<ConnectorName>>,
    /// The first step after which a sender showed what it should not, and that.
    doubtful: BTreeMap<Sender, (StepId, Presented)>,
    /// From which step on a person has told Exchange Online of a name.
    told: BTreeMap<String, StepId>,
    /// The names that Exchange Online knows, by what was shown to it before or what a person has told it.
    known_online: BTreeMap<Sender, BTreeSet<String>>,
    /// What was shown to it under a name that it does not know.
    untold: Vec<Unsafe>,
    now: Timestamp,
}

/// The names that a person has told before the plan, as if by a step before its first, or tells in it.
fn told(plan: &Plan, desired: &Desired) -> BTreeMap<String, StepId> {
    let mut told = BTreeMap::new();
    let before = desired.told_subject.iter().map(|subject| (subject, StepId(0)));
    let in_plan = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Manual { until: Condition::OnlineTold { subject }, .. } => Some((subject, step.id)),
        _ => None,
    });
    for (subject, step) in before.chain(in_plan) {
        told.extend(common_name(subject).filter(|name| !told.contains_key(name)).map(|name| (name, step)));
    }
    told
}

fn common_name(subject: &DistinguishedName) -> Option<String> {
    subject.common_name().map(str::to_ascii_lowercase)
}

#[derive(Clone, Copy)]
struct Shown {
    certificate: Thumbprint,
    self_signed: bool,
}

impl<'a> Senders<'a> {
    pub(super) fn of(plan: &'a Plan, desired: &'a Desired, observed: &Observed, now: Timestamp) -> Self {
        let organization = &observed.organization;
        let mut senders = Self {
            plan,
            desired,
            before: BTreeMap::new(),
            on: BTreeMap::new(),
            doubtful: BTreeMap::new(),
            told: told(plan, desired),
            known_online: BTreeMap::new(),
            untold: Vec::new(),
            now,
        };
        for (name, connector) in organization.send_connectors.known().into_iter().flatten() {
            for server in connector.source_servers.iter().filter(|_| connector.enabled) {
                let sender = (name.clone(), server.clone());
                if let Some(shown) = senders.valid(organization, &sender) {
                    let known = Self::name_of(organization, &sender, shown);
                    if let Some(known) = known.filter(|_| hybrid::goes_to_microsoft_365(connector)) {
                        senders.known_online.insert(sender.clone(), [known].into());
                    }
                    senders.on.entry(server.clone()).or_default().push(name.clone());
                    senders.before.insert(sender, shown);
                }
            }
        }
        senders
    }

    /// Looks at the senders that a step may have changed.
    pub(super) fn look(&mut self, world: &SimulatedOrganization, step: &Step) {
        let touched: Vec<Sender> = match &step.action {
            Action::Repoint { connector: ConnectorRef::Send { name }, .. } => Self::of_connector(world, name),
            Action::RemoveNamed { connectors, .. } => {
                let named = connectors.iter().flat_map(|own| Self::of_connector(world, &own.connector));
                named
                    .chain(step.action.servers().into_iter().flat_map(|server| self.of_server(server)))
                    .collect()
            }
            Action::Manual { server: None, .. } => self.before.keys().cloned().collect(),
            action => action.server().map(|server| self.of_server(server)).unwrap_or_default(),
        };
        for sender in touched {
            let Some(before) = self.before.get(&sender).copied() else { continue };
            self.look_for_names(world, step, &sender);
            let good = self.valid(&world.organization, &sender).is_some_and(|shown| {
                shown.certificate == before.certificate || !shown.self_signed || before.self_signed
            });
            if !good && !self.doubtful.contains_key(&sender) {
                let shown = self.shown(&world.organization, &sender);
                self.doubtful.insert(sender, (step.id, shown));
            }
        }
    }

    /// What is wrong: senders that lost their certificate on the way to what they show at the end, and those that end so
    /// although nobody asked for it.
    pub(super) fn lost(&self, world: &SimulatedOrganization) -> Vec<Unsafe> {
        let meant = |sender: &Sender, shown: &Presented| {
            let ends_so = self.shown(&world.organization, sender) == *shown;
            let asked = self.desired.send_connectors.contains_key(&sender.0)
                || self.valid(&world.organization, sender).is_some();
            ends_so && (asked || self.plan.rolls_back.is_some())
        };
        let lost = self
            .doubtful
            .iter()
            .filter(|(sender, (_, shown))| !matches!(shown, Presented::Unknown(_)) && !meant(sender, shown));
        lost.map(|((connector, server), (step, shown))| Unsafe::ConnectorLost {
            step: *step,
            connector: connector.clone(),
            server: server.clone(),
            now: shown.to_string(),
        })
        .chain(self.untold.iter().cloned())
        .collect()
    }

    /// Whether a person has told Exchange Online of what is shown to it now (facts 9.1). What people do themselves, such as
    /// running the wizard, they tell it.
    fn look_for_names(&mut self, world: &SimulatedOrganization, step: &Step, sender: &Sender) {
        // Who takes a connector's name away has asked for what is shown then, and is warned of it.
        let asked = self.desired.send_connectors.get(&sender.0) == Some(&None);
        if self.plan.rolls_back.is_some() || asked || !self.known_online.contains_key(sender) {
            return;
        }
        let Some(shown) = self.valid(&world.organization, sender) else { return };
        let Some(name) = Self::name_of(&world.organization, sender, shown) else { return };
        let by_hand = matches!(step.action, Action::Manual { .. });
        let Some(known) = self.known_online.get_mut(sender) else { return };
        if by_hand {
            known.insert(name);
            return;
        }
        let is_told = self.told.get(&name).is_some_and(|since| *since < step.id);
        if !known.contains(&name) && !is_told {
            // Once is enough.
            known.insert(name);
            let ((connector, server), now) = (sender.clone(), shown.certificate.short());
            self.untold.push(Unsafe::OnlineNotTold { step: step.id, connector, server, now });
        }
    }

    /// The common name of what a sender shows, where a CA vouches for it: others it shows for nothing.
    fn name_of(organization: &Organization, sender: &Sender, shown: Shown) -> Option<String> {
        let certificate = &organization.servers.get(&sender.1)?.certificate(shown.certificate)?.certificate;
        common_name(&certificate.subject).filter(|_| !shown.self_signed)
    }

    fn of_connector(world: &SimulatedOrganization, name: &ConnectorName) -> Vec<Sender> {
        let connector = world.organization.send_connectors.known().and_then(|known| known.get(name));
        let sources = connector.into_iter().flat_map(|connector| &connector.source_servers);
        sources.map(|server| (name.clone(), server.clone())).collect()
    }

    fn of_server(&self, server: &ServerName) -> Vec<Sender> {
        let own = self.on.get(server).into_iter().flatten();
        own.map(|connector| (connector.clone(), server.clone())).collect()
    }

    fn shown(&self, organization: &Organization, (connector, server): &Sender) -> Presented {
        let found = organization.send_connectors.known().and_then(|known| known.get(connector));
        match (organization.servers.get(server), found) {
            (Some(server), Some(connector)) => named::presented(server, connector, self.now),
            _ => Presented::Unknown("the server was not observed".into()),
        }
    }

    fn valid(&self, organization: &Organization, sender: &Sender) -> Option<Shown> {
        let Presented::Certificate(thumbprint) = self.shown(organization, sender) else { return None };
        let certificate = &organization.servers.get(&sender.1)?.certificate(thumbprint)?.certificate;
        let shown = Shown { certificate: thumbprint, self_signed: certificate.is_self_signed() };
        certificate.is_valid_at(self.now).then_some(shown)
    }
}
