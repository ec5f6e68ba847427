//! Names that a certificate has and its successor will not have.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        named,
        selection::{self, Presented},
    },
    model::{
        certificate::Certificate,
        desired::Desired,
        names::{ConnectorName, DnsName, ServerName},
        organization::Organization,
        server::Server,
        thumbprint::Thumbprint,
        warning::ServerWarning,
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decision, Decisions, Supply},
        expect,
    },
};

/// Warns of the names that go with certificates that are replaced: under the same subject, or in the places of another one.
/// `observed` still has what the plan removes.
pub(in crate::plan) fn warn(
    builder: &mut PlanBuilder,
    desired: &Desired,
    decisions: &Decisions<'_>,
    observed: &Organization,
) {
    for decision in decisions.all() {
        for (thumbprint, names) in dropped(builder, desired, decision, observed) {
            let (stay, go) = connectors(builder, decision, thumbprint, &names);
            let certificate = decision.certificate.id.clone();
            builder.warn(ServerWarning::NamesDropped { certificate, thumbprint, names, stay, go });
        }
    }
}

/// The names of each certificate that goes, which what takes its places lacks.
fn dropped(
    builder: &PlanBuilder,
    desired: &Desired,
    decision: &Decision<'_>,
    observed: &Organization,
) -> BTreeMap<Thumbprint, Vec<DnsName>> {
    let certificate = decision.certificate;
    let mut dropped = BTreeMap::new();
    let seen = |name| observed.servers.get(name);
    if let (Supply::New | Supply::Requested { .. }, Some(incumbent)) = (&decision.supply, decision.incumbent)
    {
        let mut stored = certificate.servers.iter().filter_map(|name| seen(name)?.certificate(incumbent));
        let names = stored.next().map(|stored| lacking(&stored.certificate, |name| certificate.covers(name)));
        dropped.extend(names.map(|names| (incumbent, names)));
    }
    for name in &certificate.servers {
        let (Some(was), Some(is)) = (seen(name), builder.server(name)) else { continue };
        for old in displaced(builder, desired, decision, (name, was, is)) {
            // What was one certificate may be several now.
            let uses: Vec<_> = desired.servers[name].uses().collect();
            let has = |own: &DnsName| {
                uses.iter().filter_map(|id| desired.certificates.get(*id)).any(|other| other.covers(own))
            };
            dropped.entry(old.thumbprint).or_insert_with(|| lacking(old, has));
        }
    }
    dropped.retain(|_, names| !names.is_empty());
    dropped
}

fn lacking(old: &Certificate, has: impl Fn(&DnsName) -> bool) -> Vec<DnsName> {
    old.names.iter().filter(|name| !has(name)).cloned().collect()
}

/// What the places of a certificate present before it takes them. What a server has signed for itself is known by its names to
/// nobody else.
fn displaced<'a>(
    builder: &PlanBuilder,
    desired: &Desired,
    decision: &Decision<'_>,
    (name, was, is): (&ServerName, &'a Server, &Server),
) -> Vec<&'a Certificate> {
    let id = &decision.certificate.id;
    let Some(chosen) = builder.thumbprint(id) else { return Vec::new() };
    let own = &desired.servers[name];
    // Between servers names play no role (facts 5.2).
    let places = binding_points(was).into_iter().filter(|place| *place != BindingPoint::InternalTransport);
    let declared = places.filter(|place| expect::declared(own, was, place) == Some(id));
    let moved = declared.filter(|place| presented(is, place, builder.now) == Presented::Certificate(chosen));
    moved
        .filter_map(|place| match presented(was, &place, builder.now) {
            Presented::Certificate(old) if old != chosen => Some(&was.certificate(old)?.certificate),
            _ => None,
        })
        .filter(|old| !old.is_self_signed())
        .collect()
}

/// The connectors that call themselves by one of these names: those that go on with the old certificate, and those that present
/// the new one.
fn connectors(
    builder: &PlanBuilder,
    decision: &Decision<'_>,
    old: Thumbprint,
    names: &[DnsName],
) -> (Vec<ConnectorName>, Vec<ConnectorName>) {
    let (mut stay, mut go) = (BTreeSet::new(), BTreeSet::new());
    let chosen = builder.thumbprint(&decision.certificate.id);
    for name in &decision.certificate.servers {
        let Some(server) = builder.server(name) else { continue };
        let receiving = server.receive_connectors.known().into_iter().flatten();
        let receiving = receiving.map(|(connector, own)| {
            let shown = selection::inbound_starttls(server, own, builder.now).presented;
            (connector, own.fqdn.as_ref(), shown)
        });
        let sending = builder.senders_of(name).map(|(connector, own)| {
            (connector, own.fqdn.as_ref(), named::presented(server, own, builder.now))
        });
        for (connector, fqdn, shown) in receiving.chain(sending) {
            let (Some(fqdn), Presented::Certificate(shown)) = (fqdn, shown) else { continue };
            if !names.contains(fqdn) {
                continue;
            }
            if shown == old {
                stay.insert(connector.clone());
            } else if Some(shown) == chosen {
                go.insert(connector.clone());
            }
        }
    }
    (stay.into_iter().collect(), go.into_iter().collect())
}
