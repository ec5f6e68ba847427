//! `certwright status` and `certwright calendar`: how long certificates last, and what is due on which day.

use std::path::{Path, PathBuf};

use super::{
    CommandError, Exit, Terminal,
    next::Place,
    outputs::{self, Outputs},
    overwriting::{self, Inputs},
    session::{Look, Session},
    unfinished,
};
pub use crate::views::{CALENDAR_FORMATS, STATUS_FORMATS};
use crate::{
    manifest::finding::Finding,
    model::time::{Span, Timestamp},
    plan::outlook::{self, Calendar, Outlook},
    views::{MARKDOWN_BUDGET, Organizations},
};

/// What the command line says.
#[derive(Clone, Debug)]
pub struct StatusOptions {
    /// The manifests.
    pub paths: Vec<PathBuf>,
    /// A capture instead of the servers; for one manifest only.
    pub capture: Option<PathBuf>,
    /// The moment to count from; without it now.
    pub now: Option<Timestamp>,
    /// Where runs are kept.
    pub state: Option<String>,
    /// What is written, and how.
    pub outputs: Outputs,
}

/// Shows each certificate of each organization. One that cannot be looked at does not hide the others.
pub fn status(options: &StatusOptions, terminal: Terminal) -> Result<Exit, CommandError> {
    let mut outputs = options.outputs.of(STATUS_FORMATS)?;
    refuse_inputs(options)?;
    let (organizations, failed) = outlooks("status", options, terminal)?;
    outputs.retain(|output| options.outputs.takes(output, organizations.list.is_empty()));
    outputs::write(&organizations, &outputs, terminal)?;
    failed.map_or(Ok(Exit::Done), Err)
}

/// Shows what is due until so long from now.
pub fn calendar(options: &StatusOptions, ahead: Ahead, terminal: Terminal) -> Result<Exit, CommandError> {
    let mut outputs = options.outputs.of(CALENDAR_FORMATS)?;
    refuse_inputs(options)?;
    let (Organizations { list: outlooks, failed: not_known }, failed) =
        outlooks("calendar", options, terminal)?;
    let until = |outlook: &Outlook| match ahead {
        Ahead::Until(until) => until,
        Ahead::Span(span) => outlook.at.plus(span),
    };
    if let (Ahead::Until(until), Some(outlook)) = (ahead, outlooks.first())
        && until <= outlook.at
    {
        let what = format!("--until {until} is not after {}, where the calendar begins", outlook.at);
        return Err(
            CommandError::new(Exit::Usage, what).hint("name a later day, or leave --until out for a year")
        );
    }
    let list: Vec<Calendar> =
        outlooks.iter().map(|outlook| outlook::calendar(outlook, until(outlook))).collect();
    outputs.retain(|output| options.outputs.takes(output, list.is_empty()));
    let calendars = Organizations { list, failed: not_known };
    outputs::write(&calendars, &outputs, terminal)?;
    failed.map_or(Ok(Exit::Done), Err)
}

/// How far a calendar looks ahead.
#[derive(Clone, Copy, Debug)]
pub enum Ahead {
    /// To this moment.
    Until(Timestamp),
    /// So far from now.
    Span(Span),
}

/// Reports go into no file that is read.
fn refuse_inputs(options: &StatusOptions) -> Result<(), CommandError> {
    let manifests: Vec<&Path> = options.paths.iter().map(PathBuf::as_path).collect();
    let manifests = if manifests.is_empty() { vec![Path::new(".")] } else { manifests };
    let others: Vec<&Path> = options.capture.as_deref().into_iter().collect();
    overwriting::refuse(
        options.outputs.files(),
        Inputs { manifests: &manifests, others: &others, state: options.state.as_deref() },
    )
}

/// What is known of each organization, why nothing is known of the others, and the last error of those.
fn outlooks(
    command: &'static str,
    options: &StatusOptions,
    terminal: Terminal,
) -> Result<(Organizations<Outlook>, Option<CommandError>), CommandError> {
    let StatusOptions { paths, capture, now, state, outputs } = options;
    if capture.is_some() && paths.len() > 1 {
        return Err(CommandError::new(
            Exit::Usage,
            "a capture is of one organization, and several manifests are named",
        )
        .hint(
            "call it once for each, or name captures in the manifests: driver: { capture: { path: DIR } }",
        ));
    }
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    let (mut organizations, mut failed) = (Organizations { list: Vec::new(), failed: Vec::new() }, None);
    let mut fails = |error| {
        if let Some(before) = failed.replace(error) {
            terminal.complain(&before);
        }
    };
    for path in paths {
        let look = capture.as_deref().map(|capture| Look { capture: Some(capture), at: None });
        match outlook(path, look, (*now, state.as_deref(), &outputs.format), terminal) {
            Ok((outlook, contradictions)) => {
                organizations.list.push(outlook);
                if !contradictions.is_empty() {
                    fails(CommandError::contradictions(contradictions));
                }
            }
            Err(error) => {
                organizations.failed.push(outputs::failure(&error, command, path, MARKDOWN_BUDGET));
                fails(error);
            }
        }
    }
    Ok((organizations, failed))
}

fn outlook(
    path: &Path,
    look: Option<Look<'_>>,
    (now, state, format): (Option<Timestamp>, Option<&str>, &str),
    terminal: Terminal,
) -> Result<(Outlook, Vec<Finding>), CommandError> {
    let mut session = Session::open_looking_at(path, look)?;
    let mut observed = session.observe()?;
    let store = session.store(state)?;
    session.remember(&mut observed, &store)?;
    let unfinished_run = unfinished::newest(&store, Place { manifest: path, state })?;
    unfinished::warn(unfinished_run.as_ref(), format, terminal);
    let now = now.unwrap_or_else(|| session.driver.now());
    let mut outlook = outlook::outlook(&session.desired, &observed, now);
    outlook.unfinished_run = unfinished_run;
    Ok((outlook, session.contradictions(&observed)))
}
