//! The way to the point where a handshake begins, and how long it may take.

use std::time::{Duration, Instant};

use super::{connect, deadline::Deadline, starttls};
use crate::{
    model::handshake::probe_error::ProbeError,
    ports::prober::{Target, Took},
};

/// How long a peer may take, for each part of a meeting and for all of it.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// To be found and connected to.
    pub connect: Duration,
    /// To greet and to agree on TLS. Exchange delays its greeting for peers that it does not like (tarpitting, 5 s).
    pub greeting: Duration,
    /// To come to the end of the handshake.
    pub handshake: Duration,
    /// To answer a request for a page.
    pub request: Duration,
    /// For all together, a second look included.
    pub total: Duration,
}

impl Patience {
    /// So long for all together, and in proportion for the parts.
    pub fn of(total: Duration) -> Self {
        Self { connect: total / 3, greeting: total * 2 / 3, handshake: total * 2 / 3, request: total, total }
    }

    /// From now on, when so much of it is spent already.
    pub(super) fn starting_now(self, spent: Duration) -> Limits {
        Limits { ends: Instant::now() + self.total.saturating_sub(spent), patience: self }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::of(Duration::from_secs(15))
    }
}

/// Until when all has to be over, and how long each part may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) ends: Instant,
    pub(super) patience: Patience,
}

/// A connection at the point where the handshake begins.
pub(super) struct Door {
    pub(super) stream: Deadline,
    pub(super) took: Took,
}

impl Door {
    pub(super) fn open(target: &Target, limits: Limits) -> Result<Self, ProbeError> {
        let begun = Instant::now();
        let Limits { ends, patience } = limits;
        let connection = connect::connect(&target.address, ends.min(begun + patience.connect))?;
        let mut stream = Deadline::new(connection, ends);
        stream.begin(patience.greeting);
        let connected = Instant::now();
        starttls::ask_for_tls(&mut stream, target.protocol)?;
        stream.listen_anew();
        let took =
            Took { connect: connected - begun, greeting: connected.elapsed(), handshake: Duration::ZERO };
        Ok(Self { stream, took })
    }
}
