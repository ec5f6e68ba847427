//! Verdicts of a lab that is not as it should be: the likely cause is the one that was made.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use certwright::{
    manifest::IgnoreSpec,
    model::{
        certificate::Certificate,
        dn::DistinguishedName,
        endpoint::Endpoint,
        entry::Outcome,
        handshake::{
            endpoint_finding::EndpointFinding,
            probe_error::{Phase, ProbeError},
            tls::TlsVersion,
        },
        key::KeySpec,
        server::Server,
        service::{MailService, Restartable},
        thumbprint::Thumbprint,
    },
    pki::{
        keys::Keys,
        mint::{CertificateContent, self_signed},
    },
    plan,
    ports::{
        driver::{Driver, Observer},
        health::{Health, Page},
        mail::{HandedOver, TestMessage},
        prober::{Possession, Prober, Sent, Served, Target, Took, Unfinished},
    },
    probe::Network,
    verify::{
        check::Settings,
        drift::Drift,
        expectations::{Declared, declared},
        peers::Peers,
        row::CauseKind,
        run,
        verdict::{State, Verdict},
    },
    views,
};
use support::{Rig, certwright, example};

fn rig() -> Rig {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/contoso");
    let lab = fs::read_to_string(example.join("lab/lab.yaml")).unwrap();
    let manifest = fs::read_to_string(example.join("manifest.yaml")).unwrap();
    let manifest =
        manifest.replace("lab: { directory: lab }", "lab: { directory: . }").replace("lab/state", "state");
    Rig::of_texts(&manifest, &lab)
}

fn verdict(rig: &mut Rig, prober: &dyn Prober) -> Verdict {
    let observed = rig.observe();
    let Declared { checks, not_provable } = declared(&rig.session.desired, &observed, rig.lab.now());
    let rows = run::rows_with(&checks, &Peers::servers(&rig.lab), prober, &Settings::default(), &|_| {});
    let mut verdict = Verdict::new(&checks, rows, Some((&rig.session.desired, &observed)), rig.lab.now());
    verdict.not_provable = not_provable;
    verdict
}

fn causes(verdict: &Verdict, server: &str) -> BTreeSet<(Endpoint, CauseKind)> {
    let rows = verdict.rows.iter().filter(|row| row.server == server);
    rows.filter_map(|row| Some((row.endpoint, row.cause.as_ref()?.kind))).collect()
}

#[test]
fn all_as_declared_has_no_cause() {
    let mut rig = rig();
    let verdict = verdict(&mut rig, &Network::default());
    assert!(verdict.good, "{verdict:#?}");
    assert!(verdict.rows.iter().all(|row| row.cause.is_none() && row.served == row.declared));
    assert!(verdict.rows.iter().all(|row| row.configured.as_ref().unwrap().certificate == row.declared));
    assert!(
        verdict
            .services
            .iter()
            .all(|service| service.state == State::Good && service.message.starts_with("until "))
    );
}

#[test]
fn what_was_bound_and_not_restarted_is_configured_but_not_served() {
    let mut rig = rig();
    let mut plan = rig.plan();
    // Issue, import, bind, on the first server; and there the evening ends.
    plan.steps.truncate(3);
    let report = rig.apply(&plan);
    assert!(report.is_complete(), "{report:#?}");
    let verdict = verdict(&mut rig, &Network::default());
    let pop: BTreeSet<Endpoint> =
        ["pop:110", "pops:995", "imap:143", "imaps:993"].map(|text| text.parse().unwrap()).into();
    let found = causes(&verdict, "EX01");
    let not_restarted: BTreeSet<Endpoint> = found
        .iter()
        .filter(|(_, kind)| *kind == CauseKind::NotRestarted)
        .map(|(endpoint, _)| *endpoint)
        .collect();
    assert!(not_restarted.is_superset(&pop), "{found:?}");
    let row = verdict.rows.iter().find(|row| row.endpoint.to_string() == "pop:110").unwrap();
    assert_eq!(
        row.cause.as_ref().unwrap().message,
        "configured but not served: POP has not been restarted; `certwright apply --handshakes` restarts it"
    );
    assert!(
        verdict.not_provable.iter().any(|what| what.server().is_some_and(|server| server.as_str() == "EX02")),
        "{:?}",
        verdict.not_provable
    );
}

#[test]
fn another_name_makes_exchange_prefer_another_certificate() {
    let mut rig = rig();
    let server = "EX01".parse().unwrap();
    let name = "ex01.contoso.com".parse().unwrap();
    rig.lab.set_x509_certificate_name(&server, MailService::Pop, Some(&name)).unwrap();
    let services = ["MSExchangePOP3", "MSExchangePOP3BE"].map(ToOwned::to_owned);
    rig.lab.restart(&server, Restartable::Pop, &services).unwrap();
    let verdict = verdict(&mut rig, &Network::default());
    let expected: BTreeSet<(Endpoint, CauseKind)> =
        ["pop:110", "pops:995"].map(|text| (text.parse().unwrap(), CauseKind::Preferred)).into();
    assert_eq!(causes(&verdict, "EX01"), expected);
    let service = verdict.services.iter().find(|service| service.service == "POP").unwrap();
    let says = &service.cause.as_ref().unwrap().message;
    assert!(says.contains("for POP, because X509CertificateName is ex01.contoso.com"), "{says}");
    assert_eq!((service.state, service.message.as_str()), (State::Wrong, "another certificate"));
}

/// Everybody gets this certificate, whatever stands in the stores.
struct Balancer(Certificate);

impl Prober for Balancer {
    fn time_limit(&self) -> Duration {
        Duration::MAX
    }

    fn probe(&self, _: &Target) -> Result<Served, Unfinished> {
        Ok(Served {
            chain: vec![Sent::new(self.0.der.0.clone())],
            version: TlsVersion::Tls13,
            cipher: "TLS_AES_256_GCM_SHA384".into(),
            group: None,
            possession: Possession::Proved,
            asks_for_client_certificate: false,
            took: Took::default(),
        })
    }

    fn health(&self, _: &Target, _: Page) -> Result<Health, Unfinished> {
        Ok(Health { certificate: Some(self.0.thumbprint), status: 200, front_end: None, says_ok: true })
    }

    fn hand_over(&self, _: &Target, _: &TestMessage) -> Result<HandedOver, Unfinished> {
        Ok(HandedOver { certificate: Some(self.0.thumbprint), accepted: true, reply: "250 OK".into() })
    }
}

/// Nobody answers, and so long is waited for them.
struct Silence {
    time_limit: Duration,
    spent: Mutex<Vec<Duration>>,
}

impl Prober for Silence {
    fn time_limit(&self) -> Duration {
        self.time_limit
    }

    fn probe(&self, target: &Target) -> Result<Served, Unfinished> {
        self.spent.lock().unwrap().push(target.spent);
        let took = Duration::from_secs(10);
        Err(Unfinished { took, ..ProbeError::TimedOut { phase: Phase::Handshake }.into() })
    }

    fn health(&self, _: &Target, _: Page) -> Result<Health, Unfinished> {
        Err(ProbeError::TimedOut { phase: Phase::Handshake }.into())
    }

    fn hand_over(&self, _: &Target, _: &TestMessage) -> Result<HandedOver, Unfinished> {
        Err(ProbeError::TimedOut { phase: Phase::Handshake }.into())
    }
}

/// How often the endpoints of a lab are met, and how much of their time is spent by then.
fn meetings_with(time_limit: Duration) -> Vec<Vec<Duration>> {
    let mut rig = rig();
    let silence = Silence { time_limit, spent: Mutex::default() };
    let endpoints = verdict(&mut rig, &silence).rows.len();
    let spent = silence.spent.into_inner().unwrap();
    spent.chunks(endpoints).map(<[_]>::to_vec).collect()
}

#[test]
fn meetings_that_are_tried_again_share_their_time() {
    let [first, second] = meetings_with(Duration::from_secs(15)).try_into().unwrap();
    assert!(first.iter().all(Duration::is_zero));
    assert!(second.iter().all(|spent| *spent == Duration::from_secs(10)));
    // Nothing is left of the time: nobody is met again.
    assert_eq!(meetings_with(Duration::from_secs(10)).len(), 1);
}

fn old_certificate(not_after: &str) -> Certificate {
    let subject = DistinguishedName::common_name_only("mail.contoso.com");
    let content = CertificateContent {
        subject: &subject,
        names: &["mail.contoso.com".parse().unwrap()],
        not_before: "2025-01-01T00:00:00Z".parse().unwrap(),
        not_after: not_after.parse().unwrap(),
    };
    self_signed(&content, &Keys::Fresh.make(KeySpec::EcP256).unwrap()).unwrap()
}

#[test]
fn a_certificate_of_no_store_is_that_of_something_in_between() {
    let mut rig = rig();
    let old = old_certificate("2026-02-01T00:00:00Z");
    let verdict = verdict(&mut rig, &Balancer(old.clone()));
    let row = &verdict.rows[0];
    let cause = row.cause.as_ref().unwrap();
    assert_eq!(cause.kind, CauseKind::InBetween);
    assert!(cause.message.ends_with("and still holds the old certificate"), "{}", cause.message);
    // Expired is a value with its date.
    assert_eq!(row.not_after, Some(old.not_after));
    assert_eq!(verdict.services[0].message, "expired 2026-02-01");
    assert!(!verdict.good);
}

#[test]
fn the_declared_certificate_may_be_the_problem_itself() {
    let mut rig = rig();
    rig.lab.set_clock("2026-03-20T00:00:00Z".parse().unwrap()).unwrap();
    let verdict = verdict(&mut rig, &Network::default());
    let row = verdict.rows.iter().find(|row| row.endpoint.to_string() == "https:443").unwrap();
    assert_eq!(row.served, row.declared, "what expired is declared and served all the same");
    assert_eq!(row.cause.as_ref().unwrap().kind, CauseKind::Declared);
    let service = verdict.services.iter().find(|service| service.service == "Default Web Site:443").unwrap();
    assert_eq!(service.message, "expired 2026-03-19");
}

#[test]
fn drift_is_what_differs_without_what_is_overlooked() {
    let mut rig = rig();
    let server = "EX02".parse().unwrap();
    let connector = "Default Frontend EX02".parse().unwrap();
    rig.lab.repoint_receive(&server, &connector, None).unwrap();
    let observed = rig.observe();
    let plan = plan::plan(&rig.session.desired, &observed, rig.lab.now());
    let rule = |pattern: &str| IgnoreSpec { difference: pattern.into(), because: "a test".into() };
    let ids =
        |drift: &Drift| drift.differences.iter().map(|difference| difference.id.clone()).collect::<Vec<_>>();
    let all = Drift::new(&plan, None, &[], rig.lab.now());
    assert!(all.drifted && ids(&all).contains(&"organization/expires/mail".to_owned()), "{:?}", ids(&all));
    let none = Drift::new(&plan, None, &[rule("*")], rig.lab.now());
    assert!(!none.drifted && none.ignored.len() == all.differences.len());
    let verdict = verdict(&mut rig, &Balancer(old_certificate("2027-01-01T00:00:00Z")));
    let served = Drift::new(&plan, Some(verdict), &[rule("*/expires/*"), rule("EX01/*")], rig.lab.now());
    assert!(ids(&served).contains(&"EX02/served/smtp:25".to_owned()), "{:?}", ids(&served));
    assert!(ids(&served).iter().all(|id| !id.starts_with("EX01/")), "{:?}", ids(&served));
}

#[test]
fn a_server_that_is_not_found_does_not_differ() {
    let mut rig = rig();
    let observed = rig.observe();
    let plan = plan::plan(&rig.session.desired, &observed, rig.lab.now());
    let mut verdict = verdict(&mut rig, &Network::default());
    for row in verdict.rows.iter_mut().filter(|row| row.server == "EX02") {
        let (host, why) = ("ex02.contoso.com".to_owned(), "Name or service not known".to_owned());
        row.problems = vec![EndpointFinding::NotMet { error: ProbeError::UnknownHost { host, why } }];
    }
    let drift = Drift::new(&plan, Some(verdict), &[], rig.lab.now());
    let served: Vec<&str> = drift
        .differences
        .iter()
        .map(|difference| difference.id.as_str())
        .filter(|id| id.contains("/served/"))
        .collect();
    assert!(served.iter().all(|id| !id.starts_with("EX02/")), "{served:?}");
    let not_seen: Vec<String> = drift.not_seen.iter().map(ToString::to_string).collect();
    assert_eq!(
        not_seen,
        [
            "EX02 was not seen in whole (what its endpoints serve: ex02.contoso.com has no address here (Name or \
          service not known); see whether DNS knows the name, or run where it does)"
        ]
    );
}

#[test]
fn every_presented_certificate_is_in_the_evidence() {
    let mut rig = rig();
    let verdict = verdict(&mut rig, &Network::default());
    let presented: BTreeSet<Thumbprint> =
        verdict.rows.iter().flat_map(|row| row.chain.iter().copied()).collect();
    assert_eq!(presented, verdict.certificates.keys().copied().collect());
}

#[test]
fn an_edge_server_is_met_at_its_directory_too() {
    let manifest = "apiVersion: certwright/v1\norganization: contoso\ndriver: { lab: { directory: . } }\n\
        issuers: { exchange: { selfSigned: {} } }\ncertificates:\n  transport: { issuer: exchange, scope: server, \
        subject: \"CN=${server.name}\", names: [\"${server.name}\", \"${server.fqdn}\"], key: { exportable: false } }\n\
        servers:\n  EDGE01: { fqdn: edge01.contoso.com, edge: true, services: { SMTP: transport }, internalTransport: transport }\n";
    let lab = "apiVersion: certwright.lab/v1\nclock: 2026-03-02T09:00:00Z\nkeys: keys\nservers:\n  EDGE01: { fqdn: edge01.contoso.com, version: 2019 CU14, installed: 2024-05-06T10:00:00Z, roles: [EdgeTransport] }\n";
    let mut rig = Rig::of_texts(manifest, lab);
    let verdict = verdict(&mut rig, &Network::default());
    let row = verdict.rows.iter().find(|row| row.endpoint.to_string() == "ldaps:50636").expect("an endpoint");
    assert!(row.is_good() && row.served.is_some() && row.served == row.declared, "{row:#?}");
    assert!(verdict.rows.iter().all(|row| row.endpoint.port != 443), "an Edge server has no web sites");
}

#[test]
fn drift_changes_nothing() {
    let directory = example("contoso");
    assert!(certwright(&["lab", "set-up"], directory.path()).status().unwrap().success());
    let before = contents(directory.path());
    let output = certwright(&["drift", "--prometheus", "drift.prom"], directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let mut after = contents(directory.path());
    let metrics = after.remove(Path::new("drift.prom")).unwrap();
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert!(before == after, "a file of the lab was changed");
    let metrics = String::from_utf8(metrics).unwrap();
    for line in [
        "certwright_up 1",
        "certwright_drift_differences{organization=\"contoso\"} 1",
        "certwright_drift{id=\"organization/expires/mail\"} 1",
        "certwright_endpoint_not_after_seconds{server=\"EX01\",endpoint=\"https:443\"} 1773907200",
    ] {
        assert!(metrics.lines().any(|have| have == line), "{line} is not in\n{metrics}");
    }
    // Every sample has its help and its type before it, and no name comes twice.
    let names: Vec<&str> = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    let samples = metrics.lines().filter(|line| !line.starts_with('#'));
    for sample in samples {
        let name = sample.split(['{', ' ']).next().unwrap();
        assert!(names.contains(&format!("{name} gauge").as_str()), "{sample}");
    }
}

/// A look that fails must not leave the metrics of the last one behind.
#[test]
fn a_look_that_fails_is_in_the_metrics() {
    let directory = example("contoso");
    let drift = |arguments: &[&str]| {
        let arguments = [&["drift", "--prometheus", "drift.prom"], arguments].concat();
        let output = certwright(&arguments, directory.path()).output().unwrap();
        (output.status.code(), fs::read_to_string(directory.path().join("drift.prom")).unwrap())
    };
    let (code, metrics) = drift(&["--no-handshakes"]);
    assert!(code == Some(2) && metrics.contains("\ncertwright_up 1\n"), "{code:?} {metrics}");
    fs::remove_dir_all(directory.path().join("lab")).unwrap();
    for arguments in [&[][..], &["--interval", "1s", "--rounds", "1"]] {
        let (code, metrics) = drift(arguments);
        assert!(code == Some(1) && metrics.contains("\ncertwright_up 0\n"), "{code:?} {metrics}");
        assert!(!metrics.contains("certwright_endpoint"), "{metrics}");
    }
}

/// The files of a directory, but for locks.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "lock") {
                found.insert(path.strip_prefix(directory).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn pipelines_and_browsers_get_names_as_names_and_not_as_markup() {
    let mut rig = rig();
    let mut verdict = verdict(&mut rig, &Balancer(old_certificate("2026-02-01T00:00:00Z")));
    verdict.organization = Some("<b>\"con&toso\"</b>\u{1}\u{ffff}\u{1b}[31m".into());
    verdict.rows[0].server = "EX<01>".into();
    let mut junit = Vec::new();
    views::junit::verdict(&verdict, &mut junit).unwrap();
    let text = String::from_utf8(junit.clone()).unwrap();
    assert!(!text.contains(['\u{1}', '\u{1b}', '\u{ffff}']), "no parser takes these: {text}");
    let mut reader = quick_xml::Reader::from_reader(junit.as_slice());
    let (mut cases, mut failures, mut buffer) = (0, 0, Vec::new());
    loop {
        match reader.read_event_into(&mut buffer).unwrap() {
            quick_xml::events::Event::Start(start) => match start.name().as_ref() {
                "testcase" => cases += 1,
                "failure" => failures += 1,
                _ => {}
            },
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!((cases, failures), (verdict.rows.len(), verdict.rows.len()));
    let mut html = Vec::new();
    views::html::verdict(&verdict, &mut html).unwrap();
    let html = String::from_utf8(html).unwrap();
    assert!(!html.contains("<b>\"con") && html.contains("&lt;b&gt;&quot;con&amp;toso&quot;&lt;/b&gt;"));
    assert!(!html.contains("EX<01>"));
    for elsewhere in ["http://", "https://", "<script", "<link", "<img", "@import", "url("] {
        assert!(!html.contains(elsewhere), "{elsewhere}");
    }
}

/// A CA whose root clients do not know: nothing that works is removed for it. Once the manifest names the root, the run
/// comes to its end.
#[test]
fn what_clients_do_not_trust_replaces_nothing() {
    let mut rig = rig();
    let text = fs::read_to_string(rig.base.join("manifest.yaml")).unwrap();
    let (root, issuing) = (authority("Test Root"), authority("Test Issuing"));
    fs::write(rig.base.join("issuing.crt"), issuing.pem(&root)).unwrap();
    fs::write(rig.base.join("issuing.key"), issuing.key.serialize_pem()).unwrap();
    let own =
        "certificate: state/authorities/corp-ca.crt\n      key: { file: state/authorities/corp-ca.key }";
    assert!(text.contains(own));
    let text = text.replace(own, "certificate: issuing.crt\n      key: { file: issuing.key }");
    rig.change_manifest(&text);
    let before = rig.observe();
    let plan = rig.plan();
    let report = rig.apply(&plan);
    assert_eq!(report.outcome, Outcome::Stopped);
    let said = format!("{:?}", report.steps);
    assert!(said.contains("ends at CN=Test Root, which was not sent and is no trusted root"), "{said}");
    assert!(said.contains("name its root in the manifest, `verify: { roots: [FILE] }`"), "{said}");
    let after = rig.observe();
    for (name, server) in &before.organization.servers {
        let kept = &after.organization.servers[name];
        let store = |server: &Server| -> BTreeSet<Thumbprint> {
            server.certificates.known().unwrap().0.keys().copied().collect()
        };
        assert!(store(kept).is_superset(&store(server)), "{name} lost a certificate");
    }

    rig.change_manifest(&(text + "\nverify: { roots: [issuing.crt], systemRoots: false }\n"));
    let plan = rig.plan();
    let report = rig.apply(&plan);
    assert_eq!(report.outcome, Outcome::Converged, "{:#?}", report.steps);
}

struct Authority {
    params: rcgen::CertificateParams,
    key: rcgen::KeyPair,
}

impl Authority {
    /// Its certificate, signed by the other.
    fn pem(&self, by: &Self) -> String {
        let issuer = rcgen::Issuer::from_params(&by.params, &by.key);
        self.params.signed_by(&self.key, &issuer).unwrap().pem()
    }
}

fn authority(name: &str) -> Authority {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.not_before = rcgen::date_time_ymd(2025, 1, 1);
    params.not_after = rcgen::date_time_ymd(2030, 1, 1);
    Authority { params, key: rcgen::KeyPair::generate().unwrap() }
}
