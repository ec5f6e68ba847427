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
    model::{action::Action, entry::Outcome, failure::FailureCode, organization::Observed, time::Timestamp},
    ports::driver::{Driver, Observer},
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

/// What fails once is tried again, and nothing has to be taken back.
#[test]
fn what_can_be_enabled_a_moment_later_stays() {
    let mut rig = Rig::of_texts(MANIFEST, &lab(2));
    let plan = rig.plan();
    assert_eq!(rig.apply_with(&plan, faulty(&rig).as_ref()).outcome, Outcome::Converged);
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
