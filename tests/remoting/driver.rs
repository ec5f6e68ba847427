//! The PowerShell driver over a session that certwright opens itself, with a server that shares no code with it.

use std::{collections::BTreeMap, fs, path::Path};

use certwright::{
    drivers::powershell::{
        PowerShell, PowerShellError, ServerAccess, Timeouts, WindowsAccess,
        channel::remoting::{OpenShell, Psrp, RemotingChannel},
    },
    exchange::{cmdlet::Capability, refusal::Why},
    model::{
        action::DefaultSmtp,
        bundle::Bundle,
        diagnosis::{Examination, ExaminationResult},
        key::KeySpec,
        names::ServerName,
        service::{MailService, Restartable, Service, Services},
    },
    pki::{
        keys::{self, Keys},
        mint::{self, CertificateContent},
    },
    ports::driver::{Driver, DriverError, Observer, Wanted},
    remoting::{Endpoint, Limits, PsrpSession},
};

use crate::peer::{HOST, Peer, Tls, basic, endpoint, python};

const PASSWORD: &str = "pa:ss word";
const USER: &str = "CORP\\svc:pa:ss word";

fn server() -> ServerName {
    "EX1".parse().unwrap()
}

/// A certificate with its key.
pub(crate) fn made(name: &str) -> Bundle {
    let key = Keys::Fresh.make(KeySpec::EcP256).unwrap();
    let names = [name.parse().unwrap()];
    let content = CertificateContent {
        subject: &format!("CN={name}").parse().unwrap(),
        names: &names,
        not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
        not_after: "2036-01-01T00:00:00Z".parse().unwrap(),
    };
    let certificate = mint::self_signed(&content, &key).unwrap();
    Bundle { certificate, chain: Vec::new(), key: Some(keys::to_pkcs8(&key)) }
}

fn driver(endpoint: Endpoint, password: &'static str) -> PowerShell {
    let access = ServerAccess {
        name: server(),
        fqdn: HOST.parse().unwrap(),
        edge: false,
        connect: Box::new(move || {
            let endpoint = endpoint.clone();
            let open: OpenShell = Box::new(move |deadline| {
                let session = PsrpSession::open(&endpoint, basic(password), Limits::default(), deadline);
                Ok(Box::new(Psrp(session.map_err(|error| PowerShellError::Remoting(Box::new(error)))?)))
            });
            Ok(Box::new(RemotingChannel::new(HOST.into(), open)))
        }),
        windows: WindowsAccess::None,
        credential: None,
        patience: Timeouts::default(),
    };
    PowerShell::new(vec![access], BTreeMap::new())
}

/// A server whose store begins with these certificates, and those that it will be given. The server reads what a PFX file
/// holds from a folder, since its Python has nothing that could open one.
fn stage(store: &[&Bundle], coming: &[&Bundle], more: &[&str]) -> Option<(Peer, Tls, tempfile::TempDir)> {
    let python = python()?;
    let folder = tempfile::tempdir().unwrap();
    let write = |kind: &str, bundles: &[&Bundle]| {
        for (number, bundle) in bundles.iter().enumerate() {
            fs::write(folder.path().join(format!("{kind}{number}.der")), &bundle.certificate.der.0).unwrap();
        }
    };
    write("stored", store);
    write("coming", coming);
    let tls = Tls::for_name(HOST);
    let (file, at) = (tls.file(), text(folder.path()));
    let arguments = [&["--certificate", &file, "--basic", USER, "--store", &at], more].concat();
    Some((Peer::start(&python, &arguments), tls, folder))
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn it_is_observed_changed_and_examined() {
    let (first, second) = (made("ex1.corp.example"), made("mail.corp.example"));
    let Some((peer, tls, _folder)) = stage(&[&first], &[&second], &[]) else { return };
    let driver = driver(endpoint("https", peer.address, tls.trusted()), PASSWORD);
    let seen = driver.observe(Wanted::Everything).unwrap();
    assert!(seen.answers_prompts);
    let server_seen = &seen.organization.servers[&server()];
    let stored = &server_seen.certificates.known().unwrap().0;
    assert_eq!(
        stored[&first.certificate.thumbprint].services.known(),
        Some(&Services::from([Service::Smtp]))
    );
    assert_eq!(server_seen.internal_transport.known(), Some(&Some(first.certificate.thumbprint)));
    assert!(server_seen.sites.why_unknown().unwrap().contains("not reached"), "Windows has no way");

    let mail = second.certificate.thumbprint;
    driver.import(&server(), &second, &"it's \u{2018}mine\u{2019} $(calc)".parse().unwrap(), true).unwrap();
    let again = driver.import(&server(), &second, &"mail".parse().unwrap(), true);
    assert!(
        matches!(&again, Err(DriverError::Refused(refusal)) if refusal.why == Why::AlreadyExists(mail)),
        "{again:?}"
    );
    driver.bind(&server(), mail, &Services::from([Service::Smtp, Service::Iis]), DefaultSmtp::Keep).unwrap();
    driver
        .set_x509_certificate_name(&server(), MailService::Pop, Some(&"pop.corp.example".parse().unwrap()))
        .unwrap();
    let seen = driver.observe(Wanted::Everything).unwrap();
    let server_seen = &seen.organization.servers[&server()];
    let stored = &server_seen.certificates.known().unwrap().0[&mail];
    assert_eq!(stored.services.known(), Some(&Services::from([Service::Smtp, Service::Iis])));
    assert_eq!(stored.friendly_name.known().unwrap(), "it's \u{2018}mine\u{2019} $(calc)");
    assert_eq!(
        server_seen.internal_transport.known(),
        Some(&Some(first.certificate.thumbprint)),
        "No was answered"
    );

    // What is Windows' own has no way, which is known before anything is planned.
    let capabilities = driver.capabilities(&server());
    assert!(capabilities.contains(&Capability::ExchangeCmdlets) && !capabilities.contains(&Capability::Iis));
    let restart = driver.restart(&server(), Restartable::Pop, &["MSExchangePOP3".into()]);
    assert!(matches!(restart, Err(DriverError::Failed { .. })), "{restart:?}");

    let diagnoses = driver.examine().unwrap();
    let result = |examination: Examination| {
        diagnoses[0].examined.iter().find(|examined| examined.examination == examination).unwrap()
    };
    assert_eq!(result(Examination::ExchangeSession).result, ExaminationResult::Good);
    assert_eq!(result(Examination::ExchangeVersion).result, ExaminationResult::Good);
    assert_eq!(result(Examination::DomainController).found, "it asks dc1.corp.example");
    assert_eq!(result(Examination::Iis).result, ExaminationResult::Warning);
    assert_eq!(result(Examination::Clock).result, ExaminationResult::NotExamined, "and that is said");
    let roles = result(Examination::Roles);
    assert!(
        roles.found.contains("Set-SendConnector") && !roles.found.contains("Set-PopSettings"),
        "{roles:?}"
    );
    let told = serde_json::to_string(&diagnoses).unwrap();
    assert!(!told.contains("ss word"), "{told}");
    drop(driver);
    assert_eq!(peer.end(), ["shells 0"]);
}

#[test]
fn what_stands_in_the_way_is_told_with_what_to_do() {
    let first = made("ex1.corp.example");
    let Some((peer, tls, _folder)) = stage(&[&first], &[], &["--most-shells", "0"]) else { return };
    let other = Tls::for_name(HOST);
    for (trust, password, wanted, advice) in [
        (tls.trusted(), PASSWORD, "too many sessions", "close sessions"),
        (tls.trusted(), "wrong", "does not accept", "Set-User"),
        (other.trusted(), PASSWORD, "not trusted", "tls: { ca: FILE }"),
    ] {
        let driver = driver(endpoint("https", peer.address, trust), password);
        let diagnoses = driver.examine().unwrap();
        let first = &diagnoses[0].examined[0];
        assert_eq!((first.examination, first.result), (Examination::Reachability, ExaminationResult::Bad));
        assert!(first.found.contains(wanted), "{first:?}");
        assert!(first.advice.iter().any(|text| text.contains(advice)), "{first:?}");
        let seen = driver.observe(Wanted::Everything);
        assert!(matches!(seen, Err(DriverError::Unreachable { .. })), "{seen:?}");
    }
}

/// Credentials that end between two steps, a session that IIS' restart cuts: the step that meets it says so, and a change that
/// had begun is unknown.
#[test]
fn a_session_that_is_cut_leaves_no_doubt_but_where_there_is_some() {
    let (first, second) = (made("ex1.corp.example"), made("mail.corp.example"));
    let Some((peer, tls, folder)) = stage(&[&first], &[&second], &[]) else { return };
    let driver = driver(endpoint("https", peer.address, tls.trusted()), PASSWORD);
    driver.observe(Wanted::Everything).unwrap();
    // From now on the server takes nobody's password any more; the session goes on until it is cut.
    fs::write(folder.path().join("expired"), "").unwrap();
    let changed = driver.import(&server(), &second, &"mail".parse().unwrap(), true);
    assert!(
        matches!(changed, Err(DriverError::Unreachable { .. } | DriverError::Failed { .. })),
        "nothing was begun: {changed:?}"
    );
    fs::remove_file(folder.path().join("expired")).unwrap();
    // The connection breaks while the import runs: it was done, and is found done.
    fs::write(folder.path().join("cut"), "Import-ExchangeCertificate").unwrap();
    driver.import(&server(), &second, &"mail".parse().unwrap(), true).unwrap();
    // What cannot be seen is unknown.
    fs::write(folder.path().join("cut"), "Enable-ExchangeCertificate").unwrap();
    let services = Services::from([Service::Iis]);
    let enabled = driver.bind(&server(), second.certificate.thumbprint, &services, DefaultSmtp::Keep);
    assert!(matches!(enabled, Err(DriverError::OutcomeUnknown { .. })), "{enabled:?}");
    let seen = driver.observe(Wanted::Everything).unwrap();
    let stored = &seen.organization.servers[&server()].certificates.known().unwrap().0;
    assert_eq!(stored[&second.certificate.thumbprint].services.known(), Some(&services), "a look tells");
}
