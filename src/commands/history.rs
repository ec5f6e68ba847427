//! `certwright history`: what was done, when, by whom, why, and how it was proved.

use std::path::Path;

use super::{CommandError, Exit, Terminal, files, session, unfinished};
use crate::{
    apply::history::{RunDetail, RunSummary},
    journal::Store,
    views::human,
};

/// Lists the runs, or tells one of them.
pub fn run(
    manifest: &Path,
    run: Option<&str>,
    state: Option<&str>,
    format: &str,
    terminal: Terminal,
) -> Result<Exit, CommandError> {
    if state.is_none() {
        files::check_manifest_place(manifest)?;
    }
    let store = session::store_of(manifest, state)?;
    let view = terminal.view(format);
    if let Some(run) = run {
        let progress = unfinished::read(&store, run)?.ok_or_else(|| empty(run))?;
        terminal.show(|out| view.run(&RunDetail::of(run, &progress, &human::describe), out))?;
    } else {
        let (runs, damaged) = summaries(&store)?;
        if runs.is_empty() && damaged.is_empty() {
            terminal.say(&format!("looked for runs in {}", store.describe()));
        }
        if !runs.is_empty() || damaged.is_empty() || format != "human" {
            terminal.show(|out| view.history(&runs, out))?;
        }
        // What can be read is told all the same.
        for error in &damaged {
            terminal.complain(error);
        }
        return Ok(damaged.first().map_or(Exit::Done, |error| error.exit));
    }
    Ok(Exit::Done)
}

/// Every run, the newest first, and why others cannot be read. One that died before it wrote down what it would do did
/// nothing, and is left out.
fn summaries(store: &Store) -> Result<(Vec<RunSummary>, Vec<CommandError>), CommandError> {
    let (mut runs, mut damaged) = (Vec::new(), Vec::new());
    for run in store.runs()? {
        match unfinished::read(store, &run) {
            Ok(Some(progress)) => runs.push(RunSummary::of(&run, &progress)),
            Ok(None) => {}
            Err(error) => damaged.push(error),
        }
    }
    Ok((runs, damaged))
}

fn empty(run: &str) -> CommandError {
    CommandError::new(Exit::Error, format!("run {run} died before it wrote down what it would do"))
        .detail("It changed nothing.")
}
