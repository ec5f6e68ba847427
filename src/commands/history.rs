//! `certwright history`: what was done, when, by whom, why, and how it was proved.

use std::path::Path;

use super::{CommandError, Exit, Terminal, session, unfinished};
use crate::{
    journal::Store,
    views::{RunDetail, RunSummary},
};

/// Lists the runs, or tells one of them.
pub fn run(
    manifest: &Path,
    run: Option<&str>,
    state: Option<&str>,
    format: &str,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    let store = session::store_of(manifest, state)?;
    let view = terminal.view(format);
    if let Some(run) = run {
        let progress = unfinished::read(&store, run)?.ok_or_else(|| empty(run))?;
        terminal.show(|out| view.run(&RunDetail::of(run, &progress), out))?;
    } else {
        let runs = summaries(&store)?;
        terminal.show(|out| view.history(&runs, out))?;
    }
    Ok(Exit::Done)
}

/// Every run, the newest first. One that died before it wrote down what it would do did nothing, and is left out.
fn summaries(store: &Store) -> Result<Vec<RunSummary>, CommandError> {
    let mut runs = Vec::new();
    for run in store.runs()? {
        if let Some(progress) = unfinished::read(store, &run)? {
            runs.push(RunSummary::of(&run, &progress));
        }
    }
    Ok(runs)
}

fn empty(run: &str) -> CommandError {
    CommandError::new(Exit::Error, format!("run {run} died before it wrote down what it would do"))
        .detail("It changed nothing.")
}
