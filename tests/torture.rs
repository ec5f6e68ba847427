//! What must not happen however the program is treated: it waits for ever, makes anew what others have made or what was lost, takes
//! a run for one that never began, or sends foreign text to a terminal as it is.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk and start programs")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use support::{certwright, example};

/// The example with keys that need no time to be made.
fn organization() -> tempfile::TempDir {
    let directory = example("contoso");
    let lab = directory.path().join("lab");
    support::copy_files(&support::key_pool(), &lab.join("keys"));
    let seed = fs::read_to_string(lab.join("lab.yaml")).unwrap();
    fs::write(lab.join("lab.yaml"), seed + "\nkeys: keys\n").unwrap();
    directory
}

/// What a command says in the end. It may take long on a machine with much to do, but not for ever.
fn run(arguments: &[&str], directory: &Path) -> Output {
    let mut command = certwright(arguments, directory);
    command.env("BACKUP_PASSWORD", "correct horse").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > ENOUGH {
            child.kill().unwrap();
            panic!("certwright {arguments:?} does not end: {:?}", child.wait_with_output().unwrap());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// The exit code, and both streams.
fn told(arguments: &[&str], directory: &Path) -> (Option<i32>, String) {
    let output = run(arguments, directory);
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text.into_owned())
}

/// A refusal says what to do.
fn refused(arguments: &[&str], directory: &Path) -> String {
    let (code, text) = told(arguments, directory);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("hint: "), "{text}");
    text
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn of_several_first_commands_one_makes_the_lab() {
    for _ in 0..3 {
        let directory = organization();
        let first = |_| {
            let mut command = certwright(&["observe", "--format", "json"], directory.path());
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let children: Vec<_> = (0..6).map(first).collect();
        let seen: Vec<Output> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        for output in &seen {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(output.stdout, seen[0].stdout, "they see one and the same organization");
        }
        let (code, text) = told(&["apply", "--auto-approve"], directory.path());
        assert_eq!(code, Some(0), "{text}");
    }
}

#[test]
fn a_lab_that_lost_a_file_is_not_made_anew() {
    let directory = organization();
    assert_eq!(told(&["observe"], directory.path()).0, Some(0));
    let state = directory.path().join("lab/state");
    let organization = state.join("organization.json");
    let kept = fs::read(&organization).unwrap();
    fs::remove_file(&organization).unwrap();
    let before = files(&state);
    let text = refused(&["apply", "--auto-approve"], directory.path());
    assert!(text.contains("organization.json"), "{text}");
    assert_eq!(files(&state), before);
    fs::write(&organization, kept).unwrap();
    assert_eq!(told(&["apply", "--auto-approve"], directory.path()).0, Some(0));
    // Who asks for a new one gets it.
    assert_eq!(told(&["lab", "reset"], directory.path()).0, Some(0));
    assert_eq!(told(&["observe"], directory.path()).0, Some(0));
}

/// A run that stopped with keys in its folder, and its journal.
fn stopped() -> (tempfile::TempDir, PathBuf) {
    let directory = organization();
    let seed = directory.path().join("lab/lab.yaml");
    let text = fs::read_to_string(&seed).unwrap();
    fs::write(&seed, text + "faults: [{ verb: bind, server: EX02, how: before, times: 9 }]\n").unwrap();
    assert_eq!(told(&["apply", "--auto-approve"], directory.path()).0, Some(6));
    let runs = files(&directory.path().join(".certwright/runs"));
    assert!(runs.iter().any(|file| file.ends_with("issued/1.pem")), "{runs:?}");
    let journal = runs.into_iter().find(|file| file.extension().is_some_and(|end| end == "jsonl")).unwrap();
    (directory, journal)
}

#[test]
fn a_journal_that_is_gone_or_empty_is_no_run_that_never_began() {
    let (directory, journal) = stopped();
    let whole = fs::read(&journal).unwrap();
    let observed = || run(&["observe", "--format", "json"], directory.path()).stdout;
    let before = observed();
    let spoil: [(&str, &dyn Fn()); 4] = [
        ("emptied", &|| fs::write(&journal, "").unwrap()),
        ("zeros", &|| fs::write(&journal, vec![0; whole.len()]).unwrap()),
        ("overwritten", &|| fs::write(&journal, "garbage\n").unwrap()),
        ("gone", &|| fs::remove_file(&journal).unwrap()),
    ];
    for (what, spoil) in spoil {
        spoil();
        for command in [&["history"][..], &["apply", "--auto-approve"], &["rollback", "--auto-approve"]] {
            let text = refused(command, directory.path());
            assert!(text.contains("journal"), "{what}: {text}");
        }
    }
    assert_eq!(observed(), before);
    fs::write(&journal, whole).unwrap();
    assert_eq!(told(&["rollback", "--auto-approve"], directory.path()).0, Some(0));
    let keys = files(&directory.path().join(".certwright"));
    assert!(!keys.iter().any(|file| file.extension().is_some_and(|end| end == "pem")), "{keys:?}");
}

#[test]
fn no_key_stays_when_nothing_is_left_to_do() {
    let (directory, _) = stopped();
    let seed = directory.path().join("lab/lab.yaml");
    let text = fs::read_to_string(&seed).unwrap();
    fs::write(&seed, text.split("faults:").next().unwrap()).unwrap();
    assert_eq!(told(&["apply", "--auto-approve"], directory.path()).0, Some(0));
    let (code, text) = told(&["apply", "--auto-approve"], directory.path());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("No changes"), "{text}");
    let keys = files(&directory.path().join(".certwright"));
    assert!(!keys.iter().any(|file| file.extension().is_some_and(|end| end == "pem")), "{keys:?}");
}

/// Lays something in the place of a file.
#[cfg(unix)]
type Lay<'a> = &'a dyn Fn(&Path);

#[cfg(unix)]
#[test]
fn nothing_that_lies_in_the_way_keeps_a_command_waiting() {
    use std::os::unix::fs::symlink;
    let pipe = |path: &Path| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    let nowhere = |path: &Path| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink("/nonexistent/x", path).unwrap();
    };
    let lays: [(&str, Lay<'_>); 2] = [("a pipe", &pipe), ("a link that leads nowhere", &nowhere)];
    let apply: &[&str] = &["apply", "--auto-approve", "--lock-timeout", "1"];
    // A server whose file is gone is no server any more.
    let cases: [(&str, &[&str]); 6] = [
        (".certwright/lock", apply),
        (".certwright/runs/20260302T091407Z.jsonl", apply),
        (".certwright/runs/20260302T091407Z.jsonl", &["history"]),
        ("lab/state/servers/EX01.json", &["observe"]),
        ("other.yaml", &["check"]),
        ("baseline.json", &["check", "--baseline", "baseline.json"]),
    ];
    for (lies, lay) in lays {
        for (path, command) in cases {
            let directory = organization();
            let path = directory.path().join(path);
            if path.starts_with(directory.path().join("lab")) {
                if lies != "a pipe" {
                    continue;
                }
                told(&["observe"], directory.path());
                fs::remove_file(&path).unwrap();
            }
            lay(&path);
            let (code, text) = told(command, directory.path());
            assert!(![Some(0), None].contains(&code), "{lies} at {}: {code:?} {text}", path.display());
            assert!(text.contains("hint: "), "{lies} at {}: {text}", path.display());
        }
    }
}

/// Where everybody may write, anybody may lay something that looks like what an earlier rehearsal left.
#[cfg(unix)]
#[test]
fn a_foreign_folder_among_temporary_ones_stops_no_rehearsal() {
    let directory = organization();
    let temporary = directory.path().join("temporary");
    let planted = temporary.join("certwright-rehearsal-1-1");
    fs::create_dir_all(&planted).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(planted.join("needed")).status().unwrap().success());
    let mut command = certwright(&["plan", "--rehearse"], directory.path());
    command.env("TMPDIR", &temporary);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < ENOUGH, "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(child.wait().unwrap().success());
}

/// Whoever may write into a store, or start a program there, chooses these texts.
#[test]
fn foreign_text_reaches_no_terminal_as_it_is() {
    let directory = organization();
    let hostile = "a\n\u{1b}[31mb\u{202e}";
    let mut command = certwright(&["apply", "--auto-approve"], directory.path());
    let output = command.env("USER", hostile).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let runs = files(&directory.path().join(".certwright/runs"));
    let run = runs.iter().find(|file| file.extension().is_some_and(|end| end == "jsonl")).unwrap();
    let run = run.file_stem().unwrap().to_str().unwrap();
    for command in [&["history"][..], &["history", run], &["rollback", "--auto-approve"]] {
        let (_, text) = told(command, directory.path());
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{command:?}: {text:?}");
    }
    let (_, text) = told(&["history"], directory.path());
    assert!(text.lines().all(|line| !line.starts_with("\\u") && !line.starts_with('b')), "{text}");
}

/// A file that ends nowhere is not read before it is refused.
#[cfg(unix)]
#[test]
fn limits_come_before_reading() {
    let directory = organization();
    std::os::unix::fs::symlink("/dev/zero", directory.path().join("endless.yaml")).unwrap();
    let begun = Instant::now();
    let (code, text) = told(&["check", "endless.yaml"], directory.path());
    assert_ne!(code, Some(0), "{text}");
    assert!(text.contains("hint: "), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// Longer than anything here takes on a machine with much to do.
const ENOUGH: Duration = Duration::from_secs(90);
