//! `certwright drift`: looking, again and again when asked to, and telling what is different. It cannot change anything:
//! all it has is a [`ReadOnlySession`].

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{
    CommandError, Exit, Terminal, files,
    read_only_session::{ProbeOptions, ReadOnlySession},
};
use crate::{
    manifest::IgnoreSpec,
    model::time::Span,
    plan,
    verify::drift::Drift,
    views::{human, json, prometheus},
};

/// What the command line says.
#[derive(Clone, Debug)]
pub struct DriftOptions {
    /// How long to wait before looking again; without it once.
    pub interval: Option<Span>,
    /// How often to look; without it for ever.
    pub rounds: Option<u32>,
    /// Patterns of differences that are overlooked this time.
    pub ignore: Vec<String>,
    /// Whether endpoints are met too.
    pub handshakes: bool,
    /// How they are met.
    pub meeting: ProbeOptions,
    /// Whether the result is for programs.
    pub json: bool,
    /// A file for the textfile collector of Prometheus.
    pub prometheus: Option<PathBuf>,
}

/// Looks once, or until it is stopped. The exit code is that of the last look.
pub fn run(path: &Path, options: &DriftOptions, terminal: Terminal) -> Result<Exit, CommandError> {
    let Some(interval) = options.interval else { return look_and_tell(path, options, terminal) };
    let pause = Duration::from_secs(u64::try_from(interval.as_seconds()).unwrap_or(1).max(1));
    let mut round = 0;
    loop {
        round += 1;
        // A server that is down for an hour should not end a watch of months.
        let result = look_and_tell(path, options, terminal);
        if let Err(error) = &result {
            terminal.complain(error);
        }
        if options.rounds.is_some_and(|rounds| round >= rounds) {
            return Ok(result.unwrap_or_else(|error| error.exit));
        }
        thread::sleep(pause);
    }
}

/// Looks; a look that fails is told in the metrics too, which would go on saying what was seen last.
fn look_and_tell(path: &Path, options: &DriftOptions, terminal: Terminal) -> Result<Exit, CommandError> {
    let result = look(path, options, terminal);
    if let (Err(_), Some(file)) = (&result, &options.prometheus) {
        files::write(file, prometheus::down().as_bytes())?;
    }
    result
}

fn look(path: &Path, options: &DriftOptions, terminal: Terminal) -> Result<Exit, CommandError> {
    let (watch, observed) = ReadOnlySession::open(path, options.meeting.at)?;
    let now = watch.observer.now();
    let narrowing = watch.narrowing(&options.meeting)?;
    let plan = plan::plan_only(&narrowing, &watch.desired, &observed, now);
    let verdict = if options.handshakes { Some(watch.meet(&observed, &options.meeting)?) } else { None };
    let of_run = options.ignore.iter().map(|pattern| IgnoreSpec {
        difference: pattern.clone(),
        because: "the command line says so".into(),
    });
    let ignore: Vec<IgnoreSpec> = watch.drift.ignore.iter().cloned().chain(of_run).collect();
    let drift = Drift::new(&plan, verdict, &ignore, now);
    terminal.show(|out| {
        if options.json { json::write(&drift, out) } else { human::drift(terminal.out, &drift, out) }
    })?;
    if let Some(file) = &options.prometheus {
        let mut bytes = Vec::new();
        prometheus::drift(&drift, &mut bytes)?;
        files::write(file, &bytes)?;
    }
    Ok(if drift.drifted { Exit::ChangesPending } else { Exit::Done })
}
