//! Runs that are killed at any moment, and that meet faults: they go on, or are taken back, and nothing is lost. The
//! program itself is killed, with SIGKILL or TerminateProcess, at random moments between its steps and in them.
//!
//! `CERTWRIGHT_CRASHES` says how many crashes there are at least, `CERTWRIGHT_FAULTS` how many organizations with faults,
//! `CERTWRIGHT_SEED` where the random moments begin.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests touch the disk, start programs and print their figures"
)]

#[path = "support/case.rs"]
mod case;
#[path = "support/organization.rs"]
mod organization;
#[path = "support/random.rs"]
mod random;

use std::{
    fmt,
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use organization::{Organization, Undisturbed, check_command_lines};
use random::{Random, variable};

/// Figures that are printed at the end. What is lost ends a test, so there is nothing to count.
#[derive(Debug, Default)]
struct Figures {
    organizations: u32,
    crashes: u32,
    interrupts: u32,
    faults: u32,
    rollbacks: u32,
    /// Of them, those that had said beforehand that something would stay.
    partly: u32,
    handshakes: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { organizations, crashes, interrupts, faults, rollbacks, partly, handshakes } = self;
        write!(
            f,
            "organizations: {organizations}, crashes: {crashes}, interrupts: {interrupts}, faults: {faults}, rollbacks: \
             {rollbacks} ({partly} of them in part, as said beforehand), handshakes: {handshakes}; losses: 0"
        )
    }
}

#[test]
fn runs_that_are_killed_converge() {
    let template = Organization::contoso(&[]);
    let undisturbed = template.undisturbed();
    let (mut random, mut figures) = (Random::new(), Figures::default());
    while figures.crashes < variable("CERTWRIGHT_CRASHES", 16) {
        let back = figures.organizations % 3 == 2;
        disturbed(&template.copy(), &undisturbed, back, &mut random, &mut figures);
    }
    eprintln!("the example organization: {figures}");
}

#[test]
fn random_organizations_are_killed_and_meet_faults() {
    let (mut random, mut figures) = (Random::new(), Figures::default());
    while figures.crashes < variable("CERTWRIGHT_CRASHES", 8) {
        let case = random.case();
        let template = Organization::of_texts(&case.manifest(), &case.lab());
        let undisturbed = template.undisturbed();
        let faults = if random.chance(2) { random.faults() } else { Vec::new() };
        figures.faults += u32::try_from(faults.len()).unwrap();
        let back = random.chance(3);
        let told = format!("{case:?}\n{faults:?}");
        let told = Told(&told);
        disturbed(&template.with_faults(&faults), &undisturbed, back, &mut random, &mut figures);
        drop(told);
    }
    eprintln!("random organizations: {figures}");
}

/// Says which case it was when a test fails in it.
struct Told<'a>(&'a str);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the case {}", self.0);
        }
    }
}

/// Runs, kills at random moments and runs again, until all is done or taken back. At every stop every endpoint is met.
fn disturbed(
    organization: &Organization,
    undisturbed: &Undisturbed,
    back: bool,
    random: &mut Random,
    figures: &mut Figures,
) {
    figures.organizations += 1;
    let before = organization.facts();
    let mut disturbance = Disturbance { organization, whole: undisturbed.takes, random, figures };
    if !back {
        assert!(disturbance.until_done("apply"), "{}", organization.said());
        organization.check_converged(undisturbed);
        return;
    }
    disturbance.once("apply", false);
    if !organization.has_runs() {
        // It was killed before it wrote down what it would do, or there was nothing to do.
        assert_eq!(organization.facts(), before);
        return;
    }
    if !disturbance.until_done("rollback") {
        // There is only the way forward.
        assert!(disturbance.until_done("apply"), "{}", organization.said());
        organization.check_converged(undisturbed);
        return;
    }
    figures.rollbacks += 1;
    figures.partly += u32::from(!organization.check_taken_back(&before));
}

struct Disturbance<'a> {
    organization: &'a Organization,
    whole: Duration,
    random: &'a mut Random,
    figures: &'a mut Figures,
}

impl Disturbance<'_> {
    /// False when it is refused, because it would lead back to certificates that have expired.
    fn until_done(&mut self, command: &str) -> bool {
        for attempt in 0.. {
            assert!(attempt < ENOUGH, "it does not end: {}", self.organization.said());
            let code = self.once(command, attempt >= KILLS_IN_ONE_RUN);
            match code {
                Some(0) => return true,
                Some(NOT_IN_FULL) if self.organization.said().contains("the rollback is not safe") => {
                    return false;
                }
                // All is taken back but what was said beforehand to stay.
                Some(NOT_IN_FULL) if command == "rollback" => return true,
                // Killed, or by a fault that kills.
                None => {}
                // Stopped part-way; or a server went out of sight, before the plan was made or after it.
                Some(code) => {
                    assert!([5, 6, NOT_IN_FULL].contains(&code), "{code}: {}", self.organization.said());
                }
            }
        }
        unreachable!("it ends, or there were too many attempts")
    }

    /// The exit code, when it was not killed.
    fn once(&mut self, command: &str, in_peace: bool) -> Option<i32> {
        self.organization.pass_time();
        let mut command = self.organization.command(&[command, "--auto-approve"]);
        command.stderr(self.organization.ear());
        let patience = if in_peace { Duration::MAX } else { self.random.part_of(self.whole) };
        let code = kill_after(&mut command, patience, self.random, self.figures);
        self.organization.check_files();
        self.figures.handshakes += self.organization.check_endpoints();
        code
    }
}

/// Runs a command, and kills or interrupts it after this time. Its exit code, when it was not killed.
fn kill_after(
    command: &mut Command,
    patience: Duration,
    random: &mut Random,
    figures: &mut Figures,
) -> Option<i32> {
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    loop {
        check_command_lines(child.id());
        if let Some(status) = child.try_wait().unwrap() {
            let code = ended(status);
            figures.crashes += u32::from(code.is_none());
            return code;
        }
        if begun.elapsed() >= patience {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // Windows sends Ctrl-C to a whole console, the test's own included.
    if cfg!(unix) && random.chance(8) {
        figures.interrupts += 1;
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        return child.wait().unwrap().code();
    }
    figures.crashes += 1;
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

/// The exit code of a process that came to its end by itself. A fault that kills is a signal on Unix, and an exception on
/// Windows, whose codes are negative.
fn ended(status: ExitStatus) -> Option<i32> {
    status.code().filter(|code| *code >= 0)
}

#[test]
fn faults_delay_a_run_and_lose_nothing() {
    let (mut random, mut figures) = (Random::new(), Figures::default());
    let template = Organization::contoso(&[]);
    let undisturbed = template.undisturbed();
    for _ in 0..variable("CERTWRIGHT_FAULTS", 6) {
        let faults = random.faults();
        let organization = template.copy().with_faults(&faults);
        let before = organization.facts();
        figures.organizations += 1;
        figures.faults += u32::try_from(faults.len()).unwrap();
        let back = random.chance(4);
        let mut codes = Vec::new();
        loop {
            let command = if back && !codes.is_empty() { "rollback" } else { "apply" };
            organization.pass_time();
            let output = organization.command(&[command, "--auto-approve"]).output().unwrap();
            Organization::check_output(&output);
            organization.check_files();
            figures.handshakes += organization.check_endpoints();
            let code = ended(output.status);
            figures.crashes += u32::from(code.is_none());
            codes.push(code);
            if output.status.success() || (command == "rollback" && code == Some(NOT_IN_FULL)) {
                break;
            }
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(codes.len() < ENOUGH as usize, "{faults:?} {codes:?}\n{said}");
        }
        if back && codes.len() > 1 {
            figures.rollbacks += 1;
            figures.partly += u32::from(!organization.check_taken_back(&before));
        } else {
            organization.check_converged(&undisturbed);
        }
    }
    eprintln!("faults: {figures}");
}

/// The exit code of what cannot be done in full.
const NOT_IN_FULL: i32 = 10;
const KILLS_IN_ONE_RUN: u32 = 4;
const ENOUGH: u32 = 20;
