//! The main job over PowerShell, killed: certwright and its peers get SIGKILL at random moments, servers go down in the
//! middle of changes, runs go on or are taken back, and no endpoint loses its certificate.
//!
//! `CERTWRIGHT_CRASHES` says how many crashes there are at least, `CERTWRIGHT_SEED` where the random moments begin.

#![allow(clippy::exit, clippy::print_stderr, reason = "it plays a program, and prints its figures")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use certwright::{
    commands::{Exit, Terminal, apply, rollback, session::Session, targeting::Named},
    drivers::DriverHandle,
    model::{names::ServerName, site::SiteBinding, thumbprint::Thumbprint},
    ports::driver::{Observer, Wanted},
    verify::row::Row,
};

use super::{
    peers::{
        lab_driver::{LabEndpoint, OverPowerShell, Way},
        psrp,
        script::Part,
    },
    random::{Random, variable},
    support::Rig,
};

/// Where this binary, run again, finds its manifest, and what it is to do.
const BASE: &str = "CERTWRIGHT_TEST_BASE";
const COMMAND: &str = "CERTWRIGHT_TEST_COMMAND";
const FALLS: &str = "CERTWRIGHT_TEST_FALLS";
/// How servers are reached: by remoting, where it is set.
const REMOTING: &str = "CERTWRIGHT_TEST_REMOTING";

/// This binary, run again, is certwright with its peers.
#[test]
#[ignore = "the program under test of the crash test"]
fn as_certwright() {
    let Some(base) = std::env::var_os(BASE).map(PathBuf::from) else { return };
    let mut session = Session::open(&base.join("manifest.yaml")).unwrap();
    let falls = std::env::var(FALLS).ok().map(|one_in| one_in.parse().unwrap());
    let processes = base.join("processes");
    fs::create_dir_all(&processes).unwrap();
    let strike = Some(base.join("strike"));
    let part = Part { lab: Some(base), falls, processes: Some(processes), strike, ..Part::default() };
    let remoting = std::env::var_os(REMOTING).is_some();
    let way = if remoting { Way::Remoting(LabEndpoint::new(&part).unwrap()) } else { Way::Here };
    let driver = OverPowerShell::new(&session.desired, &part, &way);
    session.driver = DriverHandle::Acts(Box::new(driver));
    let options = apply::RunOptions {
        notify: &[],
        auto_approve: true,
        parallelism: None,
        state: None,
        lock_timeout: Duration::from_secs(30),
        break_lock: false,
        only: Named { servers: &[], certificates: &[], replace: &[] },
        handshakes: false,
        abandon: false,
        give_back_compromised: false,
        format: "human",
    };
    let result = match std::env::var(COMMAND).unwrap().as_str() {
        "apply" => apply::session(session, options, Terminal::open()),
        _ => rollback::session(session, None, options, Terminal::open()),
    };
    let exit = result.unwrap_or_else(|error| {
        Terminal::open().complain(&error);
        error.exit
    });
    std::process::exit(exit as i32);
}

/// Contoso, whose certificate is about to expire, in a directory of its own.
pub(crate) fn contoso() -> Rig {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/contoso");
    let manifest = fs::read_to_string(folder.join("manifest.yaml")).unwrap();
    let manifest =
        manifest.replace("lab: { directory: lab }", "lab: { directory: . }").replace("lab/state", "state");
    let lab = fs::read_to_string(folder.join("lab/lab.yaml")).unwrap() + "\nkeys: keys\n";
    Rig::of_texts(&manifest, &lab)
}

pub(crate) type Sites = BTreeMap<(ServerName, SiteBinding), Thumbprint>;

/// What every binding of IIS has; its certificate is in the store.
pub(crate) fn bound(rig: &Rig) -> Sites {
    let observed = rig.lab.observe(Wanted::Everything).unwrap();
    let mut sites = Sites::new();
    for (name, server) in &observed.organization.servers {
        for (site, certificate) in server.sites.known().unwrap() {
            let certificate = certificate.unwrap_or_else(|| panic!("{site} of {name} has no certificate"));
            assert!(server.certificate(certificate).is_some(), "{site} of {name} has one that is not there");
            sites.insert((name.clone(), site.clone()), certificate);
        }
    }
    sites
}

/// Runs it, and kills it and its peers after a while if it is told to. Its exit code, where it had one.
pub(crate) fn once(
    rig: &Rig,
    command: &str,
    remoting: bool,
    falls: Option<u32>,
    kill_after: Option<Duration>,
) -> Option<i32> {
    let processes = rig.base.join("processes");
    let _ = fs::remove_dir_all(&processes);
    let said = fs::File::create(rig.base.join("said")).unwrap();
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["crash::as_certwright", "--exact", "--ignored", "--nocapture"]);
    program.env(BASE, &rig.base).env(COMMAND, command).stdin(Stdio::null());
    program.stdout(said.try_clone().unwrap()).stderr(said);
    if remoting {
        program.env(REMOTING, "1");
    }
    if let Some(one_in) = falls {
        program.env(FALLS, one_in.to_string());
    }
    let mut child = program.spawn().unwrap();
    if let Some(after) = kill_after {
        let ends = Instant::now() + after;
        while Instant::now() < ends && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = child.kill();
        // The servers go down with it: nothing that a peer had begun comes to its end.
        for process in fs::read_dir(&processes).into_iter().flatten() {
            let process = process.unwrap().file_name().into_string().unwrap();
            let _ = Command::new("kill").args(["-9", &process]).stderr(Stdio::null()).status();
        }
    }
    child.wait().unwrap().code()
}

pub(crate) fn said(rig: &Rig) -> String {
    fs::read_to_string(rig.base.join("said")).unwrap()
}

#[test]
fn the_main_job_is_killed_and_comes_to_its_end() {
    kill_the_main_job(false, variable("CERTWRIGHT_CRASHES", 4));
}

/// Exchange's cmdlets go over WS-Management, to a server in Python that is killed with the others.
#[test]
fn over_remoting_it_is_killed_and_comes_to_its_end() {
    if psrp::python().is_some() {
        kill_the_main_job(true, variable("CERTWRIGHT_CRASHES", 4));
    }
}

fn kill_the_main_job(remoting: bool, wanted: u32) {
    let mut random = Random::new();
    let begun = Instant::now();
    let undisturbed = contoso();
    assert_eq!(
        once(&undisturbed, "apply", remoting, None, None),
        Some(Exit::Done as i32),
        "{}",
        said(&undisturbed)
    );
    let whole = begun.elapsed();
    let after = bound(&undisturbed).len();
    let (mut crashes, mut round) = (0, 0);
    while crashes < wanted {
        let mut rig = contoso();
        let before = bound(&rig);
        let back = round % 2 == 1;
        let falls = (round % 3 == 2).then_some(12);
        let commands: &[&str] = if back { &["apply", "rollback"] } else { &["apply"] };
        for command in commands {
            for attempt in 0.. {
                assert!(attempt < 25, "{command} does not end: {}", said(&rig));
                let kill = (attempt < 2).then(|| random.part_of(whole));
                let code = once(&rig, command, remoting, falls, kill);
                crashes += u32::from(code.is_none());
                assert_eq!(bound(&rig).len(), after, "a binding is lost: {}", said(&rig));
                match code {
                    Some(0) => break,
                    // Nobody sees over remoting what other programs use, so what the run brought stays, and that is told.
                    Some(10) if remoting && *command == "rollback" => break,
                    // Killed, or stopped part-way by a server that went down, or by one that cannot be looked at.
                    None | Some(1 | 5 | 6) => {}
                    Some(code) => panic!("{command}: {code}: {}", said(&rig)),
                }
                // There may be nothing yet that could be taken back.
                if *command == "rollback" && said(&rig).contains("no run") {
                    break;
                }
            }
        }
        if back {
            assert_eq!(bound(&rig), before, "{}", said(&rig));
        } else {
            rig.reopen();
            assert!(rig.plan().is_empty(), "something is left to do");
            let rows = rig.verify();
            assert!(!rows.is_empty() && rows.iter().all(Row::is_good), "{rows:#?}");
        }
        round += 1;
    }
    let over = if remoting { "remoting" } else { "PowerShell" };
    eprintln!("over {over}: organizations: {round}, crashes: {crashes}; losses: 0");
}
