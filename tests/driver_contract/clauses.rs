//! What each verb does, whoever carries it out. A clause begins with EX01 as it was set up: it has a Default Web Site, POP,
//! the send connector `Outbound`, which names no certificate, and no Auth certificate is staged.

use std::collections::BTreeSet;

use certwright::{
    exchange::refusal::Why,
    model::{
        action::{CertificateRequest, DefaultSmtp, NamedConnector},
        bundle::{Answer, Bundle},
        dn::TlsCertificateName,
        key::KeySpec,
        names::{ConnectorName, ServerName},
        organization::Observed,
        server::{Server, StoredCertificate},
        service::{MailService, Restartable, Service, Services},
        site::SiteBinding,
        thumbprint::Thumbprint,
    },
    ports::{
        balancer::Balancers,
        driver::{Driver, DriverError, NamedRemoval, Wanted},
        evidence::Verified,
    },
    probe::Network,
    verify::{peers::Peers, run},
};

use crate::{peers::made, stages::Stage, support::without_names};

type Clause = fn(&dyn Driver);

const CLAUSES: [(&str, Clause); 20] = [
    ("what is made is in the store, with its key and without a service", made_is_stored),
    ("text comes back as it was given", text_is_data),
    ("what is imported is there once", imported_once),
    ("what is exported is what was imported, with its key where that may leave", exported),
    ("answered with yes, it becomes the internal transport certificate", yes_replaces),
    ("answered with no, the internal transport certificate stays", no_keeps),
    ("services are added, and none is taken away", services_add_up),
    ("what is not there is refused by name", missing_is_refused),
    ("the internal transport certificate is not removed", transport_stays),
    ("what nothing uses is removed, and is gone", removed),
    ("what was just brought is taken back", taken_back),
    ("a request waits for its answer, and no other is taken", request_is_answered),
    ("a request is removed", request_is_removed),
    ("a site gets its certificate, and no other site does", site_is_bound),
    ("POP names a certificate by a name, or by none", pop_name),
    ("a send connector names what it is told, or nothing", connector_is_named),
    ("what a send connector names is removed, and the name is there again", removed_while_named),
    ("the internal transport certificate is not removed while a connector names it", used_and_named_stays),
    ("the next Auth certificate is staged, published and cleared", auth_is_rotated),
    ("services are restarted, and one store can be looked at alone", restarted_and_looked_at),
];

/// Carries out every clause.
pub(crate) fn all(stage: &mut dyn Stage) {
    for (clause, keep) in CLAUSES {
        let told = Told(clause);
        stage.reset();
        keep(stage.driver());
        drop(told);
    }
}

/// Says which clause it was when a test fails in it.
struct Told(&'static str);

impl Drop for Told {
    #[allow(clippy::print_stderr, reason = "for whoever reads the failure")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the clause is not kept: {}", self.0);
        }
    }
}

fn ex01() -> ServerName {
    "EX01".parse().unwrap()
}

fn asked(name: &str) -> CertificateRequest {
    CertificateRequest {
        subject: format!("CN={name}").parse().unwrap(),
        names: vec![name.parse().unwrap()],
        key: KeySpec::Rsa(2048),
        exportable: true,
        friendly_name: name.parse().unwrap(),
        lifetime: None,
    }
}

fn create(driver: &dyn Driver) -> Thumbprint {
    driver.create(&ex01(), &asked("own.contoso.com")).unwrap().0
}

fn import(driver: &dyn Driver) -> Bundle {
    let bundle = made("mail.contoso.com");
    driver.import(&ex01(), &bundle, &"mail".parse().unwrap(), true).unwrap();
    bundle
}

fn proof(driver: &dyn Driver) -> Verified {
    run::verify(&[], &Peers::new(driver, &Balancers::new()), &Network::default(), None).unwrap()
}

fn look(driver: &dyn Driver) -> Observed {
    driver.observe(Wanted::Everything).unwrap()
}

fn server(observed: &Observed) -> &Server {
    &observed.organization.servers[&ex01()]
}

fn stored(driver: &dyn Driver, certificate: Thumbprint) -> Option<StoredCertificate> {
    server(&look(driver)).certificate(certificate).cloned()
}

fn transport(driver: &dyn Driver) -> Option<Thumbprint> {
    *server(&look(driver)).internal_transport.known().unwrap()
}

#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "what a call came to is given on as it is")]
fn refused<T: std::fmt::Debug>(result: Result<T, DriverError>, why: &Why) {
    assert!(matches!(&result, Err(DriverError::Refused(refusal)) if refusal.why == *why), "{result:?}");
}

/// It was not done, and that is known.
#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "what a call came to is given on as it is")]
fn not_done<T: std::fmt::Debug>(result: Result<T, DriverError>) {
    assert!(matches!(&result, Err(DriverError::Refused(_) | DriverError::Failed { .. })), "{result:?}");
}

fn made_is_stored(driver: &dyn Driver) {
    let (thumbprint, ends) = driver.create(&ex01(), &asked("own.contoso.com")).unwrap();
    let own = stored(driver, thumbprint).unwrap();
    assert_eq!(own.certificate.not_after, ends);
    assert!(own.has_private_key);
    assert_eq!(own.exportable.known(), Some(&true));
    assert_eq!(own.services.known(), Some(&Services::new()));
    assert_ne!(transport(driver), Some(thumbprint));
}

fn text_is_data(driver: &dyn Driver) {
    let names = [
        "it's \u{2018}mine\u{2019} $(calc)",
        "\u{1f600} \"a\"; `n <b>&amp;</b> ${x} _x0041_",
        "'@ #> \\u0041",
    ];
    for name in names {
        let request = CertificateRequest { friendly_name: name.parse().unwrap(), ..asked("own.contoso.com") };
        let (thumbprint, _) = driver.create(&ex01(), &request).unwrap();
        assert_eq!(stored(driver, thumbprint).unwrap().friendly_name.known().unwrap(), name);
    }
}

fn imported_once(driver: &dyn Driver) {
    let bundle = import(driver);
    let thumbprint = bundle.certificate.thumbprint;
    let own = stored(driver, thumbprint).unwrap();
    assert!(own.has_private_key);
    assert_eq!(own.friendly_name.known().unwrap(), "mail");
    let again = driver.import(&ex01(), &bundle, &"mail".parse().unwrap(), true);
    refused(again, &Why::AlreadyExists(thumbprint));
}

fn exported(driver: &dyn Driver) {
    let bundle = import(driver);
    let thumbprint = bundle.certificate.thumbprint;
    let whole = driver.export(&ex01(), thumbprint, true).unwrap();
    assert_eq!(whole.certificate.der, bundle.certificate.der);
    assert!(whole.key.is_some_and(|key| key.expose().len() > 100));
    let public = driver.export(&ex01(), thumbprint, false).unwrap();
    assert_eq!(public.certificate.der, bundle.certificate.der);
    assert!(public.key.is_none());
    let kept = made("kept.contoso.com");
    driver.import(&ex01(), &kept, &"kept".parse().unwrap(), false).unwrap();
    refused(driver.export(&ex01(), kept.certificate.thumbprint, true), &Why::NotExportable);
}

fn yes_replaces(driver: &dyn Driver) {
    let own = create(driver);
    driver.bind(&ex01(), own, &Services::from([Service::Smtp]), DefaultSmtp::Replace).unwrap();
    assert_eq!(transport(driver), Some(own));
}

fn no_keeps(driver: &dyn Driver) {
    let own = create(driver);
    driver.bind(&ex01(), own, &Services::from([Service::Smtp]), DefaultSmtp::Replace).unwrap();
    let other = import(driver).certificate.thumbprint;
    assert!(look(driver).answers_prompts);
    driver.bind(&ex01(), other, &Services::from([Service::Smtp]), DefaultSmtp::Keep).unwrap();
    assert_eq!(transport(driver), Some(own));
    assert!(stored(driver, other).unwrap().services.known().unwrap().contains(&Service::Smtp));
}

fn services_add_up(driver: &dyn Driver) {
    let own = import(driver).certificate.thumbprint;
    driver.bind(&ex01(), own, &Services::from([Service::Iis]), DefaultSmtp::Keep).unwrap();
    driver.bind(&ex01(), own, &Services::from([Service::Smtp]), DefaultSmtp::Keep).unwrap();
    let services = stored(driver, own).unwrap().services.known().unwrap().clone();
    assert_eq!(services, Services::from([Service::Iis, Service::Smtp]));
}

fn missing_is_refused(driver: &dyn Driver) {
    let nowhere = made("nowhere.contoso.com").certificate.thumbprint;
    refused(driver.export(&ex01(), nowhere, false), &Why::NotFound(nowhere));
    let smtp = Services::from([Service::Smtp]);
    refused(driver.bind(&ex01(), nowhere, &smtp, DefaultSmtp::Replace), &Why::NotFound(nowhere));
    refused(driver.remove(&ex01(), nowhere, &[], &proof(driver)), &Why::NotFound(nowhere));
    let site = SiteBinding::new("No Such Site", 443);
    let own = create(driver);
    refused(driver.bind_site(&ex01(), &site, own), &Why::NoSuchBinding(site.to_string()));
    let connector: ConnectorName = "Nowhere".parse().unwrap();
    refused(driver.repoint_send(&connector, None), &Why::NoSuchConnector(connector.clone()));
    assert!(driver.create(&"EX99".parse().unwrap(), &asked("x.contoso.com")).is_err());
}

fn transport_stays(driver: &dyn Driver) {
    let own = create(driver);
    driver.bind(&ex01(), own, &Services::from([Service::Smtp]), DefaultSmtp::Replace).unwrap();
    not_done(driver.remove(&ex01(), own, &[], &proof(driver)));
    assert!(stored(driver, own).is_some());
}

fn removed(driver: &dyn Driver) {
    let own = import(driver).certificate.thumbprint;
    driver.remove(&ex01(), own, &[], &proof(driver)).unwrap();
    assert!(stored(driver, own).is_none());
    refused(driver.remove(&ex01(), own, &[], &proof(driver)), &Why::NotFound(own));
}

fn taken_back(driver: &dyn Driver) {
    let own = import(driver).certificate.thumbprint;
    driver.take_back(&ex01(), own).unwrap();
    assert!(stored(driver, own).is_none());
}

fn request_is_answered(driver: &dyn Driver) {
    let new = driver.request(&ex01(), &asked("mail.contoso.com")).unwrap();
    assert!(new.request.starts_with(&[0x30]), "PKCS#10 in DER");
    let waiting = |observed: &Observed| {
        let requests = server(observed).requests.known().unwrap();
        requests.iter().any(|request| request.certificate.thumbprint == new.thumbprint)
    };
    assert!(waiting(&look(driver)));
    let friendly_name = "mail".parse().unwrap();
    let dates = made("mail.contoso.com").certificate;
    let stranger = Answer { certificate: dates.clone(), chain: Vec::new() };
    let why = Why::NoRequest(stranger.certificate.thumbprint);
    refused(driver.complete(&ex01(), &stranger, &friendly_name), &why);
    let answer = Answer { certificate: without_names(&dates, &new.request, &[]), chain: Vec::new() };
    driver.complete(&ex01(), &answer, &friendly_name).unwrap();
    let seen = look(driver);
    assert!(!waiting(&seen));
    assert!(server(&seen).certificate(answer.certificate.thumbprint).unwrap().has_private_key);
}

fn request_is_removed(driver: &dyn Driver) {
    // A store without any certificate would be none that can be believed.
    create(driver);
    let new = driver.request(&ex01(), &asked("mail.contoso.com")).unwrap();
    driver.remove_request(&ex01(), new.thumbprint).unwrap();
    assert!(server(&look(driver)).requests.known().unwrap().is_empty());
}

fn site_is_bound(driver: &dyn Driver) {
    let before = server(&look(driver)).sites.known().unwrap().clone();
    let (site, own) = (SiteBinding::default_web_site(), create(driver));
    driver.bind_site(&ex01(), &site, own).unwrap();
    let after = server(&look(driver)).sites.known().unwrap().clone();
    assert_eq!(after[&site], Some(own));
    let others = |sites: &std::collections::BTreeMap<SiteBinding, Option<Thumbprint>>| {
        let mut sites = sites.clone();
        sites.remove(&site);
        sites
    };
    assert!(!others(&before).is_empty());
    assert_eq!(others(&after), others(&before));
    // Once more is once.
    driver.bind_site(&ex01(), &site, own).unwrap();
}

fn pop_name(driver: &dyn Driver) {
    let named = || {
        let seen = look(driver);
        server(&seen).pop.known().unwrap().as_ref().unwrap().x509_certificate_name.clone()
    };
    let name = "pop.contoso.com".parse().unwrap();
    driver.set_x509_certificate_name(&ex01(), MailService::Pop, Some(&name)).unwrap();
    assert_eq!(named(), Some(name));
    driver.set_x509_certificate_name(&ex01(), MailService::Pop, None).unwrap();
    assert_eq!(named(), None);
}

fn named_by(driver: &dyn Driver, connector: &ConnectorName) -> Option<TlsCertificateName> {
    look(driver).organization.send_connectors.known().unwrap()[connector].tls_certificate_name.clone()
}

fn connector_is_named(driver: &dyn Driver) {
    let outbound: ConnectorName = "Outbound".parse().unwrap();
    for name in
        ["<I>CN=Contoso CA, O=Contoso, C=NL<S>CN=mail.contoso.com", "<I>CN=O'Neill \u{2019}$(x)<S>CN=\"a\""]
    {
        let name: TlsCertificateName = name.parse().unwrap();
        driver.repoint_send(&outbound, Some(&name)).unwrap();
        assert_eq!(named_by(driver, &outbound), Some(name));
    }
    driver.repoint_send(&outbound, None).unwrap();
    assert_eq!(named_by(driver, &outbound), None);
}

fn removed_while_named(driver: &dyn Driver) {
    let bundle = import(driver);
    let (connector, name) = ("Outbound".parse().unwrap(), TlsCertificateName::of(&bundle.certificate));
    driver.repoint_send(&connector, Some(&name)).unwrap();
    let connectors = [NamedConnector { connector: connector.clone(), name: name.clone() }];
    let certificates = vec![(ex01(), bundle.certificate.thumbprint)];
    let removal = NamedRemoval { certificates, connectors: &connectors, while_stopped: &[] };
    driver.remove_named(&removal, &[]).unwrap();
    assert!(stored(driver, bundle.certificate.thumbprint).is_none());
    assert_eq!(named_by(driver, &connector), Some(name));
}

fn used_and_named_stays(driver: &dyn Driver) {
    let own = create(driver);
    let (connector, name) =
        ("Outbound".parse().unwrap(), TlsCertificateName::of(&stored(driver, own).unwrap().certificate));
    driver.repoint_send(&connector, Some(&name)).unwrap();
    driver.bind(&ex01(), own, &Services::from([Service::Smtp]), DefaultSmtp::Replace).unwrap();
    let connectors = [NamedConnector { connector: connector.clone(), name: name.clone() }];
    let certificates = vec![(ex01(), own)];
    let removal = NamedRemoval { certificates, connectors: &connectors, while_stopped: &[] };
    not_done(driver.remove_named(&removal, &[]));
    assert!(stored(driver, own).is_some());
    assert_eq!(named_by(driver, &connector), Some(name));
}

fn auth_is_rotated(driver: &dyn Driver) {
    let auth = || look(driver).organization.auth.known().unwrap().clone().unwrap();
    let before = auth().current;
    refused(driver.publish_auth(), &Why::NoNextAuthCertificate);
    let own = create(driver);
    driver.stage_auth(own, None).unwrap();
    let staged = auth();
    assert!(
        staged.next == Some(own) || staged.current == Some(own),
        "a date that is now may be past: {staged:?}"
    );
    if staged.current != Some(own) {
        driver.publish_auth().unwrap();
    }
    assert_eq!((auth().current, auth().previous), (Some(own), before));
    driver.clear_previous_auth().unwrap();
    assert_eq!(auth().previous, None);
}

fn restarted_and_looked_at(driver: &dyn Driver) {
    let own = import(driver).certificate.thumbprint;
    let services = ["MSExchangePOP3".to_owned(), "MSExchangePOP3BE".to_owned()];
    driver.restart(&ex01(), Restartable::Pop, &services).unwrap();
    let seen = driver.observe(Wanted::Store(&ex01())).unwrap();
    assert!(server(&seen).certificate(own).is_some());
    let seen = driver.observe(Wanted::Servers(&BTreeSet::from([ex01()]))).unwrap();
    assert_eq!(seen.organization.servers.keys().collect::<Vec<_>>(), [&ex01()]);
    assert!(seen.organization.send_connectors.known().is_some());
}
