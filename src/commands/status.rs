//! `certwright status` and `certwright calendar`: how long certificates last, and what is due on which day.

use std::path::PathBuf;

use super::{
    CommandError, Exit, Terminal,
    outputs::{self, Outputs},
    session::{Look, Session},
};
pub use crate::views::{CALENDAR_FORMATS, STATUS_FORMATS};
use crate::{
    model::time::{Span, Timestamp},
    plan::outlook::{self, Calendar, Outlook},
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
    /// What is written, and how.
    pub outputs: Outputs,
}

/// Shows each certificate of each organization. One that cannot be looked at does not hide the others.
pub fn status(options: &StatusOptions, terminal: Terminal) -> Result<Exit, CommandError> {
    let outputs = options.outputs.of(STATUS_FORMATS)?;
    let (outlooks, failed) = outlooks(options, terminal)?;
    outputs::write(&outlooks, &outputs, terminal)?;
    failed.map_or(Ok(Exit::Done), Err)
}

/// Shows what is due until so long from now.
pub fn calendar(options: &StatusOptions, ahead: Ahead, terminal: Terminal) -> Result<Exit, CommandError> {
    let outputs = options.outputs.of(CALENDAR_FORMATS)?;
    let (outlooks, failed) = outlooks(options, terminal)?;
    let until = |outlook: &Outlook| match ahead {
        Ahead::Until(until) => until,
        Ahead::Span(span) => outlook.at.plus(span),
    };
    let calendars: Vec<Calendar> =
        outlooks.iter().map(|outlook| outlook::calendar(outlook, until(outlook))).collect();
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

fn outlooks(
    options: &StatusOptions,
    terminal: Terminal,
) -> Result<(Vec<Outlook>, Option<CommandError>), CommandError> {
    let StatusOptions { paths, capture, now, .. } = options;
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
    let (mut outlooks, mut failed) = (Vec::new(), None);
    for path in paths {
        let look = capture.as_deref().map(|capture| Look { capture: Some(capture), at: None });
        match outlook(path, look, *now) {
            Ok(outlook) => outlooks.push(outlook),
            Err(error) => {
                if let Some(before) = failed.replace(error) {
                    terminal.complain(&before);
                }
            }
        }
    }
    match failed {
        Some(error) if outlooks.is_empty() => Err(error),
        failed => Ok((outlooks, failed)),
    }
}

fn outlook(
    path: &std::path::Path,
    look: Option<Look<'_>>,
    now: Option<Timestamp>,
) -> Result<Outlook, CommandError> {
    let mut session = Session::open_looking_at(path, look)?;
    let mut observed = session.observe()?;
    session.remember(&mut observed, &session.store(None)?)?;
    Ok(outlook::outlook(&session.desired, &observed, now.unwrap_or_else(|| session.driver.now())))
}
