//! Meeting endpoints over the network: TLS at once, or after the words that SMTP, POP3 and IMAP4 have for it.
#![expect(clippy::disallowed_methods, reason = "the network is here")]

mod connect;
mod deadline;
mod door;
mod handshake;
mod legacy_probe;
mod mail;
mod possession;
mod recording_verifier;
mod request;
pub mod roots;
mod shown;
pub mod smtp_logs;
mod starttls;

pub use self::door::Patience;
use self::{
    door::{Door, Limits},
    handshake::Meeting,
};
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use crate::{
    model::handshake::{
        probe_error::{Phase, ProbeError, Unproved},
        tls::Alert,
    },
    ports::{
        health::{Health, Page},
        mail::{HandedOver, TestMessage},
        prober::{Possession, Prober, Served, Target, Unfinished},
    },
};

/// Meets endpoints over TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network {
    /// How long a peer may take.
    pub patience: Patience,
}

/// The address of this computer from which handshakes come to `host:port`.
///
/// # Errors
///
/// When its name leads nowhere, or no way leads there.
pub fn from_here(address: &str) -> Result<IpAddr, ProbeError> {
    connect::from_here(address, Instant::now() + LOOKUP)
}

/// How long a name may take that is only looked up.
const LOOKUP: Duration = Duration::from_secs(5);

impl Prober for Network {
    fn time_limit(&self) -> Duration {
        self.patience.total
    }

    fn probe(&self, target: &Target) -> Result<Served, Unfinished> {
        let begun = Instant::now();
        let met = probe(target, self.patience.starting_now(target.spent));
        met.map_err(|unfinished| Unfinished { took: begun.elapsed(), ..unfinished })
    }

    fn health(&self, target: &Target, page: Page) -> Result<Health, Unfinished> {
        let limits = self.patience.starting_now(target.spent);
        let mut meeting = meet(target, limits)?;
        meeting.stream.begin(limits.patience.request);
        Ok(request::ask(meeting, target, page)?)
    }

    fn hand_over(&self, target: &Target, message: &TestMessage) -> Result<HandedOver, Unfinished> {
        let limits = self.patience.starting_now(target.spent);
        let mut meeting = meet(target, limits)?;
        meeting.stream.begin(limits.patience.request);
        Ok(mail::hand_over(meeting, target, message)?)
    }
}

fn probe(target: &Target, limits: Limits) -> Result<Served, Unfinished> {
    let unfinished = match meet(target, limits) {
        Ok(meeting) => return Ok(meeting.leave(target.protocol)),
        Err(unfinished) => unfinished,
    };
    match unfinished {
        // It has shown its certificate and its key, and left because it wants to see ours.
        Unfinished { seen: Some(seen), .. } if seen.asks_for_client_certificate && is_signed(&seen) => {
            Ok(*seen)
        }
        Unfinished { error, seen: None, .. } if may_be_old(&error) => {
            legacy_probe::look(target, limits, error)
        }
        unfinished => Err(unfinished),
    }
}

fn meet(target: &Target, limits: Limits) -> Result<Meeting, Unfinished> {
    let mut door = Door::open(target, limits)?;
    door.stream.begin(limits.patience.handshake);
    handshake::shake_hands(door, target)
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
