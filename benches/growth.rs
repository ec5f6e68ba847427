//! How the CPU time of what is decided in memory grows with the servers: `cargo bench --bench growth [-- SERVERS...]`.
//! Everything is due, so that there is a step for each place. For each number of servers, 1,000 and 10,000 unless others are
//! named, it prints the seconds of CPU, and how many times they are those of the number before. A plan that no journal would
//! take is not carried out.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program of its own that measures and prints"
)]

#[path = "fleet/mod.rs"]
mod fleet;

use std::{collections::BTreeMap, env, fs, hint::black_box};

use certwright::{
    checks,
    import::{self, Choices},
    journal::Store,
    manifest::yaml::{self, Source},
    model::{
        desired::{Answers, CaSubjects},
        dn::DistinguishedName,
        entry::{Entry, Holder, StepOutput},
    },
    plan::{self, lint, outlook, progress::progress, recovery, rollback},
    ports::journal::Journal,
    verify::drift::Drift,
};
use fleet::{Due, Fleet, Layout};

fn main() {
    let named: Vec<usize> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let numbers = if named.is_empty() { vec![1000, 10_000] } else { named };
    let mut before: Option<Vec<(&str, f64)>> = None;
    for servers in numbers {
        println!("{servers} servers");
        let taken = measure(servers);
        for (index, (what, seconds)) in taken.iter().enumerate() {
            let times = before.as_ref().map(|before| seconds / before[index].1);
            let times = times.map_or(String::new(), |times| format!(", {times:.1} times as much"));
            println!("  {what}: {seconds:.2} s{times}");
        }
        before = Some(taken);
    }
}

fn measure(servers: usize) -> Vec<(&'static str, f64)> {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet { servers, due: Due::All, seed: 0 };
    let observed = fleet::observed::observed(&fleet, folder.path());
    let json = serde_json::to_vec(&observed).unwrap();
    let mut taken = Vec::new();
    let read = time(&mut taken, "reading the observation", || serde_json::from_slice(&json).unwrap());
    assert_eq!(observed, read);
    drop((json, read));
    let (_, text) = fleet::manifest(servers, Layout::Profile).pop().unwrap();
    let desired = time(&mut taken, "reading the manifest", || {
        let source = Source { file: "manifest.yaml".into(), bytes: text.into_bytes() };
        let (manifest, _) = yaml::manifest(&[source]).unwrap_or_else(|error| panic!("{error:?}"));
        let (findings, resolved) = checks::check(&manifest);
        let resolved = resolved.unwrap_or_else(|| panic!("{findings:#?}"));
        let cas = [("corp-ca".parse().unwrap(), DistinguishedName::common_name_only("Contoso Issuing CA"))];
        resolved.with(&CaSubjects::from(cas).into(), &Answers::new())
    });
    let now = observed.at;
    let plan = time(&mut taken, "plan", || plan::plan(&desired, &observed, now));
    let problems = time(&mut taken, "lint", || lint::lint(&plan, &desired, &observed, now));
    assert_eq!(problems, []);
    time(&mut taken, "drift", || Drift::new(&plan, None, &[], now));
    time(&mut taken, "status", || outlook::outlook(&desired, &observed, now));
    time(&mut taken, "import", || import::manifest(&observed, "{}", &Choices::default(), now));
    let place = folder.path().join("runs");
    fs::create_dir_all(&place).unwrap();
    let store = Store::open(place.to_str().unwrap()).unwrap();
    let run = store.begin(now).unwrap();
    let by = Holder { user: "bench".into(), host: "localhost".into(), process: 1 };
    println!("  {} certificates, {} steps, at most {} MiB", 6 * servers, plan.steps.len(), most_memory());
    if let Err(refused) = time(&mut taken, "opening a run", || run.open(now, &by, &plan)) {
        println!("  no run is opened: {}", refused.source);
        taken.pop();
        return taken;
    }
    let last = plan.steps.last().unwrap().id;
    let done = plan.steps.iter().flat_map(|step| {
        let started = Entry::Started { at: now, step: step.id };
        let finished = Entry::Finished { at: now, step: step.id, output: StepOutput::Done };
        [Some(started), (step.id != last).then_some(finished)]
    });
    let entries = store.read(run.run()).unwrap().into_iter().chain(done.flatten()).collect();
    time(&mut taken, "planning the way back", || {
        let progress = progress(entries).unwrap();
        let settled = recovery::settle(&progress, &observed, &BTreeMap::new(), now).unwrap();
        rollback::rollback(run.run(), &progress, &settled, &BTreeMap::new(), &desired, &observed, now)
    });
    taken
}

fn time<T>(taken: &mut Vec<(&'static str, f64)>, what: &'static str, work: impl FnOnce() -> T) -> T {
    let begun = cpu();
    let result = black_box(work());
    taken.push((what, cpu() - begun));
    result
}

/// The seconds of CPU that this process has used: those of its own code and of the kernel for it (proc(5)).
fn cpu() -> f64 {
    let text = fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// The most memory that this process has had, in MiB.
fn most_memory() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
