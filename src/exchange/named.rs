//! Certificates that send connectors name beside their successors: of the same issuer and subject, so that Exchange removes
//! neither while they do (facts 7.2, 7.4).

use std::collections::{BTreeMap, BTreeSet};

use super::selection::{self, Presented};
use crate::model::{
    connector::SendConnector,
    dn::TlsCertificateName,
    names::{ConnectorName, ServerName},
    organization::Organization,
    server::{Server, StoredCertificate},
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// What a source server proves itself with through a send connector.
pub fn presented(server: &Server, connector: &SendConnector, now: Timestamp) -> Presented {
    let name = connector.tls_certificate_name.as_ref();
    selection::outbound_starttls(server, name, connector.fqdn.as_ref(), now).presented
}

/// Whether a send connector that names a certificate would show the same without the name, on every source server, with this
/// certificate and once it is gone: then the name can be cleared while mail is sent. Its `Fqdn` selects the same one.
pub fn changes_nothing_without_name(
    organization: &Organization,
    connector: &ConnectorName,
    gone: Thumbprint,
    now: Timestamp,
) -> bool {
    let Some(connectors) = organization.send_connectors.known() else { return false };
    let Some(named) = connectors.get(connector) else { return false };
    let unnamed = SendConnector { tls_certificate_name: None, ..named.clone() };
    !named.source_servers.is_empty()
        && named.fqdn.is_some()
        && named.source_servers.iter().all(|server| {
            let Some(server) = organization.servers.get(server) else { return false };
            let mut without = server.clone();
            if let Some(store) = without.certificates.known_mut() {
                store.0.remove(&gone);
            }
            let shown = presented(server, named, now);
            matches!(shown, Presented::Certificate(_))
                && presented(server, &unnamed, now) == shown
                && presented(&without, &unnamed, now) == shown
        })
}

/// The servers from which these connectors send.
pub fn sources<'a>(
    organization: &'a Organization,
    connectors: impl IntoIterator<Item = &'a ConnectorName>,
) -> BTreeSet<&'a ServerName> {
    let Some(known) = organization.send_connectors.known() else { return BTreeSet::new() };
    connectors.into_iter().filter_map(|name| known.get(name)).flat_map(|own| &own.source_servers).collect()
}

/// The send connectors of each source server.
pub fn by_server(organization: &Organization) -> BTreeMap<ServerName, Vec<ConnectorName>> {
    let mut senders: BTreeMap<ServerName, Vec<ConnectorName>> = BTreeMap::new();
    for (name, connector) in organization.send_connectors.known().into_iter().flatten() {
        for server in &connector.source_servers {
            senders.entry(server.clone()).or_default().push(name.clone());
        }
    }
    senders
}

/// Whether transport of these servers can be stopped from here, all at the same time: they are seen, and none is an Edge
/// server, which answers to nobody but itself and hears of names by `EdgeSync` (facts 10.1).
pub fn can_stand_still(organization: &Organization, servers: &BTreeSet<&ServerName>) -> bool {
    !servers.is_empty() && hindering(organization, servers).is_empty()
}

/// Those of these servers on which transport cannot be stopped from here.
pub fn hindering(organization: &Organization, servers: &BTreeSet<&ServerName>) -> Vec<ServerName> {
    let can_be = |server: &Server| !server.is_edge() && server.certificates.known().is_some();
    let hindering = servers.iter().filter(|name| !organization.servers.get(**name).is_some_and(can_be));
    hindering.map(|name| (*name).clone()).collect()
}

/// Copies without a private key on a server that the names of connectors select, receiving and sending (facts 5.9).
pub fn keyless_copies(organization: &Organization, name: &ServerName) -> Vec<(ConnectorName, Thumbprint)> {
    let Some(server) = organization.servers.get(name) else { return Vec::new() };
    let store = server.certificates.known().into_iter().flat_map(|store| store.0.values());
    let copies: Vec<_> = store.filter(|stored| !stored.has_private_key).collect();
    if copies.is_empty() {
        return Vec::new();
    }
    let receiving = server.receive_connectors.known().into_iter().flatten();
    let receiving = receiving.map(|(connector, own)| (connector, &own.tls_certificate_name));
    let sending = organization.send_connectors.known().into_iter().flatten();
    let sending = sending.filter(|(_, own)| own.source_servers.contains(name));
    let sending = sending.map(|(connector, own)| (connector, &own.tls_certificate_name));
    let selected = |(connector, tls_name): (&ConnectorName, &Option<TlsCertificateName>)| {
        let selects =
            |own: &&&StoredCertificate| tls_name.as_ref().is_some_and(|name| name.selects(&own.certificate));
        let named = copies.iter().filter(selects);
        named.map(|copy| (connector.clone(), copy.certificate.thumbprint)).collect::<Vec<_>>()
    };
    receiving.chain(sending).flat_map(selected).collect()
}
