//! Who holds a lock, or held it.

use std::fmt;

use super::{lease::Lease, note::Note};
use crate::{
    journal::store::{Blob, wall_clock},
    model::{
        entry::Holder,
        time::{Span, Timestamp},
    },
};

/// Who holds a lock, as far as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The holder. None when the lock's file cannot be read.
    pub by: Option<Holder>,
    /// Since when, by the holder's clock.
    pub since: Timestamp,
    /// When it was last renewed, by the store's clock.
    pub renewed: Timestamp,
    /// When its lease ends, or ended, by the store's clock.
    pub until: Timestamp,
    /// Where the lock is.
    pub place: String,
}

/// A lock that somebody left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenOver {
    /// Who had it.
    pub from: Held,
    /// How it is known that it was left.
    pub because: Abandoned,
}

/// How it is known that a lock was left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abandoned {
    /// The process that held it does not live any more.
    ProcessEnded,
    /// It was not renewed in time, and somebody said to break it.
    LeaseOver,
}

impl Held {
    pub(super) fn of(blob: &Blob, place: String) -> Self {
        let note = Note::read(&blob.bytes);
        let lease = note.as_ref().map_or(Lease::default().length.as_secs(), |note| note.lease);
        let lease = Span::seconds(i64::try_from(lease.min(LONGEST_LEASE)).unwrap_or(i64::MAX));
        Self {
            since: note.as_ref().map_or(blob.written, |note| note.since),
            by: note.map(|note| note.by),
            renewed: blob.written,
            until: blob.written.plus(lease),
            place,
        }
    }

    pub(super) fn nameless(place: String) -> Self {
        let now = wall_clock();
        Self { by: None, since: now, renewed: now, until: now, place }
    }

    /// Who it is, for a sentence.
    pub fn who(&self) -> String {
        match &self.by {
            Some(by) => format!("{by} (process {})", by.process),
            None => "somebody".into(),
        }
    }
}

impl fmt::Display for TakenOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, because } = self;
        match because {
            Abandoned::ProcessEnded => {
                write!(f, "{} took the lock at {} and ended without releasing it", from.who(), from.since)
            }
            Abandoned::LeaseOver => {
                write!(
                    f,
                    "{} took the lock at {} and last renewed it at {}",
                    from.who(),
                    from.since,
                    from.renewed
                )
            }
        }
    }
}

/// A file that is longer was written by another program; reading is bounded.
const LONGEST_LEASE: u64 = 3600;
