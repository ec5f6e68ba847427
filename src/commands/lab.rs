//! `certwright lab`: the simulated organization of a manifest.

use std::{path::Path, sync::mpsc, time::Duration};

use super::{
    CommandError, Exit, Terminal,
    captures::whole_capture,
    live::LiveLine,
    session::{Session, lab_of, store_of, wall_clock},
};
use crate::{
    drivers::lab::Lab,
    model::{
        names::{IssuerName, ServerName},
        shown::ShowPath,
        time::{Span, Timestamp},
    },
    pki::pem::{self, PemError},
    ports::driver::Observer,
};

/// Sets the lab up, or leaves it as it is when that was done before.
pub fn set_up(path: &Path, terminal: Terminal) -> Result<Exit, CommandError> {
    let lab = lab_of(path)?;
    terminal.say(&format!("the lab in {} is set up; its time is {}", lab.path().shown(), lab.now()));
    Ok(Exit::Done)
}

/// Makes a lab of what a capture shows.
pub fn from(
    capture: &Path,
    organization: Option<&str>,
    directory: &Path,
    at: Option<Timestamp>,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let observed = whole_capture(capture, organization, at, wall_clock())?;
    let line = LiveLine::waiting("setting up the lab");
    let lab = Lab::copy(&observed, directory, at.unwrap_or(observed.at))?;
    drop(line);
    for note in &observed.notes {
        terminal.say(&format!("note: {note}"));
    }
    let servers = observed.organization.servers.len();
    terminal.say(&format!(
        "a lab of {servers} servers is set up in {}; its time is {}. Use it in a manifest:\n    driver: {{ lab: {{ directory: {} }} }}",
        directory.shown(),
        lab.now(),
        directory.shown(),
    ));
    Ok(Exit::Done)
}

/// Throws the lab's state away and sets it up anew.
pub fn reset(path: &Path, terminal: Terminal) -> Result<Exit, CommandError> {
    lab_of(path)?.reset()?;
    set_up(path, terminal)?;
    let store = store_of(path, None)?;
    let runs = store.runs()?.len();
    if runs > 0 {
        let (what, them) = if runs == 1 {
            ("run of the lab that is gone is", "it")
        } else {
            ("runs of the lab that is gone are", "them")
        };
        terminal.warn(&format!(
            "{runs} {what} still in {}: move that directory away, or plans and `rollback` go by {them}",
            store.describe(),
        ));
    }
    Ok(Exit::Done)
}

/// Serves every endpoint until the process is ended, or for so many seconds.
pub fn serve(path: &Path, seconds: Option<u64>, terminal: Terminal) -> Result<Exit, CommandError> {
    let lab = lab_of(path)?;
    let serving = lab.serve()?;
    terminal.show(|out| {
        for (server, endpoints) in serving.addresses() {
            for (endpoint, address) in endpoints {
                writeln!(out, "{server:<16} {endpoint:<12} {address}")?;
            }
        }
        Ok(())
    })?;
    terminal.say(&format!("serving {} endpoints; stop with Ctrl-C", serving.count()));
    // Nobody sends: this waits for the time to pass, or for ever.
    let (_keep, never) = mpsc::channel::<()>();
    let patience = seconds.map_or(Duration::MAX, Duration::from_secs);
    let _ = never.recv_timeout(patience);
    Ok(Exit::Done)
}

/// Plays the CA: answers every request of the manifest that nobody has answered yet.
pub fn answer(
    path: &Path,
    authority: Option<&IssuerName>,
    lifetime: Span,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let session = Session::open(path)?;
    let (lab, requests) = (lab_of(path)?, session.requests());
    let open = requests.open(session.desired.request_files())?;
    for (file, request) in &open {
        let wrong = |error: PemError| {
            CommandError::new(Exit::Error, format!("{file}.csr is no request for a certificate"))
                .because(error)
        };
        let answer = lab.answer(
            &pem::request(request).map_err(wrong)?,
            session.desired.issuer_of(file),
            authority,
            lifetime,
        )?;
        let path = requests.put_answer(file, &answer)?;
        terminal.say(&format!("answered {} until {}", path.shown(), answer.not_after.date()));
    }
    if open.is_empty() {
        terminal.say("no request waits for an answer");
    }
    Ok(Exit::Done)
}

/// Plays the Hybrid Configuration Wizard.
pub fn wizard(path: &Path, terminal: Terminal) -> Result<Exit, CommandError> {
    lab_of(path)?.run_hybrid_wizard()?;
    terminal.say("the connectors of the lab are as the Hybrid Configuration Wizard leaves them");
    Ok(Exit::Done)
}

/// Plays who makes an Edge subscription anew.
pub fn subscribe(path: &Path, edge: &ServerName, terminal: Terminal) -> Result<Exit, CommandError> {
    lab_of(path)?.subscribe_edge(edge)?;
    terminal.say(&format!("{edge} and the servers of its site know each other's certificates"));
    Ok(Exit::Done)
}

/// Shows the lab's clock, or moves it.
pub fn clock(
    path: &Path,
    set: Option<Timestamp>,
    advance: Option<Span>,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let mut lab = lab_of(path)?;
    let to = set.or_else(|| advance.map(|span| lab.now().plus(span)));
    if let Some(to) = to {
        lab.set_clock(to)?;
    }
    terminal.show(|out| writeln!(out, "{}", lab.now()))?;
    Ok(Exit::Done)
}
