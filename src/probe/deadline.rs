//! A connection with a deadline for each phase and one for everything: a peer that sends a byte now and then does not get
//! more time.

use crate::model::handshake::probe_error::{Phase, ProbeError};
use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

pub(super) struct Deadline {
    stream: TcpStream,
    ends: Instant,
    phase_ends: Instant,
    heard: Vec<u8>,
}

impl Deadline {
    pub(super) fn new(stream: TcpStream, ends: Instant) -> Self {
        Self { stream, ends, phase_ends: ends, heard: Vec::new() }
    }

    /// Begins a phase that may take so long, and never longer than all together.
    pub(super) fn begin(&mut self, phase: Duration) {
        self.phase_ends = self.ends.min(Instant::now() + phase);
    }

    /// Forgets what was heard, since what follows is another conversation.
    pub(super) fn listen_anew(&mut self) {
        self.heard.clear();
    }

    /// The first bytes that the peer sent.
    pub(super) fn heard(&self) -> &[u8] {
        &self.heard
    }
}

impl Read for Deadline {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.phase_ends)?))?;
        let count = self.stream.read(buffer)?;
        let wanted = count.min(FIRST_BYTES - self.heard.len());
        self.heard.extend(&buffer[..wanted]);
        Ok(count)
    }
}

impl Write for Deadline {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.phase_ends)?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// How much time is left; an error when there is none.
pub(super) fn left(ends: Instant) -> io::Result<Duration> {
    let left = ends.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// What an input or output error means for the meeting.
pub(super) fn explain(error: &io::Error, phase: Phase) -> ProbeError {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ProbeError::TimedOut { phase },
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::NotConnected
        | io::ErrorKind::BrokenPipe => ProbeError::Closed { phase },
        _ => ProbeError::Local { why: error.to_string() },
    }
}

/// Enough to recognize a protocol and to show its first words.
const FIRST_BYTES: usize = 64;
