//! Servers and the organization as setup leaves them, with what the seed says of them.

use std::collections::BTreeMap;

use super::seed::{Seed, SendConnectorSeed, ServerSeed};
use crate::{
    exchange::setup::{self, SetupCertificate},
    model::{
        certificate::Certificate,
        connector::{ReceiveConnector, SendConnector, TransportRole},
        fact::Fact,
        names::{ConnectorName, DnsName, ServerName},
        organization::{AcceptedDomain, DomainSecurity, Organization},
        server::{
            CertificateStatus, CertificateStore, KeyProvider, MailAccess, MailPorts, OnlineRoot, Server,
            StoredCertificate, UmStartupMode, UnifiedMessaging, WebSettings,
        },
        service::{MailService, Service},
        version::{Release, Role},
    },
};

pub(super) fn empty() -> Organization {
    Organization {
        servers: BTreeMap::new(),
        send_connectors: Fact::Known(BTreeMap::new()),
        accepted_domains: Fact::Known(Vec::new()),
        hybrid: Fact::Known(None),
        auth: Fact::Known(None),
        federation: Fact::Known(None),
        edge_subscriptions: Fact::Known(Vec::new()),
        im_overrides: Fact::Known(BTreeMap::new()),
        dedicated_application: Fact::not_captured(),
        domain_security: Fact::Known(DomainSecurity::default()),
        balancers: BTreeMap::new(),
    }
}

/// A server whose certificates are still to come.
pub(super) fn fresh_server(name: &ServerName, seed: &ServerSeed) -> Server {
    let release = seed.version.release();
    let roles = if seed.roles.is_empty() { setup::roles(release) } else { seed.roles.clone() };
    let edge = roles.contains(&Role::EdgeTransport);
    let mail_access = |ports: &Option<MailPorts>, names: &[DnsName]| {
        (!edge).then(|| MailAccess {
            x509_certificate_name: Some(seed.fqdn.clone()),
            ports: ports.clone(),
            external_names: names.iter().cloned().collect(),
        })
    };
    Server {
        fqdn: Fact::Known(seed.fqdn.clone()),
        version: Fact::Known(seed.version),
        receive_connectors: Fact::Known(receive_connectors(release, edge, name, seed)),
        roles: Fact::Known(roles),
        certificates: Fact::Known(CertificateStore::default()),
        requests: Fact::Known(Vec::new()),
        internal_transport: Fact::Known(None),
        pop: Fact::Known(mail_access(&seed.pop_ports, &seed.pop_external_names)),
        imap: Fact::Known(mail_access(&seed.imap_ports, &seed.imap_external_names)),
        um: Fact::Known(unified_messaging(release, edge, seed.um_startup_mode)),
        directory_site: seed.site.clone().map_or_else(Fact::not_captured, Fact::Known),
        operating_system: Fact::Known(seed.operating_system.clone()),
        sites: Fact::Known(BTreeMap::new()),
        other_stores: BTreeMap::new(),
        web: if edge { Fact::not_captured() } else { Fact::Known(web_settings(seed)) },
        services: windows_services(release, edge, seed),
        other_programs: Fact::Known(BTreeMap::new()),
        // What the stores have is added when somebody looks.
        authorities: Fact::not_captured(),
        client_names: BTreeMap::new(),
        online_root: Fact::Known(seed.online_root.unwrap_or(OnlineRoot { present: true, fetched: true })),
        peers: Fact::Known(edge.then(BTreeMap::new)),
        connector_copies: Fact::not_captured(),
        endpoints: BTreeMap::new(),
        met_from: None,
        served: BTreeMap::new(),
    }
}

fn receive_connectors(
    release: Release,
    edge: bool,
    name: &ServerName,
    seed: &ServerSeed,
) -> BTreeMap<ConnectorName, ReceiveConnector> {
    let mut connectors = BTreeMap::new();
    let is_there = |connector: &ReceiveConnector| {
        let role = match connector.role {
            TransportRole::FrontendTransport => Role::ClientAccess,
            TransportRole::HubTransport => Role::Mailbox,
        };
        edge || setup::has_role(release, &seed.roles, role)
    };
    let of_setup = setup::receive_connectors(release, edge, name, &seed.fqdn).into_iter();
    for (given, connector) in of_setup.filter(|(_, connector)| is_there(connector)) {
        let title = given.as_str().strip_suffix(&format!(" {name}")).unwrap_or(given.as_str());
        let renamed =
            seed.connector_names.get(title).and_then(|title| format!("{title} {name}").parse().ok());
        connectors.insert(renamed.unwrap_or(given), connector);
    }
    let further = seed.receive_connectors.iter();
    connectors.extend(further.map(|(name, own)| (name.clone(), own.connector(&seed.fqdn))));
    connectors
}

fn web_settings(seed: &ServerSeed) -> WebSettings {
    WebSettings { require_ssl: seed.require_ssl, extended_protection: seed.extended_protection }
}

/// Whether POP and IMAP run, where the seed speaks of it.
fn windows_services(release: Release, edge: bool, seed: &ServerSeed) -> Fact<BTreeMap<String, bool>> {
    if seed.stopped.is_empty() {
        return Fact::not_captured();
    }
    let services = MailService::ALL.into_iter().flat_map(|service| {
        let runs = !seed.stopped.contains(&service);
        let windows = service.restartable().windows_services(release, edge).iter();
        windows.map(move |name| ((*name).to_owned(), runs))
    });
    Fact::Known(services.collect())
}

fn unified_messaging(release: Release, edge: bool, mode: Option<UmStartupMode>) -> Option<UnifiedMessaging> {
    let mode = mode.unwrap_or(UmStartupMode::Tcp);
    let offers = |service| (!edge && release.services().contains(&service)).then_some(mode);
    let um = UnifiedMessaging { service: offers(Service::Um), call_router: offers(Service::UmCallRouter) };
    (um.service.is_some() || um.call_router.is_some()).then_some(um)
}

pub(super) fn stored_by_setup(certificate: Certificate, setup: SetupCertificate) -> StoredCertificate {
    let SetupCertificate { exportable, friendly_name, root_type, services, .. } = setup;
    StoredCertificate {
        certificate,
        has_private_key: true,
        key_provider: Fact::Known(KeyProvider::Csp),
        exportable: Fact::Known(exportable),
        friendly_name: Fact::Known(friendly_name),
        services: Fact::Known(services),
        root_type: Fact::Known(root_type),
        status: Fact::Known(CertificateStatus::Valid),
    }
}

pub(super) fn accepted_domains(seed: &Seed) -> Vec<AcceptedDomain> {
    let domain = |(index, domain): (usize, &String)| AcceptedDomain {
        name: domain.clone(),
        domain: domain.clone(),
        default: index == 0,
    };
    seed.accepted_domains.iter().enumerate().map(domain).collect()
}

pub(super) fn send_connectors(seed: &Seed) -> BTreeMap<ConnectorName, SendConnector> {
    let connector = |(name, seed): (&ConnectorName, &SendConnectorSeed)| {
        let connector = SendConnector {
            source_servers: seed.source_servers.clone(),
            address_spaces: seed.address_spaces.clone(),
            smart_hosts: Vec::new(),
            fqdn: seed.fqdn.clone(),
            tls_certificate_name: None,
            require_tls: seed.require_tls,
            tls_auth_level: seed.tls_auth_level,
            tls_domain: seed.tls_domain.clone(),
            cloud_services_mail: seed.cloud_services_mail,
            domain_secure: seed.domain_secure,
            enabled: seed.enabled,
        };
        (name.clone(), connector)
    };
    seed.send_connectors.iter().map(connector).collect()
}
