//! No plan touches a certificate that is Exchange's or Windows' own, whoever made the plan and whatever the manifest says.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{fs, path::Path};

use certwright::{
    exchange::builtin::{BuiltIn, recognise},
    model::{
        action::{Action, CertRef, ConnectorRef, DefaultSmtp, StepId, TlsName},
        fact::Fact,
        names::ServerName,
        plan::{LeftAlone, LeftBecause, Plan, Step, Undo},
        reason::Reason,
        server::StoredCertificate,
        service::Service,
        site::SiteBinding,
        thumbprint::Thumbprint,
    },
    plan::lint::{Unsafe, lint},
};
use support::Rig;

fn rig_of(scenario: &str) -> Rig {
    Rig::of_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(scenario))
}

fn rig() -> Rig {
    rig_of("built-in-certificates-stay")
}

/// Everything that a hand-made plan could do to a certificate.
fn actions(server: &ServerName, thumbprint: Thumbprint) -> Vec<Action> {
    let certificate = CertRef::Known(thumbprint);
    let server = server.clone();
    let connector =
        ConnectorRef::Receive { server: server.clone(), name: "Default Frontend EX01".parse().unwrap() };
    vec![
        Action::remove(&server, certificate),
        Action::Bind {
            server: server.clone(),
            certificate,
            services: [Service::Iis].into(),
            default_smtp: DefaultSmtp::Keep,
        },
        Action::BindSite { server: server.clone(), site: SiteBinding::back_end(), certificate },
        Action::SetInternalTransport { server, certificate },
        Action::Repoint { connector, to: Some(TlsName::Of(certificate)) },
    ]
}

fn with_only(plan: &Plan, action: Action) -> Plan {
    let step = plan.steps[0].clone();
    let step = Step { action, undo: Undo::Nothing, side_effects: Vec::new(), after: [].into(), ..step };
    Plan { steps: vec![step], ..plan.clone() }
}

#[test]
fn every_kind_is_recognised_and_none_may_be_touched() {
    let mut rig = rig();
    let (plan, observed, now) = (rig.plan(), rig.observe(), rig_now(&rig));
    let (server, seen) = observed.organization.servers.first_key_value().unwrap();
    let store = &seen.certificates.known().unwrap().0;
    let mut kinds: Vec<BuiltIn> = Vec::new();
    for stored in store.values() {
        let Some(kind) = recognise(&stored.certificate) else { continue };
        kinds.push(kind);
        for action in actions(server, stored.certificate.thumbprint) {
            let made_by_hand = with_only(&plan, action);
            let laws: Vec<&str> =
                lint(&made_by_hand, &rig.session.desired, &observed, now).iter().map(Unsafe::law).collect();
            assert!(laws.contains(&"protected"), "{kind}: {:?} {laws:?}", made_by_hand.steps[0].action);
        }
    }
    for kind in [BuiltIn::Auth, BuiltIn::Federation, BuiltIn::WebManagement, BuiltIn::CloudAgent] {
        assert!(kinds.contains(&kind), "{kind} is in the lab");
    }
    let kept = plan.left_alone.iter().filter(|left| matches!(left.why, LeftBecause::Protected { .. }));
    assert_eq!(kept.count(), kinds.len());
}

#[test]
fn a_certificate_for_tls_never_signs_tokens() {
    let mut rig = rig();
    let (plan, observed, now) = (rig.plan(), rig.observe(), rig_now(&rig));
    let seen = observed.organization.servers.values().next().unwrap();
    let tls =
        seen.certificates.known().unwrap().0.values().find(|stored| !stored.certificate.names.is_empty());
    let certificate = CertRef::Known(tls.unwrap().certificate.thumbprint);
    let made_by_hand = with_only(&plan, Action::StageAuth { certificate, effective: None });
    let laws = lint(&made_by_hand, &rig.session.desired, &observed, now);
    assert!(laws.iter().any(|broken| broken.law() == "auth-is-for-tls"), "{laws:?}");
}

#[test]
fn nothing_is_published_that_a_server_lacks() {
    let mut rig = rig_of("auth-rotation");
    let (plan, observed, now) = (rig.plan(), rig.observe(), rig_now(&rig));
    let certificate = CertRef::FromStep(StepId(1));
    let create = plan.steps[0].clone();
    let then = |number: u32, action| Step {
        id: StepId(number),
        action,
        undo: Undo::Nothing,
        side_effects: Vec::new(),
        after: [StepId(number - 1)].into(),
        ..create.clone()
    };
    let stage = then(2, Action::StageAuth { certificate, effective: None });
    let publish = then(3, Action::PublishAuth { certificate });
    let made_by_hand = Plan { steps: vec![create, stage, publish], ..plan.clone() };
    let broken = lint(&made_by_hand, &rig.session.desired, &observed, now);
    let lacking = Unsafe::AuthNotEverywhere { step: StepId(3), server: "EX02".parse().unwrap() };
    assert!(broken.contains(&lacking), "{broken:?}");
}

fn rig_now(rig: &Rig) -> certwright::model::time::Timestamp {
    use certwright::ports::driver::Observer as _;
    rig.lab.now()
}

/// Observed as the scenario is, but for what is made unknown of each certificate.
fn plan_without(scenario: &str, protect: &str, forget: impl Fn(&mut StoredCertificate)) -> Plan {
    let mut rig = rig_of(scenario);
    let manifest = fs::read_to_string(rig.base.join("manifest.yaml")).unwrap();
    rig.change_manifest(&format!("{manifest}\n{protect}\n"));
    let (mut observed, now) = (rig.observe(), rig_now(&rig));
    for server in observed.organization.servers.values_mut() {
        let store = server.certificates.known_mut().into_iter();
        store.flat_map(|store| store.0.values_mut()).for_each(&forget);
    }
    let plan = certwright::plan::plan(&rig.session.desired, &observed, now);
    assert_eq!(lint(&plan, &rig.session.desired, &observed, now), []);
    plan
}

const PROTECT: &str = "protect: [{ friendlyName: Microsoft Exchange Server Auth Certificate }]";

fn forget_name(stored: &mut StoredCertificate) {
    stored.friendly_name = Fact::unknown("the cmdlet gave no details");
}

/// A friendly name that was not read neither takes a certificate out of use nor has another one issued.
#[test]
fn what_may_be_protected_serves_on() {
    for scenario in ["already-converged", "converged-on-two-versions"] {
        let plan = plan_without(scenario, PROTECT, forget_name);
        assert_eq!((plan.steps.len(), plan.is_blocked()), (0, false), "{scenario}: {:?}", plan.steps);
    }
}

#[test]
fn what_may_be_protected_is_not_removed() {
    let removed = |plan: &Plan| plan.steps.iter().any(|step| !step.action.removals().is_empty());
    let (seen, unseen) = (
        plan_without("key-strengthened", PROTECT, |_| {}),
        plan_without("key-strengthened", PROTECT, forget_name),
    );
    assert!(removed(&seen) && !removed(&unseen));
    let kept = |left: &&LeftAlone| matches!(left.why, LeftBecause::MayBeProtected { .. });
    assert!(unseen.left_alone.iter().any(|left| kept(&left)));
}

/// Whether a key can leave was not read: it may be copied, and so nothing is issued for the server that lacks it.
#[test]
fn a_key_that_may_be_exportable_is_no_reason_to_issue() {
    let forget = |stored: &mut StoredCertificate| stored.exportable = Fact::unknown("no details");
    let plan = plan_without("server-added", "", forget);
    let issues = plan.steps.iter().any(|step| matches!(step.action, Action::Issue { .. }));
    assert!(!issues && plan.is_blocked(), "{:?}", plan.steps);
    assert!(
        plan.changes
            .iter()
            .flat_map(|change| &change.reasons)
            .any(|why| matches!(why, Reason::CannotSee { .. }))
    );
}
