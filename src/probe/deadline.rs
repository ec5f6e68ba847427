//! A connection with one deadline for everything: a peer that sends a byte now and then does not get more time.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::engine::prober::ProbeError;

pub(super) struct Deadline {
    stream: TcpStream,
    ends: Instant,
}

impl Deadline {
    pub(super) fn new(stream: TcpStream, patience: Duration) -> Self {
        Self { stream, ends: Instant::now() + patience }
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.ends.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Deadline {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Deadline {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// What an input or output error means for the meeting.
pub(super) fn explain(error: &io::Error, during: &str) -> ProbeError {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ProbeError::TimedOut(during.into()),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            ProbeError::Handshake(format!("the peer closed the connection during the {during}"))
        }
        _ => ProbeError::Handshake(error.to_string()),
    }
}
