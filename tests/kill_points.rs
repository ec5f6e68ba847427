//! Runs that end at each place where something is put into its place or made durable: before each rename and each write to disk, in
//! the journal and in the lab. Whatever was done by then, the next command comes to the same end as if nothing had happened.
//!
//! `CERTWRIGHT_END_AT` ends the program (see `durable::point`), which only builds with debug assertions know. By default every
//! seventh place of some runs is tried, beginning at another one each day, and one place of every seventh scenario, of others each
//! day; `CERTWRIGHT_KILL_POINTS=all` tries them all, with `CERTWRIGHT_CASE` those of some scenarios.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests touch the disk, start programs and print their figures"
)]

#[path = "support/folders.rs"]
#[expect(unreachable_pub, reason = "it is shared with tests that have it below `support`")]
mod folders;
#[path = "support/organization.rs"]
mod organization;

use std::{
    fs,
    path::Path,
    process::ExitStatus,
    time::{SystemTime, UNIX_EPOCH},
};

use certwright::plan;
use organization::Organization;

/// The exit code of a program that came to its end by itself: an abort is a signal on Unix, and on Windows an exception, whose
/// codes are negative.
fn exit_code(status: ExitStatus) -> Option<i32> {
    status.code().filter(|code| *code >= 0)
}

/// A scenario as an organization of its own.
fn scenario(name: &str) -> Organization {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(name);
    let [manifest, lab] =
        ["manifest.yaml", "lab.yaml"].map(|file| fs::read_to_string(folder.join(file)).unwrap());
    Organization::of_texts(&manifest, &lab.replace("keys: ../../keys", "keys: keys"))
}

/// Whether all places of all runs are tried.
fn all() -> bool {
    std::env::var("CERTWRIGHT_KILL_POINTS").is_ok_and(|which| which == "all")
}

fn day() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400
}

/// The places to try: all of them, or every seventh.
fn places() -> impl Iterator<Item = u64> {
    let (first, step) = if all() { (1, 1) } else { (1 + day() % STRIDE, STRIDE) };
    (first..).step_by(usize::try_from(step).unwrap())
}

/// Runs a command and ends it at this place. Its exit code when it came to its end before.
fn ended(organization: &Organization, arguments: &[&str], at: u64) -> Option<i32> {
    let output = organization.command(arguments).env("CERTWRIGHT_END_AT", at.to_string()).output().unwrap();
    Organization::check_output(&output);
    exit_code(output.status)
}

fn whole(organization: &Organization, arguments: &[&str]) -> (Option<i32>, String) {
    let output = organization.command(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (exit_code(output.status), said.into_owned())
}

/// The facts of an organization without what is another one each time: thumbprints of new certificates.
fn shape(organization: &Organization) -> Vec<String> {
    organization.certificate_counts().into_iter().map(|(what, count)| format!("{what:?}: {count}")).collect()
}

/// Ends a run at each place and goes on with it.
fn goes_on(name: &str) {
    let kills = goes_on_at(name, places());
    assert!(kills > 0, "{name} has no place to end at");
    eprintln!("{name}: ended {kills} times");
}

/// Ends a run at these places, as far as it has them, and goes on with it. Returns at how many it was ended.
fn goes_on_at(name: &str, places: impl Iterator<Item = u64>) -> u32 {
    let template = scenario(name);
    let undisturbed = template.copy();
    let (code, said) = whole(&undisturbed, APPLY);
    // What was blocked by what the first run has mended.
    let (last, _) = whole(&undisturbed, APPLY);
    let wanted = shape(&undisturbed);
    let mut kills = 0;
    for place in places {
        let organization = template.copy();
        if ended(&organization, APPLY, place).is_some() {
            break;
        }
        kills += 1;
        organization.check_files();
        let (resumed, told) = whole(&organization, APPLY);
        // A run that goes on has done all that it had to do, where a whole plan says what else cannot be done; and where nothing
        // was left to it, it is given up, and a new plan has no more than one that follows a whole run.
        assert!(
            [code, Some(0), last].contains(&resumed),
            "{name}, ended at {place}: {told}\nundisturbed: {said}"
        );
        let (again, told) = whole(&organization, APPLY);
        assert_eq!(again, last, "{name}, ended at {place}, and once more: {told}");
        assert_eq!(shape(&organization), wanted, "{name}, ended at {place}");
    }
    kills
}

/// Ends a rollback at each place and goes on with it: it comes to where an undisturbed one comes from the same point.
fn goes_back(name: &str) {
    let applied = scenario(name);
    whole(&applied, APPLY);
    let undisturbed = applied.copy();
    let (code, said) = whole(&undisturbed, ROLLBACK);
    let wanted = undisturbed.facts();
    let mut kills = 0;
    for place in places() {
        let organization = applied.copy();
        if ended(&organization, ROLLBACK, place).is_some() {
            break;
        }
        kills += 1;
        let (resumed, told) = whole(&organization, ROLLBACK);
        assert_eq!(resumed, code, "{name}, rollback ended at {place}: {told}\nundisturbed: {said}");
        let changed = plan::changed_facts(&wanted, &organization.facts());
        assert!(changed.is_empty(), "{name}, rollback ended at {place}: {changed:#?}");
    }
    assert!(kills > 0, "{name} has no place to end at");
    eprintln!("{name}, taken back: ended {kills} times");
}

/// By default one place of each scenario in its week.
#[test]
fn every_scenario_goes_on_wherever_it_ends() {
    let kills: u32 = folders::each("scenarios", "lab.yaml", |folder| {
        let name = folder.file_name().unwrap().to_str().unwrap();
        if all() || folders::is_narrowed() {
            return goes_on_at(name, places());
        }
        let number =
            name.bytes().fold(0, |number: u64, byte| number.wrapping_mul(31).wrapping_add(byte.into()));
        let turn = number + day();
        if turn.is_multiple_of(STRIDE) {
            goes_on_at(name, std::iter::once(1 + turn / STRIDE % FEW))
        } else {
            0
        }
    })
    .into_iter()
    .sum();
    eprintln!("all scenarios: ended {kills} times");
}

#[test]
fn the_auth_certificate_is_staged_wherever_the_run_ends() {
    goes_on("auth-rotation");
}

#[test]
fn an_expired_auth_certificate_is_replaced_wherever_the_run_ends() {
    goes_on("auth-expired");
}

#[test]
fn a_request_is_made_once_wherever_the_run_ends() {
    goes_on("request-answered-later");
}

#[test]
fn a_first_certificate_comes_once_wherever_the_run_ends() {
    goes_on("first-certificate");
}

#[test]
fn connectors_that_name_both_are_settled_wherever_the_run_ends() {
    goes_on("same-issuer-and-subject-transport-stopped");
}

#[test]
fn the_way_back_of_the_auth_certificate_ends_where_an_undisturbed_one_does() {
    goes_back("auth-rotation");
}

#[test]
fn the_way_back_of_hybrid_mail_ends_where_an_undisturbed_one_does() {
    goes_back("hybrid-same-issuer-and-subject");
}

const APPLY: &[&str] = &["apply", "--auto-approve"];
const ROLLBACK: &[&str] = &["rollback", "--auto-approve"];
const STRIDE: u64 = 7;
/// Nearly every run has so many places.
const FEW: u64 = 24;
