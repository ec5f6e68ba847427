//! What is in use and ends: what each server presents, its other programs too, what its send connectors select, and what signs tokens (facts 4.7). Setup's
//! own certificate ends after five years, and nobody looks.

use std::collections::BTreeMap;

use super::{
    binding_points::{BindingPoint, binding_points, endpoints, presented},
    named,
    selection::Presented,
};
use crate::model::{
    desired::Desired,
    ending::{Ending, MissingAuth, MissingFederation, MissingInternalTransport, UsedBy},
    names::ServerName,
    organization::Organization,
    server::{BindingStore, Server},
    thumbprint::Thumbprint,
    time::Timestamp,
    version::Role,
};

/// What ends of all that is in use on these servers of the manifest, the first end first.
pub fn endings<'a>(
    organization: &Organization,
    desired: &Desired,
    servers: impl Iterator<Item = &'a ServerName>,
    now: Timestamp,
) -> Vec<Ending> {
    let warning = desired.expiry_warning;
    in_use(organization, desired, servers, now)
        .into_iter()
        .filter(|used| {
            let server = used.server.as_ref();
            let of = |name: &ServerName| organization.servers.get(name)?.certificate(used.certificate);
            let stored = match server {
                Some(name) => of(name),
                None => organization.servers.keys().find_map(of),
            };
            stored.is_some_and(|stored| {
                let facts = &stored.certificate;
                warning.is_due(facts.not_before, facts.not_after, now)
            })
        })
        .collect()
}

/// All that is in use on these servers of the manifest and in the organization, with its end, the first end first.
pub fn in_use<'a>(
    organization: &Organization,
    desired: &Desired,
    servers: impl Iterator<Item = &'a ServerName>,
    now: Timestamp,
) -> Vec<Ending> {
    let senders = named::by_server(organization);
    let known: Vec<(&ServerName, &Server)> =
        servers.filter_map(|name| organization.servers.get_key_value(name)).collect();
    let mut found = Vec::new();
    for (name, server) in &known {
        let mut used: BTreeMap<Thumbprint, Vec<UsedBy>> = BTreeMap::new();
        for place in binding_points(server).into_iter().filter(|place| is_on(server, place)) {
            if let Presented::Certificate(shown) = presented(server, &place, now) {
                used.entry(shown).or_default().push(UsedBy::Place(place.clone()));
            }
            if let Some((shown, store)) = from_another_store(server, &place) {
                let from = UsedBy::FromStore { place: place.clone(), store: store.clone() };
                used.entry(shown).or_default().push(from);
            }
        }
        let connectors = organization.send_connectors.known();
        for sender in senders.get(*name).into_iter().flatten() {
            let Some(connector) = connectors.and_then(|all| all.get(sender)).filter(|own| own.enabled) else {
                continue;
            };
            if let Presented::Certificate(shown) = named::presented(server, connector, now) {
                used.entry(shown).or_default().push(UsedBy::SendConnector(sender.clone()));
            }
        }
        for (program, shown) in server.other_programs.known().into_iter().flatten() {
            used.entry(*shown).or_default().push(UsedBy::Program(program.clone()));
        }
        for (certificate, used_by) in used {
            found.extend(ending(server, Some((*name).clone()), certificate, used_by, now));
        }
    }
    let auth = organization.auth.known().and_then(Option::as_ref).and_then(|auth| auth.current);
    let federation = organization.federation.known().and_then(Option::as_ref).and_then(|trust| trust.current);
    for (certificate, by) in [(auth, UsedBy::Auth), (federation, UsedBy::Federation)] {
        let Some(certificate) = certificate else { continue };
        let holder = known.iter().find(|(_, server)| server.certificate(certificate).is_some());
        let Some((_, server)) = holder else { continue };
        found.extend(ending(server, None, certificate, vec![by], now));
    }
    for ending in &mut found {
        ending.left_out = ending.server.as_ref().is_some_and(|name| desired.is_left_out(name));
    }
    found.sort_by(|a, b| {
        (a.not_after, &a.server, a.certificate).cmp(&(b.not_after, &b.server, b.certificate))
    });
    found
}

/// What IIS has for a binding from a store beside `My`, which Exchange does not see and IIS serves all the same (facts 11.6). What
/// the central store serves no binding says.
fn from_another_store<'a>(
    server: &'a Server,
    place: &BindingPoint,
) -> Option<(Thumbprint, &'a BindingStore)> {
    let BindingPoint::Site(binding) = place else { return None };
    let store = server.other_stores.get(binding).filter(|store| **store != BindingStore::Central)?;
    let shown = server.sites.known()?.get(binding).copied().flatten()?;
    Some((shown, store))
}

/// POP and IMAP that do not run present nothing (facts 3.9).
fn is_on(server: &Server, place: &BindingPoint) -> bool {
    match place {
        BindingPoint::Pop | BindingPoint::Imap => !endpoints(server, place).is_empty(),
        BindingPoint::Site(_) | BindingPoint::Connector(_) | BindingPoint::InternalTransport => true,
    }
}

fn ending(
    server: &Server,
    name: Option<ServerName>,
    certificate: Thumbprint,
    used_by: Vec<UsedBy>,
    now: Timestamp,
) -> Option<Ending> {
    let facts = &server.certificate(certificate)?.certificate;
    Some(Ending {
        server: name,
        certificate,
        named: facts.subject.to_string(),
        not_after: facts.not_after,
        expired: facts.not_after < now,
        used_by,
        left_out: false,
    })
}

/// Where the Auth certificate is missing: tokens cannot be signed there. A server that was not seen may have it.
pub fn missing_auth(organization: &Organization) -> Option<MissingAuth> {
    let current = organization.auth.known()?.as_ref()?.current?;
    let needing = || organization.servers.iter().filter(|(_, server)| server.signs_tokens());
    let lacks =
        |server: &Server| server.certificates.known().is_some() && server.certificate(current).is_none();
    let servers: Vec<ServerName> =
        needing().filter(|(_, server)| lacks(server)).map(|(name, _)| name.clone()).collect();
    let everywhere = servers.len() == needing().count();
    (!servers.is_empty()).then_some(MissingAuth { certificate: current, servers, everywhere })
}

/// The servers of the manifest with transport whose internal transport certificate is missing (facts 5.2). What was not seen may be
/// there.
pub fn missing_internal_transport<'a>(
    organization: &Organization,
    desired: &Desired,
    servers: impl Iterator<Item = &'a ServerName>,
) -> Vec<MissingInternalTransport> {
    let has_transport = |server: &Server| {
        server.roles.known().is_some_and(|roles| {
            [Role::Mailbox, Role::HubTransport, Role::EdgeTransport].iter().any(|role| roles.contains(role))
        }) && server.version.known().is_none_or(|version| version.release().has_back_end())
    };
    let missing = |name: &ServerName| {
        let server = organization.servers.get(name).filter(|server| has_transport(server))?;
        let (named, store) = (server.internal_transport.known()?, server.certificates.known()?);
        let is_there = named.is_some_and(|named| store.0.contains_key(&named));
        let left_out = desired.is_left_out(name);
        (!is_there).then(|| MissingInternalTransport { server: name.clone(), certificate: *named, left_out })
    };
    servers.filter_map(missing).collect()
}

/// The servers that lack the current certificate of the federation trust (facts 4.4, 15 no. 34).
pub fn missing_federation<'a>(
    organization: &Organization,
    servers: impl Iterator<Item = &'a ServerName>,
) -> Vec<MissingFederation> {
    let trust = organization.federation.known().and_then(Option::as_ref);
    let Some(certificate) = trust.and_then(|trust| trust.current) else { return Vec::new() };
    let lacks = |name: &&ServerName| {
        let server = organization.servers.get(*name).filter(|server| !server.is_edge());
        let store = server.and_then(|server| server.certificates.known());
        store.is_some_and(|store| !store.0.contains_key(&certificate))
    };
    servers.filter(lacks).map(|name| MissingFederation { server: name.clone(), certificate }).collect()
}
