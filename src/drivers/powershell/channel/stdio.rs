//! A program whose standard input takes requests and whose standard output gives answers: a local PowerShell, or `ssh`
//! with one at its other end.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    process::{Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use base64::prelude::{BASE64_STANDARD, Engine};
use process_wrap::std::{ChildWrapper, CommandWrap};
use zeroize::Zeroizing;

use super::{
    super::{error::PowerShellError, request::Request},
    Cancellation, Channel, PeerProgram, ssh,
};
use crate::pki;

/// A program that runs the driver script.
pub struct StdioChannel {
    child: Box<dyn ChildWrapper>,
    host: String,
    is_ssh: bool,
    nonce: String,
    lines: Option<Sender<Zeroizing<Vec<u8>>>>,
    events: Receiver<Event>,
    stderr: Tail,
    noise: Tail,
    cancellation: Cancellation,
    /// Whether an answer has come: until then it is the connection that fails.
    answered: bool,
}

/// What comes from standard output.
enum Event {
    /// The body of a frame, still in Base64.
    Frame(Vec<u8>),
    /// A frame larger than is read.
    TooLarge,
    /// There is no more.
    End,
}

impl StdioChannel {
    /// Starts the program and gives it the script. Nothing has answered yet when it returns.
    pub fn start(
        program: &PeerProgram,
        script: &str,
        cancellation: Cancellation,
    ) -> Result<Self, PowerShellError> {
        let PeerProgram { program, arguments, host, is_ssh } = program;
        let not_started =
            |source| PowerShellError::NotStarted { program: program.to_string_lossy().into_owned(), source };
        let random = pki::ephemeral_password().map_err(|error| not_started(io::Error::other(error)))?;
        let nonce: String = random.expose_text().unwrap_or_default().chars().take(32).collect();
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(environment());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that what it starts can be ended with it, and so that Ctrl-C reaches certwright alone.
        let mut command = CommandWrap::from(command);
        #[cfg(unix)]
        command.wrap(process_wrap::std::ProcessGroup::leader());
        #[cfg(windows)]
        command.wrap(process_wrap::std::JobObject);
        let mut child = command.spawn().map_err(not_started)?;
        let stdin = child.stdin().take();
        let (lines, to_write) = channel::<Zeroizing<Vec<u8>>>();
        let mut first = Zeroizing::new(format!("{}\n", script.len()).into_bytes());
        first.extend_from_slice(script.as_bytes());
        // The receiver is there until the thread ends; what it cannot write, nobody reads, and no answer comes.
        let _ = lines.send(first);
        thread::spawn(move || write_all(stdin, &to_write));
        let noise = Tail::default();
        let (sender, events) = channel();
        let (stdout, heard, own_nonce) = (child.stdout().take(), noise.clone(), nonce.clone());
        thread::spawn(move || read_frames(stdout, &own_nonce, &heard, &sender));
        let stderr = Tail::default();
        let (pipe, into) = (child.stderr().take(), stderr.clone());
        thread::spawn(move || into.collect(pipe));
        Ok(Self {
            child,
            host: host.clone(),
            is_ssh: *is_ssh,
            nonce,
            lines: Some(lines),
            events,
            stderr,
            noise,
            cancellation,
            answered: false,
        })
    }

    fn wait(&mut self, patience: Duration) -> Result<Vec<u8>, PowerShellError> {
        let ends = Instant::now() + patience;
        loop {
            if self.cancellation.is_cancelled() {
                self.kill();
                return Err(PowerShellError::Cancelled { host: self.host.clone() });
            }
            let left = ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.kill();
                return Err(PowerShellError::Deadline { host: self.host.clone(), after: patience });
            }
            match self.events.recv_timeout(left.min(GLANCE)) {
                Ok(Event::Frame(body)) => {
                    self.answered = true;
                    return BASE64_STANDARD.decode(body).map_err(|error| self.broken(&error.to_string()));
                }
                Ok(Event::TooLarge) => {
                    return Err(self.broken(&format!("it is larger than {} MiB", LARGEST_ANSWER >> 20)));
                }
                Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => return Err(self.died()),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// What was sent is no answer; nothing more is believed of this peer.
    fn broken(&mut self, what: &str) -> PowerShellError {
        self.kill();
        PowerShellError::Protocol { host: self.host.clone(), what: what.into() }
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
        let host = self.host.clone();
        if self.is_ssh && !self.answered && status.and_then(|status| status.code()) == Some(ssh::FAILED) {
            return ssh::failure(host, &said);
        }
        PowerShellError::Died { host, status, said }
    }

    fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let ends = Instant::now() + patience;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < ends => thread::sleep(Duration::from_millis(10)),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    fn kill(&mut self) {
        self.lines = None;
        // When it has ended, or does in this very moment, there is nothing left to kill.
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.start_kill();
        }
        // It was killed; whatever waiting says, there is nothing more to be done.
        let _ = self.child.wait();
    }
}

impl Channel for StdioChannel {
    fn exchange(
        &mut self,
        id: u64,
        request: &Request,
        patience: Duration,
    ) -> Result<Vec<u8>, PowerShellError> {
        let line = request.line(id, &self.nonce);
        if line.len() > LARGEST_REQUEST {
            return Err(PowerShellError::Refused {
                what: "a request",
                value: format!("{} bytes", line.len()),
                why: "it is larger than 16 MiB",
            });
        }
        let sent = self.lines.as_ref().is_some_and(|lines| lines.send(line).is_ok());
        if sent { self.wait(patience) } else { Err(self.died()) }
    }

    fn host(&self) -> &str {
        &self.host
    }
}

impl Drop for StdioChannel {
    /// The script ends when its standard input does. It gets a moment to close its session with Exchange.
    fn drop(&mut self) {
        self.lines = None;
        if self.ended_within(GRACE).is_none() {
            self.kill();
        }
    }
}

/// Writes what there is to be written until nobody gives more.
fn write_all(stdin: Option<impl Write>, lines: &Receiver<Zeroizing<Vec<u8>>>) {
    let Some(mut stdin) = stdin else { return };
    while let Ok(line) = lines.recv() {
        if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

/// Tells frames from everything else that is printed: greetings, profiles, warnings of whatever kind. A frame is a line
/// that begins with 0x1E, the nonce of this process and a space.
fn read_frames(stdout: Option<impl Read>, nonce: &str, noise: &Tail, events: &Sender<Event>) {
    let head = [&[MARK], nonce.as_bytes(), b" "].concat();
    let mut line: Vec<u8> = Vec::new();
    // Whether the line is a frame; none while it is too short to tell.
    let mut is_frame: Option<bool> = None;
    let mut chunk = vec![0; 64 * 1024];
    let mut stdout = stdout;
    while let Some(Ok(count @ 1..)) = stdout.as_mut().map(|stdout| stdout.read(&mut chunk)) {
        let mut rest = &chunk[..count];
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
            rest = after.get(1..).unwrap_or_default();
            if is_frame == Some(false) {
                noise.push(part);
            } else {
                line.extend_from_slice(part);
                // A byte order mark may stand before the first line.
                if line.starts_with(BYTE_ORDER_MARK) {
                    line.drain(..BYTE_ORDER_MARK.len());
                }
                if is_frame.is_none() && line.len() >= head.len() + BYTE_ORDER_MARK.len() {
                    is_frame = Some(line.starts_with(&head));
                    if is_frame == Some(false) {
                        noise.push(&line);
                        line.clear();
                    }
                }
            }
            if line.len() > LARGEST_ANSWER / 3 * 4 {
                let _ = events.send(Event::TooLarge);
                return;
            }
            if end.is_some() {
                if is_frame == Some(true) {
                    let mut body = line.split_off(head.len());
                    while body.last() == Some(&b'\r') {
                        body.pop();
                    }
                    if events.send(Event::Frame(body)).is_err() {
                        return;
                    }
                }
                if is_frame.is_none() {
                    noise.push(&line);
                }
                noise.push(b"\n");
                line.clear();
                is_frame = None;
            }
        }
    }
    // Nobody may be waiting any more.
    let _ = events.send(Event::End);
}

/// The end of what a program says, collected while it runs.
#[derive(Clone, Default)]
struct Tail {
    bytes: Arc<Mutex<Vec<u8>>>,
    closed: Arc<AtomicBool>,
}

impl Tail {
    fn push(&self, part: &[u8]) {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend_from_slice(&part[part.len().saturating_sub(LONGEST_TAIL)..]);
        let surplus = bytes.len().saturating_sub(LONGEST_TAIL);
        bytes.drain(..surplus);
    }

    fn collect(&self, pipe: Option<impl Read>) {
        let mut chunk = [0; 4096];
        let mut pipe = pipe;
        while let Some(Ok(count @ 1..)) = pipe.as_mut().map(|pipe| pipe.read(&mut chunk)) {
            self.push(&chunk[..count]);
        }
        self.closed.store(true, Ordering::Release);
    }

    /// Whether there will be no more.
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// What PowerShell and `ssh` need of the environment, and nothing of what else there is in ours: secrets of the manifest
/// may be in it. `PSModulePath` is left out, so that Windows PowerShell does not find the modules of PowerShell 7.
fn environment() -> impl Iterator<Item = (&'static str, OsString)> {
    let ours = KEPT.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    // The messages of `ssh` are told apart.
    ours.chain([("LC_ALL", "C".into()), ("POWERSHELL_TELEMETRY_OPTOUT", "1".into())])
}

const KEPT: [&str; 32] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SSH_AUTH_SOCK",
    "KRB5CCNAME",
    "KRB5_CONFIG",
    "XDG_RUNTIME_DIR",
    "TMPDIR",
    "ALLUSERSPROFILE",
    "APPDATA",
    "COMPUTERNAME",
    "COMSPEC",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "LOGONSERVER",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "ProgramData",
    "ProgramFiles",
    "SystemDrive",
    "SystemRoot",
    "TEMP",
    "TMP",
    "USERDNSDOMAIN",
    "USERDOMAIN",
    "USERNAME",
    "USERPROFILE",
    "windir",
];
const MARK: u8 = 0x1e;
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
const LARGEST_REQUEST: usize = 16 << 20;
const LARGEST_ANSWER: usize = 64 << 20;
const LONGEST_TAIL: usize = 4096;
/// How often a waiting call looks whether it is cancelled.
const GLANCE: Duration = Duration::from_millis(100);
/// How long the last words of a program and its end are waited for.
const GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(stdout: &[u8]) -> (Vec<String>, String) {
        // Chunks of one byte and of all: how a stream is cut must not matter.
        let noise = Tail::default();
        let (sender, receiver) = channel();
        read_frames(Some(stdout), "ab12", &noise, &sender);
        drop(sender);
        let frames = receiver.iter().filter_map(|event| match event {
            Event::Frame(body) => Some(String::from_utf8(body).unwrap()),
            Event::TooLarge => Some("too large".into()),
            Event::End => None,
        });
        (frames.collect(), noise.text())
    }

    #[test]
    fn frames_are_told_from_everything_else() {
        for (case, stdout, expected) in [
            ("a frame", &b"\x1eab12 eHg=\n"[..], &["eHg="][..]),
            ("with a carriage return", b"\x1eab12 eHg=\r\n", &["eHg="]),
            ("after a byte order mark", b"\xef\xbb\xbf\x1eab12 eHg=\n", &["eHg="]),
            ("after a greeting", b"Welcome\nto us\n\x1eab12 eHg=\n", &["eHg="]),
            ("of somebody else", b"\x1eab13 eHg=\n", &[]),
            ("half of one", b"\x1eab12 eHg=", &[]),
            ("in the middle of a line", b"x\x1eab12 eHg=\n", &[]),
            ("two", b"\x1eab12 eHg=\n\n\x1eab12 eQ==\n", &["eHg=", "eQ=="]),
        ] {
            assert_eq!(bodies(stdout).0, expected, "{case}");
        }
    }

    #[test]
    fn noise_is_kept_for_a_while() {
        let mut stdout = b"'powershell.exe' is not recognized\n".to_vec();
        assert_eq!(bodies(&stdout).1.trim(), "'powershell.exe' is not recognized");
        stdout.extend(vec![b'x'; 3 * LONGEST_TAIL]);
        assert_eq!(bodies(&stdout).1.len(), LONGEST_TAIL);
    }
}
