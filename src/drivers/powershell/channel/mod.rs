//! Ways to move one request to the driver script and its answer back. A channel knows framing, deadlines and death, and
//! nothing about Exchange.

mod environment;
pub mod frames;
pub mod remoting;
pub mod replay;
pub mod ssh;
pub mod stdio;

use std::{ffi::OsString, time::Duration};

use super::{error::PowerShellError, request::Request};

/// Moves requests, one at a time. After an error that does not leave the session, a channel is of no use any more, and
/// whatever it had started has been ended.
pub trait Channel: Send {
    /// Sends a request and waits for its answer: JSON, not yet read. What does not come within `patience` is an error.
    fn exchange(
        &mut self,
        id: u64,
        request: &Request,
        patience: Duration,
    ) -> Result<Vec<u8>, PowerShellError>;

    /// Where it leads, for people.
    fn host(&self) -> &str;

    /// The name of the computer that has to answer, where it has to be one and no other.
    fn computer(&self) -> Option<&str> {
        None
    }

    /// The SHA-256 of the script that its other end was sent, where it was sent one.
    fn script_sha256(&self) -> Option<&str> {
        None
    }

    /// Whether a PowerShell at its other end runs the driver script, of which it can be asked what it is.
    fn runs_script(&self) -> bool {
        true
    }
}

/// How a program is started.
#[derive(Clone, Debug)]
pub struct PeerProgram {
    /// The program: a path, or a name that is looked for in PATH.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it leads, for people.
    pub host: String,
    /// Whether it is `ssh`, whose messages tell why there is no answer.
    pub is_ssh: bool,
}
