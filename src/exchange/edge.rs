//! Edge subscriptions: by which certificates an Edge server and the servers of its site trust each other (facts 5.3, 10).
//!
//! Documented are: that direct trust compares the certificate itself, on both sides with the copy that the other side has in
//! its directory; that an Edge and a Mailbox server must not have the same one (event 10104); and that the subscription has
//! to be made anew when the default SMTP certificate of either is replaced (KB2989382). Inferred are: that trust is there
//! again when the certificate of the subscription is put back; that a subscription that is older than a certificate does not
//! know it; that `CreateUtc` is new after `New-EdgeSubscription` over an old one; and that `Get-TransportService` tells on
//! each side what its directory holds of the other.

use std::fmt;

use crate::model::{
    dn::TlsCertificateName,
    names::ServerName,
    organization::{EdgeSubscription, Organization},
    server::Server,
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// Why an Edge server and a server of its site do not trust each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EdgeDistrust {
    /// The Edge presents another certificate than it was subscribed with: `EdgeSync` stops with 10104.
    EdgeReplaced {
        /// The Edge server.
        edge: ServerName,
        /// The certificate that it presents.
        present: Thumbprint,
    },
    /// A server of the site presents another one than the Edge knows: the Edge refuses it with 1036.
    ServerReplaced {
        /// The Edge server.
        edge: ServerName,
        /// The server of the site.
        server: ServerName,
        /// The certificate that it presents.
        present: Thumbprint,
    },
    /// Both present the same one: `EdgeSync` stops with 10104, and a new subscription does not help.
    Shared {
        /// The Edge server.
        edge: ServerName,
        /// The server of the site.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
    },
}

/// Everything that breaks the trust of a subscription, as far as it can be seen.
pub fn distrust(organization: &Organization, subscription: &EdgeSubscription) -> Vec<EdgeDistrust> {
    let edge = &subscription.edge;
    let mut found = Vec::new();
    let of_edge = presents(organization, edge);
    if let Some(present) = of_edge
        && is_new_to(subscription, organization.servers.get(edge), present, subscription.edge_certificate)
    {
        found.push(EdgeDistrust::EdgeReplaced { edge: edge.clone(), present });
    }
    for name in &subscription.site_servers {
        let Some(present) = presents(organization, name) else { continue };
        let (edge, server) = (edge.clone(), name.clone());
        if of_edge == Some(present) {
            found.push(EdgeDistrust::Shared { edge, server, certificate: present });
        } else if is_new_to(
            subscription,
            organization.servers.get(name),
            present,
            known_of(organization, subscription, name),
        ) {
            found.push(EdgeDistrust::ServerReplaced { edge, server, present });
        }
    }
    found
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
}

/// Whether the Edge server's directory holds this certificate of a server of its site.
pub fn knows(organization: &Organization, subscription: &EdgeSubscription, certificate: Thumbprint) -> bool {
    let peers = organization.servers.get(&subscription.edge).and_then(|edge| edge.peers.known()?.as_ref());
    peers.is_some_and(|peers| peers.values().any(|known| *known == certificate))
}

/// The subscriptions that a server is a side of.
pub fn subscriptions_of<'a>(
    organization: &'a Organization,
    server: &'a ServerName,
) -> impl Iterator<Item = &'a EdgeSubscription> {
    let subscriptions = organization.edge_subscriptions.known().into_iter().flatten();
    subscriptions.filter(move |subscription| {
        subscription.edge == *server || subscription.site_servers.contains(server)
    })
}

/// Servers on either side of a subscription that have the same internal transport certificate.
pub fn shared(organization: &Organization) -> Vec<(ServerName, ServerName)> {
    let subscriptions = organization.edge_subscriptions.known().into_iter().flatten();
    let found = subscriptions.flat_map(|subscription| distrust(organization, subscription));
    let shared = found.filter_map(|distrust| match distrust {
        EdgeDistrust::Shared { edge, server, .. } => Some((edge, server)),
        EdgeDistrust::EdgeReplaced { .. } | EdgeDistrust::ServerReplaced { .. } => None,
    });
    shared.collect()
}

/// Whether the directory of an Edge server (AD LDS) can hold this name: its schema has room for 256 characters (KB4052493).
pub fn fits_edge(name: &TlsCertificateName) -> bool {
    name.to_string().chars().count() <= MOST_CHARACTERS
}

/// The smart host that stands for the servers of the site.
pub use super::selection::EDGE_SYNC_HOST as SMART_HOST;

/// `rangeUpper` of `ms-Exch-Smtp-TLS-Certificate` in AD LDS.
pub const MOST_CHARACTERS: usize = 256;

fn presents(organization: &Organization, server: &ServerName) -> Option<Thumbprint> {
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

impl fmt::Display for EdgeDistrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EdgeReplaced { edge, present } => write!(
                f,
                "{edge} presents {}, and was subscribed with another certificate (event 10104)",
                present.short()
            ),
            Self::ServerReplaced { edge, server, present } => write!(
                f,
                "{server} presents {}, and {edge} knows another certificate of it (event 1036)",
                present.short()
            ),
            Self::Shared { edge, server, certificate } => write!(
                f,
                "{edge} and {server} both present {} (event 10104); each needs an internal transport certificate of its own",
                certificate.short()
            ),
        }
    }
}
