//! The main job over PowerShell, with something that goes wrong at a random change: output that does not end, answers that
//! are none, questions that nobody expected, credentials that expire, sessions that are cut or not to be had, servers that
//! go down. A run stops or goes on; another goes on from there; no endpoint loses its certificate.
//!
//! `CERTWRIGHT_FAULTS` says how many there are, `CERTWRIGHT_SEED` where they begin.

#![allow(clippy::print_stderr, reason = "it prints its figures")]

use std::fs;

use certwright::verify::row::Row;

use super::{
    crash::{bound, contoso, once, said},
    peers::psrp,
    random::{Random, variable},
};

#[test]
fn whatever_a_peer_does_once_the_main_job_comes_to_its_end() {
    let kinds =
        ["refused", "prompt", "abort before", "abort after", "doubt", "no json", "half a frame", "flood"];
    strike(false, &kinds);
}

#[test]
fn whatever_an_endpoint_does_once_the_main_job_comes_to_its_end() {
    if psrp::python().is_some() {
        let kinds = [
            "refused",
            "prompt",
            "abort before",
            "abort after",
            "cut before",
            "cut after",
            "endless",
            "garbage",
            "expired before",
            "full",
        ];
        strike(true, &kinds);
    }
}

/// A service that a restart stopped and that did not start counts as one that is not wanted, unless it is started.
#[test]
fn what_a_restart_left_stopped_is_started() {
    let rig = contoso();
    fs::write(rig.base.join("strike"), "1 stands still").unwrap();
    assert_eq!(once(&rig, "apply", false, None, None), Some(0), "{}", said(&rig));
    assert!(!rig.base.join("strike").exists(), "nothing was restarted: {}", said(&rig));
    let standing =
        fs::read_dir(&rig.base).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let standing: Vec<String> = standing.filter(|name| name.starts_with("standing-")).collect();
    assert!(standing.is_empty(), "{standing:?}: {}", said(&rig));
}

/// Each kind of fault once, at a random change, and so often again as is asked for.
fn strike(remoting: bool, kinds: &[&str]) {
    let mut random = Random::new();
    let (mut struck, mut runs) = (0, 0);
    for (number, kind) in
        (0..variable("CERTWRIGHT_FAULTS", kinds.len().try_into().unwrap())).zip(kinds.iter().cycle())
    {
        let mut rig = contoso();
        let before = bound(&rig).len();
        let at = 1 + random.below(20);
        let told = Told(format!("{kind} at change {at}"));
        fs::write(rig.base.join("strike"), format!("{at} {kind}")).unwrap();
        for attempt in 0.. {
            assert!(attempt < 8, "it does not end: {}", said(&rig));
            let code = once(&rig, "apply", remoting, None, None);
            runs += 1;
            assert_eq!(bound(&rig).len(), before, "a binding is lost: {}", said(&rig));
            match code {
                Some(0) => break,
                // Stopped part-way, or a server could not be looked at.
                Some(1 | 5 | 6) => {}
                code => panic!("{code:?}: {}", said(&rig)),
            }
        }
        struck += u32::from(!rig.base.join("strike").exists());
        rig.reopen();
        assert!(rig.plan().is_empty(), "something is left to do");
        let rows = rig.verify();
        assert!(!rows.is_empty() && rows.iter().all(Row::is_good), "{number}: {rows:#?}");
        drop(told);
    }
    assert!(struck > 0);
    let over = if remoting { "remoting" } else { "PowerShell" };
    eprintln!("over {over}: faults: {struck}, runs: {runs}; losses: 0");
}

/// Says which fault it was when a test fails at it.
struct Told(String);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the fault: {}", self.0);
        }
    }
}
