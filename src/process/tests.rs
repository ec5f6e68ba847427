use std::{path::Path, time::Duration};

use super::{Bounds, Child, ProcessError, Program, Stderr, output, program::is_called, run};
use crate::model::secret::Secret;

/// Longer than any of these programs takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Shorter than any of those takes that never end.
const MOMENT: Duration = Duration::from_millis(300);

fn shell(script: &str, directory: &Path) -> Program {
    Program::new("sh", &["-c".to_owned(), script.to_owned()], directory)
}

fn text(secret: &Secret) -> &str {
    secret.expose_text().expect("the programs here print text")
}

fn bounds(output: u64) -> Bounds {
    Bounds { time: PATIENCE, output }
}

#[test]
fn a_program_reads_its_input_and_is_heard() {
    let program = shell("cat; echo of >&2", Path::new("."));
    let input = Secret::new(b"words".to_vec());
    assert_eq!(text(&output(&program, Some(&input), bounds(5)).unwrap()), "words");
    assert!(run(&program, Some(&input), PATIENCE).is_ok());
    assert!(output(&program, None, bounds(0)).unwrap().expose().is_empty(), "without input there is none");
}

#[test]
fn a_program_that_fails_is_quoted_unless_the_terminal_has_it() {
    let program = shell("echo 'no \u{1b}[31m key' >&2; exit 3", Path::new("."));
    let error = run(&program, None, PATIENCE).unwrap_err();
    assert_eq!(error.to_string(), "`sh` ended with exit status: 3: no \\u{1b}[31m key");
    assert!(error.is_verdict());
    let error = run(&shell("exit 3", Path::new(".")), None, PATIENCE).unwrap_err();
    assert_eq!(error.to_string(), "`sh` ended with exit status: 3, and said nothing");
    let shown = shell("exit 3", Path::new(".")).stderr(Stderr::Shown);
    assert_eq!(run(&shown, None, PATIENCE).unwrap_err().to_string(), "`sh` ended with exit status: 3");
}

#[test]
fn a_program_that_prints_without_end_is_stopped() {
    let error = output(&shell("exec yes", Path::new(".")), None, bounds(1000)).unwrap_err();
    assert_eq!(error.to_string(), "`sh` printed more than 1000 bytes");
    assert!(!error.is_verdict());
    let error = output(&shell("printf 123456", Path::new(".")), None, bounds(5)).unwrap_err();
    assert_eq!(error.to_string(), "`sh` printed more than 5 bytes");
}

#[test]
fn what_a_program_started_is_ended_with_it() {
    let folder = tempfile::tempdir().unwrap();
    // The child of the shell would write the file when it is left behind.
    let script = "(sleep 2; echo alive > left-behind) & echo started >&2; sleep 600";
    let error = run(&shell(script, folder.path()), None, Duration::from_secs(1)).unwrap_err();
    assert!(matches!(error, ProcessError::TimedOut { .. }), "{error}");
    assert_eq!(error.to_string(), "`sh` did not come to an end within 1 s and was killed: started");
    let mut child = Child::spawn(&shell(script, folder.path()), 100).unwrap();
    assert!(matches!(child.line(MOMENT), Err(ProcessError::Silent { .. })));
    drop(child);
    std::thread::sleep(Duration::from_secs(3));
    assert!(!folder.path().join("left-behind").exists());
}

#[test]
fn a_program_gets_little_of_the_environment() {
    let printed = output(&Program::new("env", &[], "."), None, bounds(10_000)).unwrap();
    let names: Vec<&str> = text(&printed).lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert!(names.contains(&"PATH") && !names.iter().any(|name| name.starts_with("CARGO")), "{names:?}");
    let more = Program::new("env", &[], ".").passing_on(&["CARGO_PKG_*", "CARGO"]);
    let printed = output(&more, None, bounds(10_000)).unwrap();
    assert!(
        text(&printed).contains("CARGO_PKG_NAME=certwright")
            && !text(&printed).contains("CARGO_MANIFEST_DIR")
    );
    assert!(is_called("VAULT_ADDR".as_ref(), "VAULT_*") && !is_called("VAULT".as_ref(), "VAULT_*"));
}

#[test]
fn a_program_with_a_directory_is_relative_to_where_it_is_started() {
    let folder = tempfile::tempdir().unwrap();
    // A link: a program that was just written can be held open by the child of another test, and is not started then.
    std::os::unix::fs::symlink("/bin/echo", folder.path().join("say")).unwrap();
    let program = Program::new("./say", &["here".to_owned()], folder.path());
    assert_eq!(text(&output(&program, None, bounds(10)).unwrap()), "here\n");
    let error = run(&Program::new("say", &[], folder.path()), None, PATIENCE).unwrap_err();
    assert!(error.to_string().starts_with("`say` cannot be started; if it stands in none"), "{error}");
    assert!(error.is_verdict());
}

#[test]
fn a_child_is_talked_to_line_by_line() {
    let script = "while read -r line; do echo \"heard $line\"; done; echo; printf 'no end'; exit 0";
    let mut child = Child::spawn(&shell(script, Path::new(".")), 20).unwrap();
    child.send(Secret::new(b"one\n".to_vec())).unwrap();
    assert_eq!(text(&child.line(PATIENCE).unwrap().unwrap()), "heard one");
    child.send(Secret::new(b"two\r\nthree\n".to_vec())).unwrap();
    assert_eq!(text(&child.line(PATIENCE).unwrap().unwrap()), "heard two", "the line's end is no part of it");
    assert_eq!(text(&child.line(PATIENCE).unwrap().unwrap()), "heard three");
    child.close_stdin();
    assert_eq!(text(&child.line(PATIENCE).unwrap().unwrap()), "");
    assert_eq!(text(&child.line(PATIENCE).unwrap().unwrap()), "no end");
    assert!(child.line(PATIENCE).unwrap().is_none());
    assert!(matches!(child.send(Secret::new(Vec::new())), Err(ProcessError::Deaf { .. })));
    child.finish(PATIENCE).unwrap();
}

#[test]
fn a_child_that_misbehaves_is_told_apart() {
    let mut child = Child::spawn(&shell("echo 12345; echo 123456; sleep 600", Path::new(".")), 5).unwrap();
    assert_eq!(text(&child.line(PATIENCE).unwrap().unwrap()), "12345");
    assert_eq!(child.line(PATIENCE).unwrap_err().to_string(), "`sh` printed more than 5 bytes in one line");
    assert!(matches!(child.finish(MOMENT), Err(ProcessError::TimedOut { .. })));
    let mut child = Child::spawn(&shell("echo why >&2; exit 4", Path::new(".")), 5).unwrap();
    assert!(child.line(PATIENCE).unwrap().is_none());
    assert_eq!(child.finish(PATIENCE).unwrap_err().to_string(), "`sh` ended with exit status: 4: why");
    let mut child = Child::spawn(&shell("sleep 600", Path::new(".")), 5).unwrap();
    child.kill();
    assert!(child.line(PATIENCE).unwrap().is_none(), "nothing holds its stdout");
}
