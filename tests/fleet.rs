//! How a run goes through a fleet: one server first, few at the same time; what fails stops what depends on it and nothing
//! else; and what can be repeated is, after a pause.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{
    collections::BTreeSet,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use certwright::{
    apply::{
        executor,
        ports::Ports,
        report::{ApplyEvent, Halt, Report, StepResult},
    },
    drivers::lab::Lab,
    journal::{Run, RunFiles},
    model::{
        action::Action,
        entry::{Entry, Holder},
        names::ServerName,
        plan::Plan,
        secret::Secret,
        time::Timestamp,
    },
    ports::{
        driver::{Driver, Observer, Wanted},
        journal::{Journal, JournalError},
    },
    probe::Network,
};
use support::Rig;

/// So many servers with a certificate that is due; these limits, and these faults of the lab.
fn fleet(servers: usize, limits: &str, faults: &[&str]) -> Rig {
    let names: Vec<String> = (1..=servers).map(|number| format!("EX{number:02}")).collect();
    let fqdn = |name: &String| format!("{}.contoso.com", name.to_lowercase());
    let mut manifest = format!(
        "apiVersion: certwright/v1\norganization: contoso\ndriver: {{ lab: {{ directory: . }} }}\nissuers:\n  \
         corp-ca: {{ localCa: {{ certificate: state/authorities/corp-ca.crt, key: {{ file: \
         state/authorities/corp-ca.key }} }} }}\ncertificates:\n  mail:\n    issuer: corp-ca\n    names: \
         [mail.contoso.com]\n    renewBefore: 30d\n    retire: {{ after: 0d }}\nprofiles:\n  mailbox: {{ services: {{ \
         IIS: mail, SMTP: mail }} }}\nlimits: {limits}\nservers:\n"
    );
    let mut lab = String::from(
        "apiVersion: certwright.lab/v1\nclock: 2026-03-02T09:00:00Z\nkeys: keys\nauthorities:\n  corp-ca: { subject: \
         \"CN=Contoso CA\" }\nservers:\n",
    );
    for name in &names {
        manifest += &format!("  {name}: {{ fqdn: {}, profile: mailbox }}\n", fqdn(name));
        lab +=
            &format!("  {name}: {{ fqdn: {}, version: SE, installed: 2025-10-06T10:00:00Z }}\n", fqdn(name));
    }
    lab += &format!(
        "certificates:\n  mail-2025:\n    authority: corp-ca\n    names: [mail.contoso.com]\n    notBefore: \
         2025-03-19T00:00:00Z\n    notAfter: 2026-03-19T00:00:00Z\n    on: [{}]\n    services: [IIS, SMTP]\n",
        names.join(", ")
    );
    if !faults.is_empty() {
        lab += "faults:\n";
        lab.extend(faults.iter().map(|fault| format!("  - {fault}\n")));
    }
    Rig::of_texts(&manifest, &lab)
}

/// A journal that somebody reads along while it is written.
struct Watched<'a> {
    run: &'a Run,
    on_entry: &'a (dyn Fn(&Entry) + Sync),
}

impl Journal for Watched<'_> {
    fn open(&self, at: Timestamp, by: &Holder, plan: &Plan) -> Result<(), JournalError> {
        self.run.open(at, by, plan)
    }

    fn append(&self, entry: &Entry) -> Result<(), JournalError> {
        (self.on_entry)(entry);
        self.run.append(entry)
    }

    fn run(&self) -> &str {
        self.run.run()
    }
}

/// Carries a plan out, with the faults of the lab. Returns the pauses that were made too.
fn run(
    rig: &Rig,
    plan: &Plan,
    on_event: &(dyn Fn(&ApplyEvent<'_>) + Sync),
    on_entry: &(dyn Fn(&Entry) + Sync),
) -> (Report, Vec<Duration>) {
    run_while(rig, plan, on_event, on_entry, &|| Ok(()))
}

/// The same, as long as this says that the lock is held.
fn run_while(
    rig: &Rig,
    plan: &Plan,
    on_event: &(dyn Fn(&ApplyEvent<'_>) + Sync),
    on_entry: &(dyn Fn(&Entry) + Sync),
    go_on: &(dyn Fn() -> Result<(), Halt> + Sync),
) -> (Report, Vec<Duration>) {
    let driver: Box<dyn Driver> = Lab::open(&rig.base, support::wall_clock()).unwrap().into_driver();
    let run = rig.store().begin(rig.lab.now()).unwrap();
    let password = Some(Secret::new(b"correct horse".to_vec()));
    let pauses = Mutex::new(Vec::new());
    let ports = Ports {
        driver: driver.as_ref(),
        balancers: &rig.session.balancers,
        issuers: &rig.session.issuers().unwrap(),
        requests: &rig.session.requests(),
        journal: &Watched { run: &run, on_entry },
        artifacts: &RunFiles::new(&run, rig.base.join(".certwright"), password),
        prober: &Network::default(),
        roots: None,
        clock: &|| rig.lab.now(),
        by: support::holder(),
        go_on,
        pause: &|pause| pauses.lock().unwrap().push(pause),
    };
    let report =
        executor::apply(plan, &rig.session.desired, (&rig.session.desired.limits).into(), &ports, on_event)
            .unwrap();
    (report, pauses.into_inner().unwrap())
}

/// What happened, in its order: whether it began or ended well, where and what.
fn told(rig: &mut Rig) -> (Report, Vec<(bool, ServerName, &'static str)>) {
    let plan = rig.plan();
    let seen = Mutex::new(Vec::new());
    let note = |event: &ApplyEvent<'_>| {
        let (begins, step) = match event {
            ApplyEvent::Started(step) => (true, step),
            ApplyEvent::Ended(step, StepResult::Done(_)) => (false, step),
            ApplyEvent::Ended(..) | ApplyEvent::Retrying(..) => return,
        };
        let server = step.action.server().cloned();
        seen.lock().unwrap().extend(server.map(|server| (begins, server, step.action.verb())));
    };
    let (report, _) = run(rig, &plan, &note, &|_| {});
    (report, seen.into_inner().unwrap())
}

fn name(text: &str) -> ServerName {
    text.parse().unwrap()
}

#[test]
fn the_others_begin_when_the_first_server_is_through_and_proved() {
    let mut rig = fleet(3, "{ serversAtOnce: 3 }", &[]);
    let (report, seen) = told(&mut rig);
    assert!(report.is_complete(), "{:#?}", report.steps);
    let proved = seen.iter().position(|what| *what == (false, name("EX01"), "verify")).unwrap();
    let elsewhere = seen.iter().position(|(_, server, _)| *server != name("EX01")).unwrap();
    assert!(proved < elsewhere, "{seen:#?}");
}

#[test]
fn behind_a_first_server_that_fails_nothing_else_is_touched() {
    let fault = "{ verb: restart, server: EX01, times: 9, how: before }";
    let mut rig = fleet(3, "{ serversAtOnce: 3 }", &[fault]);
    let plan = rig.plan();
    let (report, seen) = told(&mut rig);
    assert!(seen.iter().all(|(_, server, _)| *server == name("EX01")), "{seen:#?}");
    let failed = plan.steps.iter().find(|step| step.action.verb() == "restart").unwrap().id;
    let others = plan.steps.iter().filter(|step| step.action.server().is_some_and(|at| *at != name("EX01")));
    for step in others {
        assert_eq!(report.steps[&step.id], StepResult::Skipped(failed), "{:?}", step.action);
    }
    assert!(matches!(report.steps[&failed], StepResult::Failed(_)));
}

#[test]
fn without_a_first_server_a_lane_that_fails_stops_what_depends_on_it_and_nothing_else() {
    let fault = "{ verb: restart, server: EX02, times: 9, how: before }";
    let mut rig = fleet(3, "{ serversAtOnce: 1, canary: false }", &[fault]);
    let plan = rig.plan();
    let (report, _) = told(&mut rig);
    for step in &plan.steps {
        let done = matches!(report.steps[&step.id], StepResult::Done(_));
        match (&step.action, step.action.server()) {
            (Action::Verify { .. }, Some(server)) => assert_eq!(done, *server != name("EX02"), "{server}"),
            // The old certificate goes nowhere before each of them is proved.
            (Action::Remove { .. } | Action::RemoveNamed { .. } | Action::BackUp { .. }, _) => assert!(!done),
            _ => {}
        }
    }
}

#[test]
fn no_more_servers_are_half_way_than_the_manifest_allows_and_so_many_are() {
    for at_once in [1, 2, 3] {
        let mut rig = fleet(4, &format!("{{ serversAtOnce: {at_once}, canary: false }}"), &[]);
        let plan = rig.plan();
        let (half_way, changed) = (Mutex::new((BTreeSet::new(), 0)), Condvar::new());
        let step = |id| plan.step(id).unwrap();
        let note = |entry: &Entry| match entry {
            Entry::Started { step: id, .. } if step(*id).action.verb() == "import" => {
                let mut state = half_way.lock().unwrap();
                state.0.insert(step(*id).action.server().cloned());
                state.1 = state.1.max(state.0.len());
                changed.notify_all();
                // Nobody goes on before as many have begun as may.
                let enough = Duration::from_secs(60);
                drop(changed.wait_timeout_while(state, enough, |state| state.1 < at_once).unwrap());
            }
            Entry::Finished { step: id, .. } if step(*id).action.verb() == "verify" => {
                half_way.lock().unwrap().0.remove(&step(*id).action.server().cloned());
            }
            _ => {}
        };
        let (report, _) = run(&rig, &plan, &|_| {}, &note);
        assert!(report.is_complete(), "{:#?}", report.steps);
        assert_eq!(half_way.into_inner().unwrap().1, at_once);
    }
}

#[test]
fn what_can_be_repeated_is_repeated_after_longer_and_longer_pauses() {
    let (done, failed, unknown) = ("done", "failed", "unknown");
    for (what, fault, seconds, end) in [
        ("a restart that fails twice", "{ verb: restart, times: 2, how: before }", vec![1, 4], done),
        ("a restart that fails three times", "{ verb: restart, times: 3, how: before }", vec![1, 4], failed),
        ("a server that is away for a moment", "{ verb: bind, after: 1, how: unreachable }", vec![1], done),
        (
            "an answer that is lost, of what can be done twice",
            "{ verb: bind, after: 1, how: after }",
            vec![1],
            done,
        ),
        ("a backup that fails once", "{ verb: export, how: before }", vec![1], done),
        (
            "an import, which Exchange refuses the second time",
            "{ verb: import, how: before }",
            vec![],
            failed,
        ),
        (
            "an import whose answer is lost, and that is looked for",
            "{ verb: import, how: after }",
            vec![],
            done,
        ),
        ("a removal", "{ verb: remove, how: before }", vec![], failed),
        ("a removal of which nobody knows", "{ verb: remove, how: after }", vec![], unknown),
    ] {
        let mut rig = fleet(1, "{}", &[fault]);
        let plan = rig.plan();
        let (report, pauses) = run(&rig, &plan, &|_| {}, &|_| {});
        assert_eq!(pauses, seconds.into_iter().map(Duration::from_secs).collect::<Vec<_>>(), "{what}");
        let worst = report.steps.values().find_map(|result| match result {
            StepResult::Failed(_) => Some(failed),
            StepResult::Unknown(_) => Some(unknown),
            _ => None,
        });
        assert_eq!(worst.unwrap_or(done), end, "{what}: {:#?}", report.steps);
    }
}

/// The run behind a removal waits for a gate, which waits for every proof.
#[test]
fn behind_a_gate_nothing_is_removed_before_every_server_is_proved() {
    let mut rig = fleet(3, "{ serversAtOnce: 3, canary: false }", &[]);
    let plan = rig.plan();
    let gates: Vec<_> = plan.steps.iter().filter(|step| matches!(step.action, Action::Gate { .. })).collect();
    let [gate] = gates[..] else { panic!("{gates:#?}") };
    let proofs = gate.after.iter().filter(|step| plan.step(**step).unwrap().action.verb() == "verify");
    assert_eq!(proofs.count(), 3);
    let removals = plan.steps.iter().filter(|step| matches!(step.action, Action::Remove { .. }));
    for removal in removals {
        assert!(removal.after.contains(&gate.id) && removal.after.len() <= 2, "{removal:#?}");
    }
    let order = Mutex::new(Vec::new());
    let note = |entry: &Entry| match entry {
        Entry::Started { step, .. } => order.lock().unwrap().push(("begins", *step)),
        Entry::Finished { step, .. } => order.lock().unwrap().push(("is done", *step)),
        _ => {}
    };
    let (report, _) = run(&rig, &plan, &|_| {}, &note);
    assert!(report.is_complete(), "{:#?}", report.steps);
    let order = order.into_inner().unwrap();
    let place = |what| order.iter().position(|entry| *entry == what).unwrap();
    let opened = place(("is done", gate.id));
    assert!(gate.after.iter().all(|proof| place(("is done", *proof)) < opened));
    let first = plan.steps.iter().find(|step| matches!(step.action, Action::BackUp { .. })).unwrap();
    assert!(opened < place(("begins", first.id)));
}

/// The lock is lost at each place where it is asked for: before a step, between the line of the journal and the verb, and after the
/// verb. From then on there is no line and no change of a server.
#[test]
fn who_has_lost_the_lock_writes_nothing_more() {
    for last in 1.. {
        let mut rig = fleet(1, "{}", &[]);
        let plan = rig.plan();
        let (asked, lines, lost) = (AtomicU32::new(0), AtomicU32::new(0), Mutex::new(None));
        let organization = || rig.lab.observe(Wanted::Everything).unwrap().organization;
        let go_on = || {
            if asked.fetch_add(1, Ordering::SeqCst) < last {
                return Ok(());
            }
            let written = lines.load(Ordering::SeqCst);
            lost.lock().unwrap().get_or_insert_with(|| (written, organization()));
            Err(Halt::LockLost("somebody else has it".into()))
        };
        let count = |_: &Entry| {
            lines.fetch_add(1, Ordering::SeqCst);
        };
        let (report, _) = run_while(&rig, &plan, &|_| {}, &count, &go_on);
        let Some((written, then)) = lost.into_inner().unwrap() else {
            assert!(report.is_complete() && last > 20, "{:#?}", report.steps);
            return;
        };
        assert_eq!(lines.load(Ordering::SeqCst), written, "lost after {last} questions");
        assert_eq!(organization(), then, "lost after {last} questions");
    }
}
