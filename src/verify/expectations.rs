//! What every endpoint of a manifest should serve today.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    check::{Check, Peer, TrustedBy},
    not_provable::NotProvable,
    senders,
};
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, edge_directory, endpoints, own_name},
        edge, named,
    },
    model::{
        action::CertRef,
        desired::{CertificateId, Desired, DesiredServer},
        endpoint::Endpoint,
        names::{ConnectorName, DnsName, ServerName},
        organization::{EdgeSubscription, Observed, Organization},
        server::Server,
        thumbprint::Thumbprint,
        time::Timestamp,
        unseen::NotSeen,
    },
    plan::{expect, not_seen, plan_certificate},
};

/// What can be proved, and what cannot.
#[derive(Debug, Default)]
pub struct Declared {
    /// The endpoints and what each should serve.
    pub checks: Vec<Check>,
    /// Parts of the manifest that no handshake can prove, and why.
    pub not_provable: Vec<NotProvable>,
}

/// What every endpoint should serve, by the certificates that stand for the manifest's today.
pub fn declared(desired: &Desired, observed: &Observed, now: Timestamp) -> Declared {
    let standing = Standing::new(desired, observed, now);
    let mut declared = Declared::default();
    declared.not_provable.extend(desired.left_out().map(NotProvable::left_out));
    for (name, own) in desired.servers.iter().filter(|(_, own)| own.left_out.is_none()) {
        match observed.organization.servers.get(name) {
            Some(server) => declared.add_server(&standing, name, own, server, now),
            None => declared.not_provable.push(NotProvable::ServerNotObserved { server: name.clone() }),
        }
    }
    let not_seen = not_seen(desired, &observed.organization);
    let observed_in_part = |not_seen: &NotSeen| observed.organization.servers.contains_key(&not_seen.server);
    let not_seen =
        not_seen.into_iter().filter(|own| !desired.is_left_out(&own.server)).filter(observed_in_part);
    declared.not_provable.extend(not_seen.map(|not_seen| {
        let NotSeen { server, unseen } = not_seen;
        NotProvable::ServerNotSeen { server, unseen }
    }));
    declared.not_provable.extend(senders::wrong(desired, &observed.organization, &standing.of, now));
    for (name, own) in &desired.balancers {
        let id = &own.certificate;
        let Some(expected) = standing.of.get(id).copied() else {
            let (balancer, certificate) = (name.clone(), id.clone());
            declared.not_provable.push(NotProvable::NotIssuedForBalancer { balancer, certificate });
            continue;
        };
        let expect = own.expectations(&desired.certificates[id], CertRef::Known(expected));
        let trusted_by = standing.trusted_by.get(&expected).copied().unwrap_or(TrustedBy::Unchecked);
        let checks = expect.iter().map(|expectation| Check::of_balancer(name, expectation, expected));
        declared.checks.extend(checks.map(|check| Check { trusted_by, ..check }));
    }
    declared
}

/// The certificates that stand for the manifest's today.
struct Standing<'a> {
    organization: &'a Organization,
    /// The send connectors of each source server.
    senders: BTreeMap<ServerName, Vec<ConnectorName>>,
    of: BTreeMap<&'a CertificateId, Thumbprint>,
    trusted_by: BTreeMap<Thumbprint, TrustedBy>,
    /// The certificates that the other side of an Edge subscription knows.
    subscribed: BTreeMap<ServerName, Thumbprint>,
}

impl<'a> Standing<'a> {
    fn new(desired: &'a Desired, observed: &'a Observed, now: Timestamp) -> Self {
        let decide = |id| Some((id, plan_certificate(id, desired, observed, now)?.standing()?));
        let of: BTreeMap<&CertificateId, Thumbprint> =
            desired.certificates.keys().filter_map(decide).collect();
        let trusted_by =
            of.iter().map(|(id, thumbprint)| (*thumbprint, TrustedBy::of(&desired.certificates[*id].origin)));
        let trusted_by = trusted_by.collect();
        let subscriptions = observed.organization.edge_subscriptions.known().into_iter().flatten();
        let known = |subscription: &EdgeSubscription, name: &ServerName| {
            Some((name.clone(), edge::known_of(&observed.organization, subscription, name)?))
        };
        let subscribed = subscriptions.flat_map(|subscription| {
            let sides = subscription.site_servers.iter().chain([&subscription.edge]);
            sides.filter_map(|name| known(subscription, name)).collect::<Vec<_>>()
        });
        let subscribed = subscribed.collect();
        let organization = &observed.organization;
        let senders = named::by_server(organization);
        Self { organization, senders, of, trusted_by, subscribed }
    }
}

impl Declared {
    /// Adds the endpoints of the observed servers that the manifest says nothing about: whatever they serve, it should
    /// be something that clients accept.
    #[must_use]
    pub fn with_undeclared(mut self, desired: &Desired, observed: &Observed) -> Self {
        for (name, own) in desired.servers.iter().filter(|(_, own)| own.left_out.is_none()) {
            let Some(server) = observed.organization.servers.get(name) else { continue };
            let peer = Peer::Server { name: name.clone(), fqdn: own.fqdn.clone() };
            let own_checks = self.checks.iter().filter(|check| check.peer == peer);
            let mut known: BTreeSet<(Endpoint, Option<DnsName>)> = own_checks
                .flat_map(|check| {
                    [check.presenter.as_ref().and_then(BindingPoint::host).cloned(), check.name.clone()]
                        .map(|name| (check.endpoint, name))
                })
                .collect();
            for presenter in binding_points(server) {
                for endpoint in endpoints(server, &presenter) {
                    if known.insert((endpoint, presenter.host().cloned())) {
                        self.checks.push(Check {
                            peer: peer.clone(),
                            endpoint,
                            name: own_name(server, &presenter).cloned(),
                            expected: None,
                            trusted_by: TrustedBy::Unchecked,
                            presenter: Some(presenter.clone()),
                        });
                    }
                }
            }
        }
        self
    }

    fn add_server(
        &mut self,
        standing: &Standing<'_>,
        name: &ServerName,
        own: &DesiredServer,
        server: &Server,
        now: Timestamp,
    ) {
        let chosen = |id: &CertificateId| standing.of.get(id).copied();
        let mut missing: Vec<&CertificateId> = own.uses().filter(|id| chosen(id).is_none()).collect();
        missing.sort_unstable();
        missing.dedup();
        let say =
            |id: &CertificateId| NotProvable::NotIssued { server: name.clone(), certificate: id.clone() };
        // What a store holds that nobody could see may exist: that the server was not seen is said of it.
        if server.certificates.known().is_some() {
            self.not_provable.extend(missing.into_iter().map(say));
        }
        let absent = |id: &CertificateId| {
            let thumbprint = chosen(id)?;
            let here = server.certificates.known().is_none_or(|store| store.0.contains_key(&thumbprint));
            (!here).then(|| (id.clone(), thumbprint))
        };
        let absent: BTreeSet<(CertificateId, Thumbprint)> = own.uses().filter_map(absent).collect();
        self.not_provable.extend(absent.into_iter().map(|(certificate, thumbprint)| {
            NotProvable::NotInStore { server: name.clone(), certificate, thumbprint }
        }));
        let senders = standing.senders.get(name).map(Vec::as_slice).unwrap_or_default();
        let unmet = expect::unmet(own, (standing.organization, server), senders, &chosen, now);
        self.not_provable.extend(unmet.into_iter().map(|(place, thumbprint)| NotProvable::PlaceNotMet {
            server: name.clone(),
            place,
            thumbprint,
        }));
        let copies = named::keyless_copies(standing.organization, name);
        self.not_provable.extend(copies.into_iter().map(|(connector, thumbprint)| {
            NotProvable::KeylessCopyNamed { server: name.clone(), connector, thumbprint }
        }));
        let places = expect::places(own, server, &chosen, now);
        let by_name = expect::by_connector_name(own, server, &chosen, now);
        let new = by_name
            .into_iter()
            .filter(|(_, expected)| places.iter().all(|(_, known)| known.endpoint != expected.endpoint));
        let places: Vec<_> = places.iter().cloned().chain(new).collect();
        let internal = own.internal_transport.as_ref().and_then(chosen);
        if let Some(expected) = internal.or_else(|| standing.subscribed.get(name).copied()) {
            // Where the manifest says nothing of it, it should be what the other side of an Edge subscription knows.
            let unsaid = match internal {
                Some(_) => Vec::new(),
                None => endpoints(server, &BindingPoint::InternalTransport),
            };
            for endpoint in edge_directory(server).into_iter().chain(unsaid) {
                self.checks.push(Check {
                    peer: Peer::Server { name: name.clone(), fqdn: own.fqdn.clone() },
                    endpoint,
                    // The other side looks at the certificate itself, and not at its names.
                    name: None,
                    expected: Some(expected),
                    trusted_by: TrustedBy::Identity,
                    presenter: Some(BindingPoint::InternalTransport),
                });
            }
        }
        for (presenter, expectation) in places {
            let CertRef::Known(expected) = expectation.certificate else { continue };
            let trusted_by = standing.trusted_by.get(&expected).copied().unwrap_or(TrustedBy::Unchecked);
            let trusted_by = trusted_by.at(expectation.endpoint.protocol);
            self.checks.push(Check {
                peer: Peer::Server { name: name.clone(), fqdn: own.fqdn.clone() },
                endpoint: expectation.endpoint,
                name: expectation.name,
                expected: Some(expected),
                trusted_by,
                presenter: Some(presenter),
            });
        }
    }
}
