//! Removals of what the run brought, after the proofs, and of the names that send connectors have meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use super::Back;
use crate::{
    exchange::named,
    model::{
        action::{
            Action, CertRef, ConnectorRef, NamedConnector, ServerServices, ServiceGroup, StepId, StoredOn,
            TlsName,
        },
        dn::TlsCertificateName,
        names::{ConnectorName, ServerName},
        plan::LeftAlone,
        reason::Reason,
        service::Restartable,
    },
    plan::lanes::service_group,
};

/// A certificate that the run brought and that send connectors name.
struct Named {
    /// The step that brought it.
    step: StepId,
    stored: StoredOn,
    naming: Vec<NamedConnector>,
    /// What has loaded it on its server.
    stopped: Vec<ServiceGroup>,
}

impl Back<'_> {
    /// Has send connectors name what they named before the run, where nothing of the run that the name selects was removed.
    pub(super) fn reattach(&mut self) {
        let reattach = std::mem::take(&mut self.reattach).into_iter().map(|(name, (step, to))| {
            let connector = ConnectorRef::Send { name };
            (step, Action::Repoint { connector, to: Some(TlsName::Exactly(to)) })
        });
        let reattach: Vec<(StepId, Action)> =
            reattach.filter(|(_, action)| !self.builder.world.holds(action)).collect();
        let removed = if reattach.is_empty() { Vec::new() } else { self.all_taken_back(reattach.len()) };
        for (step, action) in reattach {
            let why = vec![Reason::TakesBack { step }];
            self.builder.push(None, action, why, removed.iter().copied());
        }
    }

    /// Removes what the run brought, unless something uses it.
    pub(super) fn remove(&mut self, proofs: &BTreeMap<ServerName, StepId>) {
        let removals = std::mem::take(&mut self.removals);
        let taken_back = if removals.is_empty() { Vec::new() } else { self.all_taken_back(removals.len()) };
        // One after the other, the newest first.
        let (mut last, mut named) = (None, Vec::new());
        for (step, action) in removals {
            let certificate = self.progress.plan.step(step).and_then(|own| own.certificate.clone());
            let why = vec![Reason::TakesBack { step }];
            let mut action = action;
            if let Action::Remove { server, certificate: removed, while_stopped } = &mut action {
                let thumbprint = self.builder.world.thumbprint(*removed);
                let Some(stored) =
                    self.builder.server(server).and_then(|server| server.certificate(thumbprint)).cloned()
                else {
                    continue;
                };
                if let Some(why) = self.stays(server, &stored) {
                    self.say_it_stays(step, &why);
                    self.left_alone.push(LeftAlone {
                        server: server.clone(),
                        certificate: thumbprint,
                        subject: stored.certificate.subject.to_string(),
                        not_after: stored.certificate.not_after,
                        why: why.into(),
                    });
                    continue;
                }
                let with_key = stored.has_private_key && stored.exportable.known() == Some(&true);
                let back_up = Action::BackUp {
                    server: server.clone(),
                    certificate: CertRef::Known(thumbprint),
                    with_key,
                };
                let after = proofs.get(server).copied();
                self.builder.push(certificate.as_ref(), back_up, why.clone(), after);
                let stopped = self.while_stopped(server, thumbprint);
                self.stopped.entry(server.clone()).or_default().extend(stopped.iter().cloned());
                let naming = self.naming(&TlsCertificateName::of(&stored.certificate));
                if !naming.is_empty() {
                    let stored = StoredOn { server: server.clone(), certificate: *removed };
                    named.push(Named { step, stored, naming, stopped });
                    continue;
                }
                *while_stopped = stopped;
            } else if self.builder.world.holds(&action) {
                continue;
            }
            let proof = action.server().and_then(|server| proofs.get(server)).copied();
            let after: Vec<StepId> = taken_back.iter().copied().chain(proof).chain(last).collect();
            if let Some(id) = self.builder.push(certificate.as_ref(), action, why, after) {
                self.undone.insert(step, vec![id]);
                last = Some(id);
            }
        }
        let servers: BTreeSet<&ServerName> = named.iter().map(|own| &own.stored.server).collect();
        let proved = servers.into_iter().filter_map(|server| proofs.get(server)).copied();
        let after = taken_back.iter().copied().chain(proved).chain(last).collect();
        self.remove_named(named, after);
    }

    /// Removes from all servers at once what send connectors name: while they name none, transport stands still.
    fn remove_named(&mut self, named: Vec<Named>, after: Vec<StepId>) {
        let Some(first) = named.first() else { return };
        let step = first.step;
        let certificate = self.progress.plan.step(step).and_then(|own| own.certificate.clone());
        let mut stopped: BTreeMap<ServerName, BTreeMap<Restartable, ServiceGroup>> = BTreeMap::new();
        let mut connectors: BTreeMap<ConnectorName, TlsCertificateName> = BTreeMap::new();
        for own in &named {
            for group in &own.stopped {
                let groups = stopped.entry(own.stored.server.clone()).or_default();
                groups.insert(group.service, group.clone());
            }
            connectors.extend(own.naming.iter().map(|own| (own.connector.clone(), own.name.clone())));
        }
        for source in named::sources(&self.builder.world.organization, connectors.keys()) {
            if let Some(group) = service_group(&self.builder, source, Restartable::Transport) {
                self.stopped.entry(source.clone()).or_default().push(group.clone());
                stopped.entry(source.clone()).or_default().insert(Restartable::Transport, group);
            }
        }
        // What they named before the run, where that selects it too.
        for (connector, name) in &mut connectors {
            if let Some((_, before)) = self.reattach.remove(connector) {
                *name = before;
            }
        }
        let connectors = connectors.into_iter().map(|(connector, name)| NamedConnector { connector, name });
        let while_stopped = stopped
            .into_iter()
            .map(|(server, groups)| ServerServices { server, groups: groups.into_values().collect() });
        let steps: Vec<StepId> = named.iter().map(|own| own.step).collect();
        let action = Action::RemoveNamed {
            connectors: connectors.collect(),
            while_stopped: while_stopped.collect(),
            certificates: named.into_iter().map(|own| own.stored).collect(),
        };
        let why = vec![Reason::TakesBack { step }];
        if let Some(id) = self.builder.push(certificate.as_ref(), action, why, after) {
            self.undone.extend(steps.into_iter().map(|step| (step, vec![id])));
        }
    }

    /// The send connectors that select a certificate.
    pub(super) fn naming(&self, name: &TlsCertificateName) -> Vec<NamedConnector> {
        let connectors = self.builder.world.organization.send_connectors.known();
        let naming = connectors.into_iter().flatten().filter_map(|(connector, settings)| {
            let have = settings.tls_certificate_name.as_ref().filter(|have| have.is_same_as(name))?;
            Some(NamedConnector { connector: connector.clone(), name: have.clone() })
        });
        naming.collect()
    }

    /// Whether transport can be stopped wherever these send from.
    pub(super) fn can_stand_still(&self, naming: &[NamedConnector]) -> bool {
        let organization = &self.builder.world.organization;
        let sources = named::sources(organization, naming.iter().map(|own| &own.connector));
        named::can_stand_still(organization, &sources)
    }
}
