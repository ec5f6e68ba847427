//! Names that a certificate has and its successor will not have.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, is_loopback, presented},
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
        let dropped = dropped(builder, desired, decision, observed);
        if dropped.is_empty() {
            continue;
        }
        let connectors = Connectors::of(builder, decision);
        for (thumbprint, names) in dropped {
            let (stay, go) = connectors.called(&names, thumbprint);
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
    // Between servers names play no role (facts 5.2), and what the server alone reaches has no clients with names.
    let places = binding_points(was).into_iter().filter(|place| match place {
        BindingPoint::InternalTransport => false,
        BindingPoint::Site(site) => !site.address.as_deref().is_some_and(is_loopback),
        BindingPoint::Connector(_) | BindingPoint::Pop | BindingPoint::Imap => true,
    });
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

/// The connectors of the servers of a certificate by the names that they call themselves, when all is done.
struct Connectors {
    /// By what they present.
    by_shown: BTreeMap<Thumbprint, BTreeMap<DnsName, BTreeSet<ConnectorName>>>,
    /// What stands for the certificate of the manifest.
    chosen: Option<Thumbprint>,
}

impl Connectors {
    fn of(builder: &PlanBuilder, decision: &Decision<'_>) -> Self {
        let mut by_shown: BTreeMap<Thumbprint, BTreeMap<DnsName, BTreeSet<ConnectorName>>> = BTreeMap::new();
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
                if let (Some(fqdn), Presented::Certificate(shown)) = (fqdn, shown) {
                    let called = by_shown.entry(shown).or_default().entry(fqdn.clone()).or_default();
                    called.insert(connector.clone());
                }
            }
        }
        Self { by_shown, chosen: builder.thumbprint(&decision.certificate.id) }
    }

    /// Those that call themselves by one of these names: which go on with the old certificate, and which present the new one.
    fn called(&self, names: &[DnsName], old: Thumbprint) -> (Vec<ConnectorName>, Vec<ConnectorName>) {
        let showing = |certificate: Option<Thumbprint>| {
            let shown = certificate.and_then(|certificate| self.by_shown.get(&certificate));
            let called = shown.into_iter().flat_map(|shown| names.iter().filter_map(|name| shown.get(name)));
            called.flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect()
        };
        (showing(Some(old)), showing(self.chosen.filter(|chosen| *chosen != old)))
    }
}
