//! Services that stand still while something is done by another way. The server itself sees to it that they run again: it is
//! asked for that in one call, which goes on when whoever asked is gone.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::json;

use super::{error::PowerShellError, request::Request, session::Session};

#[derive(Deserialize)]
struct Running {
    running: Vec<String>,
}

/// Does something while those of these services that run stand still. `about` makes a request with the server, the
/// services, the certificate that they wait for, and how long they wait. An error says that nothing was done.
pub(super) fn during<R: Send>(
    session: &Session,
    about: &(dyn Fn(&'static str) -> Request + Sync),
    act: impl FnOnce() -> R,
) -> Result<R, PowerShellError> {
    let asked = Request { changes: false, ..about("service.running") };
    if asked.arguments["services"] == json!([]) {
        return Ok(act());
    }
    let running = session.call::<Running>(&asked)?.result.running;
    if running.is_empty() {
        return Ok(act());
    }
    let suspend = about("service.suspend").with("services", json!(running));
    thread::scope(|scope| {
        let standing = scope.spawn(|| session.call_aside::<serde_json::Value>(&suspend));
        let ends = Instant::now() + session.endpoint.patience.request;
        loop {
            if session.call::<Running>(&asked)?.result.running.is_empty() {
                break;
            }
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
        let resume = Request { changes: false, ..about("service.resume").with("services", json!(running)) };
        let resumed = session.call::<serde_json::Value>(&resume);
        match standing.join() {
            Ok(Ok(_)) => {}
            // They run, whatever became of the call that was to start them.
            Ok(Err(_)) if resumed.is_ok() => {}
            Ok(Err(error)) => return Err(error),
            Err(panic) => std::panic::resume_unwind(panic),
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

const GLANCE: Duration = Duration::from_millis(500);
