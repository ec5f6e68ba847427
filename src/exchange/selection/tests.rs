//! The documented steps, a row each. What a row rests on stands in front of it; then the store, the connector and what
//! comes of them, in a few words (see `stored` and `connector`).

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::{
    certificate::{CertificateFacts, Der},
    connector::TransportRole,
    dn::DistinguishedName,
    key::{PublicKey, Signature},
    service::Services,
    thumbprint::Thumbprint,
    time::Span,
};

/// A sentence, the store, the connector, what is presented and which event is logged.
type Row = (&'static str, &'static str, &'static str, &'static str);

const INBOUND: &[Row] = &[
    ("5.1 step 2: without Tls there is no STARTTLS", "ca", "without-tls", "nothing"),
    ("a disabled connector offers nothing", "ca", "disabled", "nothing"),
    ("5.1 step 3: TlsCertificateName comes first", "ca; newer self from -1", "named", "ca"),
    ("5.1 step 3: when it fits nothing, Fqdn is not tried", "own self", "named", "nothing 12014"),
    ("5.1 step 4: then the connector's Fqdn", "ca; other names ex01.contoso.com", "", "ca"),
    ("5.1 step 5: then the server's own name", "ca; other names ex01.contoso.com", "without-fqdn", "other"),
    ("5.1 step 6: nothing fits", "ca names www.contoso.com", "", "nothing 12014"),
    ("5.1 step 7: without a private key it is not eligible", "ca keyless; own self", "", "own"),
    ("5.1 step 7: an alternative name counts", "ca names a.contoso.com,mail.contoso.com", "", "ca"),
    ("5.1 step 7: without SMTP it is chosen all the same", "ca without-smtp", "", "ca fails"),
    ("5.1 step 9: the newest Valid-from wins", "ca; newer from -2 until 20", "", "newer"),
    ("5.1 step 9: and not the latest end", "ca until 900; newer from -2 until 20", "", "newer"),
    ("5.1 step 9: a CA's comes before a newer self-signed one", "ca; own self from -1", "", "ca"),
    ("5.1 step 9: a valid one comes before a newer expired one", "ca; newer from -20 until -1", "", "ca"),
    ("5.1 step 9: one that is not valid yet waits", "ca; later from 1", "", "ca"),
    ("5.1 step 9: without a valid one of a CA, the self-signed one", "ca until -1; own self", "", "own"),
    ("5.1 step 10: expired, and offered all the same", "ca until -1", "", "ca 12016"),
    ("5.1 open points: a wildcard fits", "ca names *.contoso.com", "", "ca"),
    ("5.1 open points: without a valid chain no STARTTLS", "ca untrusted", "", "nothing 12014"),
    ("5.1 open points: without a valid chain another is chosen", "ca untrusted; own self", "", "own"),
    ("2.4: when revocation cannot be checked it works", "ca revocation-unchecked", "", "ca"),
    ("5.5: thumbprint and serial number take no part", "ca; renewed from -1", "named", "renewed"),
    (
        "15 no. 10: the renewed one without SMTP fails",
        "ca; renewed from -1 without-smtp",
        "named",
        "renewed fails",
    ),
    ("15 no. 18: the trusted one carries the connector's name", "ca; own self", "named", "ca"),
];

const ANONYMOUS: &[Row] = &[
    ("5.2 step 1: ExchangeServer is needed", "own self internal", "without-exchange-server", "nothing"),
    ("5.2 step 2: the directory names none", "own self", "", "nothing 12012"),
    ("5.2 step 3: it is not in the store", "own self; gone internal", "", "gone fails 12013"),
    ("5.2 step 4: expired, and offered all the same", "own self until -1 internal", "", "own 12015"),
    ("5.2: names play no role", "ca names www.fabrikam.com internal", "", "ca"),
    ("5.2: only exactly that one is considered", "ca; own self internal", "", "own"),
    ("5.2: nor does the chain", "ca untrusted internal", "", "ca"),
];

/// The last word is what the last step says.
const OUTBOUND: &[(&str, &str, &str, &str, &str)] = &[
    ("5.4: TlsCertificateName first", "ca; other names x.contoso.com", "named", "ca", "chosen"),
    ("5.4: not found, mail waits", "own self", "named", "nothing", "454 4.7.5"),
    ("5.4: then the connector's Fqdn", "ca", "", "ca", "chosen"),
    ("5.4: then the computer's name", "own self names ex01.contoso.com", "without-fqdn", "own", "chosen"),
    ("nothing fits the name: none is sent", "ca names x.contoso.com", "", "nothing", "itself with none"),
    (
        "6.5: without the network service's access it fails",
        "ca without-smtp",
        "named",
        "ca fails",
        "handshake fails",
    ),
];

#[test]
fn inbound_starttls_step_by_step() {
    for (what, store, connector, want) in INBOUND {
        let (server, connector) = (server(store), receive(connector));
        let selection = inbound_starttls(&server, &connector, now());
        assert_eq!(shown_of(&selection, store), *want, "{what}: {:#?}", selection.steps);
        assert!(!selection.steps.is_empty(), "{what}");
    }
}

#[test]
fn anonymous_tls_step_by_step() {
    for (what, store, connector, want) in ANONYMOUS {
        let (server, connector) = (server(store), receive(connector));
        let selection = anonymous_tls(&server, &connector, now());
        assert_eq!(shown_of(&selection, store), *want, "{what}: {:#?}", selection.steps);
    }
}

#[test]
fn outbound_step_by_step() {
    for (what, store, connector, want, last) in OUTBOUND {
        let ReceiveConnector { tls_certificate_name, fqdn, .. } = receive(connector);
        let server = server(store);
        let selection = outbound_starttls(&server, tls_certificate_name.as_ref(), fqdn.as_ref(), now());
        assert_eq!(shown_of(&selection, store), *want, "{what}: {:#?}", selection.steps);
        assert!(selection.steps.last().unwrap().to_string().contains(last), "{what}: {:#?}", selection.steps);
    }
}

#[test]
fn pop_and_imap_find_their_certificate_by_name() {
    for (what, store, name, want) in [
        ("3.4: the one that has the name", "ca; other names pop.contoso.com", "pop.contoso.com", "other"),
        ("3.4: the flag of SMTP says nothing here", "ca without-smtp", "mail.contoso.com", "ca"),
        ("15 no. 15: a wildcard has the name too", "ca names *.contoso.com", "pop.contoso.com", "ca"),
        ("2.2: of several with the name, as SMTP chooses", "ca; newer from -1", "mail.contoso.com", "newer"),
        ("without its key it is no use", "ca keyless", "mail.contoso.com", "nothing"),
        ("no certificate has the name", "ca", "www.contoso.com", "nothing"),
        ("no name is set", "ca", "", "nothing"),
    ] {
        let settings = Fact::Known(Some(MailAccess {
            x509_certificate_name: name.parse().ok(),
            ports: None,
            external_names: BTreeSet::new(),
        }));
        let server = server(store);
        let selection = mail_access(&server, &settings, now());
        assert_eq!(shown_of(&selection, store), want, "{what}: {:#?}", selection.steps);
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
        domain_secure: false,
        enabled: true,
    };
    let server = server("ca; own self internal");
    let presented = outbound_anonymous_tls(&server, &connector, now()).presented;
    assert_eq!(presented, Presented::Certificate(thumbprint("own")));
    connector.smart_hosts = vec!["mail.fabrikam.com".into()];
    let presented = outbound_anonymous_tls(&server, &connector, now()).presented;
    assert_eq!(presented, Presented::Nothing(Nothing::NotToExchange));
}

#[test]
fn what_is_not_known_is_not_foreseen() {
    let mut server = server("ca");
    server.certificates = Fact::unknown("access denied");
    let presented = inbound_starttls(&server, &receive(""), now()).presented;
    assert_eq!(presented, Presented::Unknown("access denied".into()));
}

fn now() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn thumbprint(name: &str) -> Thumbprint {
    Thumbprint::of(name.as_bytes())
}

/// The name of the certificate, whether it fails, and the event.
fn shown_of(selection: &Selection<'_>, store: &str) -> String {
    let named = |wanted: &Thumbprint| {
        let mut names = store.split(';').map(|words| words.split_whitespace().next().unwrap());
        names.find(|name| thumbprint(name) == *wanted).unwrap().to_owned()
    };
    let presented = match &selection.presented {
        Presented::Certificate(thumbprint) => named(thumbprint),
        Presented::Failing { certificate, .. } => format!("{} fails", named(certificate)),
        Presented::Nothing(_) => "nothing".into(),
        Presented::Unknown(why) => format!("unknown: {why}"),
    };
    match &selection.event {
        None => presented,
        Some(event) => format!("{presented} {}", event.id()),
    }
}

/// A connector that says mail.contoso.com and offers both verbs, but for what the words say.
fn receive(words: &str) -> ReceiveConnector {
    let has = |wanted: &str| words.split_whitespace().any(|word| word == wanted);
    let auth =
        [(AuthMechanism::Tls, "without-tls"), (AuthMechanism::ExchangeServer, "without-exchange-server")];
    ReceiveConnector {
        role: TransportRole::FrontendTransport,
        bindings: vec!["0.0.0.0:25".into()],
        fqdn: (!has("without-fqdn")).then(|| "mail.contoso.com".parse().unwrap()),
        tls_certificate_name: has("named").then(|| "<I>CN=CA<S>CN=mail.contoso.com".parse().unwrap()),
        auth: auth.into_iter().filter(|(_, without)| !has(without)).map(|(auth, _)| auth).collect(),
        tls_domain_capabilities: Vec::new(),
        require_tls: false,
        suppress_anonymous_tls: false,
        remote_ranges: Vec::new(),
        domain_secure: false,
        enabled: !has("disabled"),
    }
}

fn server(store: &str) -> Server {
    let mut stored = BTreeMap::new();
    let mut internal = None;
    for words in store.split(';') {
        let name = words.split_whitespace().next().unwrap();
        if words.ends_with("internal") {
            internal = Some(thumbprint(name));
        }
        if name != "gone" {
            stored.insert(thumbprint(name), in_store(words));
        }
    }
    Server {
        fqdn: Fact::Known("ex01.contoso.com".parse().unwrap()),
        version: Fact::unknown("not asked"),
        roles: Fact::Known(BTreeSet::new()),
        directory_site: Fact::not_captured(),
        operating_system: Fact::Known(None),
        peers: Fact::Known(None),
        connector_copies: Fact::not_captured(),
        online_root: Fact::unknown("not asked"),
        services: Fact::unknown("not asked"),
        other_programs: Fact::not_captured(),
        authorities: Fact::not_captured(),
        client_names: BTreeMap::new(),
        certificates: Fact::Known(CertificateStore(stored.into())),
        requests: Fact::Known(Vec::new()),
        internal_transport: Fact::Known(internal),
        pop: Fact::Known(None),
        imap: Fact::Known(None),
        um: Fact::Known(None),
        sites: Fact::Known(BTreeMap::new()),
        other_stores: BTreeMap::new(),
        web: Fact::not_captured(),
        receive_connectors: Fact::Known(BTreeMap::new()),
        endpoints: BTreeMap::new(),
        met_from: None,
        served: BTreeMap::new(),
    }
}

/// A certificate by its name and what is special about it; without more it is a CA's for mail.contoso.com, 30 days old,
/// good for 60 more, with its key, and enabled for SMTP.
fn in_store(words: &str) -> StoredCertificate {
    let words: Vec<&str> = words.split_whitespace().collect();
    let has = |wanted: &str| words.contains(&wanted);
    let after = |word: &str| words.iter().position(|found| *found == word).map(|at| words[at + 1]);
    let day = |word: &str, default: i64| {
        now().plus(Span::days(after(word).map_or(default, |days| days.parse().unwrap())))
    };
    let names: Vec<DnsName> =
        after("names").unwrap_or("mail.contoso.com").split(',').map(|name| name.parse().unwrap()).collect();
    let subject = DistinguishedName::common_name_only(&names[0].to_string());
    let certificate = CertificateFacts {
        thumbprint: thumbprint(words[0]),
        issuer: if has("self") { subject.clone() } else { DistinguishedName::common_name_only("CA") },
        subject,
        serial: String::new(),
        names,
        only_in_subject: None,
        not_before: day("from", -30),
        not_after: day("until", 60),
        key: PublicKey::Rsa(2048),
        public_key: words[0].into(),
        signature: Signature::Strong("sha256RSA".into()),
        usages: None,
        subject_key_id: None,
        is_ca: false,
        der: Der(Vec::new()),
    }
    .into();
    let status = if has("untrusted") {
        CertificateStatus::Untrusted
    } else if has("revocation-unchecked") {
        CertificateStatus::RevocationCheckFailure
    } else {
        CertificateStatus::Valid
    };
    StoredCertificate {
        has_private_key: !has("keyless"),
        services: Fact::Known(if has("without-smtp") { Services::new() } else { [Service::Smtp].into() }),
        status: Fact::Known(status),
        ..StoredCertificate::without_services(certificate)
    }
}
