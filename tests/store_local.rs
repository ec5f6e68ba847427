//! Runs in a directory: several writers, writers that are killed, journals that a power cut tore.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk and start programs")]

#[path = "support/organization.rs"]
mod organization;
#[path = "support/race.rs"]
mod race;
#[path = "support/writers.rs"]
mod writers;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use certwright::{
    journal::{
        Abandoned, Lease, LockLost, LockOptions, Store, StoreError,
        store::{BlobError, Blobs, LocalDirectory, Put},
    },
    model::{
        action::StepId,
        entry::{Entry, Outcome},
        shown::ShowPath,
    },
    ports::journal::Journal,
};
use organization::Organization;
use race::Place;
use writers::{Part, holder, now};

#[test]
fn as_another_process() {
    writers::play();
}

fn part(directory: &Path, rounds: u32) -> Part {
    Part {
        role: "",
        place: directory.join("store").display().to_string(),
        variables: Vec::new(),
        name: String::new(),
        rounds,
        beat: Duration::from_millis(4),
        aside: directory.display().to_string(),
    }
}

#[test]
fn of_two_processes_one_creates_a_file() {
    let directory = tempfile::tempdir().unwrap();
    writers::race_to_create(&part(directory.path(), 400));
}

#[test]
fn of_two_processes_one_replaces_a_file() {
    let directory = tempfile::tempdir().unwrap();
    writers::race_to_replace(&part(directory.path(), 300));
}

#[test]
fn of_two_processes_one_has_the_lock() {
    let directory = tempfile::tempdir().unwrap();
    writers::race_to_lock(&part(directory.path(), 100));
}

#[test]
fn of_two_threads_one_is_first() {
    let directory = tempfile::tempdir().unwrap();
    let part = part(directory.path(), 300);
    let parts = ["anna", "boris"].map(|name| Part { name: name.into(), ..part.clone() });
    let start = Duration::from_secs(u64::try_from(now().unix()).unwrap() + 1);
    let won = std::thread::scope(|scope| {
        parts
            .each_ref()
            .map(|part| scope.spawn(move || writers::create(part, start)))
            .map(|thread| thread.join().unwrap())
    });
    writers::judge_creators(&part, &won);

    let _ = part.store().blobs().create("counter", b"0").unwrap();
    fs::write(directory.path().join("counter"), "0").unwrap();
    std::thread::scope(|scope| {
        for part in &parts {
            scope.spawn(|| {
                writers::replace(part);
                writers::lock(&Part { rounds: 100, ..part.clone() });
            });
        }
    });
    assert_eq!(writers::count(&part.store().blobs().read("counter").unwrap().unwrap().bytes), 600);
    assert_eq!(writers::count(&fs::read(directory.path().join("counter")).unwrap()), 200);
}

#[test]
fn files_are_whole_private_and_listed_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("new/store");
    let store = LocalDirectory::new(root.clone());
    assert!(store.read("a/b").unwrap().is_none());
    assert!(store.list("a").unwrap().is_empty());
    let Put::Done(first) = store.create("a/b", b"one").unwrap() else { panic!("nothing was there") };
    assert!(matches!(store.create("a/b", b"two").unwrap(), Put::Taken));
    let Put::Done(second) = store.replace("a/b", b"three", &first).unwrap() else { panic!("unchanged") };
    assert!(matches!(store.replace("a/b", b"four", &first).unwrap(), Put::Taken));
    let _ = store.create("a/c/d", b"").unwrap();
    // What a process that was killed while it wrote has left is not a file.
    fs::write(root.join("a/.draft-0"), "half").unwrap();
    assert_eq!(store.list("a").unwrap(), ["b", "c/"]);
    assert_eq!(store.read("a/b").unwrap().unwrap().bytes, b"three");
    for path in ["", "a", "a/c", "a/b"] {
        assert!(!certwright_access::others_can_read(&root.join(path)).unwrap(), "{path}");
    }
    store.remove("a/b").unwrap();
    store.remove("a/b").unwrap();
    assert!(matches!(store.replace("a/b", b"five", &second).unwrap(), Put::Taken));
    assert!(store.read("a/b").unwrap().is_none());
}

#[test]
fn what_was_left_half_written_long_ago_is_swept_away() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (directory.path().join(".draft-old"), directory.path().join(".draft-new"));
    let two_hours_ago = std::time::SystemTime::now() - Duration::from_secs(7200);
    fs::File::create(&old).unwrap().set_modified(two_hours_ago).unwrap();
    fs::write(&new, "somebody is writing").unwrap();
    let _ = LocalDirectory::new(directory.path().to_owned()).create("a", b"1").unwrap();
    assert_eq!((old.exists(), new.exists()), (false, true));
}

#[test]
fn the_lock_of_a_process_that_was_killed_is_taken_over_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let part = Part { role: "hold", name: "anna".into(), ..part(directory.path(), 0) };
    for _ in 0..5 {
        let mut player = part.start();
        player.hears("held");
        let boris = holder("boris");
        let refused = part.store().lock(&boris, now(), &LockOptions::default()).unwrap_err();
        let StoreError::Locked(held) = refused else { panic!("{refused}") };
        assert_eq!(held.by.unwrap().process, player.child.id());
        player.child.kill().unwrap();
        player.child.wait().unwrap();
        let lock = part.store().lock(&boris, now(), &LockOptions::default()).unwrap();
        let taken_over = lock.taken_over().unwrap();
        assert_eq!(taken_over.because, Abandoned::ProcessEnded);
        assert!(taken_over.to_string().contains(&format!("anna on mgmt01 (process {})", player.child.id())));
        lock.release().unwrap();
        let lock = part.store().lock(&boris, now(), &LockOptions::default()).unwrap();
        assert!(lock.taken_over().is_none(), "one that was released was not left behind");
    }
}

#[test]
fn a_writer_that_is_killed_leaves_whole_files_only() {
    let directory = tempfile::tempdir().unwrap();
    let part = Part { role: "flood", ..part(directory.path(), 0) };
    for milliseconds in [3, 17, 40, 71] {
        let mut player = part.start();
        player.hears("writing");
        std::thread::sleep(Duration::from_millis(milliseconds));
        player.child.kill().unwrap();
        player.child.wait().unwrap();
        let store = part.store();
        for name in store.blobs().list("flood").unwrap() {
            let blob = store.blobs().read(&format!("flood/{name}")).unwrap().unwrap();
            assert_eq!(blob.bytes.len(), writers::LARGE, "{name}");
        }
    }
}

// Windows has no signal that suspends a process from outside.
#[cfg(unix)]
#[test]
fn a_process_that_is_suspended_keeps_the_lock() {
    let directory = tempfile::tempdir().unwrap();
    let part = Part { role: "hold", name: "anna".into(), ..part(directory.path(), 0) };
    let mut player = part.start();
    player.hears("held");
    signal("-STOP", player.child.id());
    wait_until(|| {
        let blob = part.store().blobs().read("lock").unwrap().unwrap();
        blob.now.since(blob.written).as_seconds() > 3
    });
    let options = LockOptions { break_stale: true, ..LockOptions::default() };
    let refused = part.store().lock(&holder("boris"), now(), &options).unwrap_err();
    assert!(matches!(&refused, StoreError::Locked(held) if held.who().starts_with("anna")), "{refused}");
    signal("-CONT", player.child.id());
    player.tell();
    assert_eq!(player.hears("checked"), "Ok(())");
    player.ends_well();
    part.store().lock(&holder("boris"), now(), &options).unwrap();
}

#[test]
fn a_lock_of_another_machine_is_respected_until_its_lease_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::new(directory.path().to_owned());
    let lease = Lease { length: Duration::from_secs(2), ..Lease::default() };
    let there = certwright::model::entry::Holder { host: "mgmt02".into(), ..holder("anna") };
    let lock = store.lock(&there, now(), &LockOptions { lease, ..LockOptions::default() }).unwrap();
    let note = store.blobs().read("lock").unwrap().unwrap();
    lock.release().unwrap();
    // As if the other machine had it: its operating system's lock is not seen here.
    let free = store.blobs().read("lock").unwrap().unwrap();
    let _ = store.blobs().replace("lock", &note.bytes, &free.version).unwrap();
    let refused = store.lock(&holder("boris"), now(), &LockOptions::default()).unwrap_err();
    assert!(refused.to_string().starts_with("anna on mgmt02"), "{refused}");
    let patient = LockOptions { timeout: Duration::from_secs(60), ..LockOptions::default() };
    let lock = store.lock(&holder("boris"), now(), &patient).unwrap();
    assert_eq!(lock.taken_over().unwrap().from.by, Some(there));
}

#[test]
fn a_lock_that_somebody_took_away_is_missed() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::new(directory.path().to_owned());
    let lease = Lease { length: Duration::from_secs(2), renewal: Duration::from_millis(50) };
    let lock = store.lock(&holder("anna"), now(), &LockOptions { lease, ..LockOptions::default() }).unwrap();
    lock.still_held().unwrap();
    store.blobs().remove("lock").unwrap();
    wait_until(|| lock.still_held().is_err());
    assert!(matches!(lock.still_held(), Err(LockLost::Removed(_))));
}

#[test]
fn of_two_programs_that_apply_one_works() {
    let template = Organization::contoso(&[]);
    let place = |organization: &Organization, _| Place {
        state: organization.path().join(".certwright").display().to_string(),
        variables: Vec::new(),
    };
    race::one_works_and_the_other_is_refused(&template, place);
    let organization = template.copy();
    race::one_works_and_the_other_waits(&organization, &place(&organization, 0));
}

fn entries() -> Vec<Entry> {
    vec![
        Entry::Started { at: now(), step: StepId(1) },
        Entry::Failed {
            at: now(),
            step: StepId(1),
            code: None,
            error: "no \"quotes\", no lines\nno umläuts".into(),
        },
        Entry::Closed { at: now(), outcome: Outcome::Stopped },
    ]
}

/// Who wrote each line of a journal, whether they take over with it, and what it says.
fn said(journal: &[u8]) -> Vec<((String, bool), serde_json::Value)> {
    let lines = journal.split_inclusive(|byte| *byte == b'\n');
    lines
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_slice(line).unwrap();
            let fields = line.as_object_mut().unwrap();
            let writer = fields.remove("writer").unwrap().as_str().unwrap().to_owned();
            let takes_over = fields.remove("first").is_some_and(|first| first == true);
            ((writer, takes_over), line)
        })
        .collect()
}

#[test]
fn a_journal_is_lines_of_json_and_is_read_as_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::new(directory.path().to_owned());
    let at = "2026-03-02T09:14:07Z".parse().unwrap();
    let run = store.begin(at).unwrap();
    assert_eq!(store.read(run.run()).unwrap(), []);
    let entries = entries();
    for entry in &entries {
        run.append(entry).unwrap();
    }
    assert_eq!(store.read(run.run()).unwrap(), entries);
    let file = directory.path().join("runs/20260302T091407Z.jsonl");
    assert_eq!(run.place(), file.shown().to_string());
    let (writers, written): (Vec<_>, Vec<_>) = said(&fs::read(file).unwrap()).into_iter().unzip();
    assert_eq!(written, entries.iter().map(|entry| serde_json::to_value(entry).unwrap()).collect::<Vec<_>>());
    let token = &writers[0].0;
    assert_eq!(token.len(), 32);
    assert_eq!(writers, [(token.clone(), true), (token.clone(), false), (token.clone(), false)]);
    assert!(matches!(store.resume(run.run()), Err(StoreError::InUse(_))), "one writer at a time");
    drop(run);
    for _ in 0..10 {
        store.begin(at).unwrap();
    }
    store.begin("2026-03-02T09:14:06Z".parse().unwrap()).unwrap();
    let runs = store.runs().unwrap();
    assert_eq!(runs[..3], ["20260302T091407Z-11", "20260302T091407Z-10", "20260302T091407Z-9"]);
    assert_eq!(runs[10..], ["20260302T091407Z", "20260302T091406Z"]);
    for name in ["20200101T000000Z", "", "..", "../lock", "a/b", "/etc/passwd"] {
        assert!(matches!(store.read(name), Err(StoreError::NoSuchRun(..))), "{name}");
        assert!(matches!(store.resume(name), Err(StoreError::NoSuchRun(..))), "{name}");
    }
}

#[test]
fn a_last_line_that_was_torn_at_any_byte_is_left_out_and_taken_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::new(directory.path().to_owned());
    let run = store.begin(now()).unwrap();
    let entries = entries();
    for entry in &entries {
        run.append(entry).unwrap();
    }
    let name = run.run().to_owned();
    drop(run);
    let file = directory.path().join(format!("runs/{name}.jsonl"));
    let whole = fs::read(&file).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let mut torn: Vec<Vec<u8>> = (last..whole.len()).map(|end| whole[..end].to_vec()).collect();
    // What file systems make of a line whose bytes never came to the disk, and a line that was overwritten.
    torn.push([&whole[..last], &[0; 40]].concat());
    torn.push([&whole[..last], b"{\"entry\":\"clo\0\0\0\n"].concat());
    for torn in torn {
        fs::write(&file, &torn).unwrap();
        assert_eq!(store.read(&name).unwrap(), entries[..2]);
        assert_eq!(fs::read(&file).unwrap(), torn, "reading changes nothing");
        store.resume(&name).unwrap().append(&entries[2]).unwrap();
        let now_whole = fs::read(&file).unwrap();
        assert_eq!(now_whole[..last], whole[..last], "what was whole stays as it is");
        let (before, now) = (said(&whole), said(&now_whole));
        assert_eq!(now[2].1, before[2].1);
        assert!(now[2].0.1 && now[2].0.0 != before[2].0.0, "somebody else takes over");
    }
}

#[test]
fn damage_before_the_last_line_is_an_error_that_names_the_line() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::new(directory.path().to_owned());
    let run = store.begin(now()).unwrap();
    for entry in &entries() {
        run.append(entry).unwrap();
    }
    let name = run.run().to_owned();
    drop(run);
    let file = directory.path().join(format!("runs/{name}.jsonl"));
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    for (what, text, line) in [
        ("a torn line in the middle", format!("{}\n{}\n{}\n", lines[0], &lines[1][..9], lines[2]), 2),
        ("an empty line", format!("{}\n\n{}\n", lines[0], lines[1]), 2),
        ("an entry of a newer program", format!("{}\n{{\"entry\":\"parked\"}}\n", lines[0]), 2),
    ] {
        fs::write(&file, &text).unwrap();
        for refused in [store.read(&name).unwrap_err(), store.resume(&name).unwrap_err()] {
            let StoreError::Damaged { run, entry, .. } = &refused else { panic!("{what}: {refused}") };
            assert_eq!((run, *entry), (&name, line), "{what}");
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "{what} is left as it is");
    }
}

#[cfg(unix)]
fn signal(name: &str, process: u32) {
    assert!(
        std::process::Command::new("kill").args([name, &process.to_string()]).status().unwrap().success()
    );
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_could_not_be_read_again_is_refused_before_it_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::new(directory.path().to_owned());
    let too_much = vec![b' '; (64 << 20) + 1];
    let refused = store.blobs().create("runs/large", &too_much).unwrap_err();
    assert!(matches!(refused, BlobError::TooLarge { .. }), "{refused}");
    assert!(store.blobs().read("runs/large").unwrap().is_none());
    let run = store.begin(now()).unwrap();
    let error = String::from_utf8(too_much).unwrap();
    run.append(&Entry::Failed { at: now(), step: StepId(1), error, code: None }).unwrap_err();
    run.append(&entries()[0]).unwrap();
    assert_eq!(store.read(run.run()).unwrap(), entries()[..1]);
}
