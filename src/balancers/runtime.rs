//! HAProxy's Runtime API: one command and its answer for each connection (HAProxy management guide, section 9.3).

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use crate::{
    manifest::{BackendServer, RuntimeSocket},
    model::{secret::Secret, thumbprint::Thumbprint},
    ports::FoundDrained,
};

/// Why HAProxy did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(super) enum RuntimeError {
    /// Nobody can be talked to.
    #[error(
        "the Runtime API at {socket} does not answer; is HAProxy running, and is that its `stats socket`?"
    )]
    NoAnswer {
        /// Where it should be.
        socket: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Somebody else has taken it out.
    #[error(
        "{0} is in maintenance: somebody has put it there, so it is left alone; put it back when that is over"
    )]
    Maintenance(BackendServer),
    /// Somebody else drains it.
    #[error(
        "{0} is drained already, and not by certwright: somebody is at work there, so it is left as it is; set it ready when that \
         is over, and run the same command again"
    )]
    Drained(BackendServer),
    /// It says no.
    #[error("HAProxy refuses `{command}`: {answer}")]
    Refused {
        /// The command, without the key.
        command: String,
        /// What it says.
        answer: String,
    },
}

/// The way to a running HAProxy.
pub(super) struct Runtime {
    pub(super) socket: RuntimeSocket,
    /// The certificate, as HAProxy calls it.
    pub(super) name: String,
    /// Where a relative path begins.
    pub(super) base: std::path::PathBuf,
    pub(super) patience: Duration,
}

impl Runtime {
    /// The certificate that the process has in memory under this name; none when it does not say.
    pub(super) fn loaded(&self) -> Result<Option<Thumbprint>, RuntimeError> {
        let command = format!("show ssl cert {}", self.name);
        let answer = self.ask(&command, None)?;
        if !answer.contains("Filename:") {
            return Err(refused(&command, &answer));
        }
        let line = answer.lines().find_map(|line| line.strip_prefix("SHA1 FingerPrint:"));
        Ok(line.and_then(|hash| hash.trim().parse().ok()))
    }

    /// Puts a certificate in place of the present one. Nothing has changed when it fails.
    pub(super) fn replace(&self, bundle: &Secret) -> Result<(), RuntimeError> {
        let set = format!("set ssl cert {}", self.name);
        let answer = self.ask(&set, Some(bundle))?;
        if !answer.contains("Transaction created") && !answer.contains("Transaction updated") {
            return Err(refused(&set, &answer));
        }
        let commit = format!("commit ssl cert {}", self.name);
        let answer = self.ask(&commit, None)?;
        if answer.contains("Success!") {
            return Ok(());
        }
        // Whether it can be abandoned makes no difference: what was not committed is not served.
        let _ = self.ask(&format!("abort ssl cert {}", self.name), None);
        Err(refused(&commit, &answer))
    }

    /// Sends a server no new clients any more; one that somebody else has taken out stays as it is.
    pub(super) fn drain(&self, server: &BackendServer, found: FoundDrained) -> Result<(), RuntimeError> {
        let command = format!("show servers state {}", server.backend());
        let state = self.column(&command, server.server(), &["srv_name", "srv_admin_state"])?;
        if state.is_none_or(|state| state & MAINTENANCE != 0) {
            return Err(RuntimeError::Maintenance(server.clone()));
        }
        if found == FoundDrained::Foreign && state.is_some_and(|state| state & DRAINED != 0) {
            return Err(RuntimeError::Drained(server.clone()));
        }
        self.set_state(server, "drain")
    }

    /// Sends it clients again.
    pub(super) fn ready(&self, server: &BackendServer) -> Result<(), RuntimeError> {
        self.set_state(server, "ready")
    }

    /// How many clients it has; none when HAProxy does not say.
    pub(super) fn clients(&self, server: &BackendServer) -> Result<Option<u32>, RuntimeError> {
        let command = format!("show stat {} 4 -1", server.backend());
        self.column(&command, server.server(), &["svname", "scur"])
    }

    fn set_state(&self, server: &BackendServer, state: &str) -> Result<(), RuntimeError> {
        let command = format!("set server {server} state {state}");
        let answer = self.ask(&command, None)?;
        if answer.trim().is_empty() { Ok(()) } else { Err(refused(&command, &answer)) }
    }

    /// The number in the second of two columns, in the row that has this text in the first. A table begins with a line of its
    /// columns after `#`, and separates them by commas or blanks (management guide 9.1, 9.3).
    fn column(&self, command: &str, row: &str, columns: &[&str; 2]) -> Result<Option<u32>, RuntimeError> {
        let answer = self.ask(command, None)?;
        let words = |line: &str| -> Vec<String> {
            let separator = if line.contains(',') { ',' } else { ' ' };
            line.trim_start_matches('#').trim().split(separator).map(str::to_owned).collect()
        };
        let head = answer.lines().find(|line| line.starts_with('#')).map(words);
        let places = head.and_then(|head| {
            let place = |column: &str| head.iter().position(|word| word == column);
            Some((place(columns[0])?, place(columns[1])?))
        });
        let Some((key, value)) = places else { return Err(refused(command, &answer)) };
        let mut rows = answer.lines().filter(|line| !line.starts_with('#')).map(words);
        let found = rows.find(|words| words.get(key).is_some_and(|word| word == row));
        let found = found.ok_or_else(|| refused(command, &answer))?;
        Ok(found.get(value).and_then(|number| number.parse().ok()))
    }

    fn ask(&self, command: &str, payload: Option<&Secret>) -> Result<String, RuntimeError> {
        self.talk(command, payload)
            .map_err(|source| RuntimeError::NoAnswer { socket: self.socket.to_string(), source })
    }

    fn talk(&self, command: &str, payload: Option<&Secret>) -> io::Result<String> {
        let mut stream: Box<dyn Stream> = match &self.socket {
            RuntimeSocket::Loopback(address) => {
                let stream = TcpStream::connect_timeout(address, self.patience)?;
                stream.set_read_timeout(Some(self.patience))?;
                stream.set_write_timeout(Some(self.patience))?;
                Box::new(stream)
            }
            RuntimeSocket::Path(path) => connect(&self.base.join(path), self.patience)?,
        };
        match payload {
            None => stream.write_all(format!("{command}\n").as_bytes())?,
            Some(payload) => {
                // An empty line ends the payload.
                stream.write_all(format!("{command} <<\n").as_bytes())?;
                stream.write_all(payload.expose())?;
                stream.write_all(b"\n")?;
            }
        }
        let mut answer = Vec::new();
        stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

#[cfg(unix)]
fn connect(path: &Path, patience: Duration) -> io::Result<Box<dyn Stream>> {
    let stream = std::os::unix::net::UnixStream::connect(path)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    Ok(Box::new(stream))
}

#[cfg(not(unix))]
fn connect(path: &Path, _: Duration) -> io::Result<Box<dyn Stream>> {
    use crate::model::shown::ShowPath;
    let why = format!("{} is a socket in the file system, which this system does not have", path.shown());
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}

/// The first lines of the answer, safe to show.
fn refused(command: &str, answer: &str) -> RuntimeError {
    let lines: Vec<String> = answer
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(4)
        .map(|line| crate::model::text::escaped(line.trim()))
        .collect();
    let answer = if lines.is_empty() { "it says nothing".into() } else { lines.join("; ") };
    RuntimeError::Refused { command: command.to_owned(), answer: answer.chars().take(400).collect() }
}

const LONGEST_ANSWER: u64 = 1024 * 1024;

/// The bits of `srv_admin_state` for a server in maintenance: forced, inherited, of the configuration, unresolved.
const MAINTENANCE: u32 = 0x01 | 0x02 | 0x04 | 0x20;
/// The bits for one that is drained: forced, inherited.
const DRAINED: u32 = 0x08 | 0x10;
