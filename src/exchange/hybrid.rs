//! What the Hybrid Configuration Wizard leaves on the servers, and what is missing of it (facts 9). certwright does not
//! connect to Exchange Online, so its connectors are not seen.
//!
//! Documented are the values that it leaves. Inferred are: that it sets them on every send connector with
//! `CloudServicesMailEnabled` and on the receive connector that takes mail from outside, and that nothing else of it is
//! to be waited for on the servers. An organization of Exchange 2010 alone (`SecureMailCertificateThumbprint`) is not known
//! here.

use std::collections::BTreeSet;

use super::edge;
use crate::model::{
    action::ConnectorRef,
    connector::{ReceiveConnector, SendConnector, TlsAuthLevel, TransportRole},
    dn::TlsCertificateName,
    fact::Fact,
    hybrid_gap::{HybridFault, HybridGap},
    names::ServerName,
    organization::{HybridConfiguration, Organization},
    unseen::{Unseen, UnseenPart},
};

/// What is not as the wizard leaves it; nothing when hybrid mail has what it needs here, when the
/// organization is not hybrid, and for what cannot be seen.
pub fn missing(organization: &Organization) -> Vec<HybridGap> {
    let Some((hybrid, wanted)) = configured(organization) else { return Vec::new() };
    let mut missing = Vec::new();
    for (name, connector) in organization.send_connectors.known().into_iter().flatten() {
        if connector.cloud_services_mail {
            let fault = send_fault(connector, &wanted);
            missing.extend(fault.map(|fault| HybridGap { connector: name.clone(), server: None, fault }));
        }
    }
    for server in receiving(&hybrid) {
        let server_seen = organization.servers.get(&server);
        let Some(connectors) = server_seen.and_then(|server| server.receive_connectors.known()) else {
            continue;
        };
        let mut from_outside = connectors.iter().filter(|(_, connector)| takes_mail_from_outside(connector));
        if let Some((name, connector)) = from_outside.next() {
            let fault = receive_fault(connector, &wanted);
            let server = Some(server);
            missing.extend(fault.map(|fault| HybridGap { connector: name.clone(), server, fault }));
        }
    }
    missing
}

/// The connectors that the wizard gives the certificate of the hybrid configuration.
pub fn given_by_wizard(organization: &Organization) -> Vec<ConnectorRef> {
    let Some(hybrid) = organization.hybrid.known().and_then(Option::as_ref) else { return Vec::new() };
    let send = organization.send_connectors.known().into_iter().flatten();
    let send = send.filter(|(_, connector)| connector.cloud_services_mail);
    let send = send.map(|(name, _)| ConnectorRef::Send { name: name.clone() });
    let receive = receiving(hybrid).into_iter().filter_map(|server| {
        let connectors = organization.servers.get(&server)?.receive_connectors.known()?;
        let (name, _) = connectors.iter().find(|(_, connector)| takes_mail_from_outside(connector))?;
        Some(ConnectorRef::Receive { server, name: name.clone() })
    });
    send.chain(receive).collect()
}

/// What would tell whether something is missing, and cannot be seen.
pub fn unseen(organization: &Organization) -> Vec<Unseen> {
    let unseen = |part, why: &str| Unseen { part, why: why.to_owned() };
    let hybrid = match &organization.hybrid {
        Fact::Unknown(why) => return vec![unseen(UnseenPart::HybridConfiguration, &why.why)],
        Fact::Known(None) => return Vec::new(),
        Fact::Known(Some(hybrid)) => hybrid,
    };
    let connectors = organization.send_connectors.why_unknown();
    let mut all: Vec<Unseen> =
        connectors.map(|why| unseen(UnseenPart::SendConnectors, why)).into_iter().collect();
    for name in receiving(hybrid) {
        let why = match organization.servers.get(&name) {
            None => Some("the server was not observed"),
            Some(server) => server.receive_connectors.why_unknown(),
        };
        all.extend(why.map(|why| unseen(UnseenPart::ReceiveConnectorsOf(name), why)));
    }
    all
}

/// Whether everything on the servers is as the wizard leaves it. What cannot be seen is not taken for done.
pub fn is_applied(organization: &Organization) -> bool {
    configured(organization).is_some() && missing(organization).is_empty() && unseen(organization).is_empty()
}

/// Does what the wizard does on the servers.
pub fn run_wizard(organization: &mut Organization) {
    let Some((hybrid, wanted)) = configured(organization) else { return };
    for connector in organization.send_connectors.known_mut().into_iter().flat_map(|all| all.values_mut()) {
        if connector.cloud_services_mail {
            connector.tls_certificate_name = Some(wanted.clone());
            connector.tls_auth_level = Some(TlsAuthLevel::DomainValidation);
            connector.tls_domain = Some(SERVICE_DOMAIN.into());
            connector.require_tls = true;
        }
    }
    for server in receiving(&hybrid) {
        let server = organization.servers.get_mut(&server);
        let Some(connectors) = server.and_then(|server| server.receive_connectors.known_mut()) else {
            continue;
        };
        if let Some(connector) = connectors.values_mut().find(|connector| takes_mail_from_outside(connector))
        {
            connector.tls_certificate_name = Some(wanted.clone());
            if !accepts_cloud_mail(connector) {
                connector.tls_domain_capabilities.push(CAPABILITY.into());
            }
        }
    }
    // Minutes later Edge servers have it too (facts 10.1).
    let subscriptions = organization.edge_subscriptions.known().into_iter().flatten();
    let edges: Vec<ServerName> = subscriptions.map(|own| own.edge.clone()).collect();
    for edge in &edges {
        edge::synchronize(organization, edge);
    }
}

/// The servers whose transport has to use another certificate after the wizard.
pub fn renamed(before: &Organization, after: &Organization) -> BTreeSet<ServerName> {
    let mut renamed = BTreeSet::new();
    for (name, connector) in after.send_connectors.known().into_iter().flatten() {
        let was = before.send_connectors.known().and_then(|connectors| connectors.get(name));
        if was.is_none_or(|was| was.tls_certificate_name != connector.tls_certificate_name) {
            renamed.extend(connector.source_servers.iter().cloned());
        }
    }
    for (server, found) in &after.servers {
        let was = before.servers.get(server).and_then(|server| server.receive_connectors.known());
        let differs = found.receive_connectors.known().into_iter().flatten().any(|(name, connector)| {
            let was = was.and_then(|connectors| connectors.get(name));
            was.is_none_or(|was| was.tls_certificate_name != connector.tls_certificate_name)
        });
        renamed.extend(differs.then(|| server.clone()));
    }
    renamed
}

/// The servers through which hybrid mail goes: each of them needs the certificate.
pub fn servers(hybrid: &HybridConfiguration) -> BTreeSet<ServerName> {
    let HybridConfiguration { tls_certificate_name: _, receiving_servers, sending_servers, edge_servers } =
        hybrid;
    receiving_servers.iter().chain(sending_servers).chain(edge_servers).cloned().collect()
}

/// Whether a server sends mail to Microsoft 365, as far as that can be seen: through the hybrid configuration, or a send
/// connector that goes there (facts 9, 14).
pub fn sends_to_microsoft_365(organization: &Organization, name: &ServerName) -> bool {
    let hybrid = organization.hybrid.known().and_then(Option::as_ref);
    let mut connectors = organization.send_connectors.known().into_iter().flat_map(|all| all.values());
    hybrid.is_some_and(|hybrid| {
        hybrid.sending_servers.iter().chain(&hybrid.edge_servers).any(|own| own == name)
    }) || connectors.any(|connector| {
        connector.enabled && goes_to_microsoft_365(connector) && connector.source_servers.contains(name)
    })
}

/// Whether a send connector goes to Microsoft 365 (facts 6.9).
pub fn goes_to_microsoft_365(connector: &SendConnector) -> bool {
    let within = |text: &str, domain: &str| text.to_ascii_lowercase().contains(domain);
    connector.cloud_services_mail
        || connector.smart_hosts.iter().any(|host| within(host, &format!(".{SERVICE_DOMAIN}")))
        || connector.address_spaces.iter().any(|space| within(space, ".mail.onmicrosoft.com"))
}

/// Whether an enabled send connector goes to Microsoft 365.
pub fn has_connectors_there(organization: &Organization) -> bool {
    let mut connectors = organization.send_connectors.known().into_iter().flat_map(|all| all.values());
    connectors.any(|own| own.enabled && goes_to_microsoft_365(own))
}

/// The name by which Exchange Online knows the organization: that of the hybrid configuration, or of a send connector that goes
/// there (facts 9.1).
pub fn known_as(organization: &Organization) -> Option<&TlsCertificateName> {
    let configured = organization.hybrid.known().and_then(Option::as_ref);
    let configured = configured.and_then(|hybrid| hybrid.tls_certificate_name.as_ref());
    configured.or_else(|| {
        let connectors = organization.send_connectors.known()?.values();
        let mut going = connectors.filter(|own| own.enabled && goes_to_microsoft_365(own));
        going.find_map(|own| own.tls_certificate_name.as_ref())
    })
}

/// Whether Exchange Online may judge this receive connector by the names of its certificate (`-TlsDomain` of its outbound
/// connector): one that takes mail from outside, of an organization that it knows (facts 9).
pub fn is_judged_online(organization: &Organization, connector: &ReceiveConnector) -> bool {
    takes_mail_from_outside(connector) && known_as(organization).is_some()
}

fn configured(organization: &Organization) -> Option<(HybridConfiguration, TlsCertificateName)> {
    let hybrid = organization.hybrid.known()?.clone()?;
    let wanted = hybrid.tls_certificate_name.clone()?;
    Some((hybrid, wanted))
}

/// Edge servers get their connectors' settings from the others.
fn receiving(hybrid: &HybridConfiguration) -> Vec<ServerName> {
    hybrid.receiving_servers.clone()
}

fn send_fault(connector: &SendConnector, wanted: &TlsCertificateName) -> Option<HybridFault> {
    let names_it = connector.tls_certificate_name.as_ref().is_some_and(|name| name.is_same_as(wanted));
    let validates = connector.tls_auth_level == Some(TlsAuthLevel::DomainValidation);
    if !names_it {
        Some(HybridFault::NamesAnother)
    } else if !validates || connector.tls_domain.as_deref().is_none_or(|domain| !is_service_domain(domain)) {
        Some(HybridFault::NotValidated)
    } else {
        None
    }
}

fn receive_fault(connector: &ReceiveConnector, wanted: &TlsCertificateName) -> Option<HybridFault> {
    let names_it = connector.tls_certificate_name.as_ref().is_some_and(|name| name.is_same_as(wanted));
    if !names_it {
        Some(HybridFault::NamesAnother)
    } else if !accepts_cloud_mail(connector) {
        Some(HybridFault::NotRecognised)
    } else {
        None
    }
}

/// `Default Frontend`, by what it does: names are translated on servers of other languages.
fn takes_mail_from_outside(connector: &ReceiveConnector) -> bool {
    connector.role == TransportRole::FrontendTransport && connector.ports().contains(&25) && connector.enabled
}

fn accepts_cloud_mail(connector: &ReceiveConnector) -> bool {
    connector.tls_domain_capabilities.iter().any(|entry| {
        let (domain, capability) = entry.split_once(':').unwrap_or((entry, ""));
        is_service_domain(domain) && matches!(capability, "AcceptCloudServicesMail" | "AcceptOorgProtocol")
    })
}

fn is_service_domain(domain: &str) -> bool {
    domain.trim_start_matches("*.").eq_ignore_ascii_case(SERVICE_DOMAIN)
}

/// By which Microsoft 365 proves itself to servers.
const SERVICE_DOMAIN: &str = "mail.protection.outlook.com";
const CAPABILITY: &str = "mail.protection.outlook.com:AcceptCloudServicesMail";
