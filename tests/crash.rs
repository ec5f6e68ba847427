//! Runs that are killed at any moment, and that meet faults: they go on, or are taken back, and nothing is lost. The
//! program itself is killed, with SIGKILL, at random moments between its steps and in them.
//!
//! `CERTWRIGHT_CRASHES` says how many kills there are at least, `CERTWRIGHT_FAULTS` how many organizations with faults,
//! `CERTWRIGHT_SEED` where the random moments begin.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests touch the disk, start programs and print their figures"
)]

#[path = "support/organization.rs"]
mod organization;

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use organization::{Organization, Random, variable};

/// Figures that are printed at the end.
#[derive(Debug, Default)]
struct Figures {
    cases: u32,
    kills: u32,
    interrupts: u32,
    faults: u32,
    rollbacks: u32,
    handshakes: usize,
}

#[test]
fn runs_that_are_killed_converge() {
    let template = Organization::contoso(&[]);
    let whole = template.copy().duration_of_apply();
    let (mut random, mut figures) = (Random::new(), Figures::default());
    while figures.kills < variable("CERTWRIGHT_CRASHES", 40) {
        let organization = template.copy();
        figures.cases += 1;
        let back = figures.cases % 3 == 0;
        if back {
            figures.rollbacks += 1;
            killed_and_taken_back(&organization, &mut random, whole, &mut figures);
        } else {
            killed_and_gone_on_with(&organization, &mut random, whole, &mut figures);
        }
    }
    eprintln!("killed: {figures:?}; certificates lost: 0, endpoints lost: 0, secrets found: 0");
}

fn killed_and_gone_on_with(
    organization: &Organization,
    random: &mut Random,
    whole: Duration,
    figures: &mut Figures,
) {
    for attempt in 0.. {
        assert!(attempt < ENOUGH, "it does not end");
        let mut command = organization.command(&["apply", ".", "--auto-approve"]);
        let patience = if attempt < KILLS_IN_ONE_RUN { random.part_of(whole) } else { Duration::MAX };
        let ended = kill_after(&mut command, patience, random, figures);
        organization.check_files();
        figures.handshakes += organization.check_endpoints();
        if let Some(code) = ended {
            if code == 0 {
                break;
            }
            assert_eq!(code, 6, "a run that was interrupted says so");
        }
    }
    organization.check_converged();
}

fn killed_and_taken_back(
    organization: &Organization,
    random: &mut Random,
    whole: Duration,
    figures: &mut Figures,
) {
    let before = organization.facts();
    let mut command = organization.command(&["apply", ".", "--auto-approve"]);
    kill_after(&mut command, random.part_of(whole), random, figures);
    organization.check_files();
    figures.handshakes += organization.check_endpoints();
    if organization.command(&["history"]).output().unwrap().stdout.starts_with(b"No run") {
        // It was killed before it wrote down what it would do.
        assert_eq!(organization.facts(), before);
        return;
    }
    for attempt in 0.. {
        assert!(attempt < ENOUGH, "it does not end");
        let mut command = organization.command(&["rollback", "--auto-approve"]);
        let patience = if attempt < KILLS_IN_ONE_RUN { random.part_of(whole) } else { Duration::MAX };
        if let Some(code) = kill_after(&mut command, patience, random, figures) {
            if code == 0 {
                break;
            }
            assert_eq!(code, 6, "a run that was interrupted says so");
        }
        organization.check_files();
        figures.handshakes += organization.check_endpoints();
    }
    organization.check_taken_back(&before);
    figures.handshakes += organization.check_endpoints();
}

/// Runs a command, and kills or interrupts it after this time. Its exit code, when it was not killed.
fn kill_after(
    command: &mut std::process::Command,
    patience: Duration,
    random: &mut Random,
    figures: &mut Figures,
) -> Option<i32> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if begun.elapsed() >= patience {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    if random.below(8) == 0 {
        figures.interrupts += 1;
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        return child.wait().unwrap().code();
    }
    figures.kills += 1;
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

#[test]
fn faults_delay_a_run_and_lose_nothing() {
    let (mut random, mut figures) = (Random::new(), Figures::default());
    for _ in 0..variable("CERTWRIGHT_FAULTS", 10) {
        let faults = random.faults();
        let organization = Organization::contoso(&faults);
        let before = organization.facts();
        figures.cases += 1;
        figures.faults += u32::try_from(faults.len()).unwrap();
        let back = random.below(4) == 0;
        let mut codes = Vec::new();
        loop {
            let command = if back && !codes.is_empty() { "rollback" } else { "apply" };
            let output = organization.command(&[command, "--auto-approve"]).output().unwrap();
            Organization::check_output(&output);
            organization.check_files();
            figures.handshakes += organization.check_endpoints();
            codes.push(output.status.code());
            if output.status.success() {
                break;
            }
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(codes.len() < ENOUGH as usize, "{faults:?} {codes:?}\n{said}");
        }
        if back && codes.len() > 1 {
            figures.rollbacks += 1;
            organization.check_taken_back(&before);
        } else {
            organization.check_converged();
        }
    }
    eprintln!("faults: {figures:?}; certificates lost: 0, endpoints lost: 0, secrets found: 0");
}

const KILLS_IN_ONE_RUN: u32 = 4;
const ENOUGH: u32 = 20;
