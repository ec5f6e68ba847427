//! Edge subscriptions of a lab: those it was set up with, and new ones that somebody makes.

use std::collections::BTreeMap;

use super::{
    files::LabError,
    seed::{EdgeSubscriptionSeed, Seed, SeedMoment, Subscribed},
};
use crate::{
    exchange::edge,
    model::{
        connector::SendConnector,
        dn::TlsCertificateName,
        fact::Fact,
        names::{CertificateName, ConnectorName, ServerName},
        organization::{EdgeSubscription, Organization},
        thumbprint::Thumbprint,
        time::{Span, Timestamp},
    },
};

/// Makes the subscriptions of the seed that are made at this point of setting up, and their send connectors.
pub(super) fn subscribe(
    organization: &mut Organization,
    seed: &Seed,
    at: Subscribed,
    now: Timestamp,
) -> Result<(), LabError> {
    for (edge, subscription) in seed.edge_subscriptions.iter().filter(|(_, own)| own.made == at) {
        let EdgeSubscriptionSeed { servers, made: _, behind: _ } = subscription;
        let sides: Vec<&ServerName> = servers.0.iter().chain([edge]).collect();
        let unknown = sides.iter().find(|side| !organization.servers.contains_key(**side));
        if let Some(side) = unknown {
            return Err(LabError::CannotSetUp(format!(
                "the subscription of {edge} is with {side}, which is no server of the lab"
            )));
        }
        if let Some(subscriptions) = organization.edge_subscriptions.known_mut() {
            subscriptions.push(EdgeSubscription {
                edge: edge.clone(),
                site: Some(SITE.into()),
                site_servers: servers.0.clone(),
                edge_certificate: None,
                created: None,
            });
        }
        let installed = |side: &&ServerName| {
            let installed = seed.servers.get(*side).and_then(|server| server.installed);
            installed.unwrap_or(SeedMoment::Before(Span::days(400))).from(now)
        };
        let created = match at {
            Subscribed::AfterSetup => sides.iter().map(installed).max().unwrap_or(now),
            Subscribed::AfterCertificates => now,
        };
        edge::subscribe(organization, edge, created);
        if let Some(connectors) = organization.send_connectors.known_mut() {
            connectors.extend(send_connectors(edge));
        }
    }
    Ok(())
}

/// What the directories of Edge servers hold of the send connectors: what `EdgeSync` brought, and older copies where the seed
/// says so.
pub(super) fn copies(
    organization: &mut Organization,
    seed: &Seed,
    made: &BTreeMap<CertificateName, Thumbprint>,
) -> Result<(), LabError> {
    for (edge, subscription) in &seed.edge_subscriptions {
        let Some(server) = organization.servers.get_mut(edge) else { continue };
        server.connector_copies = Fact::Known(BTreeMap::new());
        edge::synchronize(organization, edge);
        for (connector, certificate) in &subscription.behind {
            let server = organization.servers.get_mut(edge);
            let named = server.and_then(|server| {
                let older = TlsCertificateName::of(&server.certificate(*made.get(certificate)?)?.certificate);
                let copy = server.connector_copies.known_mut()?.get_mut(connector)?;
                copy.tls_certificate_name = Some(older);
                Some(())
            });
            named.ok_or_else(|| {
                LabError::CannotSetUp(format!("{edge} has no copy of {connector}, or no {certificate}"))
            })?;
        }
    }
    Ok(())
}

/// What `New-EdgeSubscription` makes: to the internet, and back into the site (facts 10).
fn send_connectors(edge: &ServerName) -> [(ConnectorName, SendConnector); 2] {
    let connector = |name: String, address: &str, smart_hosts: Vec<String>| {
        let connector = SendConnector {
            source_servers: vec![edge.clone()],
            address_spaces: vec![address.into()],
            smart_hosts,
            fqdn: None,
            tls_certificate_name: None,
            require_tls: false,
            tls_auth_level: None,
            tls_domain: None,
            cloud_services_mail: false,
            domain_secure: false,
            enabled: true,
        };
        (name.parse().expect("a connector's name"), connector)
    };
    [
        connector(format!("EdgeSync - {SITE} to Internet"), "smtp:*;100", Vec::new()),
        connector(format!("EdgeSync - Inbound to {SITE}"), "smtp:--;100", vec![edge::SMART_HOST.into()]),
    ]
}

/// The site that a new forest has.
const SITE: &str = "Default-First-Site-Name";
