//! Edge subscriptions: by which certificates an Edge server and the servers of its site trust each other (facts 5.3, 10).
//!
//! Documented are: that direct trust compares the certificate itself, on both sides with the copy that the other side has in
//! its directory; that an Edge and a Mailbox server must not have the same one (event 10104); and that the subscription has
//! to be made anew when the default SMTP certificate of either is replaced (KB2989382). Inferred are: that trust is there
//! again when the certificate of the subscription is put back; that a subscription that is older than a certificate does not
//! know it; that `CreateUtc` is new after `New-EdgeSubscription` over an old one; and that `Get-TransportService` tells on
//! each side what its directory holds of the other.

use std::collections::BTreeMap;

pub use crate::model::edge_distrust::EdgeDistrust;

use crate::model::{
    connector::SendConnector,
    dn::TlsCertificateName,
    names::{ConnectorName, ServerName},
    organization::{EdgeSubscription, Organization},
    server::Server,
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// Everything that breaks the trust of a subscription, as far as it can be seen.
pub fn distrust(organization: &Organization, subscription: &EdgeSubscription) -> Vec<EdgeDistrust> {
    let sides = [&subscription.edge].into_iter().chain(&subscription.site_servers);
    sides.filter_map(|name| distrust_of(organization, subscription, name)).collect()
}

/// Everything that breaks the trust of subscriptions in which one of these servers has a part.
pub fn distrust_among(
    organization: &Organization,
    has_part: impl Fn(&ServerName) -> bool,
) -> Vec<EdgeDistrust> {
    let known = organization.edge_subscriptions.known().into_iter().flatten();
    let own = known.filter(|own| [&own.edge].into_iter().chain(&own.site_servers).any(&has_part));
    own.flat_map(|own| distrust(organization, own)).collect()
}

/// Why the other side of a subscription does not trust this server; none when it does, as far as it can be seen.
pub fn distrust_of(
    organization: &Organization,
    subscription: &EdgeSubscription,
    name: &ServerName,
) -> Option<EdgeDistrust> {
    let (edge, server) = (subscription.edge.clone(), name.clone());
    let present = presents(organization, name)?;
    let is_new = || {
        let known = known_of(organization, subscription, name);
        is_new_to(subscription, organization.servers.get(name), present, known)
    };
    if *name == subscription.edge {
        return is_new().then_some(EdgeDistrust::EdgeReplaced { edge, present });
    }
    if presents(organization, &subscription.edge) == Some(present) {
        return Some(EdgeDistrust::Shared { edge, server, certificate: present });
    }
    is_new().then_some(EdgeDistrust::ServerReplaced { edge, server, present })
}

/// Whether trust is there on both sides of a subscription. Where it cannot be seen what one side knows of the other, it has
/// to be another subscription than the one of `before`; what cannot be seen at all is not taken for done.
pub fn is_trusted(organization: &Organization, edge: &ServerName, before: Option<Timestamp>) -> bool {
    let mut subscriptions = organization.edge_subscriptions.known().into_iter().flatten();
    let Some(subscription) = subscriptions.find(|subscription| subscription.edge == *edge) else {
        return false;
    };
    let is_another = subscription.created.is_some() && subscription.created != before;
    let told = |name: &ServerName| {
        let known = known_of(organization, subscription, name);
        let looked_at = !organization.servers.contains_key(name) || presents(organization, name).is_some();
        looked_at && (known.is_some() || is_another)
    };
    subscription.site_servers.iter().chain([edge]).all(told)
        && distrust(organization, subscription).is_empty()
}

/// What the other side of a subscription knows of this server's certificate.
pub fn known_of(
    organization: &Organization,
    subscription: &EdgeSubscription,
    server: &ServerName,
) -> Option<Thumbprint> {
    if *server == subscription.edge {
        return subscription.edge_certificate;
    }
    let edge = organization.servers.get(&subscription.edge)?;
    edge.peers.known()?.as_ref()?.get(server).copied()
}

/// Makes a subscription anew, as `New-EdgeSubscription` on both sides does: each side knows what the other presents.
pub fn subscribe(organization: &mut Organization, edge: &ServerName, now: Timestamp) {
    let of_edge = presents(organization, edge);
    let subscriptions = organization.edge_subscriptions.known_mut().into_iter().flatten();
    let mut servers = Vec::new();
    for subscription in subscriptions.filter(|subscription| subscription.edge == *edge) {
        subscription.edge_certificate = of_edge;
        subscription.created = Some(now);
        servers.extend(subscription.site_servers.iter().cloned());
    }
    let known = servers.into_iter().filter_map(|name| presents(organization, &name).map(|has| (name, has)));
    let known: Vec<(ServerName, Thumbprint)> = known.collect();
    if let Some(Some(peers)) = organization.servers.get_mut(edge).and_then(|edge| edge.peers.known_mut()) {
        peers.extend(known);
    }
    synchronize(organization, edge);
}

/// Brings the send connectors of a subscribed Edge server into its own directory, as `EdgeSync` does (facts 10.1).
pub fn synchronize(organization: &mut Organization, edge: &ServerName) {
    let Organization { servers, send_connectors, edge_subscriptions, .. } = organization;
    let subscriptions = edge_subscriptions.known().into_iter().flatten();
    let is_subscribed = subscriptions.map(|own| &own.edge).any(|own| own == edge);
    let (Some(server), Some(connectors)) = (servers.get_mut(edge), send_connectors.known()) else { return };
    if let Some(copies) = server.connector_copies.known_mut().filter(|_| is_subscribed) {
        let own = connectors.iter().filter(|(_, connector)| connector.source_servers.contains(edge));
        *copies = own.map(|(name, connector)| (name.clone(), connector.clone())).collect();
    }
}

/// The send connectors that the directory of an Edge server holds, where somebody sees it.
pub fn copies<'a>(
    organization: &'a Organization,
    edge: &ServerName,
) -> Option<&'a BTreeMap<ConnectorName, SendConnector>> {
    organization.servers.get(edge)?.connector_copies.known()
}

/// The copies in the directory of an Edge server by which it chooses another certificate than the organization's connectors say:
/// `EdgeSync` has not brought them there yet. None where nobody sees that directory.
pub fn behind<'a>(
    organization: &'a Organization,
    edge: &ServerName,
) -> impl Iterator<Item = (&'a ConnectorName, &'a SendConnector)> {
    let connectors = organization.send_connectors.known();
    let copies = connectors.zip(copies(organization, edge)).into_iter().flat_map(|(connectors, copies)| {
        copies.iter().map(|(name, copy)| (name, copy, connectors.get(name)))
    });
    copies.filter_map(|(name, copy, own)| {
        let own = own?;
        let differs = (&copy.tls_certificate_name, &copy.fqdn) != (&own.tls_certificate_name, &own.fqdn);
        differs.then_some((name, copy))
    })
}

/// The subscriptions of an organization, found by the servers that are a side of them.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionSides(BTreeMap<ServerName, Vec<usize>>);

impl SubscriptionSides {
    /// Those of this organization.
    pub fn of(organization: &Organization) -> Self {
        let mut sides: BTreeMap<ServerName, Vec<usize>> = BTreeMap::new();
        let subscriptions = organization.edge_subscriptions.known().into_iter().flatten();
        for (index, subscription) in subscriptions.enumerate() {
            for side in subscription.site_servers.iter().chain([&subscription.edge]) {
                sides.entry(side.clone()).or_default().push(index);
            }
        }
        Self(sides)
    }

    /// The subscriptions that a server is a side of.
    pub fn subscriptions<'a>(
        &'a self,
        organization: &'a Organization,
        server: &ServerName,
    ) -> impl Iterator<Item = &'a EdgeSubscription> {
        let subscriptions = organization.edge_subscriptions.known();
        let own = self.0.get(server).into_iter().flatten();
        own.filter_map(move |index| subscriptions.and_then(|subscriptions| subscriptions.get(*index)))
    }
}

/// An Edge server and a server of its site that have the same internal transport certificate.
pub type SharedPair = (ServerName, ServerName);

/// All of them.
pub fn shared(organization: &Organization) -> impl Iterator<Item = SharedPair> {
    let subscriptions = organization.edge_subscriptions.known().into_iter().flatten();
    subscriptions.flat_map(|subscription| shared_in(organization, subscription, &subscription.edge))
}

/// Those of one subscription that this server is one of.
pub fn shared_in<'a>(
    organization: &'a Organization,
    subscription: &'a EdgeSubscription,
    server: &'a ServerName,
) -> impl Iterator<Item = SharedPair> {
    let edge = &subscription.edge;
    let of_edge = presents(organization, edge);
    let others =
        if server == edge { subscription.site_servers.as_slice() } else { std::slice::from_ref(server) };
    let same =
        others.iter().filter(move |other| of_edge.is_some() && presents(organization, other) == of_edge);
    same.map(|other| (edge.clone(), other.clone()))
}

/// The Edge servers that a send connector sends from, each with a server of its site by which `EdgeSync` is started: an Edge server
/// acts by its own copy of what was set (facts 10.1).
pub fn carried_by(organization: &Organization, connector: &ConnectorName) -> Vec<(ServerName, ServerName)> {
    let connectors = organization.send_connectors.known();
    let Some(connector) = connectors.and_then(|connectors| connectors.get(connector)) else {
        return Vec::new();
    };
    let subscriptions = organization.edge_subscriptions.known().into_iter().flatten();
    let own = subscriptions.filter(|subscription| connector.source_servers.contains(&subscription.edge));
    own.filter_map(|own| Some((own.edge.clone(), own.site_servers.first()?.clone()))).collect()
}

/// Whether the directory of an Edge server (AD LDS) can hold this name: its schema has room for 256 characters (KB4052493).
pub fn fits_edge(name: &TlsCertificateName) -> bool {
    name.to_string().chars().count() <= MOST_CHARACTERS
}

/// The smart host that stands for the servers of the site.
pub use super::selection::EDGE_SYNC_HOST as SMART_HOST;

/// `rangeUpper` of `ms-Exch-Smtp-TLS-Certificate` in AD LDS.
pub const MOST_CHARACTERS: usize = 256;

/// The internal transport certificate of a server, where it is seen.
pub fn presents(organization: &Organization, server: &ServerName) -> Option<Thumbprint> {
    *organization.servers.get(server)?.internal_transport.known()?
}

/// Whether the other side does not know the certificate: by what it knows, or by the dates.
fn is_new_to(
    subscription: &EdgeSubscription,
    server: Option<&Server>,
    present: Thumbprint,
    known: Option<Thumbprint>,
) -> bool {
    if let Some(known) = known {
        return known != present;
    }
    let since = server.and_then(|server| Some(server.certificate(present)?.certificate.not_before));
    subscription.created.zip(since).is_some_and(|(created, since)| created < since)
}
