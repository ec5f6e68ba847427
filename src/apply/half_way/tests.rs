//! Tests of durations, and of how long certificates are half-way.

use serde_json::json;

use super::*;
use crate::{
    model::entry::{Outcome, StepOutput},
    plan::progress::StepRecord,
};

/// A change of a place of `mail` on each server, and a restart after it.
fn plan(servers: &[&str], driver: &str) -> Plan {
    let mut plan: Plan = serde_json::from_value(json!({
        "version": Plan::VERSION,
        "organization": "contoso",
        "plannedAt": "2026-03-02T09:00:00Z",
        "driver": driver,
        "observedAt": "2026-03-02T09:00:00Z",
        "seen": { "servers": 2, "certificates": 1, "bindings": 1 },
        "basis": { "digest": "", "facts": {} },
        "changes": [],
        "steps": [],
        "warnings": [],
        "leftAlone": [],
    }))
    .unwrap();
    for (server, id) in servers.iter().zip((1_u32..).step_by(2)) {
        let name = json!({
            "do": "setX509CertificateName", "server": server, "service": "POP", "name": "mail.contoso.com"
        });
        let restart = json!({
            "do": "restart", "server": server, "service": "pop", "services": ["MSExchangePOP3"]
        });
        let step = |id: u32, certificate: Option<&str>, action, after: &[u32]| {
            let certificate = certificate.map(|name| json!({ "name": name }));
            let step = json!({
                "id": id, "certificate": certificate, "action": action, "why": [], "after": after, "undo": "nothing"
            });
            serde_json::from_value(step).unwrap()
        };
        plan.steps.push(step(id, Some("mail"), name, &[]));
        plan.steps.push(step(id + 1, None, restart, &[id]));
    }
    plan
}

/// A run that did these steps, and waits with the others.
fn report(plan: &Plan, done: usize) -> Report {
    let result = |index: usize| {
        if index < done {
            StepResult::Done(StepOutput::Done)
        } else {
            StepResult::Parked("a person".to_owned())
        }
    };
    let steps = plan.steps.iter().enumerate().map(|(index, step)| (step.id, result(index))).collect();
    Report { run: String::new(), outcome: Outcome::Waiting, halted: None, steps }
}

fn timeline(servers_at_once: u32) -> Timeline {
    let given = ["call=1m".parse().unwrap(), "restart=5m".parse().unwrap()];
    let mut timeline = Timeline::new(Durations::new(&given, &[]), Pace { servers_at_once, canary: false });
    timeline.begin("2026-03-02T09:00:00Z".parse().unwrap());
    timeline
}

#[test]
fn from_the_first_change_to_the_last_restart() {
    let plan = plan(&["EX01", "EX02"], "powershell");
    for (servers_at_once, minutes) in [(1, 12), (2, 6)] {
        let mut timeline = timeline(servers_at_once);
        timeline.run(&plan, &report(&plan, 4));
        assert_eq!(timeline.take_half_way(), Span::seconds(minutes * 60), "{servers_at_once} at once");
        assert_eq!(timeline.take_half_way(), Span::ZERO);
    }
}

#[test]
fn whoever_is_waited_for_in_between_counts() {
    let (whole, rest) = (plan(&["EX01", "EX02"], "powershell"), plan(&["EX02"], "powershell"));
    let mut timeline = timeline(1);
    timeline.run(&whole, &report(&whole, 2));
    assert_eq!(timeline.take_half_way(), Span::ZERO, "it is not over");
    timeline.wait([Doing::Answer, Doing::Person]);
    timeline.run(&rest, &report(&rest, 2));
    assert_eq!(timeline.take_half_way().as_seconds(), 86_400 + 12 * 60);
    // What is over before somebody is waited for is not half-way meanwhile.
    timeline.run(&rest, &report(&rest, 2));
    timeline.wait([Doing::Person]);
    timeline.run(&rest, &report(&rest, 2));
    assert_eq!(timeline.take_half_way().as_seconds(), 12 * 60);
    // What never ends is half-way until the end.
    timeline.run(&whole, &report(&whole, 2));
    let begun = timeline.now;
    let end = Timestamp::from_unix(begun + 7 * 86_400);
    assert_eq!(timeline.end(end).as_seconds(), 7 * 86_400 + 6 * 60);
}

#[test]
fn durations_are_given_or_measured_or_assumed() {
    let at = |second: i64| Timestamp::from_unix(1_800_000_000 + second);
    let run = |driver: &str, took: &[i64]| {
        let servers: Vec<String> = (1..=took.len()).map(|number| format!("EX0{number}")).collect();
        let plan = plan(&servers.iter().map(String::as_str).collect::<Vec<_>>(), driver);
        let record = |took: i64| StepRecord {
            started: Some(at(0)),
            ended: Some(at(took)),
            state: StepState::Done(StepOutput::Done),
        };
        let restarts = plan.steps.iter().skip(1).step_by(2).map(|step| step.id);
        let steps = restarts.zip(took).map(|(id, took)| (id, record(*took))).collect();
        Progress { plan, sessions: Vec::new(), steps, ended: None, strays: 0 }
    };
    let restart = |given: &[GivenDuration], runs: &[Progress]| {
        let durations = Durations::new(given, runs);
        *durations.all().iter().find(|own| own.doing == Doing::Restart).unwrap()
    };
    let took = run("powershell", &[20, 90, 40, 30, 400]);
    let (takes, source) = (Span::seconds(40), DurationSource::Measured { steps: 5 });
    assert_eq!(
        restart(&[], std::slice::from_ref(&took)),
        StepDuration { doing: Doing::Restart, takes, source }
    );
    let given = restart(&["restart=9m".parse().unwrap()], &[took]);
    assert_eq!((given.takes, given.source), (Span::seconds(540), DurationSource::Given));
    // Too few, and the clock of a lab.
    for runs in [run("powershell", &[20, 90]), run("lab", &[0, 0, 0, 0, 0, 0])] {
        assert_eq!(restart(&[], &[runs]).source, DurationSource::Assumed);
    }
    for wrong in ["restart", "reboot=1m", "restart=soon", ""] {
        assert!(wrong.parse::<GivenDuration>().is_err(), "{wrong}");
    }
}
