//! Whether the two sides of an Edge subscription trust each other, by whatever can be seen of it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{collections::BTreeSet, path::Path};

use certwright::{
    apply::report::StepResult,
    drivers::lab::Lab,
    exchange::edge::{self, EdgeDistrust},
    model::{
        action::{Action, CertRef, StepId},
        entry::Outcome,
        fact::Fact,
        failure::FailureCode,
        names::ServerName,
        organization::{EdgeSubscription, Organization},
        plan::{Step, Undo},
        server::{Server, StoredCertificate},
        thumbprint::Thumbprint,
        time::{Span, Timestamp},
    },
    plan::lint,
    ports::driver::Observer,
};
use support::{Rig, certwright, wall_clock};

/// EX01, EX02 and EDGE01, subscribed when all was set up.
fn organization() -> Organization {
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/edge-default-certificate-renewed"));
    rig.observe().organization
}

fn name(text: &str) -> ServerName {
    text.parse().unwrap()
}

fn server<'a>(organization: &'a mut Organization, text: &str) -> &'a mut Server {
    organization.servers.get_mut(&name(text)).unwrap()
}

fn subscription(organization: &mut Organization) -> &mut EdgeSubscription {
    &mut organization.edge_subscriptions.known_mut().unwrap()[0]
}

/// When the default SMTP certificate of a server became valid.
fn since(organization: &Organization, text: &str) -> Timestamp {
    let server = &organization.servers[&name(text)];
    let internal = server.internal_transport.known().copied().flatten().unwrap();
    server.certificate(internal).unwrap().certificate.not_before
}

/// As a capture of the Mailbox servers alone shows it: nobody looked at the Edge server.
fn without_edge(organization: &mut Organization) {
    organization.servers.remove(&name("EDGE01"));
}

fn another() -> Thumbprint {
    "790120BB6B7B5EC1C4F3A6E1F7A4E3B2D1C01EED".parse().unwrap()
}

/// What was changed, and whether there is trust then. The subscription that does not do any more was made on this day.
type Row = (&'static str, fn(&mut Organization), bool);

const BEFORE: &str = "2025-01-01T00:00:00Z";

const ROWS: &[Row] = &[
    ("both directories say so", |_| {}, true),
    (
        "the Edge presents another certificate than the directory holds",
        |organization| server(organization, "EDGE01").internal_transport = Fact::Known(Some(another())),
        false,
    ),
    (
        "a server presents another certificate than the Edge's directory holds",
        |organization| server(organization, "EX02").internal_transport = Fact::Known(Some(another())),
        false,
    ),
    (
        "both present the same one",
        |organization| {
            for text in ["EX01", "EDGE01"] {
                server(organization, text).internal_transport = Fact::Known(Some(another()));
            }
        },
        false,
    ),
    ("the Edge was not looked at, and the subscription is another one", without_edge, true),
    (
        "the Edge was not looked at, and the subscription is the one of before",
        |organization| {
            without_edge(organization);
            subscription(organization).created = Some(BEFORE.parse().unwrap());
        },
        false,
    ),
    (
        "the Edge was not looked at, and the subscription is older than a server's certificate",
        |organization| {
            let since = since(organization, "EX01");
            without_edge(organization);
            subscription(organization).created = Some(since.minus(Span::days(1)));
        },
        false,
    ),
    (
        "the Edge was not looked at, and nobody knows of when the subscription is",
        |organization| {
            without_edge(organization);
            subscription(organization).created = None;
        },
        false,
    ),
    (
        "what a server presents could not be seen",
        |organization| server(organization, "EX01").internal_transport = Fact::unknown("access denied"),
        false,
    ),
    (
        "there is no subscription",
        |organization| organization.edge_subscriptions = Fact::Known(Vec::new()),
        false,
    ),
    (
        "subscriptions could not be seen",
        |organization| organization.edge_subscriptions = Fact::unknown("access denied"),
        false,
    ),
];

#[test]
fn trust_is_seen_and_never_guessed() {
    let organization = organization();
    for (row, change, trusted) in ROWS {
        let mut organization = organization.clone();
        change(&mut organization);
        let before = Some(BEFORE.parse().unwrap());
        assert_eq!(edge::is_trusted(&organization, &name("EDGE01"), before), *trusted, "{row}");
    }
}

#[test]
fn a_new_subscription_mends_all_but_a_certificate_that_both_have() {
    let now = "2026-03-02T09:00:00Z".parse().unwrap();
    for shared in [false, true] {
        let mut organization = organization();
        let internal = |text: &str, organization: &mut Organization| {
            server(organization, text).internal_transport = Fact::Known(Some(another()));
        };
        internal("EX01", &mut organization);
        if shared {
            internal("EDGE01", &mut organization);
        }
        edge::subscribe(&mut organization, &name("EDGE01"), now);
        let subscription = subscription(&mut organization).clone();
        let distrust = edge::distrust(&organization, &subscription);
        let only_shared =
            matches!(distrust.as_slice(), [EdgeDistrust::Shared { server, .. }] if *server == name("EX01"));
        assert_eq!((distrust.is_empty(), only_shared), (!shared, shared), "{distrust:?}");
        assert_eq!(subscription.created, Some(now));
    }
}

#[test]
fn a_plan_that_gives_both_the_same_certificate_is_refused() {
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/edge-and-hub-share-a-certificate"));
    let mut observed = rig.observe();
    let shared = *observed.organization.servers[&name("EX01")].internal_transport.known().unwrap();
    let own = |stored: &&StoredCertificate| stored.certificate.subject.to_string() == "CN=EDGE01";
    let edge = server(&mut observed.organization, "EDGE01");
    let stored = edge.certificates.known().unwrap().0.values().find(own).unwrap();
    edge.internal_transport = Fact::Known(Some(stored.certificate.thumbprint));
    let mut plan = rig.plan();
    plan.steps = vec![Step {
        id: StepId(1),
        certificate: None,
        action: Action::SetInternalTransport {
            server: name("EDGE01"),
            certificate: CertRef::Known(shared.unwrap()),
        },
        why: Vec::new(),
        after: BTreeSet::new(),
        side_effects: Vec::new(),
        undo: Undo::Nothing,
    }];
    let now = rig.lab.now();
    let problems = lint::lint(&plan, &rig.session.desired, &observed, now);
    assert!(problems.iter().any(|problem| problem.law() == "shared-with-edge"), "{problems:?}");
}

/// A new subscription would not help, so none is asked for; what is wrong is told, and handshakes show it.
#[test]
fn what_both_have_is_told_where_the_manifest_says_nothing_of_it() {
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/edge-and-hub-share-a-certificate"));
    let text = std::fs::read_to_string(rig.base.join("manifest.yaml")).unwrap();
    rig.change_manifest(&text.replace("[mail, transport] }, internalTransport: transport", "mail }"));
    let plan = rig.plan();
    assert!(plan.is_empty(), "{:?}", plan.steps);
    assert!(
        plan.warnings.iter().any(|warning| warning.to_string().contains("event 10104")),
        "{:?}",
        plan.warnings
    );
    let rows = rig.verify();
    let bad: Vec<String> = rows.iter().filter(|row| !row.is_good()).map(|row| row.server.clone()).collect();
    assert!(["EX01", "EDGE01"].iter().all(|server| bad.iter().any(|bad| bad == server)), "{bad:?}");
}

/// The way back puts in place again what the Edge does not know: it ends with a new subscription, and waits for it.
#[test]
fn a_way_back_that_breaks_the_trust_asks_for_a_new_subscription() {
    let rig = Rig::of_folder(Path::new("tests/scenarios/edge-answered-yes-and-taken-back"));
    let run = |arguments: &[&str]| {
        let output = certwright(arguments, &rig.base).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), told)
    };
    assert_eq!(run(&["apply", "manifest.yaml", "--auto-approve"]).0, 0);
    let back = ["rollback", "--manifest", "manifest.yaml", "--auto-approve"];
    let (exit, told) = run(&back);
    assert_eq!(exit, 7, "{told}");
    assert!(told.contains("subscribe EDGE01 anew"), "{told}");
    let (exit, told) = run(&back);
    assert_eq!(exit, 7, "nobody has made it yet: {told}");
    assert_eq!(run(&["lab", "subscribe", "EDGE01", "manifest.yaml"]).0, 0);
    let (exit, told) = run(&back);
    assert_eq!(exit, 0, "{told}");
}

/// `EdgeSync` is started, says nothing of a failure, and brings nothing: the Edge server goes on by its own copy, so nothing that
/// rests on the new name is done, and the certificate that the copy names stays.
#[test]
fn what_edge_sync_has_not_brought_is_waited_for() {
    let scenario = Path::new("tests/scenarios/edge-gets-another-name");
    let read = |name: &str| std::fs::read_to_string(scenario.join(name)).unwrap();
    let seed = read("lab.yaml").replace("../../keys", "keys");
    let fault = "faults:\n  - { verb: synchronizeEdge, how: ignored, times: 99 }\n";
    let mut rig = Rig::of_texts(&read("manifest.yaml"), &format!("{seed}{fault}"));
    let before = rig.observe().organization;
    let plan = rig.plan();
    let faulty = Lab::open(&rig.base, wall_clock()).unwrap().into_driver();
    let report = rig.apply_with(&plan, faulty.as_ref());
    assert_eq!(report.outcome, Outcome::Stopped);
    let repoint = plan.steps.iter().find(|step| matches!(step.action, Action::Repoint { .. })).unwrap();
    let StepResult::Failed(failure) = &report.steps[&repoint.id] else { panic!("{:?}", report.steps) };
    assert_eq!(failure.code, Some(FailureCode::NotNamed), "{failure}");
    assert!(
        failure.message.contains("EDGE01 does not show yet")
            && failure.message.contains("Test-EdgeSynchronization"),
        "{failure}"
    );
    let organization = rig.observe().organization;
    let behind: Vec<_> =
        edge::behind(&organization, &name("EDGE01")).map(|(name, _)| name.as_str()).collect();
    assert_eq!(behind, ["EdgeSync - Default-First-Site-Name to Internet"]);
    let kept = |organization: &Organization| {
        let store = &organization.servers[&name("EDGE01")].certificates;
        store.known().unwrap().0.keys().copied().collect::<BTreeSet<_>>()
    };
    assert!(kept(&before).is_subset(&kept(&organization)));
}
