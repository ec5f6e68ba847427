//! Commands of the user: started as they stand, with little around them and an end in sight.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{manifest::CommandLine, model::secret::Secret};

/// Where commands are started, and how long each may take.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    /// The manifest's directory, absolute.
    pub(super) base: PathBuf,
    pub(super) patience: Duration,
}

/// Why a command did not do what it is there for.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// It could not be started.
    #[error(
        "`{program}` cannot be started; if it stands in none of PATH's directories, write its whole path"
    )]
    NotStarted {
        /// The program.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It says that it failed.
    #[error("`{program}` ended with {status}{}", said(.stderr))]
    Failed {
        /// The program.
        program: String,
        /// Its exit code, or the signal that ended it.
        status: ExitStatus,
        /// The end of what it wrote to stderr.
        stderr: String,
    },
    /// It takes too long.
    #[error("`{program}` did not come to an end within {} s and was killed{}", .after.as_secs_f32(), said(.stderr))]
    TimedOut {
        /// The program.
        program: String,
        /// How long it had.
        after: Duration,
        /// The end of what it wrote to stderr.
        stderr: String,
    },
    /// It prints without end.
    #[error("`{program}` printed more than {LARGEST} bytes, which is no certificate")]
    TooMuch {
        /// The program.
        program: String,
    },
    /// Nobody can wait for it.
    #[error("`{program}` was started, and waiting for its end failed")]
    Wait {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ChildError {
    /// Whether the command itself came to an end and said that it failed. Anything else leaves open what it had done.
    pub(super) fn is_verdict(&self) -> bool {
        match self {
            Self::NotStarted { .. } => true,
            Self::Failed { status, .. } => status.code().is_some(),
            Self::TimedOut { .. } | Self::TooMuch { .. } | Self::Wait { .. } => false,
        }
    }
}

/// Runs a command to its end. What it prints on stdout goes nowhere.
pub(super) fn run(
    command: &CommandLine,
    around: &Surroundings,
    input: Option<&Secret>,
) -> Result<(), ChildError> {
    Running::start(command, around, input, Stdio::null())?.finish().map(drop)
}

/// Runs a command to its end and returns what it printed on stdout.
pub(super) fn output(command: &CommandLine, around: &Surroundings) -> Result<Secret, ChildError> {
    Running::start(command, around, None, Stdio::piped())?.finish()
}

/// As long as a load balancer takes to start the processes of its new configuration, or a part of it.
pub(super) fn pause() {
    thread::sleep(Duration::from_millis(200));
}

struct Running {
    program: String,
    child: Child,
    /// What stdout holds once it has been closed; none when there is too much.
    stdout: Option<Receiver<io::Result<Option<Secret>>>>,
    stderr: Tail,
    patience: Duration,
    ends: Instant,
}

impl Running {
    fn start(
        command: &CommandLine,
        around: &Surroundings,
        input: Option<&Secret>,
        stdout: Stdio,
    ) -> Result<Self, ChildError> {
        let program = command.program().to_owned();
        let not_started = |source| ChildError::NotStarted { program: program.clone(), source };
        let mut process = Command::new(located(&program, &around.base));
        process.args(command.arguments()).current_dir(&around.base).env_clear().envs(little_environment());
        process.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        process.stdout(stdout).stderr(Stdio::piped());
        // A group of its own, so that what it starts can be ended with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut process, 0);
        let mut child = process.spawn().map_err(not_started)?;
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input.cloned()) {
            // A command that does not want to hear it all is free to; its exit code says whether it got on without.
            thread::spawn(move || drop(pipe.write_all(input.expose())));
        }
        let stdout = child.stdout.take().map(|pipe| {
            let (sender, receiver) = channel();
            thread::spawn(move || drop(sender.send(read_bounded(pipe))));
            receiver
        });
        let stderr = Tail::of(child.stderr.take());
        let ends = Instant::now() + around.patience;
        Ok(Self { program, child, stdout, stderr, patience: around.patience, ends })
    }

    fn finish(mut self) -> Result<Secret, ChildError> {
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < self.ends => thread::sleep(GLANCE),
                Ok(None) => {
                    self.kill();
                    return Err(self.timed_out());
                }
                Err(source) => return Err(ChildError::Wait { program: self.program, source }),
            }
        };
        if !status.success() {
            // It ends by a signal when nobody reads on, and that was us.
            let printed = self.stdout.as_ref().and_then(|stdout| stdout.recv_timeout(GRACE).ok());
            if matches!(printed, Some(Ok(None))) {
                return Err(ChildError::TooMuch { program: self.program });
            }
            return Err(ChildError::Failed { stderr: self.stderr.text(), program: self.program, status });
        }
        let Some(stdout) = &self.stdout else { return Ok(Secret::new(Vec::new())) };
        match stdout.recv_timeout(self.ends.saturating_duration_since(Instant::now())) {
            Ok(Ok(Some(output))) => Ok(output),
            Ok(Ok(None)) => Err(ChildError::TooMuch { program: self.program }),
            Ok(Err(source)) => Err(ChildError::Wait { program: self.program, source }),
            // Something that it left behind still holds its stdout.
            Err(_) => Err(self.timed_out()),
        }
    }

    fn kill(&mut self) {
        // The child has not been waited for, so its process group cannot be somebody else's by now. When it ends in this
        // very moment there is nothing left to kill.
        #[cfg(unix)]
        if let Some(group) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        #[cfg(not(unix))]
        let _ = self.child.kill();
        // It was killed; whatever waiting says, there is nothing more to be done.
        let _ = self.child.wait();
    }

    fn timed_out(&self) -> ChildError {
        ChildError::TimedOut {
            program: self.program.clone(),
            after: self.patience,
            stderr: self.stderr.text(),
        }
    }
}

/// The end of what a process writes to stderr, collected while it runs.
struct Tail {
    bytes: Arc<Mutex<Vec<u8>>>,
    closed: Receiver<()>,
}

impl Tail {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (sender, closed) = channel();
        let into = Arc::clone(&bytes);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            let mut pipe = pipe;
            while let Some(Ok(count @ 1..)) = pipe.as_mut().map(|pipe| pipe.read(&mut chunk)) {
                let mut bytes = into.lock().unwrap_or_else(PoisonError::into_inner);
                bytes.extend_from_slice(&chunk[..count]);
                let surplus = bytes.len().saturating_sub(LONGEST_TAIL);
                bytes.drain(..surplus);
            }
            // Nobody may be waiting any more.
            let _ = sender.send(());
        });
        Self { bytes, closed }
    }

    /// What there is. A process that the command left behind may hold stderr for ever, so it is not waited for long.
    fn text(&self) -> String {
        let _ = self.closed.recv_timeout(GRACE);
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A program with a directory is relative to the manifest's; any other is looked for in PATH.
fn located(program: &str, base: &Path) -> PathBuf {
    if program.contains(std::path::is_separator) { base.join(program) } else { program.into() }
}

/// What every program needs to find others and its own settings, and nothing of what else there is in ours.
fn little_environment() -> impl Iterator<Item = (&'static str, OsString)> {
    ["PATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// All there is, or none when that is too much.
fn read_bounded(pipe: impl Read) -> io::Result<Option<Secret>> {
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    pipe.take(LARGEST + 1).read_to_end(&mut bytes)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= LARGEST);
    Ok(fits.then(|| Secret::new(std::mem::take(&mut *bytes))))
}

/// What a command said, as the end of a sentence: the last lines, safe to show on a terminal.
fn said(stderr: &str) -> String {
    let lines: Vec<String> = stderr
        .lines()
        .map(|line| line.trim().escape_debug().to_string())
        .filter(|line| !line.is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(MOST_LINES)..];
    if last.is_empty() { ", and said nothing".into() } else { format!(": {}", last.join("; ")) }
}

/// How often a running command is looked at.
const GLANCE: Duration = Duration::from_millis(10);
/// How long the last words of a command are waited for.
const GRACE: Duration = Duration::from_secs(1);
/// A chain of certificates is a few kilobytes.
const LARGEST: u64 = 1024 * 1024;
const LONGEST_TAIL: usize = 4096;
const MOST_LINES: usize = 8;
