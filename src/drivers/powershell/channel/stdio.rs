//! A program whose standard input takes requests and whose standard output gives answers: a local PowerShell, or `ssh`
//! with one at its other end.

use std::{
    io::{self, Write},
    process::{Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use base64::prelude::{BASE64_STANDARD, Engine};
use zeroize::Zeroizing;

use super::{
    super::{
        error::PowerShellError,
        redaction::{redacted, redacted_end},
        request::Request,
        said::{LONGEST_LINE, one_line},
        script,
    },
    Channel, PeerProgram,
    environment::environment,
    frames::{Event, LARGEST_ANSWER, Tail, read_frames},
    ssh,
};
use crate::{model::secret::Secret, pki, process::Group};

/// A program that runs the driver script.
pub struct StdioChannel {
    group: Group,
    host: String,
    is_ssh: bool,
    nonce: String,
    input: Input,
    events: Receiver<Event>,
    stderr: Tail,
    noise: Tail,
    /// Whether an answer has come: until then it is the connection that fails.
    answered: bool,
    /// The computer that has to answer, where it has to be one and no other.
    computer: Option<String>,
    /// The SHA-256 of what it was sent.
    script_sha256: String,
    /// What the peer was given, and must not say.
    secrets: Vec<Secret>,
    /// Whether all of it that could write has ended.
    is_silent: bool,
}

impl StdioChannel {
    /// Starts the program and gives it the script. Nothing has answered yet when it returns.
    pub fn start(program: &PeerProgram, script: &str) -> Result<Self, PowerShellError> {
        let PeerProgram { program, arguments, host, is_ssh } = program;
        let not_started =
            |source| PowerShellError::NotStarted { program: program.to_string_lossy().into_owned(), source };
        let random = pki::ephemeral_password().map_err(|error| not_started(io::Error::other(error)))?;
        let nonce: String = random.expose_text().unwrap_or_default().chars().take(32).collect();
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(environment());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it starts can be ended with it, and so that Ctrl-C reaches certwright alone.
        let mut group = Group::start(command).map_err(not_started)?;
        let stdin = group.stdin();
        let (lines, to_write) = channel::<Zeroizing<Vec<u8>>>();
        let mut first = Zeroizing::new(format!("{}\n", script.len()).into_bytes());
        first.extend_from_slice(script.as_bytes());
        // The receiver is there until the thread ends; what it cannot write, nobody reads, and no answer comes.
        let _ = lines.send(first);
        thread::spawn(move || write_all(stdin, &to_write));
        let noise = Tail::default();
        let (sender, events) = sync_channel(WAITING_FRAMES);
        let (stdout, heard, own_nonce) = (group.stdout(), noise.clone(), nonce.clone());
        thread::spawn(move || read_frames(stdout, &own_nonce, &heard, &sender));
        let stderr = Tail::default();
        let (pipe, into) = (group.stderr(), stderr.clone());
        thread::spawn(move || into.collect(pipe));
        let input = Input(Arc::new(Mutex::new(Some(lines))));
        let stopped = input.clone();
        group.on_stop(move || {
            stopped.cancel();
            stopped.close();
        });
        Ok(Self {
            group,
            host: host.clone(),
            is_ssh: *is_ssh,
            nonce,
            input,
            events,
            stderr,
            noise,
            answered: false,
            computer: None,
            script_sha256: script::sha256(script),
            secrets: Vec::new(),
            is_silent: false,
        })
    }

    /// The same where the computer of this name has to answer and no other: its cmdlets act on themselves.
    #[must_use]
    pub fn to_computer(mut self, name: String) -> Self {
        self.computer = Some(name);
        self
    }

    /// Waits for an answer. What has taken something away is asked to put it back when the time is over, and gets a while for
    /// that before it is killed.
    fn wait(
        &mut self,
        patience: Duration,
        puts_back_within: Option<Duration>,
    ) -> Result<Vec<u8>, PowerShellError> {
        let ends = Instant::now() + patience;
        match self.next_event(ends) {
            Ok(Event::Frame(body)) => {
                self.answered = true;
                BASE64_STANDARD.decode(body).map_err(|error| self.broken(&error.to_string()))
            }
            Ok(Event::TooLarge) => {
                Err(self.broken(&format!("it is larger than {} MiB", LARGEST_ANSWER >> 20)))
            }
            Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => {
                self.is_silent = true;
                Err(self.died())
            }
            // It has ended, and something that it started keeps its output open.
            Err(RecvTimeoutError::Timeout) if Instant::now() < ends => Err(self.died()),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(within) = puts_back_within {
                    self.input.cancel();
                    // Whatever it answers now, the time was over: what it has done is looked at.
                    self.is_silent |= matches!(
                        self.next_event(Instant::now() + within),
                        Ok(Event::End) | Err(RecvTimeoutError::Disconnected)
                    );
                }
                self.kill();
                Err(PowerShellError::Deadline { host: self.host.clone(), after: patience })
            }
        }
    }

    /// What comes next, until then; or nothing, when the program has ended before, and a moment has passed for its last words.
    fn next_event(&mut self, ends: Instant) -> Result<Event, RecvTimeoutError> {
        let mut over = None;
        loop {
            let until = over.map_or(ends, |over: Instant| over.min(ends));
            let left = until.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left.min(GLANCE)) {
                Err(RecvTimeoutError::Timeout) if left > GLANCE => {}
                event => return event,
            }
            if over.is_none() && matches!(self.group.try_wait(), Ok(Some(_))) {
                over = Some(Instant::now() + GRACE);
            }
        }
    }

    /// What was sent is no answer; nothing more is believed of this peer.
    fn broken(&mut self, what: &str) -> PowerShellError {
        self.kill();
        let what = one_line(&redacted(what, &self.secrets), LONGEST_LINE);
        PowerShellError::Protocol { host: self.host.clone(), what }
    }

    /// Standard output is closed: the program has ended, or is about to.
    fn died(&mut self) -> PowerShellError {
        let status = self.ended_within(GRACE);
        self.kill();
        // Its last words may still be in the pipe.
        let ends = Instant::now() + GRACE;
        while !self.stderr.is_closed() && Instant::now() < ends {
            thread::sleep(Duration::from_millis(5));
        }
        let mut said = self.stderr.text();
        if said.trim().is_empty() {
            said = self.noise.text();
        }
        let (host, said) = (self.host.clone(), redacted_end(&said, &self.secrets));
        if self.is_ssh && !self.answered && status.and_then(|status| status.code()) == Some(ssh::FAILED) {
            return ssh::failure(host, &said);
        }
        // What the bootstrap ends with where policy restricts the language, in words or by the id of the error.
        let is_restricted = ["core types in this language mode", "core types", "ConstrainedLanguage"];
        if !self.answered && is_restricted.iter().any(|text| said.contains(text)) {
            let what = "PowerShell in ConstrainedLanguage mode".into();
            return PowerShellError::Unsuitable { host, what, needs: "FullLanguage" };
        }
        PowerShellError::Died { host, status, said }
    }

    fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let ends = Instant::now() + patience;
        loop {
            match self.group.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < ends => thread::sleep(Duration::from_millis(10)),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    fn kill(&mut self) {
        self.input.close();
        // Where all have closed their output there is nothing left to kill, once it has ended. Else something lives that it
        // has started, and the group is still its own.
        if !self.is_silent || matches!(self.group.try_wait(), Ok(None)) {
            self.group.kill_what_is_left();
        }
    }
}

impl Channel for StdioChannel {
    fn exchange(
        &mut self,
        id: u64,
        request: &Request,
        patience: Duration,
    ) -> Result<Vec<u8>, PowerShellError> {
        let line = request.line(id, &self.nonce)?;
        // A frame that nobody has asked for.
        match self.events.try_recv() {
            Ok(Event::Frame(_) | Event::TooLarge) => {
                return Err(self.broken("it comes before anything is asked"));
            }
            Ok(Event::End) => {
                self.is_silent = true;
                return Err(self.died());
            }
            Err(_) => {}
        }
        let new = request.secrets.iter().filter(|secret| !self.secrets.contains(secret));
        let new: Vec<Secret> =
            new.filter(|secret| secret.expose().len() <= LONGEST_SECRET).cloned().collect();
        self.secrets.extend(new);
        if line.len() > LARGEST_REQUEST {
            return Err(PowerShellError::Refused {
                what: "a request",
                value: format!("{} bytes", line.len()),
                why: "it is larger than 16 MiB",
            });
        }
        if self.input.send(line) { self.wait(patience, request.puts_back_within()) } else { Err(self.died()) }
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn computer(&self) -> Option<&str> {
        self.computer.as_deref()
    }

    fn script_sha256(&self) -> Option<&str> {
        Some(&self.script_sha256)
    }
}

impl Drop for StdioChannel {
    /// The script ends when its standard input does. It gets a moment to close its session with Exchange.
    fn drop(&mut self) {
        self.input.close();
        let has_ended = self.ended_within(GRACE).is_some();
        // Its reader says that it is silent, behind what nobody has asked for.
        let end = Instant::now() + GRACE;
        while has_ended && !self.is_silent {
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(Event::Frame(_)) => {}
                Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => self.is_silent = true,
                Ok(Event::TooLarge) | Err(RecvTimeoutError::Timeout) => break,
            }
        }
        if !self.is_silent {
            self.kill();
        }
    }
}

/// What is on its way to standard input. It is closed when nobody gives more.
#[derive(Clone)]
struct Input(Arc<Mutex<Option<Sender<Line>>>>);

/// A line on its way, which may hold secrets.
type Line = Zeroizing<Vec<u8>>;

impl Input {
    /// Whether somebody takes it.
    fn send(&self, line: Line) -> bool {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.as_ref().is_some_and(|lines| lines.send(line).is_ok())
    }

    /// Asks the script to give up what it has in hand, and to put back what it has taken away.
    fn cancel(&self) {
        // When nobody takes it, there is nothing in hand.
        self.send(Zeroizing::new(CANCEL.to_vec()));
    }

    fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The line that asks for it. It has no answer of its own.
const CANCEL: &[u8] = b"{\"v\":1,\"op\":\"cancel\"}\n";

/// Writes what there is to be written until nobody gives more.
fn write_all(stdin: Option<impl Write>, lines: &Receiver<Zeroizing<Vec<u8>>>) {
    let Some(mut stdin) = stdin else { return };
    while let Ok(line) = lines.recv() {
        if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

const LARGEST_REQUEST: usize = 16 << 20;
/// How long the last words of a program and its end are waited for.
const GRACE: Duration = Duration::from_secs(2);
/// How often a program is looked at that does not answer.
const GLANCE: Duration = Duration::from_millis(200);
/// How many frames wait to be taken: the one that was asked for.
const WAITING_FRAMES: usize = 1;
/// What is longer is a file that no message repeats.
const LONGEST_SECRET: usize = 1024;
