//! A process that is talked to: lines from its stdout, bytes to its stdin, each with an end in sight.

use std::{
    io,
    process::{ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};

use super::{
    ProcessError, Program,
    group::Group,
    streams::{self, Tail},
};
use crate::model::secret::Secret;

/// A process that is talked to. Dropped before its end, it is killed with all that it started.
pub struct Child {
    program: String,
    group: Group,
    stdin: Option<Sender<Secret>>,
    lines: Receiver<io::Result<Option<Secret>>>,
    longest_line: u64,
    stderr: Tail,
}

impl Child {
    /// Starts a program to talk to. A line of its stdout may have at most `longest_line` bytes.
    pub fn spawn(program: &Program, longest_line: u64) -> Result<Self, ProcessError> {
        let mut group = program.start(Stdio::piped(), Stdio::piped())?;
        Ok(Self {
            program: program.name(),
            stdin: group.stdin().map(streams::writer),
            lines: streams::lines(group.stdout().expect("stdout is piped"), longest_line),
            stderr: Tail::of(group.stderr()),
            group,
            longest_line,
        })
    }

    /// Gives it these bytes to read. It returns at once: whether they were read, its answer says.
    pub fn send(&self, bytes: Secret) -> Result<(), ProcessError> {
        let sent = self.stdin.as_ref().is_some_and(|stdin| stdin.send(bytes).is_ok());
        if sent {
            Ok(())
        } else {
            Err(ProcessError::Deaf { program: self.name(), stderr: self.stderr.text() })
        }
    }

    /// Closes its stdin once everything that was sent is written, which for most programs means that they should end.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// The next line of its stdout, without its end; none when there will be no more. It is a [`Secret`] since it may
    /// hold one.
    pub fn line(&mut self, within: Duration) -> Result<Option<Secret>, ProcessError> {
        match self.lines.recv_timeout(within) {
            Ok(Ok(Some(line))) => Ok(Some(line)),
            Ok(Ok(None)) => {
                Err(ProcessError::TooMuch { program: self.name(), most: self.longest_line, in_a_line: true })
            }
            Ok(Err(source)) => Err(ProcessError::Wait { program: self.name(), source }),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(ProcessError::Silent {
                program: self.name(),
                after: within,
                stderr: self.stderr.so_far(),
            }),
        }
    }

    /// The end of what it wrote to stderr by now.
    pub fn stderr(&self) -> Option<String> {
        self.stderr.so_far()
    }

    /// Closes its stdin and waits for its end. When it has not come within that time, it is killed.
    pub fn finish(mut self, within: Duration) -> Result<(), ProcessError> {
        self.close_stdin();
        let ended = self.group.wait_until(Instant::now() + within);
        match ended.map_err(|source| ProcessError::Wait { program: self.name(), source })? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(self.failed(status)),
            None => {
                self.group.kill();
                let (program, stderr) = (self.name(), self.stderr.text());
                Err(ProcessError::TimedOut { program, after: within, stderr })
            }
        }
    }

    /// Kills it with all that it started.
    pub fn kill(&mut self) {
        self.group.kill();
    }

    fn failed(&self, status: ExitStatus) -> ProcessError {
        ProcessError::Failed { program: self.name(), status, stderr: self.stderr.text() }
    }

    fn name(&self) -> String {
        self.program.clone()
    }
}
