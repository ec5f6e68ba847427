use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::*;
use crate::{
    model::{
        action::{CertificateRequest, StepId},
        cannot::Cannot,
        fact::Fact,
        key::KeySpec,
        names::FriendlyName,
        organization::Organization,
        plan::Undo,
        thumbprint::Thumbprint,
        time::Span,
    },
    plan::recovery::Begun,
};

fn progress_of(actions: Vec<Action>) -> Progress {
    let mut plan: Plan = serde_json::from_value(json!({
        "version": Plan::VERSION,
        "organization": "Contoso",
        "plannedAt": "2026-03-02T09:00:00Z",
        "driver": "lab",
        "observedAt": "2026-03-02T09:00:00Z",
        "seen": { "servers": 1, "certificates": 1, "bindings": 1 },
        "basis": { "digest": "", "facts": {} },
        "changes": [],
        "steps": [],
        "warnings": [],
        "leftAlone": [],
    }))
    .unwrap();
    let step = |(index, action)| Step {
        id: StepId(index),
        certificate: None,
        action,
        why: Vec::new(),
        after: BTreeSet::new(),
        side_effects: Vec::new(),
        undo: Undo::Nothing,
    };
    plan.steps = (1..).zip(actions).map(step).collect();
    Progress { plan, sessions: Vec::new(), steps: BTreeMap::new(), ended: None, strays: 0 }
}

fn one_step() -> Vec<Action> {
    vec![Action::ClearPreviousAuth {}]
}

fn nothing_there() -> Observed {
    Observed {
        other_servers: Vec::new(),
        version: Observed::VERSION,
        at: "2026-03-02T09:00:00Z".parse().unwrap(),
        driver: "lab".into(),
        answers_prompts: true,
        notes: Vec::new(),
        history: None,
        organization: Organization {
            servers: BTreeMap::new(),
            send_connectors: Fact::Known(BTreeMap::new()),
            accepted_domains: Fact::Known(Vec::new()),
            hybrid: Fact::Known(None),
            auth: Fact::Known(None),
            federation: Fact::Known(None),
            edge_subscriptions: Fact::Known(Vec::new()),
            im_overrides: Fact::Known(BTreeMap::new()),
            dedicated_application: Fact::not_captured(),
            domain_security: Fact::not_captured(),
            balancers: BTreeMap::new(),
        },
    }
}

fn gone() -> Obstacle {
    Obstacle::News(Reason::NotOnServer { server: "EX01".parse().unwrap() })
}

fn standing() -> Standing {
    Standing { settled: Settled::default(), kept: Kept::new() }
}

fn issued() -> Certificate {
    let request = CertificateRequest {
        subject: "CN=mail.contoso.com".parse().unwrap(),
        names: vec!["mail.contoso.com".parse().unwrap()],
        key: KeySpec::EcP256,
        exportable: true,
        friendly_name: "mail".parse::<FriendlyName>().unwrap(),
        lifetime: None,
    };
    let issuer = "CN=Contoso CA".parse().unwrap();
    request.foreseen(StepId(1), &issuer, "2026-03-02T09:00:00Z".parse().unwrap(), Span::days(90))
}

#[test]
fn a_command_decides_before_anything_is_looked_at() {
    let (all, other) = (Narrowing::default(), progress_of(Vec::new()).plan);
    let asked = Asked { abandon: false, saved: None, narrowing: &all, replaced: &[] };
    let open = progress_of(one_step());
    assert_eq!(at_first(&open, &asked), None);
    assert_eq!(at_first(&open, &Asked { saved: Some(&open.plan), ..asked }), None);
    let abandoned = at_first(&open, &Asked { abandon: true, saved: Some(&other), ..asked });
    assert_eq!(abandoned, Some(End::GiveUp(GivenUp::Asked)));
    let part = Narrowing { servers: BTreeSet::from(["EX01".parse().unwrap()]), ..Narrowing::default() };
    let for_a_part = at_first(&open, &Asked { narrowing: &part, ..asked });
    assert_eq!(for_a_part, Some(End::Refuse(Refused::OtherPart(None))));
    let leaked = [Thumbprint::of(b"leaked")];
    let for_another = at_first(&open, &Asked { replaced: &leaked, ..asked });
    assert_eq!(for_another, Some(End::Refuse(Refused::OtherReplacement(leaked.to_vec()))));
    let mut way_back = progress_of(one_step());
    way_back.plan.rolls_back = Some("20260301T090000Z".into());
    let refused = End::Refuse(Refused::TakesBack("20260301T090000Z".into()));
    assert_eq!(at_first(&way_back, &asked), Some(refused));
}

#[test]
fn what_is_left_goes_on() {
    let open = progress_of(vec![Action::ClearPreviousAuth {}, Action::ClearPreviousAuth {}]);
    let mut standing = standing();
    standing.settled.done.insert(StepId(1), crate::model::entry::StepOutput::Done);
    let all = Narrowing::default();
    let asked = Asked { abandon: false, saved: None, narrowing: &all, replaced: &[] };
    let Course::GoOn(rest) = course(&open, &asked, &standing, Vec::new(), &nothing_there()) else { panic!() };
    assert_eq!(rest.steps.iter().map(|step| step.id).collect::<Vec<_>>(), [StepId(2)]);
}

#[test]
fn another_plan_waits_for_a_run_that_can_go_on() {
    let (open, other) = (progress_of(one_step()), progress_of(Vec::new()).plan);
    let all = Narrowing::default();
    let asked = Asked { abandon: false, saved: Some(&other), narrowing: &all, replaced: &[] };
    let there = nothing_there();
    let refused = course(&open, &asked, &standing(), Vec::new(), &there);
    assert_eq!(refused, Course::End(End::Refuse(Refused::OtherPlan)));
    let given_up = course(&open, &asked, &standing(), vec![gone()], &there);
    assert!(matches!(given_up, Course::End(End::GiveUp(GivenUp::DoesNotFit(_)))), "{given_up:?}");
}

#[test]
fn a_run_that_does_not_fit_is_given_up_unless_something_would_be_lost() {
    let open = progress_of(one_step());
    let all = Narrowing::default();
    let asked = Asked { abandon: false, saved: None, narrowing: &all, replaced: &[] };
    let obstacles = || vec![gone()];
    let given_up = course(&open, &asked, &standing(), obstacles(), &nothing_there());
    assert_eq!(given_up, Course::End(End::GiveUp(GivenUp::DoesNotFit(gone()))));
    let mut with_key = standing();
    with_key.kept.insert(StepId(1), issued());
    let refused = course(&open, &asked, &with_key, obstacles(), &nothing_there());
    let Course::End(End::Refuse(Refused::DoesNotFit { lost, .. })) = refused else { panic!("{refused:?}") };
    assert_eq!(lost, [issued()]);
    let mut half_done = standing();
    half_done.settled.begun.insert(StepId(1), Begun::Removed);
    let refused = course(&open, &asked, &half_done, obstacles(), &nothing_there());
    assert!(matches!(refused, Course::End(End::Refuse(Refused::DoesNotFit { .. }))), "{refused:?}");
}

#[test]
fn what_could_not_be_done_is_planned_anew() {
    let open = progress_of(vec![Action::CannotApply { server: None, why: Cannot::NotHybrid }]);
    let all = Narrowing::default();
    let asked = Asked { abandon: false, saved: None, narrowing: &all, replaced: &[] };
    let given_up = course(&open, &asked, &standing(), Vec::new(), &nothing_there());
    assert_eq!(given_up, Course::End(End::GiveUp(GivenUp::DidWhatItCould(Cannot::NotHybrid))));
}
