//! Meeting endpoints over the network: TLS at once, or after the words that SMTP, POP3 and IMAP4 have for it.
#![expect(clippy::disallowed_methods, reason = "the network is here")]

mod connect;
mod deadline;
mod glimpse;
mod handshake;
mod looker;
mod possession;
mod request;
pub mod roots;
mod starttls;

use std::time::{Duration, Instant};

use self::{deadline::Deadline, handshake::Meeting};
use crate::engine::{
    health::{Health, Page},
    prober::{Phase, Possession, ProbeError, Prober, Served, Target, Took, Unfinished, Unproved},
    tls::Alert,
};

/// Meets endpoints over TCP.
#[derive(Debug)]
pub struct Network {
    /// How long one meeting may take, from the name to the end of the handshake, a second look included.
    pub patience: Duration,
}

impl Prober for Network {
    fn probe(&self, target: &Target) -> Result<Served, Unfinished> {
        let ends = Instant::now() + self.patience;
        let unfinished = match meet(target, ends) {
            Ok(meeting) => return Ok(meeting.leave(target.protocol)),
            Err(unfinished) => unfinished,
        };
        match unfinished {
            // It has shown its certificate and its key, and left because it wants to see ours.
            Unfinished { seen: Some(seen), .. } if seen.asks_for_client_certificate && is_signed(&seen) => {
                Ok(*seen)
            }
            Unfinished { error, seen: None } if may_be_old(&error) => glimpse::look(target, ends, error),
            unfinished => Err(unfinished),
        }
    }

    fn health(&self, target: &Target, page: Page) -> Result<Health, Unfinished> {
        let ends = Instant::now() + self.patience;
        Ok(request::ask(meet(target, ends)?, target, page)?)
    }
}

impl Default for Network {
    fn default() -> Self {
        Self { patience: Duration::from_secs(10) }
    }
}

fn meet(target: &Target, ends: Instant) -> Result<Meeting, Unfinished> {
    handshake::shake_hands(Door::open(target, ends)?, target)
}

/// A connection at the point where the handshake begins.
struct Door {
    stream: Deadline,
    took: Took,
}

impl Door {
    fn open(target: &Target, ends: Instant) -> Result<Self, ProbeError> {
        let begun = Instant::now();
        let mut stream = Deadline::new(connect::connect(&target.address, ends)?, ends);
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
