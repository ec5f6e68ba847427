//! Meeting endpoints over the network: TLS at once, or after the words that SMTP, POP3 and IMAP4 have for it.
#![expect(clippy::disallowed_methods, reason = "the network is here")]

mod connect;
mod deadline;
mod handshake;
mod legacy_probe;
mod possession;
mod recording_verifier;
mod request;
pub mod roots;
pub mod smtp_logs;
mod starttls;

use std::time::{Duration, Instant};

use self::{deadline::Deadline, handshake::Meeting};
use crate::ports::{
    health::{Health, Page},
    prober::{Phase, Possession, ProbeError, Prober, Served, Target, Took, Unfinished, Unproved},
    tls::Alert,
};

/// Meets endpoints over TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network {
    /// How long a peer may take.
    pub patience: Patience,
}

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

impl Prober for Network {
    fn probe(&self, target: &Target) -> Result<Served, Unfinished> {
        let limits = self.patience.starting_now();
        let unfinished = match meet(target, limits) {
            Ok(meeting) => return Ok(meeting.leave(target.protocol)),
            Err(unfinished) => unfinished,
        };
        match unfinished {
            // It has shown its certificate and its key, and left because it wants to see ours.
            Unfinished { seen: Some(seen), .. } if seen.asks_for_client_certificate && is_signed(&seen) => {
                Ok(*seen)
            }
            Unfinished { error, seen: None } if may_be_old(&error) => {
                legacy_probe::look(target, limits, error)
            }
            unfinished => Err(unfinished),
        }
    }

    fn health(&self, target: &Target, page: Page) -> Result<Health, Unfinished> {
        let limits = self.patience.starting_now();
        let mut meeting = meet(target, limits)?;
        meeting.stream.begin(limits.patience.request);
        Ok(request::ask(meeting, target, page)?)
    }
}

impl Patience {
    /// So long for all together, and in proportion for the parts.
    pub fn of(total: Duration) -> Self {
        Self { connect: total / 3, greeting: total * 2 / 3, handshake: total * 2 / 3, request: total, total }
    }

    fn starting_now(self) -> Limits {
        Limits { ends: Instant::now() + self.total, patience: self }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::of(Duration::from_secs(15))
    }
}

/// Until when all has to be over, and how long each part may take.
#[derive(Clone, Copy)]
struct Limits {
    ends: Instant,
    patience: Patience,
}

fn meet(target: &Target, limits: Limits) -> Result<Meeting, Unfinished> {
    let mut door = Door::open(target, limits)?;
    door.stream.begin(limits.patience.handshake);
    handshake::shake_hands(door, target)
}

/// A connection at the point where the handshake begins.
struct Door {
    stream: Deadline,
    took: Took,
}

impl Door {
    fn open(target: &Target, limits: Limits) -> Result<Self, ProbeError> {
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

fn is_signed(served: &Served) -> bool {
    served.possession != Possession::Unproved(Unproved::NotSigned)
}

/// Whether a peer of the time before TLS 1.2, or without cipher suites of today, ends a handshake like this. Windows
/// closes the connection without an alert.
fn may_be_old(error: &ProbeError) -> bool {
    match error {
        ProbeError::NothingInCommon { .. }
        | ProbeError::LegacyOnly { .. }
        | ProbeError::Closed { phase: Phase::Handshake } => true,
        ProbeError::Alert { alert } => *alert != Alert::UNRECOGNIZED_NAME,
        ProbeError::UnknownHost { .. }
        | ProbeError::NoRoute { .. }
        | ProbeError::Refused { .. }
        | ProbeError::TimedOut { .. }
        | ProbeError::Closed { .. }
        | ProbeError::NotOffered { .. }
        | ProbeError::NotTls { .. }
        | ProbeError::Violation { .. }
        | ProbeError::Local { .. } => false,
    }
}

/// Foreign words, cut, and safe to show on a terminal.
fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let short: String = text.chars().take(LONGEST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", short.escape_debug())
}
