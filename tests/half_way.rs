//! No beginning of a plan is worse than before, also when a step fails half-way; and a way back gives back what was presented.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::path::Path;

use certwright::{
    apply::report::StepResult,
    drivers::lab::Lab,
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        named,
        selection::Presented,
    },
    model::{
        action::{Action, CertRef, StepId},
        desired::Desired,
        entry::Outcome,
        fact::Fact,
        failure::FailureCode,
        organization::Observed,
        plan::Plan,
        service::Service,
        time::Timestamp,
    },
    plan::lint::{Unsafe, lint},
    ports::driver::{Driver, Observer, Wanted},
};
use support::{Rig, certwright, wall_clock};

const MANIFEST: &str = "
apiVersion: certwright/v1
organization: contoso
driver: { lab: { directory: . } }
issuers:
  corp-ca: { localCa: { certificate: state/authorities/corp-ca.crt, key: { file: state/authorities/corp-ca.key } } }
certificates:
  mail: { issuer: corp-ca, names: [mail.contoso.com], renewBefore: 30d, retire: { after: 0d } }
servers:
  EX01: { fqdn: ex01.contoso.com, services: { IIS: mail, SMTP: mail } }
";

fn lab(times: u32) -> String {
    format!(
        "
apiVersion: certwright.lab/v1
clock: 2026-03-02T09:00:00Z
keys: keys
authorities:
  corp-ca: {{ subject: \"CN=Contoso CA, O=Contoso, C=NL\" }}
servers:
  EX01:
    fqdn: ex01.contoso.com
    version: SE
    installed: 2025-10-06T10:00:00Z
    connectorFqdns: {{ \"Default Frontend EX01\": mail.contoso.com }}
certificates:
  mail-2025:
    authority: corp-ca
    names: [mail.contoso.com]
    notBefore: 2025-03-19T00:00:00Z
    notAfter: 2026-03-19T00:00:00Z
    on: EX01
    services: [IIS, SMTP]
transport: live
faults:
  - {{ verb: bind, server: EX01, how: before, times: {times} }}
"
    )
}

/// The lab as a driver, with its faults.
fn faulty(rig: &Rig) -> Box<dyn Driver> {
    Lab::open(&rig.base, wall_clock()).unwrap().into_driver()
}

/// What each place of each server presents.
fn shown(observed: &Observed, now: Timestamp) -> Vec<(String, BindingPoint, Presented)> {
    let servers = observed.organization.servers.iter();
    let places = servers.flat_map(|(name, server)| {
        let of = move |place: BindingPoint| {
            let found = presented(server, &place, now);
            (name.to_string(), place, found)
        };
        binding_points(server).into_iter().map(of)
    });
    places.collect()
}

/// What send connectors show on each source server.
fn sent(observed: &Observed, now: Timestamp) -> Vec<(String, String, Presented)> {
    let mut sent = Vec::new();
    for (name, connector) in observed.organization.send_connectors.known().unwrap() {
        for source in &connector.source_servers {
            let found = named::presented(&observed.organization.servers[source], connector, now);
            sent.push((name.to_string(), source.to_string(), found));
        }
    }
    sent
}

/// Enabling fails for good, as with an `Fqdn` that has an underscore: the certificate that was imported for it would be chosen
/// by every connector with its name, and none could use it.
#[test]
fn what_cannot_be_enabled_is_taken_off_again() {
    let mut rig = Rig::of_texts(MANIFEST, &lab(99));
    let before = rig.observe();
    let plan = rig.plan();
    let report = rig.apply_with(&plan, faulty(&rig).as_ref());
    assert_eq!(report.outcome, Outcome::Stopped);
    let import = plan.steps.iter().find(|step| matches!(step.action, Action::Import { .. })).unwrap();
    let StepResult::Failed(failure) = &report.steps[&import.id] else { panic!("{:?}", report.steps) };
    assert_eq!(failure.code, Some(FailureCode::TakenBack), "{failure}");
    assert!(failure.message.contains("taken off again"), "{failure}");
    let (after, now) = (rig.observe(), rig.lab.now());
    assert_eq!(shown(&after, now), shown(&before, now));
    assert_eq!(after.organization, before.organization);
}

/// Whether it was enabled nobody heard, and a look shows that it was: it serves, and is not taken off.
#[test]
fn what_is_enabled_is_not_taken_off() {
    let seed = lab(0).replace("how: before, times: 0", "how: after, times: 99");
    let mut rig = Rig::of_texts(MANIFEST, &seed);
    let ex01 = "EX01".parse().unwrap();
    let store =
        |observed: &Observed| observed.organization.servers[&ex01].certificates.known().unwrap().clone();
    let before = store(&rig.observe());
    let plan = rig.plan();
    let report = rig.apply_with(&plan, faulty(&rig).as_ref());
    assert_eq!(report.outcome, Outcome::Stopped);
    let import = plan.steps.iter().find(|step| matches!(step.action, Action::Import { .. })).unwrap();
    assert!(matches!(report.steps[&import.id], StepResult::Unknown(_)), "{:?}", report.steps);
    let after = store(&rig.observe());
    let new: Vec<_> = after.0.iter().filter(|(thumbprint, _)| !before.0.contains_key(*thumbprint)).collect();
    let [(_, new)] = new.as_slice() else { panic!("{new:?}") };
    assert!(new.services.known().unwrap().contains(&Service::Smtp), "{new:?}");
}

/// What fails once is tried again, and nothing has to be taken back.
#[test]
fn what_can_be_enabled_a_moment_later_stays() {
    let mut rig = Rig::of_texts(MANIFEST, &lab(2));
    let plan = rig.plan();
    assert_eq!(rig.apply_with(&plan, faulty(&rig).as_ref()).outcome, Outcome::Converged);
}

/// Whether a binding still has it is looked up before each removal: what cannot be seen may have it, and it stays.
#[test]
fn what_a_binding_may_still_have_is_not_removed() {
    let mut unseen = 0;
    for looks in 1..8 {
        let fault = format!("verb: observe, server: EX01, how: unreachable, after: {looks}, times: 99");
        let seed = lab(0).replace("verb: bind, server: EX01, how: before, times: 0", &fault);
        let mut rig = Rig::of_texts(MANIFEST, &seed);
        let plan = rig.plan();
        let report = rig.apply_with(&plan, faulty(&rig).as_ref());
        let removal = plan.steps.iter().find(|step| matches!(step.action, Action::Remove { .. })).unwrap();
        let StepResult::Failed(failure) = &report.steps[&removal.id] else { continue };
        assert_eq!(failure.code, Some(FailureCode::BindingsUnseen), "{failure}");
        let [(server, CertRef::Known(old))] = removal.action.removals()[..] else { panic!("{removal:?}") };
        let after = Lab::open(&rig.base, wall_clock()).unwrap().observe(Wanted::Everything).unwrap();
        assert!(after.organization.servers[server].certificate(old).is_some(), "it stays");
        unseen += 1;
    }
    assert!(unseen > 0, "no look before the removal was kept from seeing");
}

/// The old certificate has the issuer and the subject of the new one, and only the new one's end brings it back.
#[test]
fn a_way_back_gives_the_old_certificate_back_that_has_the_same_name() {
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/hybrid-same-issuer-and-subject"));
    let (before, now) = (rig.observe(), rig.lab.now());
    let run = |arguments: &[&str]| {
        let output = certwright(arguments, &rig.base).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{told}");
        told
    };
    run(&["apply", "manifest.yaml", "--auto-approve"]);
    let told = run(&["rollback", "--manifest", "manifest.yaml", "--auto-approve"]);
    assert!(told.contains("transport stands still"), "{told}");
    rig.reopen();
    let after = rig.observe();
    assert_eq!(shown(&after, now), shown(&before, now));
    assert_eq!(sent(&after, now), sent(&before, now));
    assert_eq!(after.organization.send_connectors, before.organization.send_connectors);
}

/// With a request its private key would go, and the CA may still answer.
#[test]
fn a_request_that_waits_is_never_taken_back() {
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/request-answered-later"));
    let run = |arguments: &[&str]| {
        let output = certwright(arguments, &rig.base).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code(), told)
    };
    let (code, told) = run(&["apply", "manifest.yaml", "--auto-approve"]);
    assert_eq!(code, Some(7), "{told}");
    let (code, told) = run(&["rollback", "--manifest", "manifest.yaml", "--auto-approve"]);
    // Nothing was taken back, and that is no success.
    assert_eq!(code, Some(10), "{told}");
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("the request stays"), "{told}");
    rig.reopen();
    let observed = rig.observe();
    let requests = observed.organization.servers[&"EX01".parse().unwrap()].requests.known().unwrap();
    assert_eq!(requests.len(), 1);
    // The next run waits for the answer to that very one.
    let again = rig.plan();
    assert!(!again.steps.iter().any(|step| matches!(step.action, Action::Request { .. })), "{again:#?}");
    assert!(again.steps.iter().any(|step| matches!(step.action, Action::Await { .. })), "{again:#?}");
}

/// A restart that fails leaves no server out of its load balancer.
#[test]
fn a_server_comes_back_whatever_becomes_of_its_restart() {
    for fault in [
        "verb: restart, server: EX01, how: before, times: 9",
        "verb: drainTransport, server: EX01, how: before, times: 9",
        "verb: restart, server: EX02, how: after, times: 9",
    ] {
        let mut rig = drained(fault);
        let plan = rig.plan();
        let report = rig.apply_with(&plan, faulty(&rig).as_ref());
        assert_eq!(report.outcome, Outcome::Stopped, "{fault}: {:#?}", report.steps);
        assert!(left_out(&rig).is_empty(), "{fault}: {:?}", left_out(&rig));
    }
}

/// What somebody else has taken out of the load balancer stays out: it is said, and nothing of the server restarts.
#[test]
fn a_server_that_somebody_else_took_out_is_left_as_it_is() {
    let rig = drained("verb: restart, server: EX02, how: before, times: 0");
    std::fs::create_dir_all(rig.base.join("state/balancers")).unwrap();
    std::fs::write(rig.base.join("state/balancers/lb01.without-EX01"), "\"drain\"\n").unwrap();
    // Nor does the run that goes on take it for its own.
    for _ in 0..2 {
        let apply = certwright(&["apply", "manifest.yaml", "--auto-approve"], &rig.base).output().unwrap();
        let told = String::from_utf8(apply.stdout).unwrap() + &String::from_utf8(apply.stderr).unwrap();
        assert!(!apply.status.success() && told.contains("somebody else has taken it out"), "{told}");
        assert_eq!(left_out(&rig), ["EX01"]);
    }
    std::fs::remove_file(rig.base.join("state/balancers/lb01.without-EX01")).unwrap();
    let apply = certwright(&["apply", "manifest.yaml", "--auto-approve"], &rig.base).output().unwrap();
    assert!(apply.status.success(), "{}", String::from_utf8_lossy(&apply.stderr));
}

/// A process that dies in the middle leaves it out; the run that goes on puts it back, and so does the way back.
#[test]
fn a_server_that_a_dead_run_left_out_comes_back() {
    for next in [
        &["apply", "manifest.yaml", "--auto-approve"][..],
        &["rollback", "--manifest", "manifest.yaml", "--auto-approve"],
    ] {
        let rig = drained("verb: restart, server: EX01, how: killedBefore");
        let apply = certwright(&["apply", "manifest.yaml", "--auto-approve"], &rig.base).output().unwrap();
        assert!(!apply.status.success());
        assert_eq!(left_out(&rig), ["EX01"]);
        let output = certwright(next, &rig.base).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{next:?}: {told}");
        assert!(left_out(&rig).is_empty(), "{next:?}: {told}");
    }
}

/// A plan by hand that drains two servers at once, or one that nobody takes over from, is not carried out.
#[test]
fn draining_has_laws() {
    let mut rig = drained("verb: restart, how: before, times: 0");
    let (plan, observed, now) = (rig.plan(), rig.observe(), rig.lab.now());
    let restarts = |plan: &Plan, server: &str| -> Vec<StepId> {
        let of = |step: &&certwright::model::plan::Step| matches!(&step.action, Action::Restart { server: on, drain: Some(_), .. } if on.as_str() == server);
        plan.steps.iter().filter(of).map(|step| step.id).collect()
    };
    let laws = |plan: &Plan, desired: &Desired| -> Vec<&str> {
        lint(plan, desired, &observed, now).iter().map(Unsafe::law).collect()
    };
    assert!(laws(&plan, &rig.session.desired).is_empty());
    let (first, second) = (restarts(&plan, "EX01"), restarts(&plan, "EX02"));
    let mut together = plan.clone();
    for step in together.steps.iter_mut().filter(|step| second.contains(&step.id)) {
        step.after.retain(|after| !first.contains(after));
    }
    assert_eq!(laws(&together, &rig.session.desired), ["drained-together"]);
    let mut alone = rig.session.desired.clone();
    alone.balancers[0].servers.remove(&"EX02".parse().unwrap());
    assert!(laws(&plan, &alone).contains(&"nobody-takes-over"), "{:?}", laws(&plan, &alone));
    let mut itself = plan.clone();
    for step in &mut itself.steps {
        if let Action::Restart { drain: Some(drain), .. } = &mut step.action {
            drain.redirect_to.get_or_insert("x.contoso.com".parse().unwrap());
        }
    }
    assert!(laws(&itself, &rig.session.desired).contains(&"impossible"));
    let mut apart = observed.clone();
    for (server, site) in [("EX01", "Amsterdam"), ("EX02", "Dublin")] {
        let server = apart.organization.servers.get_mut(&server.parse().unwrap()).unwrap();
        server.directory_site = Fact::Known(site.into());
    }
    let found: Vec<_> = lint(&plan, &rig.session.desired, &apart, now).iter().map(Unsafe::law).collect();
    assert!(found.contains(&"taken-over-elsewhere"), "{found:?}");
}

/// A certificate that a step speaks of has to be made before.
#[test]
fn what_a_step_speaks_of_comes_before_it() {
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/transport-takes-it-up-by-itself"));
    let (plan, observed, now) = (rig.plan(), rig.observe(), rig.lab.now());
    for wrong in [StepId(99), StepId(u32::try_from(plan.steps.len()).unwrap())] {
        let mut by_hand = plan.clone();
        let restart = by_hand.steps.iter_mut().find_map(|step| match &mut step.action {
            Action::Restart { unless_served, .. } if !unless_served.is_empty() => {
                Some((step.id, unless_served))
            }
            _ => None,
        });
        let (step, unless_served) = restart.unwrap();
        unless_served[0].certificate = CertRef::FromStep(wrong);
        assert_eq!(lint(&by_hand, &rig.session.desired, &observed, now), [Unsafe::OutOfOrder(step)]);
    }
}

/// Exchange says that a key may be exported until somebody wants it. Without its backup the certificate stays.
#[test]
fn what_cannot_be_backed_up_is_not_removed() {
    let broken = lab(0).replace("    connectorFqdns", "    brokenKeys: [mail-2025]\n    connectorFqdns");
    let mut rig = Rig::of_texts(MANIFEST, &broken);
    let plan = rig.plan();
    let report = rig.apply(&plan);
    let backup =
        plan.steps.iter().find(|step| matches!(step.action, Action::BackUp { with_key: true, .. })).unwrap();
    let StepResult::Failed(failure) = &report.steps[&backup.id] else { panic!("{:?}", report.steps) };
    assert_eq!(failure.code, Some(FailureCode::KeyNotBackedUp), "{failure}");
    assert!(failure.message.contains("retire: { backup: false }"), "{failure}");
    let Action::BackUp { certificate: CertRef::Known(certificate), .. } = backup.action else {
        unreachable!()
    };
    assert!(rig.observe().organization.servers[&"EX01".parse().unwrap()].certificate(certificate).is_some());
}

/// What was said when a run was begun holds for whoever goes on with it, and for a plan that was saved.
#[test]
fn a_key_that_others_have_is_replaced_by_whoever_goes_on() {
    let seed = lab(0).replace("2026-03-19", "2026-12-19").replace(
        "verb: bind, server: EX01, how: before, times: 0",
        "verb: export, server: EX01, how: killedBefore",
    );
    let manifest = MANIFEST.replace("retire: { after: 0d }", "retire: { after: 30d }");
    let run = |rig: &Rig, arguments: &[&str]| {
        let output = certwright(arguments, &rig.base).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code(), told)
    };
    let mut rig = Rig::of_texts(&manifest, &seed);
    let old =
        rig.observe().organization.servers[&"EX01".parse().unwrap()].certificates.known().unwrap().clone();
    let (code, told) = run(&rig, &["apply", "manifest.yaml", "--replace", "mail", "--auto-approve"]);
    assert_eq!(code, None, "{told}");
    let (code, told) = run(&rig, &["apply", "manifest.yaml", "--auto-approve"]);
    assert_eq!(code, Some(0), "{told}");
    let kept = |rig: &mut Rig| {
        let now = rig.observe().organization.servers[&"EX01".parse().unwrap()]
            .certificates
            .known()
            .unwrap()
            .clone();
        old.0.keys().filter(|thumbprint| now.0.contains_key(*thumbprint)).count()
    };
    rig.reopen();
    assert_eq!(kept(&mut rig), old.0.len() - 1, "{told}");

    let mut rig = Rig::of_texts(&manifest, &lab(0).replace("2026-03-19", "2026-12-19"));
    let (code, told) = run(&rig, &["plan", "manifest.yaml", "--replace", "mail", "--out", "saved.json"]);
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = run(&rig, &["apply", "saved.json", "--auto-approve"]);
    assert_eq!(code, Some(0), "{told}");
    rig.reopen();
    assert_eq!(kept(&mut rig), old.0.len() - 1, "{told}");
}

/// The CA answers with the issuer and the subject of the certificate in use, which the plan could not foresee: connectors name
/// both, and the old one cannot go as it was planned. The server holds the key, so a new plan is made with the answer.
#[test]
fn an_answer_that_the_plan_did_not_foresee_is_used() {
    let scenario = Path::new("tests/scenarios/renewed-by-an-acme-client");
    let read = |name: &str| std::fs::read_to_string(scenario.join(name)).unwrap();
    let mut rig = Rig::of_texts(&read("manifest.yaml"), &read("lab.yaml").replace("../../keys", "keys"));
    let run = |rig: &Rig, arguments: &[&str]| {
        let output = certwright(arguments, &rig.base).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code(), told)
    };
    run(&rig, &["apply", "manifest.yaml", "--auto-approve"]);
    run(&rig, &["lab", "answer", "manifest.yaml", "--authority", "e7"]);
    let (code, told) = run(&rig, &["apply", "manifest.yaml", "--auto-approve"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("no certificate is lost with it, and a new plan is made"), "{told}");
    rig.reopen();
    assert!(!rig.plan().steps.iter().any(|step| matches!(step.action, Action::Request { .. })), "{told}");
}

/// Two servers behind a load balancer that are drained before they restart, with a fault.
fn drained(fault: &str) -> Rig {
    let scenario = Path::new("tests/scenarios/drained-before-restarts");
    let read = |name: &str| std::fs::read_to_string(scenario.join(name)).unwrap();
    let seed = read("lab.yaml").replace("../../keys", "keys");
    Rig::of_texts(&read("manifest.yaml"), &format!("{seed}faults:\n  - {{ {fault} }}\n"))
}

/// The servers that the load balancers of a lab send no clients to.
fn left_out(rig: &Rig) -> Vec<String> {
    let files = std::fs::read_dir(rig.base.join("state/balancers")).unwrap();
    let names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| Some(name.split_once(".without-")?.1.to_owned())).collect()
}
