//! What Exchange's setup leaves on a server (facts 4.1, 6.2, 11.1).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    connector::{AuthMechanism, ReceiveConnector, TransportRole},
    desired::ConnectorSelector,
    dn::DistinguishedName,
    names::{ConnectorName, DnsName, ServerName},
    server::RootType,
    service::{Service, Services},
    site::SiteBinding,
    time::{Span, Timestamp},
    version::{Release, Role},
};

/// A certificate that setup makes.
#[derive(Clone, Debug)]
pub struct SetupCertificate {
    /// Which one.
    pub kind: SetupKind,
    /// Whom it names, which is also who signs it.
    pub subject: DistinguishedName,
    /// Its alternative names.
    pub names: Vec<DnsName>,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// Whether its key may leave.
    pub exportable: bool,
    /// What Windows shows beside it.
    pub friendly_name: String,
    /// Where its root is trusted from.
    pub root_type: RootType,
    /// The services that are its own; the others are computed.
    pub services: Services,
}

/// The certificates that setup makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupKind {
    /// "Microsoft Exchange": internal TLS, Exchange Back End, and the first access of clients.
    MicrosoftExchange,
    /// The one that signs OAuth tokens; the same on every server of the organization.
    Auth,
    /// Of the Web Management Service of IIS.
    Wmsvc,
}

/// The certificates of a fresh server. The one of Auth is made by the first server of the organization and copied to
/// the others; an Edge server has none.
pub fn certificates(
    release: Release,
    edge: bool,
    name: &ServerName,
    fqdn: &DnsName,
    installed: Timestamp,
) -> Vec<SetupCertificate> {
    let microsoft_exchange = SetupCertificate {
        kind: SetupKind::MicrosoftExchange,
        subject: DistinguishedName::common_name_only(&name.to_string()),
        names: [name.as_str().parse().ok(), Some(fqdn.clone())].into_iter().flatten().collect(),
        not_after: installed.plus_years(release.self_signed_years()),
        exportable: false,
        friendly_name: "Microsoft Exchange".into(),
        root_type: RootType::Registry,
        services: Services::from([Service::Smtp]),
    };
    let auth = SetupCertificate {
        kind: SetupKind::Auth,
        subject: DistinguishedName::common_name_only(AUTH),
        names: Vec::new(),
        // Five years by the documentation, exactly 1800 days in every capture.
        not_after: installed.plus(Span::days(1800)),
        exportable: true,
        friendly_name: AUTH.into(),
        root_type: RootType::None,
        services: Services::from([Service::Smtp]),
    };
    let wmsvc_name = format!("WMSvc-SHA2-{name}");
    let wmsvc = SetupCertificate {
        kind: SetupKind::Wmsvc,
        subject: DistinguishedName::common_name_only(&wmsvc_name),
        names: Vec::new(),
        not_after: installed.plus(Span::days(3650)),
        exportable: true,
        friendly_name: "WMSVC-SHA2".into(),
        root_type: RootType::Registry,
        services: Services::new(),
    };
    let mut made = vec![microsoft_exchange];
    if release.has_back_end() {
        made.extend((!edge).then_some(auth));
        made.push(wmsvc);
    }
    made
}

/// Whether a server of these roles has what belongs to a role. Since 2016 there is one role; before 2013 one server with all
/// is what is known here.
pub fn has_role(release: Release, roles: &BTreeSet<Role>, role: Role) -> bool {
    release != Release::Exchange2013 || roles.is_empty() || roles.contains(&role)
}

/// The https bindings of a fresh server. An Edge server has no sites.
pub fn sites(release: Release, edge: bool) -> Vec<SiteBinding> {
    if edge {
        return Vec::new();
    }
    let local = SiteBinding { address: Some("127.0.0.1".into()), ..SiteBinding::default_web_site() };
    let mut sites = vec![SiteBinding::default_web_site(), local];
    sites.extend(release.has_back_end().then(SiteBinding::back_end));
    sites
}

/// The receive connectors of a fresh server.
pub fn receive_connectors(
    release: Release,
    edge: bool,
    name: &ServerName,
    fqdn: &DnsName,
) -> BTreeMap<ConnectorName, ReceiveConnector> {
    use AuthMechanism::{BasicAuth, BasicAuthRequireTls, ExchangeServer, Integrated, Tls};
    use TransportRole::HubTransport;
    let of_clients = [Tls, Integrated, BasicAuth, BasicAuthRequireTls];
    let of_hub = [Tls, Integrated, BasicAuth, ExchangeServer];
    let of_edge = [Tls, ExchangeServer];
    let set: &[(&str, u16, TransportRole, &[AuthMechanism])] = if edge {
        &[("Default internal receive connector", 25, HubTransport, &of_edge)]
    } else if release.has_back_end() {
        WITH_FRONT_END
    } else {
        &[("Default", 25, HubTransport, &of_hub), ("Client", 587, HubTransport, &of_clients)]
    };
    let connector = |(title, port, role, auth): &(&str, u16, TransportRole, &[AuthMechanism])| {
        let name = format!("{title} {name}").parse().expect("a server's name makes a connector's name");
        let connector = ReceiveConnector {
            role: *role,
            bindings: vec![format!("[::]:{port}"), format!("0.0.0.0:{port}")],
            fqdn: Some(fqdn.clone()),
            tls_certificate_name: None,
            auth: auth.iter().copied().collect(),
            tls_domain_capabilities: Vec::new(),
            require_tls: false,
            suppress_anonymous_tls: false,
            remote_ranges: Vec::new(),
            domain_secure: false,
            enabled: true,
        };
        (name, connector)
    };
    set.iter().map(connector).collect()
}

/// Role and port of the connector that is meant, where it has the name that setup gives it on servers with a front end. Setup in
/// another language gives translated names.
pub fn role_of(selector: &ConnectorSelector, server: &ServerName) -> Option<(TransportRole, u16)> {
    match selector {
        ConnectorSelector::Role(role, port) => Some((*role, *port)),
        ConnectorSelector::Name(name) => {
            let (title, own) = name.as_str().rsplit_once(' ')?;
            let is_own = own.eq_ignore_ascii_case(server.as_str());
            let mut set = WITH_FRONT_END.iter().filter(|_| is_own);
            let (_, port, role, _) = set.find(|(known, ..)| known.eq_ignore_ascii_case(title))?;
            Some((*role, *port))
        }
    }
}

/// The receive connectors of servers with a front end: how their names begin, port, role and how clients sign in.
const WITH_FRONT_END: &[(&str, u16, TransportRole, &[AuthMechanism])] = {
    use AuthMechanism::{BasicAuth, BasicAuthRequireTls, ExchangeServer, Integrated, Tls};
    use TransportRole::{FrontendTransport, HubTransport};
    const ALL: &[AuthMechanism] = &[Tls, Integrated, BasicAuth, BasicAuthRequireTls, ExchangeServer];
    const OF_CLIENTS: &[AuthMechanism] = &[Tls, Integrated, BasicAuth, BasicAuthRequireTls];
    const OF_HUB: &[AuthMechanism] = &[Tls, Integrated, BasicAuth, ExchangeServer];
    &[
        ("Default Frontend", 25, FrontendTransport, ALL),
        ("Client Frontend", 587, FrontendTransport, OF_CLIENTS),
        ("Outbound Proxy Frontend", 717, FrontendTransport, ALL),
        ("Default", 2525, HubTransport, OF_HUB),
        ("Client Proxy", 465, HubTransport, ALL),
    ]
};

/// The roles of a server when nobody says otherwise.
pub fn roles(release: Release) -> BTreeSet<Role> {
    match release {
        Release::Exchange2007 | Release::Exchange2010 => {
            [Role::Mailbox, Role::ClientAccess, Role::HubTransport, Role::UnifiedMessaging].into()
        }
        Release::Exchange2013 => [Role::Mailbox, Role::ClientAccess].into(),
        Release::Exchange2016 | Release::Exchange2019 | Release::ExchangeSe => [Role::Mailbox].into(),
    }
}

/// Subject and friendly name of the certificate that signs OAuth tokens.
pub const AUTH: &str = "Microsoft Exchange Server Auth Certificate";
