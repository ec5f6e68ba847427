//! The documented steps, a row each. What a row rests on stands in front of it.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::{
    certificate::{Certificate, Der},
    connector::TransportRole,
    dn::DistinguishedName,
    key::{PublicKey, Signature},
    server::RootType,
    service::Services,
    thumbprint::Thumbprint,
    time::Span,
};

/// A certificate in the store of a row: `name`, its names, days of its beginning and end from now.
struct Stored {
    name: &'static str,
    names: &'static str,
    from: i64,
    until: i64,
    self_signed: bool,
    smtp: bool,
    key: bool,
    status: CertificateStatus,
}

const CA: Stored = Stored {
    name: "ca",
    names: "mail.contoso.com",
    from: -30,
    until: 60,
    self_signed: false,
    smtp: true,
    key: true,
    status: CertificateStatus::Valid,
};
const OWN: Stored = Stored { name: "own", self_signed: true, ..CA };

/// A receive connector named `mail.contoso.com` for a row.
struct Connector {
    auth: &'static [AuthMechanism],
    tls_certificate_name: Option<&'static str>,
    fqdn: Option<&'static str>,
    enabled: bool,
}

const CONNECTOR: Connector = Connector {
    auth: &[AuthMechanism::Tls, AuthMechanism::ExchangeServer],
    tls_certificate_name: None,
    fqdn: Some("mail.contoso.com"),
    enabled: true,
};

#[test]
fn inbound_starttls_step_by_step() {
    let by_name = Connector { tls_certificate_name: Some("<I>CN=CA<S>CN=mail.contoso.com"), ..CONNECTOR };
    let by_server = Connector { fqdn: None, ..CONNECTOR };
    let without_tls = Connector { auth: &[AuthMechanism::ExchangeServer], ..CONNECTOR };
    let disabled = Connector { enabled: false, ..CONNECTOR };
    let rows: &[(&str, &[Stored], &Connector, &str, Option<u16>)] = &[
        ("5.1 step 2: without Tls there is no STARTTLS", &[CA], &without_tls, "nothing", None),
        ("a disabled connector offers nothing", &[CA], &disabled, "nothing", None),
        (
            "5.1 step 3: TlsCertificateName comes first",
            &[
                CA,
                Stored {
                    name: "newer",
                    names: "mail.contoso.com,x.contoso.com",
                    from: -1,
                    self_signed: true,
                    ..CA
                },
            ],
            &by_name,
            "ca",
            None,
        ),
        ("5.1 step 3: and when it fits nothing, Fqdn is not tried", &[OWN], &by_name, "nothing", Some(12014)),
        (
            "5.1 step 4: then the connector's Fqdn",
            &[CA, Stored { name: "other", names: "ex01.contoso.com", ..CA }],
            &CONNECTOR,
            "ca",
            None,
        ),
        (
            "5.1 step 5: then the server's own name",
            &[CA, Stored { name: "other", names: "ex01.contoso.com", ..CA }],
            &by_server,
            "other",
            None,
        ),
        (
            "5.1 step 6: nothing fits",
            &[Stored { names: "www.contoso.com", ..CA }],
            &CONNECTOR,
            "nothing",
            Some(12014),
        ),
        (
            "5.1 step 7: without a private key it is not eligible",
            &[Stored { key: false, ..CA }, OWN],
            &CONNECTOR,
            "own",
            None,
        ),
        (
            "5.1 step 7: an alternative name counts",
            &[Stored { names: "a.contoso.com,mail.contoso.com", ..CA }],
            &CONNECTOR,
            "ca",
            None,
        ),
        (
            "5.1 step 7: without SMTP it is chosen all the same",
            &[Stored { smtp: false, ..CA }],
            &CONNECTOR,
            "ca fails",
            None,
        ),
        (
            "5.1 step 9: the newest Valid-from wins",
            &[CA, Stored { name: "newer", from: -2, until: 20, ..CA }],
            &CONNECTOR,
            "newer",
            None,
        ),
        (
            "5.1 step 9: and not the latest end",
            &[Stored { until: 900, ..CA }, Stored { name: "newer", from: -2, until: 20, ..CA }],
            &CONNECTOR,
            "newer",
            None,
        ),
        (
            "5.1 step 9: a CA's comes before a newer self-signed one",
            &[CA, Stored { from: -1, ..OWN }],
            &CONNECTOR,
            "ca",
            None,
        ),
        (
            "5.1 step 9: a valid one comes before a newer expired one",
            &[CA, Stored { name: "newer", from: -20, until: -1, ..CA }],
            &CONNECTOR,
            "ca",
            None,
        ),
        (
            "5.1 step 9: one that is not valid yet waits",
            &[CA, Stored { name: "later", from: 1, ..CA }],
            &CONNECTOR,
            "ca",
            None,
        ),
        (
            "5.1 step 9: without a valid one of a CA, the self-signed one",
            &[Stored { until: -1, ..CA }, OWN],
            &CONNECTOR,
            "own",
            None,
        ),
        (
            "5.1 step 10: expired, and offered all the same",
            &[Stored { until: -1, ..CA }],
            &CONNECTOR,
            "ca",
            Some(12016),
        ),
        (
            "5.1 open points: a wildcard fits",
            &[Stored { names: "*.contoso.com", ..CA }],
            &CONNECTOR,
            "ca",
            None,
        ),
        (
            "5.1 open points: without a valid chain there is no STARTTLS",
            &[Stored { status: CertificateStatus::Untrusted, ..CA }],
            &CONNECTOR,
            "nothing",
            Some(12014),
        ),
        (
            "5.1 open points: without a valid chain another one is chosen",
            &[Stored { status: CertificateStatus::Untrusted, ..CA }, OWN],
            &CONNECTOR,
            "own",
            None,
        ),
        (
            "2.4: when revocation cannot be checked the certificate works",
            &[Stored { status: CertificateStatus::RevocationCheckFailure, ..CA }],
            &CONNECTOR,
            "ca",
            None,
        ),
        (
            "5.5: thumbprint and serial number take no part",
            &[CA, Stored { name: "renewed", from: -1, ..CA }],
            &by_name,
            "renewed",
            None,
        ),
        (
            "15 no. 10: the renewed one without SMTP is chosen, and fails",
            &[CA, Stored { name: "renewed", from: -1, smtp: false, ..CA }],
            &by_name,
            "renewed fails",
            None,
        ),
        ("15 no. 18: the trusted one carries the connector's name", &[CA, OWN], &by_name, "ca", None),
    ];
    for (what, store, connector, want, event) in rows {
        let selection = inbound_starttls(&server(store, None), &receive(connector), now());
        assert_eq!(shown_of(&selection.presented, store), *want, "{what}: {:#?}", selection.steps);
        assert_eq!(selection.event.as_ref().map(Event::id), *event, "{what}");
        assert!(!selection.steps.is_empty(), "{what}");
    }
}

#[test]
fn anonymous_tls_step_by_step() {
    let without = Connector { auth: &[AuthMechanism::Tls], ..CONNECTOR };
    let rows: &[(&str, &[Stored], Option<&str>, &Connector, &str, Option<u16>)] = &[
        ("5.2 step 1: ExchangeServer is needed", &[OWN], Some("own"), &without, "nothing", None),
        ("5.2 step 2: the directory names none", &[OWN], None, &CONNECTOR, "nothing", Some(12012)),
        ("5.2 step 3: it is not in the store", &[OWN], Some("gone"), &CONNECTOR, "gone fails", Some(12013)),
        (
            "5.2 step 4: expired, and offered all the same",
            &[Stored { until: -1, ..OWN }],
            Some("own"),
            &CONNECTOR,
            "own",
            Some(12015),
        ),
        (
            "5.2: names play no role",
            &[Stored { names: "www.fabrikam.com", ..CA }],
            Some("ca"),
            &CONNECTOR,
            "ca",
            None,
        ),
        ("5.2: only exactly that one is considered", &[CA, OWN], Some("own"), &CONNECTOR, "own", None),
        (
            "5.2: nor does the chain",
            &[Stored { status: CertificateStatus::Untrusted, ..CA }],
            Some("ca"),
            &CONNECTOR,
            "ca",
            None,
        ),
    ];
    for (what, store, internal, connector, want, event) in rows {
        let selection = anonymous_tls(&server(store, *internal), &receive(connector), now());
        assert_eq!(shown_of(&selection.presented, store), *want, "{what}: {:#?}", selection.steps);
        assert_eq!(selection.event.as_ref().map(Event::id), *event, "{what}");
    }
}

#[test]
fn outbound_step_by_step() {
    let name = Some("<I>CN=CA<S>CN=mail.contoso.com");
    let rows: &[(&str, &[Stored], Option<&str>, Option<&str>, &str, &str)] = &[
        (
            "5.4: TlsCertificateName first",
            &[CA, Stored { name: "other", names: "x.contoso.com", ..CA }],
            name,
            Some("x.contoso.com"),
            "ca",
            "chosen",
        ),
        ("5.4: not found, mail waits", &[OWN], name, None, "nothing", "454 4.7.5"),
        ("5.4: then the connector's Fqdn", &[CA], None, Some("mail.contoso.com"), "ca", "chosen"),
        (
            "5.4: then the computer's name",
            &[Stored { names: "ex01.contoso.com", ..OWN }],
            None,
            None,
            "own",
            "chosen",
        ),
        (
            "nothing fits the name: none is sent",
            &[CA],
            None,
            Some("www.contoso.com"),
            "nothing",
            "proves itself with none",
        ),
        (
            "6.5: without the network service's access it fails",
            &[Stored { smtp: false, ..CA }],
            name,
            None,
            "ca fails",
            "handshake fails",
        ),
    ];
    for (what, store, name, fqdn, want, last) in rows {
        let name = name.map(|name| name.parse().unwrap());
        let fqdn = fqdn.map(|name| name.parse().unwrap());
        let selection = outbound_starttls(&server(store, None), name.as_ref(), fqdn.as_ref(), now());
        assert_eq!(shown_of(&selection.presented, store), *want, "{what}: {:#?}", selection.steps);
        assert!(selection.steps.last().unwrap().contains(last), "{what}: {:#?}", selection.steps);
        assert_eq!(selection.event, None, "{what}");
    }
}

#[test]
fn to_an_edge_server_the_internal_transport_certificate_is_used() {
    let mut connector = SendConnector {
        source_servers: Vec::new(),
        address_spaces: vec!["--".into()],
        smart_hosts: vec!["--".into()],
        fqdn: None,
        tls_certificate_name: None,
        require_tls: false,
        tls_auth_level: None,
        tls_domain: None,
        cloud_services_mail: false,
        enabled: true,
    };
    let server = server(&[CA, OWN], Some("own"));
    let presented = outbound_anonymous_tls(&server, &connector, now()).presented;
    assert_eq!(presented, Presented::Certificate(thumbprint("own")));
    connector.smart_hosts = vec!["mail.fabrikam.com".into()];
    let presented = outbound_anonymous_tls(&server, &connector, now()).presented;
    assert_eq!(presented, Presented::Nothing(Nothing::NotToExchange));
}

#[test]
fn what_is_not_known_is_not_foreseen() {
    let mut server = server(&[CA], None);
    server.certificates = Fact::unknown("access denied");
    let presented = inbound_starttls(&server, &receive(&CONNECTOR), now()).presented;
    assert_eq!(presented, Presented::Unknown("access denied".into()));
}

fn now() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn thumbprint(name: &str) -> Thumbprint {
    Thumbprint::of(name.as_bytes())
}

fn shown_of(presented: &Presented, store: &[Stored]) -> String {
    let mut names = store.iter().map(|stored| stored.name).chain(["gone"]);
    let mut name = |wanted: &Thumbprint| names.find(|name| thumbprint(name) == *wanted).unwrap();
    match presented {
        Presented::Certificate(thumbprint) => name(thumbprint).into(),
        Presented::Failing { certificate, .. } => format!("{} fails", name(certificate)),
        Presented::Nothing(_) => "nothing".into(),
        Presented::Unknown(why) => format!("unknown: {why}"),
    }
}

fn receive(connector: &Connector) -> ReceiveConnector {
    ReceiveConnector {
        role: TransportRole::FrontendTransport,
        bindings: vec!["0.0.0.0:25".into()],
        fqdn: connector.fqdn.map(|name| name.parse().unwrap()),
        tls_certificate_name: connector.tls_certificate_name.map(|name| name.parse().unwrap()),
        auth: connector.auth.iter().copied().collect(),
        tls_domain_capabilities: Vec::new(),
        require_tls: false,
        suppress_anonymous_tls: false,
        enabled: connector.enabled,
    }
}

fn server(store: &[Stored], internal_transport: Option<&str>) -> Server {
    let stored = store.iter().map(|stored| (thumbprint(stored.name), in_store(stored))).collect();
    Server {
        fqdn: Fact::Known("ex01.contoso.com".parse().unwrap()),
        version: Fact::unknown("not asked"),
        roles: Fact::Known(BTreeSet::new()),
        operating_system: Fact::Known(None),
        certificates: Fact::Known(CertificateStore(stored)),
        requests: Fact::Known(Vec::new()),
        internal_transport: Fact::Known(internal_transport.map(thumbprint)),
        pop: Fact::Known(None),
        imap: Fact::Known(None),
        um: Fact::Known(None),
        sites: Fact::Known(BTreeMap::new()),
        receive_connectors: Fact::Known(BTreeMap::new()),
        endpoints: BTreeMap::new(),
    }
}

fn in_store(stored: &Stored) -> StoredCertificate {
    let names: Vec<DnsName> = stored.names.split(',').map(|name| name.parse().unwrap()).collect();
    let subject = DistinguishedName::common_name_only(&names[0].to_string());
    let issuer = if stored.self_signed { subject.clone() } else { DistinguishedName::common_name_only("CA") };
    let day = |day: i64| now().plus(Span::days(day));
    let certificate = Certificate {
        thumbprint: thumbprint(stored.name),
        subject,
        issuer,
        serial: String::new(),
        names,
        not_before: day(stored.from),
        not_after: day(stored.until),
        key: PublicKey::Rsa(2048),
        public_key: stored.name.into(),
        signature: Signature::Strong("sha256RSA".into()),
        usages: None,
        subject_key_id: None,
        is_ca: false,
        der: Der(Vec::new()),
    };
    let services = if stored.smtp { Services::from([Service::Smtp]) } else { Services::new() };
    StoredCertificate {
        has_private_key: stored.key,
        services: Fact::Known(services),
        status: Fact::Known(stored.status),
        root_type: Fact::Known(RootType::None),
        ..StoredCertificate::without_services(certificate)
    }
}
