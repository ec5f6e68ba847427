//! What a certificate on a server is used for: the proof of non-use that every removal needs.

use std::collections::BTreeMap;

pub use crate::model::certificate_use::CertificateUse as Use;

use super::{
    binding_points::{BindingPoint, binding_points, presented},
    edge, im,
    selection::{self, Presented},
};
use crate::model::{
    dn::TlsCertificateName,
    fact::Fact,
    names::ServerName,
    organization::{FederationTrust, Organization},
    server::{Server, StoredCertificate, UmStartupMode, UnifiedMessaging},
    service::{Service, Services},
    thumbprint::Thumbprint,
    time::Timestamp,
    unseen::{Unseen, UnseenPart},
};

/// Everything that uses this certificate of this server. Empty is the proof that nothing does.
pub fn uses(
    organization: &Organization,
    name: &ServerName,
    thumbprint: Thumbprint,
    now: Timestamp,
) -> Vec<Use> {
    let Some(server) = organization.servers.get(name) else {
        return vec![unknown(UnseenPart::Server, "not observed")];
    };
    let Some(stored) = server.certificate(thumbprint) else {
        return server
            .certificates
            .why_unknown()
            .map(|why| unknown(UnseenPart::Store, why))
            .into_iter()
            .collect();
    };
    let mut found = on_server(server, stored, now);
    found.extend(through_send_connectors(organization, name, server, stored, now));
    found.extend(in_organization(organization, name, server, stored, now));
    found
}

fn on_server(server: &Server, stored: &StoredCertificate, now: Timestamp) -> Vec<Use> {
    let thumbprint = stored.certificate.thumbprint;
    let mut found = Vec::new();
    for (what, why) in [
        (UnseenPart::IisBindings, server.sites.why_unknown()),
        (UnseenPart::ReceiveConnectors, server.receive_connectors.why_unknown()),
        (UnseenPart::InternalTransport, server.internal_transport.why_unknown()),
        (UnseenPart::PopSettings, server.pop.why_unknown()),
        (UnseenPart::ImapSettings, server.imap.why_unknown()),
    ] {
        found.extend(why.map(|why| unknown(what, why)));
    }
    found.extend(impossibly_empty(server));
    for presenter in binding_points(server) {
        match presented(server, &presenter, now) {
            Presented::Certificate(used) | Presented::Failing { certificate: used, .. }
                if used == thumbprint =>
            {
                found.push(Use::Presented(presenter));
            }
            Presented::Unknown(why) => found.push(unknown(UnseenPart::Place(presenter), &why)),
            Presented::Certificate(_) | Presented::Failing { .. } | Presented::Nothing(_) => {}
        }
    }
    found.extend(disabled(server, stored, now));
    match &server.other_programs {
        Fact::Known(programs) => {
            let naming = programs.iter().filter(|(_, used)| **used == thumbprint);
            found.extend(naming.map(|(program, _)| Use::OtherProgram(program.clone())));
        }
        Fact::Unknown(why) => found.push(unknown(UnseenPart::OtherPrograms, &why.why)),
    }
    match &stored.services {
        Fact::Known(services) if is_used_by_um(server, services) => found.push(Use::UnifiedMessaging),
        Fact::Known(services) if services.contains(&Service::Federation) => found.push(Use::Federation),
        Fact::Known(_) => {}
        Fact::Unknown(why) => found.push(unknown(UnseenPart::Services, &why.why)),
    }
    found
}

/// Receive connectors that are disabled and name this certificate, and no other that is valid: enabled again, they would have
/// none.
fn disabled(server: &Server, stored: &StoredCertificate, now: Timestamp) -> Vec<Use> {
    let connectors = server.receive_connectors.known().into_iter().flatten();
    let named = connectors.filter(|(_, connector)| {
        let name = connector.tls_certificate_name.as_ref().filter(|_| !connector.enabled);
        name.is_some_and(|name| {
            let others = server.certificates.known().into_iter().flat_map(|store| store.0.values());
            let mut others = others.filter(|other| {
                let facts = &other.certificate;
                other.has_private_key
                    && facts.thumbprint != stored.certificate.thumbprint
                    && facts.is_valid_at(now)
            });
            name.selects(&stored.certificate) && !others.any(|other| name.selects(&other.certificate))
        })
    });
    named.map(|(name, _)| Use::Presented(BindingPoint::Connector(name.clone()))).collect()
}

/// What no server is without and nothing was seen of: what was not seen may use anything (facts 4.1).
fn impossibly_empty(server: &Server) -> impl Iterator<Item = Use> {
    let none = "none was seen, and no server is without";
    let edge = server.is_edge();
    [
        (UnseenPart::ReceiveConnectors, server.receive_connectors.known().is_some_and(BTreeMap::is_empty)),
        (UnseenPart::IisBindings, !edge && server.sites.known().is_some_and(BTreeMap::is_empty)),
        (UnseenPart::PopSettings, !edge && server.pop.known().is_some_and(Option::is_none)),
        (UnseenPart::ImapSettings, !edge && server.imap.known().is_some_and(Option::is_none)),
    ]
    .into_iter()
    .filter(|(_, empty)| *empty)
    .map(move |(part, _)| unknown(part, none))
}

/// In the mode TCP Unified Messaging uses no certificate, whichever is enabled for it (facts 3.4).
fn is_used_by_um(server: &Server, services: &Services) -> bool {
    let encrypts = |mode: fn(&UnifiedMessaging) -> Option<UmStartupMode>| match &server.um {
        Fact::Unknown(_) => true,
        Fact::Known(None) => false,
        Fact::Known(Some(um)) => mode(um).is_some_and(|mode| mode != UmStartupMode::Tcp),
    };
    (services.contains(&Service::Um) && encrypts(|um| um.service))
        || (services.contains(&Service::UmCallRouter) && encrypts(|um| um.call_router))
}

fn through_send_connectors(
    organization: &Organization,
    name: &ServerName,
    server: &Server,
    stored: &StoredCertificate,
    now: Timestamp,
) -> Vec<Use> {
    let connectors = match &organization.send_connectors {
        Fact::Unknown(why) => return vec![unknown(UnseenPart::SendConnectors, &why.why)],
        Fact::Known(connectors) => connectors,
    };
    let mut found = Vec::new();
    // An Edge server acts by its own copies until EdgeSync has brought it others (facts 10.1).
    for (connector, copy) in edge::behind(organization, name) {
        let tls_name = copy.tls_certificate_name.as_ref();
        let chosen = selection::outbound_starttls(server, tls_name, copy.fqdn.as_ref(), now).presented;
        if tls_name.is_some_and(|tls_name| tls_name.selects(&stored.certificate))
            || chosen == Presented::Certificate(stored.certificate.thumbprint)
        {
            found.push(Use::ConnectorCopy(connector.clone()));
        }
    }
    for (connector, settings) in connectors {
        match &settings.tls_certificate_name {
            Some(tls_name) if tls_name.selects(&stored.certificate) => {
                found.push(Use::SendConnector(connector.clone()))
            }
            Some(_) => {}
            None => {
                let chosen =
                    selection::outbound_starttls(server, None, settings.fqdn.as_ref(), now).presented;
                // Whether it sends from this server is asked last: the list may be as long as the organization is large.
                if chosen == Presented::Certificate(stored.certificate.thumbprint)
                    && settings.source_servers.contains(name)
                {
                    found.push(Use::OutboundByName(connector.clone()));
                }
            }
        }
    }
    found
}

fn in_organization(
    organization: &Organization,
    name: &ServerName,
    server: &Server,
    stored: &StoredCertificate,
    now: Timestamp,
) -> Vec<Use> {
    let thumbprint = stored.certificate.thumbprint;
    let mut found = Vec::new();
    match &organization.auth {
        Fact::Unknown(why) => found.push(unknown(UnseenPart::AuthConfiguration, &why.why)),
        Fact::Known(Some(auth)) if [auth.current, auth.next, auth.previous].contains(&Some(thumbprint)) => {
            found.push(Use::Auth);
        }
        Fact::Known(_) => {}
    }
    match &organization.federation {
        Fact::Unknown(why) => found.push(unknown(UnseenPart::FederationTrust, &why.why)),
        Fact::Known(Some(FederationTrust { current, next }))
            if [*current, *next].contains(&Some(thumbprint)) =>
        {
            found.push(Use::Federation);
        }
        Fact::Known(_) => {}
    }
    match &organization.hybrid {
        Fact::Unknown(why) => found.push(unknown(UnseenPart::HybridConfiguration, &why.why)),
        Fact::Known(hybrid) => {
            let name = hybrid.as_ref().and_then(|hybrid| hybrid.tls_certificate_name.as_ref());
            let selected = name.filter(|name| name.selects(&stored.certificate));
            // It is a name for mail to Microsoft 365, and no place: what another valid certificate of the same issuer and
            // subject answers to as well does not need this one. Which of them mail is sent with, connectors tell.
            let has_another = |name: &&TlsCertificateName| {
                let others = server.certificates.known().into_iter().flat_map(|store| store.0.values());
                let mut others = others.filter(|other| {
                    let (other, own) = (&other.certificate, &stored.certificate);
                    other.thumbprint != own.thumbprint
                        && (other.is_valid_at(now) || other.not_after > own.not_after)
                });
                others.any(|other| other.has_private_key && name.selects(&other.certificate))
            };
            found.extend(selected.filter(|name| !has_another(name)).map(|_| Use::Hybrid));
        }
    }
    match &organization.edge_subscriptions {
        Fact::Unknown(why) => found.push(unknown(UnseenPart::EdgeSubscriptions, &why.why)),
        Fact::Known(subscriptions) => {
            let subscribed = subscriptions.iter().any(|subscription| {
                subscription.edge_certificate == Some(thumbprint)
                    || edge::known_of(organization, subscription, name) == Some(thumbprint)
            });
            found.extend(subscribed.then_some(Use::EdgeSubscription));
        }
    }
    match &organization.im_overrides {
        Fact::Unknown(_) if !im::reads_overrides(server) => {}
        Fact::Unknown(why) => found.push(unknown(UnseenPart::SettingOverrides, &why.why)),
        Fact::Known(overrides) => {
            let naming = overrides.iter().filter(|(_, setting)| setting.certificate == Some(thumbprint));
            found.extend(naming.map(|(name, _)| Use::InstantMessaging(name.clone())));
        }
    }
    for (name, balancer) in &organization.balancers {
        match &balancer.certificate {
            Fact::Unknown(why) => found.push(unknown(UnseenPart::LoadBalancer(name.clone()), &why.why)),
            Fact::Known(held)
                if balancer.loaded == Some(thumbprint)
                    || held.as_ref().is_some_and(|held| held.thumbprint == thumbprint) =>
            {
                found.push(Use::Balancer(name.clone()))
            }
            Fact::Known(_) => {}
        }
    }
    found
}

fn unknown(part: UnseenPart, why: &str) -> Use {
    Use::Unknown(Unseen { part, why: why.to_owned() })
}
