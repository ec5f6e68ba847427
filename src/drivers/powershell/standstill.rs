//! Services that stand still while something is done by another way. The server itself sees to it that they run again: it is
//! asked for that in one call, which goes on when whoever asked is gone.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{error::PowerShellError, request::Request, session::Session};

#[derive(Deserialize)]
struct Running {
    running: Vec<String>,
}

/// Services of a server that stand still.
pub(super) struct Still<'a> {
    pub(super) session: &'a Session,
    /// The server, its services, the certificate that they wait for, and how long they wait.
    pub(super) about: Json,
    /// Whether all of them run afterwards, and not only those that ran before: one that does not may have been stopped by a
    /// call that was cut off.
    pub(super) runs_after: bool,
}

/// Does something while those of these services that run stand still. An error says that it was not done; one whose outcome is
/// unknown, that the services do not run again.
pub(super) fn during_all<R>(still: &[Still<'_>], act: &mut dyn FnMut() -> R) -> Result<R, PowerShellError> {
    let Some((first, others)) = still.split_first() else { return Ok(act()) };
    during(first, &mut || during_all(others, act))?
}

fn during<R>(still: &Still<'_>, act: &mut dyn FnMut() -> R) -> Result<R, PowerShellError> {
    let Still { session, about, runs_after } = still;
    let request = |operation| Request::look(operation, about.clone());
    let asked = request("service.running");
    if about["services"] == json!([]) {
        return Ok(act());
    }
    let running = session.call::<Running>(&asked)?.result.running;
    let resume = request("service.resume");
    let resume = if *runs_after { resume } else { resume.with("services", json!(running)) };
    if running.is_empty() {
        let result = act();
        if *runs_after {
            session.call::<Json>(&resume).map_err(not_whole)?;
        }
        return Ok(result);
    }
    let suspend = Request::change("service.suspend", about.clone()).with("services", json!(running));
    thread::scope(|scope| {
        let standing = scope.spawn(|| session.call_aside::<Json>(&suspend));
        let ends = Instant::now() + session.endpoint.patience.request;
        while !session.call::<Running>(&asked)?.result.running.is_empty() {
            if standing.is_finished() {
                // It is over before anything stood still.
                return match standing.join() {
                    Ok(Ok(_)) => Err(not_stopped(session)),
                    Ok(Err(error)) => Err(error),
                    Err(panic) => std::panic::resume_unwind(panic),
                };
            }
            if Instant::now() > ends {
                return Err(not_stopped(session));
            }
            thread::sleep(GLANCE);
        }
        let result = act();
        // What was not done keeps nobody waiting: once one of them runs, the server starts the others.
        let resumed = session.call::<Json>(&resume);
        let stood = match standing.join() {
            Ok(stood) => stood,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        match (resumed, stood) {
            (Ok(_), _) => {}
            // The server has started by itself those that it had stopped.
            (Err(_), Ok(_)) if !runs_after => {}
            (Err(error), _) => return Err(not_whole(error)),
        }
        Ok(result)
    })
}

fn not_stopped(session: &Session) -> PowerShellError {
    PowerShellError::Unreachable {
        host: session.endpoint.name.to_string(),
        said: "its services did not stop in time, and nothing was removed".into(),
    }
}

/// What was to be done was tried, and the services that stood still for it do not run again.
fn not_whole(error: PowerShellError) -> PowerShellError {
    match error {
        error @ PowerShellError::OutcomeUnknown(_) => error,
        error => PowerShellError::OutcomeUnknown(Box::new(error)),
    }
}

const GLANCE: Duration = Duration::from_millis(500);
