//! The removals of a plan, after the proofs of what takes the places of the certificates that go.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    exchange::named,
    model::{
        action::{
            Action, CertRef, ConnectorRef, Expectation, Milestone, NamedConnector, ServerServices, StepId,
            StoredOn, TlsName,
        },
        desired::{CertificateId, Desired},
        names::{ConnectorName, ServerName},
        reason::Reason,
        removed::Predecessor,
        service::Restartable,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::{
        builder::PlanBuilder,
        expect,
        lanes::{restarted_by_hand, service_group, verify},
        passes::{
            balancers::{Balanced, verify_balancer},
            edge::Subscriptions,
            hybrid::WizardRun,
        },
    },
};

/// What the passes before leave for the end of a certificate to wait for.
#[derive(Debug, Default)]
pub(in crate::plan) struct Deployed {
    pub(in crate::plan::passes) balanced: Balanced,
    pub(in crate::plan::passes) subscriptions: Subscriptions,
    pub(in crate::plan::passes) wizard: WizardRun,
}

/// A certificate that is to be removed from one server.
pub(super) struct Removal<'a> {
    pub(super) id: &'a CertificateId,
    pub(super) server: ServerName,
    pub(super) thumbprint: Thumbprint,
    pub(super) since: Option<Timestamp>,
    pub(super) with_key: bool,
    pub(super) back_up: bool,
    /// Send connectors of the manifest that name both it and its successor.
    pub(super) tagged: Vec<ConnectorName>,
    /// How it goes while they do.
    pub(super) way: Way,
    /// What shows that it is a predecessor.
    pub(super) because: Predecessor,
}

/// How a certificate goes that send connectors name beside its successor (facts 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The name is cleared meanwhile, which changes nothing: the connector's `Fqdn` selects the successor too.
    Unnamed,
    /// Transport stands still meanwhile.
    StandingStill,
}

/// What a certificate's removals wait for: its verifications, or one gate after them all.
type Proofs = BTreeMap<CertificateId, Vec<StepId>>;

/// Removes them in the manifest's order of servers: what nothing names first.
pub(super) fn remove(
    builder: &mut PlanBuilder,
    desired: &Desired,
    deployed: &Deployed,
    mut removals: Vec<Removal<'_>>,
) {
    removals.sort_by(|a, b| {
        (desired.servers.get_index_of(&a.server)).cmp(&desired.servers.get_index_of(&b.server))
    });
    let proofs = prove(builder, desired, deployed, &removals);
    let (tagged, free): (Vec<_>, Vec<_>) =
        removals.into_iter().partition(|removal| !removal.tagged.is_empty());
    for removal in &free {
        back_up(builder, removal, &proofs);
        remove_one(builder, removal, &proofs, &[]);
    }
    let (unnamed, standing_still): (Vec<_>, Vec<_>) =
        tagged.into_iter().partition(|removal| removal.way == Way::Unnamed);
    remove_unnamed(builder, &unnamed, &proofs);
    remove_standing_still(builder, &standing_still, &proofs);
}

/// Makes sure that each server of a removal was verified after its last change. A certificate that several servers
/// share is removed from none before all of them are proved.
fn prove(
    builder: &mut PlanBuilder,
    desired: &Desired,
    deployed: &Deployed,
    removals: &[Removal<'_>],
) -> Proofs {
    // How many steps each certificate's removals are.
    let mut waiting: BTreeMap<&CertificateId, usize> = BTreeMap::new();
    for removal in removals {
        *waiting.entry(removal.id).or_default() += if removal.back_up { 2 } else { 1 };
    }
    let mut on_server: BTreeMap<&ServerName, Vec<&Removal<'_>>> = BTreeMap::new();
    for removal in removals {
        on_server.entry(&removal.server).or_default().push(removal);
    }
    let mut proofs = BTreeMap::new();
    for (id, dependents) in waiting {
        let mut steps = BTreeSet::new();
        let sharing = desired.certificates.get(id).into_iter().flat_map(|certificate| &certificate.servers);
        // In the order of their names.
        for server in sharing.collect::<BTreeSet<_>>() {
            let own = on_server.get(server).map_or(&[][..], Vec::as_slice);
            let proof = if own.iter().any(|removal| removal.since.is_none()) {
                prove_server(builder, desired, server)
            } else {
                builder.verified(server).or_else(|| verify(builder, &desired.servers[server], server))
            };
            steps.extend(proof);
            let of_mail: Vec<Expectation> = own
                .iter()
                .filter_map(|removal| Some((builder.server(server)?, removal.thumbprint)))
                .flat_map(|(own, gone)| expect::instead_of(&desired.servers[server], own, gone, builder.now))
                .collect();
            if let Some(proof) = proof {
                builder.also_meet(proof, of_mail);
            }
            steps.extend(deployed.subscriptions.of(server));
        }
        steps.extend(deployed.wizard.of(id));
        let holders = desired.balancers.iter().filter(|(_, balancer)| balancer.certificate == *id);
        for (name, _) in holders {
            let verified = deployed.balanced.verified(name);
            steps.extend(verified.or_else(|| verify_balancer(builder, desired, name, None)));
        }
        proofs.insert(id.clone(), builder.gate(Some(id), Milestone::Verified, steps, dependents));
    }
    proofs
}

/// Verifies a server, where nothing has proved it since its last change. Where only people restart transport, the restart may be owed
/// since an earlier run: it is asked for before, and done where transport is met with what it should serve.
pub(super) fn prove_server(
    builder: &mut PlanBuilder,
    desired: &Desired,
    server: &ServerName,
) -> Option<StepId> {
    if let Some(verified) = builder.verified(server) {
        return Some(verified);
    }
    let own = &desired.servers[server];
    if desired.restarts.of(Restartable::Transport).is_none() && !builder.is_unproved(server) {
        restarted_by_hand(builder, (server, own), &BTreeSet::new());
    }
    verify(builder, own, server)
}

fn back_up(builder: &mut PlanBuilder, removal: &Removal<'_>, proofs: &Proofs) -> Option<StepId> {
    let Removal { id, server, thumbprint, since, with_key, back_up, .. } = removal;
    if !back_up {
        return None;
    }
    let action = Action::BackUp {
        server: server.clone(),
        certificate: CertRef::Known(*thumbprint),
        with_key: *with_key,
    };
    let after = proofs.get(*id).into_iter().flatten().copied();
    builder.push(Some(id), action, vec![Reason::Superseded { since: *since }], after)
}

fn remove_one(
    builder: &mut PlanBuilder,
    removal: &Removal<'_>,
    proofs: &Proofs,
    after: &[StepId],
) -> Option<StepId> {
    let Removal { id, server, thumbprint, since, .. } = removal;
    let action = Action::remove(server, CertRef::Known(*thumbprint));
    let after = proofs.get(*id).into_iter().flatten().chain(after).copied();
    builder.push(Some(id), action, vec![Reason::Superseded { since: *since }], after)
}

/// Where a send connector names both certificates and shows the same without the name: clear the name, remove the old
/// certificate on every server, set the name again (facts 7.4).
fn remove_unnamed(builder: &mut PlanBuilder, removals: &[Removal<'_>], proofs: &Proofs) {
    let mut connectors: BTreeMap<&ConnectorName, &Removal<'_>> = BTreeMap::new();
    for removal in removals {
        for name in &removal.tagged {
            connectors.entry(name).or_insert(removal);
        }
    }
    let backed_up = removals.iter().filter_map(|removal| back_up(builder, removal, proofs)).collect();
    let backed_up = builder.gate(None, Milestone::BackedUp, backed_up, connectors.len());
    let mut detached = BTreeSet::new();
    for (name, removal) in &connectors {
        let connector = ConnectorRef::Send { name: (*name).clone() };
        let why = vec![Reason::BlocksRemoval { certificate: removal.thumbprint }];
        let action = Action::Repoint { connector, to: None };
        let proved = proofs.get(removal.id).into_iter().flatten().chain(&backed_up).copied();
        detached.extend(builder.push(Some(removal.id), action, why, proved));
    }
    let detached = builder.gate(None, Milestone::Detached, detached, removals.len());
    let removed =
        removals.iter().filter_map(|removal| remove_one(builder, removal, proofs, &detached)).collect();
    let removed = builder.gate(None, Milestone::Removed, removed, connectors.len());
    for (name, removal) in connectors {
        let Some(chosen) = builder.chosen(removal.id) else { continue };
        let connector = ConnectorRef::Send { name: name.clone() };
        let action = Action::Repoint { connector, to: Some(TlsName::Of(chosen)) };
        builder.push(Some(removal.id), action, vec![Reason::Reattach], removed.iter().copied());
    }
}

/// The documented way out where a send connector shows another certificate without its name (facts 7.2): all of it in one step,
/// with transport of every source server stopped around it.
fn remove_standing_still(builder: &mut PlanBuilder, removals: &[Removal<'_>], proofs: &Proofs) {
    let Some(first) = removals.first() else { return };
    let backed_up: Vec<StepId> =
        removals.iter().filter_map(|removal| back_up(builder, removal, proofs)).collect();
    let organization = &builder.world.organization;
    let tagged: BTreeSet<&ConnectorName> = removals.iter().flat_map(|removal| &removal.tagged).collect();
    let connectors = tagged.iter().filter_map(|connector| {
        let known = organization.send_connectors.known()?.get(*connector)?;
        let name = known.tls_certificate_name.clone()?;
        Some(NamedConnector { connector: (*connector).clone(), name })
    });
    let connectors = connectors.collect();
    let sources = named::sources(organization, tagged.iter().copied());
    let while_stopped = sources.into_iter().filter_map(|server| {
        let group = service_group(builder, server, Restartable::Transport)?;
        Some(ServerServices { server: server.clone(), groups: vec![group] })
    });
    let while_stopped = while_stopped.collect();
    let certificates = removals.iter().map(|removal| StoredOn {
        server: removal.server.clone(),
        certificate: CertRef::Known(removal.thumbprint),
    });
    let action = Action::RemoveNamed { certificates: certificates.collect(), connectors, while_stopped };
    let proved = removals.iter().flat_map(|removal| proofs.get(removal.id).into_iter().flatten()).copied();
    let after: BTreeSet<StepId> = proved.chain(backed_up).collect();
    builder.push(Some(first.id), action, vec![Reason::Superseded { since: first.since }], after);
}
