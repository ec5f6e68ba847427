//! Plans grow with the servers and not with their square: steps, edges between them, and bytes are counted for fleets from
//! 50 to 3,200 servers, and every plan is made, checked and taken back. No clock is asked; what grows faster than the
//! servers shows as a number here, and as a test that does not come to its end.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests touch the disk, and the numbers are for people too"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use certwright::{
    checks,
    manifest::yaml::{self, Source},
    model::{
        action::Action,
        desired::{Answers, CaSubjects, Desired},
        dn::DistinguishedName,
        entry::{Entry, Outcome, StepOutput},
        names::ServerName,
        organization::Observed,
        plan::Plan,
        server::Server,
    },
    plan::{self, Narrowing, lint, progress::progress, recovery, rollback},
    ports::{driver::Observer, journal::Journal},
};
use support::Rig;

/// What is counted of a plan.
#[derive(Debug, Clone, Copy)]
struct Size {
    steps: usize,
    edges: usize,
    bytes: usize,
}

impl Size {
    fn of(plan: &Plan) -> Self {
        Self {
            steps: plan.steps.len(),
            edges: plan.steps.iter().map(|step| step.after.len()).sum(),
            bytes: serde_json::to_vec(plan).unwrap().len(),
        }
    }

    /// Whether this, of so many times the servers, is at most so many times as much. Numbers get longer, which is why bytes
    /// may be a little more.
    fn grew_with_the_servers(&self, before: &Self, times: usize) -> bool {
        self.steps <= before.steps * times
            && self.edges <= before.edges * times
            && self.bytes * 100 <= before.bytes * times * 105
    }
}

fn fqdn(name: &ServerName) -> String {
    format!("{}.contoso.com", name.as_str().to_lowercase())
}

fn names(servers: usize) -> Vec<ServerName> {
    (1..=servers).map(|number| format!("EX{number:04}").parse().unwrap()).collect()
}

/// A manifest for so many servers that share one certificate.
fn manifest(names: &[ServerName]) -> String {
    let mut manifest = String::from(
        "apiVersion: certwright/v1\norganization: contoso\ndriver: { lab: { directory: . } }\nissuers:\n  corp-ca: { \
         localCa: { certificate: state/authorities/corp-ca.crt, key: { file: state/authorities/corp-ca.key } } \
         }\ncertificates:\n  mail:\n    issuer: corp-ca\n    names: [mail.contoso.com]\n    renewBefore: 30d\n    retire: \
         { after: 0d }\nprofiles:\n  mailbox: { services: { IIS: mail, SMTP: mail } }\nservers:\n",
    );
    for name in names {
        manifest += &format!("  {name}: {{ fqdn: {}, profile: mailbox }}\n", fqdn(name));
    }
    manifest
}

/// One server of a lab, whose certificate is due.
fn one_server() -> Rig {
    let name = &names(1)[0];
    let lab = format!(
        "apiVersion: certwright.lab/v1\nclock: 2026-03-02T09:00:00Z\nkeys: keys\nauthorities:\n  corp-ca: {{ subject: \
         \"CN=Contoso CA\" }}\nservers:\n  {name}: {{ fqdn: {}, version: SE, installed: 2025-10-06T10:00:00Z \
         }}\ncertificates:\n  mail-2025:\n    authority: corp-ca\n    names: [mail.contoso.com]\n    notBefore: \
         2025-03-19T00:00:00Z\n    notAfter: 2026-03-19T00:00:00Z\n    on: [{name}]\n    services: [IIS, SMTP]\n",
        fqdn(name)
    );
    Rig::of_texts(&manifest(&names(1)), &lab)
}

/// The same server so many times.
struct Fleet {
    desired: Desired,
    observed: Observed,
}

impl Fleet {
    fn of(rig: &mut Rig, servers: usize) -> Self {
        let names = names(servers);
        let text = manifest(&names);
        let source = Source { file: "manifest.yaml".into(), bytes: text.into_bytes() };
        let (manifest, _) = yaml::manifest(&[source]).unwrap_or_else(|error| panic!("{error:?}"));
        let cas = [("corp-ca".parse().unwrap(), DistinguishedName::common_name_only("Contoso CA"))];
        let (findings, resolved) = checks::check(&manifest);
        let resolved = resolved.unwrap_or_else(|| panic!("{findings:#?}"));
        let desired = resolved.with(&CaSubjects::from(cas).into(), &Answers::new());
        let mut observed = rig.observe();
        let (_, server) = observed.organization.servers.pop_first().unwrap();
        let copy = |name: &ServerName| {
            let mut copy: Server = server.clone();
            *copy.fqdn.known_mut().unwrap() = fqdn(name).parse().unwrap();
            (name.clone(), copy)
        };
        observed.organization.servers = names.iter().map(copy).collect();
        Self { desired, observed }
    }

    fn plan(&self, rig: &Rig) -> Plan {
        plan::plan_only(&Narrowing::default(), &self.desired, &self.observed, rig.lab.now())
    }
}

#[test]
fn a_plan_grows_with_its_servers() {
    let mut rig = one_server();
    let mut before: Option<Size> = None;
    for servers in [50, 200, 800, 3200] {
        let size = Size::of(&Fleet::of(&mut rig, servers).plan(&rig));
        println!("{servers} servers: {size:?}");
        if let Some(before) = before {
            assert!(size.grew_with_the_servers(&before, 4), "{servers} servers: {size:?} after {before:?}");
        }
        before = Some(size);
    }
}

/// What a narrowed plan leaves out needs servers that it leaves out too: they are named, and not all of them for each.
#[test]
fn a_plan_for_every_second_server_grows_with_them() {
    let mut rig = one_server();
    let mut before: Option<Size> = None;
    for servers in [50, 200, 800, 3200] {
        let Fleet { desired, observed } = Fleet::of(&mut rig, servers);
        let asked = names(servers).into_iter().step_by(2).collect();
        let narrowing = Narrowing { servers: asked, certificates: BTreeSet::new() };
        let plan = plan::plan_only(&narrowing, &desired, &observed, rig.lab.now());
        assert!(plan.only.as_ref().is_some_and(|only| only.left_out.len() >= servers / 2));
        let size = Size::of(&plan);
        println!("{servers} servers, half of them: {size:?}");
        if let Some(before) = before {
            assert!(size.grew_with_the_servers(&before, 4), "{servers} servers: {size:?} after {before:?}");
        }
        before = Some(size);
    }
}

#[test]
fn a_plan_for_many_servers_is_proved_and_taken_back() {
    let mut rig = one_server();
    let mut before: Option<Size> = None;
    for servers in [50, 200, 800] {
        let fleet = Fleet::of(&mut rig, servers);
        let Fleet { desired, observed } = &fleet;
        let now = rig.lab.now();
        let plan = fleet.plan(&rig);
        assert_eq!(lint::lint(&plan, desired, observed, now), []);
        // What the run would have come to: everything was done, and nobody saw the last step end.
        let last = plan.steps.last().unwrap().id;
        let store = rig.store();
        let run = store.begin(now).unwrap();
        run.open(now, &support::holder(), &plan).unwrap();
        let opened = store.read(run.run()).unwrap();
        let done = plan.steps.iter().flat_map(|step| {
            let started = Entry::Started { at: now, step: step.id };
            let finished = Entry::Finished { at: now, step: step.id, output: StepOutput::Done };
            [Some(started), (step.id != last).then_some(finished)]
        });
        let progress = progress(opened.into_iter().chain(done.flatten()).collect()).unwrap();
        let settled = recovery::settle(&progress, observed, &BTreeMap::new(), now).unwrap();
        let back =
            rollback::rollback(run.run(), &progress, &settled, &BTreeMap::new(), desired, observed, now);
        let size = Size::of(&back);
        println!("{servers} servers, way back: {size:?}");
        if let Some(before) = before {
            assert!(size.grew_with_the_servers(&before, 4), "{servers} servers: {size:?} after {before:?}");
        }
        before = Some(size);
    }
}

/// A journal grows with what is done: the plan is in a file of its own.
#[test]
fn the_first_entry_of_a_journal_is_as_long_for_one_server_as_for_many() {
    let mut rig = one_server();
    let mut lengths = Vec::new();
    for servers in [1, 100] {
        let plan = Fleet::of(&mut rig, servers).plan(&rig);
        let run = rig.store().begin(rig.lab.now()).unwrap();
        run.open(rig.lab.now(), &support::holder(), &plan).unwrap();
        run.append(&Entry::Closed { at: rig.lab.now(), outcome: Outcome::Abandoned }).unwrap();
        let text = std::fs::read_to_string(run.place()).unwrap();
        lengths.push(text.lines().next().unwrap().len());
        let entries = rig.store().read(run.run()).unwrap();
        assert_eq!(progress(entries).unwrap().plan, plan);
    }
    assert_eq!(lengths[0], lengths[1]);
}

/// The same mistake on every server is found on every server, and its certificate is resolved once.
#[test]
fn mistakes_of_many_servers_are_found_one_by_one() {
    for servers in [50, 3200] {
        let text = manifest(&names(servers)).replace("IIS: mail", "IIS: male");
        let own = text.replace(", profile: mailbox", ", services: { IIS: male }");
        // The profile that nobody uses then has it too.
        for (text, expected) in [(text, 1), (own, servers + 1)] {
            let source = Source { file: "manifest.yaml".into(), bytes: text.into_bytes() };
            let (manifest, _) = yaml::manifest(&[source]).unwrap_or_else(|error| panic!("{error:?}"));
            let (findings, _) = checks::check(&manifest);
            let unknown = findings.iter().filter(|finding| finding.id == "unknown-certificate");
            assert_eq!(unknown.count(), expected, "{servers} servers");
        }
    }
}

/// What the removals of a shared certificate rest on is one gate.
#[test]
fn of_a_shared_certificate_every_removal_names_one_gate() {
    let mut rig = one_server();
    let plan = Fleet::of(&mut rig, 50).plan(&rig);
    let gates = plan.steps.iter().filter(|step| matches!(step.action, Action::Gate { .. }));
    assert_eq!(gates.map(|gate| gate.after.len()).collect::<Vec<_>>(), [50]);
    let most = plan.steps.iter().filter(|step| !matches!(step.action, Action::Gate { .. }));
    assert_eq!(most.map(|step| step.after.len()).max(), Some(2));
}
