//! A run that hangs: it says that it lives, one Ctrl-C waits for the step that is being done, a second one does not, and
//! the next run goes on. And what is left when a run cannot release its lock, or is killed at its very end.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk and start programs")]

#[path = "support/organization.rs"]
mod organization;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
};

use organization::Organization;
use serde_json::Value;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
fn signal(name: &str, process: &Child) {
    assert!(
        std::process::Command::new("kill")
            .args([name, &process.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
}

/// The lines that a process writes until one of them is as wanted.
fn until(
    lines: &mut impl Iterator<Item = std::io::Result<String>>,
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let mut seen = Vec::new();
    for line in lines {
        seen.push(line.unwrap());
        if wanted(seen.last().unwrap()) {
            return seen;
        }
    }
    panic!("it ended before: {seen:#?}");
}

// Windows sends Ctrl-C to a whole console, the test's own included, and cannot suspend a process from outside.
#[cfg(unix)]
#[test]
fn a_second_interrupt_stops_at_once_and_leaves_a_run_that_goes_on() {
    let organization = Organization::contoso(&[]);
    let undisturbed = organization.undisturbed();
    // Endpoints that take connections and say nothing: each handshake of `verify` hangs until its time is over.
    let mut server = organization.command(&["lab", "serve"]);
    let mut server = Running(server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut said = BufReader::new(server.0.stdout.take().unwrap()).lines();
    until(&mut said, &|line| line.contains("smtp"));
    signal("-STOP", &server.0);

    let mut command = organization.command(&["apply", "--auto-approve", "--format", "jsonl"]);
    let mut run = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut events = BufReader::new(run.0.stdout.take().unwrap()).lines();
    let mut told = BufReader::new(run.0.stderr.take().unwrap()).lines();
    let is_verify = |line: &str| line.contains("\"started\"") && line.contains("verify by handshake");
    let mut seen = until(&mut events, &is_verify);
    let started: Value = serde_json::from_str(seen.last().unwrap()).unwrap();
    seen.extend(until(&mut events, &|line| line.contains("heartbeat")));
    let heartbeat: Value = serde_json::from_str(seen.last().unwrap()).unwrap();
    assert_eq!(heartbeat["running"][0]["step"], started["step"]);
    assert!(heartbeat["running"][0]["seconds"].as_u64().unwrap() > 0, "{heartbeat}");

    signal("-INT", &run.0);
    until(&mut told, &|line| line.starts_with("stopping after the step that is being done"));
    assert!(run.0.try_wait().unwrap().is_none(), "the step is being done still");
    signal("-INT", &run.0);
    assert_eq!(run.0.wait().unwrap().code(), Some(6));
    let rest: Vec<String> = events.map(Result::unwrap).collect();
    assert!(rest.iter().all(|line| line.contains("heartbeat")), "nothing was ended: {rest:#?}");

    drop(server);
    organization.check_files();
    organization.check_endpoints();
    let output = organization.command(&["apply", "--auto-approve"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("is not finished") && said.contains("it goes on with the rest"), "{said}");
    organization.check_converged(&undisturbed);
}

/// A run that is killed in the middle, and another one that goes on with it: on every system.
#[test]
fn a_run_that_is_killed_in_the_middle_goes_on() {
    let organization = Organization::contoso(&[]);
    let undisturbed = organization.undisturbed();
    let mut command = organization.command(&["apply", "--auto-approve", "--format", "jsonl"]);
    let mut run = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut events = BufReader::new(run.0.stdout.take().unwrap()).lines();
    until(&mut events, &|line| {
        line.contains("\"started\"")
            && serde_json::from_str::<Value>(line).is_ok_and(|event| event["step"] == 5)
    });
    run.0.kill().unwrap();
    run.0.wait().unwrap();
    organization.check_files();
    organization.check_endpoints();
    let output = organization.command(&["apply", "--auto-approve"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("the lock is taken over"), "{said}");
    organization.check_converged(&undisturbed);
}

#[test]
fn a_lock_that_cannot_be_released_is_told_and_the_next_run_takes_it_over() {
    let organization = Organization::contoso(&[]);
    let mut command = organization.command(&["apply", "--auto-approve", "--format", "jsonl"]);
    let mut run = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut events = BufReader::new(run.0.stdout.take().unwrap()).lines();
    until(&mut events, &|line| line.contains("\"started\""));
    // A directory in the place of its file: nobody, whatever their rights, can write it.
    let lock = organization.path().join(".certwright/lock");
    let kept = organization.path().join(".certwright/kept");
    fs::rename(&lock, &kept).unwrap();
    fs::create_dir(&lock).unwrap();
    until(&mut events, &|line| line.contains("\"closed\"") && line.contains("converged"));
    let told: Vec<String> =
        BufReader::new(run.0.stderr.take().unwrap()).lines().map(Result::unwrap).collect();
    assert_eq!(run.0.wait().unwrap().code(), Some(0), "the run ended well: {told:#?}");
    let told = told.join(" ");
    for words in [
        "could not be released",
        "the next run on this host takes it over by itself",
        "runs on other hosts wait until it is 60 seconds old",
    ] {
        assert!(told.contains(words), "{words} is not in: {told}");
    }

    fs::remove_dir(&lock).unwrap();
    fs::rename(&kept, &lock).unwrap();
    let output = organization.command(&["apply", "--auto-approve"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("the lock is taken over"), "{said}");
}

/// Between the line that says that a run is over and the removal of the keys that were on their way there is a moment, and
/// a backup is written before it gets its name: a process may be killed there.
#[test]
fn keys_that_a_killed_run_left_are_removed_by_the_next_one() {
    let organization = Organization::contoso(&[]);
    let apply = || organization.command(&["apply", "--auto-approve"]).output().unwrap();
    assert!(apply().status.success());
    let run = organization.path().join(".certwright/runs/20260302T091407Z");
    let key = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/01.pem")).unwrap();
    fs::create_dir(run.join("issued")).unwrap();
    fs::write(run.join("issued/1.pem"), &key).unwrap();
    fs::write(run.join(".draft-0123456789abcdef"), &key).unwrap();
    let kept = || fs::read_dir(&run).unwrap().count();
    assert_eq!(kept(), 4, "the plan, the mark that it was begun, and what is left");

    let output = apply();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("keys that run 20260302T091407Z left behind"), "{said}");
    assert!(said.contains("half written"), "{said}");
    assert_eq!(kept(), 2, "the plan and the mark stay");
    organization.check_files();
}

/// Killed between a restart and the line that says that it is done: nothing tells whether it happened, so it is done again, and
/// that is said.
#[test]
fn a_restart_that_nobody_saw_is_done_again_and_said() {
    let organization =
        Organization::contoso(&["{ verb: restart, server: EX01, after: 1, how: killedAfter }".into()]);
    let apply = || organization.command(&["apply", "--auto-approve"]).output().unwrap();
    assert!(!apply().status.success());
    let output = apply();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let again = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(again.contains("of EX01 was restarted, so it is done again"), "{said}");
}

/// A program that never answers and has started another one: both write who they are.
#[cfg(target_os = "linux")]
fn stuck(at: &Path, pids: &Path) {
    use std::os::unix::fs::PermissionsExt;

    let script = format!(
        "#!/bin/sh\nsleep 600 &\necho $! >{0}.new\necho $$ >>{0}.new\nmv {0}.new {0}\nwait\n",
        pids.display()
    );
    fs::write(at, script).unwrap();
    fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Waits until a stuck program is there.
#[cfg(target_os = "linux")]
fn until_stuck(run: &mut Running, pids: &Path) {
    while !pids.exists() {
        assert!(run.0.try_wait().unwrap().is_none(), "it ended before");
        std::thread::sleep(GLANCE);
    }
}

/// Waits until a stuck program and what it has started are gone.
#[cfg(target_os = "linux")]
fn until_gone(pids: &Path) {
    for pid in fs::read_to_string(pids).unwrap().lines() {
        while is_alive(pid) {
            std::thread::sleep(GLANCE);
        }
    }
    fs::remove_file(pids).unwrap();
}

/// The program, started by somebody who has these signals ignored and no others. Whoever starts tests in the background may have
/// some ignored too, and what is ignored stays so.
// `env` of other systems cannot do that.
#[cfg(target_os = "linux")]
fn with_ignored(ignored: &str, program: &std::process::Command) -> std::process::Command {
    let mut command = std::process::Command::new("env");
    command.arg("--default-signal=HUP,INT,TERM");
    if !ignored.is_empty() {
        command.arg(format!("--ignore-signal={ignored}"));
    }
    command.arg(program.get_program()).args(program.get_args());
    if let Some(directory) = program.get_current_dir() {
        command.current_dir(directory);
    }
    command
}

#[cfg(target_os = "linux")]
const GLANCE: std::time::Duration = std::time::Duration::from_millis(20);
/// Longer than a signal takes.
#[cfg(target_os = "linux")]
const A_WHILE: std::time::Duration = std::time::Duration::from_millis(500);

/// A step that waits for a program of somebody else's: the first interrupt leaves both alone, the second ends both. What `nohup` and
/// shells have ignored is not heard, and `SIGTERM` is.
#[cfg(target_os = "linux")]
#[test]
fn a_second_interrupt_ends_the_program_that_a_step_waits_for() {
    let organization = Organization::contoso(&[]);
    let at = |name: &str| organization.path().join(name);
    let pids = at("pids");
    stuck(&at("lb.sh"), &pids);
    let balancer = "loadBalancers:\n  lb09: { certificate: mail, address: 127.0.0.1, endpoints: [https:443], \
                    command: { observe: [\"true\"], install: [./lb.sh] } }\n";
    let manifest = fs::read_to_string(at("manifest.yaml")).unwrap();
    fs::write(at("manifest.yaml"), manifest + balancer).unwrap();
    for (ignored, not_heard, heard) in
        [("", &[][..], "-INT"), ("HUP", &["-HUP"], "-INT"), ("HUP,INT", &["-HUP", "-INT"], "-TERM")]
    {
        let copy = organization.copy();
        let mut command = with_ignored(ignored, &copy.command(&["apply", "--auto-approve"]));
        command.env("BACKUP_PASSWORD", "correct horse");
        let mut run = Running(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
        let mut told = BufReader::new(run.0.stderr.take().unwrap()).lines();
        until_stuck(&mut run, &pids);
        for name in not_heard {
            signal(name, &run.0);
            std::thread::sleep(A_WHILE);
        }
        signal(heard, &run.0);
        until(&mut told, &|line| line.starts_with("stopping after the step that is being done"));
        std::thread::sleep(A_WHILE);
        assert!(run.0.try_wait().unwrap().is_none(), "{ignored}: the step is being done still");
        assert!(fs::read_to_string(&pids).unwrap().lines().all(is_alive), "{ignored}");
        signal(heard, &run.0);
        assert_eq!(run.0.wait().unwrap().code(), Some(6), "{ignored}");
        until_gone(&pids);
    }
}

/// `ssh` that never answers, and what it has started, end with the command: nobody else would end them.
#[cfg(target_os = "linux")]
#[test]
fn nothing_that_was_started_outlives_an_interrupt() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("bin")).unwrap();
    let pids = at("pids");
    stuck(&at("bin/ssh"), &pids);
    let manifest = "apiVersion: certwright/v1\norganization: contoso\ndriver: { powershell: { ssh: { host: adm01 } } }\n\
        issuers: { exchange: { selfSigned: {} } }\n\
        certificates:\n  own: { issuer: exchange, names: [mail.contoso.com], retire: { backup: false } }\n\
        servers:\n  EX01: { fqdn: ex01.contoso.com, services: { SMTP: own } }\n";
    fs::write(at("manifest.yaml"), manifest).unwrap();
    let path = std::env::var("PATH").unwrap();
    for (arguments, ignored, name) in [
        (&["doctor", "manifest.yaml"][..], "", "-INT"),
        (&["plan", "manifest.yaml"], "", "-TERM"),
        (&["doctor", "manifest.yaml"], "HUP", "-INT"),
        (&["plan", "manifest.yaml"], "HUP,INT", "-TERM"),
        (&["apply", "manifest.yaml", "--auto-approve"], "", "-INT"),
    ] {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_certwright"));
        program.args(arguments).current_dir(directory.path());
        let mut command = with_ignored(ignored, &program);
        command.env("PATH", format!("{}:{path}", at("bin").display())).env("HOME", directory.path());
        let mut run = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        until_stuck(&mut run, &pids);
        for name in ignored.split(',').filter(|name| !name.is_empty()) {
            signal(&format!("-{name}"), &run.0);
            std::thread::sleep(A_WHILE);
            assert!(run.0.try_wait().unwrap().is_none(), "{arguments:?} goes on, as {name} is ignored");
        }
        signal(name, &run.0);
        assert_eq!(run.0.wait().unwrap().code(), Some(130), "{arguments:?}");
        until_gone(&pids);
    }
}

/// Whether a process is there that is not only waited for.
#[cfg(target_os = "linux")]
fn is_alive(pid: &str) -> bool {
    let output = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8(output.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}
