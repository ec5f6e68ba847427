//! One writer at a time.
//!
//! The lock is a file that says who holds it. Its holder renews it by compare-and-swap; when it stops, because it was
//! killed or cannot reach the store, the lease runs out after a while. A lock that says nothing is free: releasing
//! empties it by compare-and-swap too, since no store removes a file only when it is still the one that was read.
//!
//! A lease is over by the clock of the store, which says when the file was written and what time it is now; clocks of
//! machines that differ do no harm. A holder counts its own lease from before it asked for the renewal, with a clock
//! that only goes forward and with the wall clock, so that it stops sooner than others may begin, also when the machine
//! was asleep.
//!
//! In a directory there is the operating system's lock besides, which ends with the process that holds it. So it is
//! known at once that a holder on this machine died, and a process that was only suspended is respected for as long as
//! it lives. On another machine, with which the directory is shared, that lock may or may not be seen: a lock that one
//! of its processes took is respected until its lease is over.

mod held;
mod keeper;
mod lease;
mod note;
mod process;
mod queue;

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

pub use self::{
    held::{Abandoned, Held, TakenOver},
    keeper::{LockLost, NotReleased},
    lease::Lease,
};
use self::{
    keeper::{Keeper, Shared},
    lease::LOCK,
    note::Note,
    process::ProcessLock,
    queue::Place,
};
use super::{
    StoreError,
    store::{Blob, BlobError, Blobs, Put},
};
use crate::model::{entry::Holder, time::Timestamp};

/// The lock. It is renewed while this lives. Who is done releases it; dropping it does too, as far as that goes.
#[derive(Debug)]
pub struct Lock {
    keeper: Keeper,
    taken_over: Option<TakenOver>,
}

/// How a lock is taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct LockOptions {
    /// Whether a lock whose lease is over is taken from its holder, when nothing else tells that the holder is gone.
    pub break_stale: bool,
    /// How long to wait for a lock that somebody else holds.
    pub timeout: Duration,
    /// For how long, and how often renewed.
    pub lease: Lease,
}

/// What is to be thought of a lock that is there.
enum Verdict {
    Free,
    Abandoned(TakenOver),
    Held(Held),
    Stale(Held),
}

impl Lock {
    pub(super) fn take(
        blobs: &Arc<dyn Blobs>,
        by: &Holder,
        at: Timestamp,
        options: &LockOptions,
    ) -> Result<Self, StoreError> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut place = None;
        loop {
            let refused = match attempt(blobs, by, at, options)? {
                Ok(lock) => return Ok(lock),
                Err(refused) => refused,
            };
            // Somebody who took the lock just now has not said yet who it is.
            let nameless = matches!(&refused, StoreError::Locked(held) if held.by.is_none());
            let patience = if nameless { options.timeout.max(FOR_A_NAME) } else { options.timeout };
            let left = patience.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(refused);
            }
            // In a directory those who wait stand in a queue: only the first tries, and often.
            if let (Some(directory), None, false) = (blobs.directory(), &place, options.timeout.is_zero()) {
                place = Some(Place::take(directory)?);
            }
            let Some(place) = &place else {
                thread::sleep(pause.min(left));
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            };
            thread::sleep(FIRST_PAUSE.min(left));
            while !place.is_first() {
                let left = patience.saturating_sub(begun.elapsed());
                if left.is_zero() {
                    return Err(refused);
                }
                thread::sleep(FIRST_PAUSE.min(left));
            }
        }
    }

    /// Asks whether the lock is still ours. A run asks before each step, and does nothing more when it is not.
    ///
    /// It answers from memory while the lease runs, and asks the store when it does not.
    pub fn still_held(&self) -> Result<(), LockLost> {
        self.keeper.still_held()
    }

    /// The lock that was taken over, if one was: somebody did not end in order.
    pub fn taken_over(&self) -> Option<&TakenOver> {
        self.taken_over.as_ref()
    }

    /// Releases the lock, and tells when that failed: to others it then looks as if its holder went on.
    pub fn release(self) -> Result<(), NotReleased> {
        let Self { mut keeper, taken_over: _ } = self;
        keeper.release()
    }
}

/// Tries once. Who is refused learns by whom.
fn attempt(
    blobs: &Arc<dyn Blobs>,
    by: &Holder,
    at: Timestamp,
    options: &LockOptions,
) -> Result<Result<Lock, StoreError>, StoreError> {
    let process = match blobs.directory() {
        None => None,
        Some(directory) => match ProcessLock::take(directory)? {
            Some(process) => Some(process),
            None => return Ok(Err(StoreError::Locked(living(blobs.as_ref())?))),
        },
    };
    let note = Note::new(by, at, options.lease).map_err(|error| StoreError::NoRandomness(error.into()))?;
    loop {
        let found = blobs.read(LOCK)?;
        let (put, taken_over) = match &found {
            None => (blobs.create(LOCK, &note.to_bytes())?, None),
            Some(blob) => {
                let taken_over = match judge(blob, by, process.is_some(), options, blobs.describe()) {
                    Verdict::Free => None,
                    Verdict::Abandoned(taken_over) => Some(taken_over),
                    Verdict::Held(held) => return Ok(Err(StoreError::Locked(held))),
                    Verdict::Stale(held) => return Ok(Err(StoreError::Stale(held))),
                };
                (blobs.replace(LOCK, &note.to_bytes(), &blob.version)?, taken_over)
            }
        };
        if let Put::Done(version) = put {
            let shared = Shared::new(blobs.clone(), note, version, process, options.lease);
            return Ok(Ok(Lock { keeper: Keeper::start(shared)?, taken_over }));
        }
    }
}

/// The holder of a lock whose process lives. It may be about to write who it is, or just have emptied the note.
fn living(blobs: &dyn Blobs) -> Result<Held, BlobError> {
    let blob = blobs.read(LOCK)?;
    let place = blobs.describe();
    Ok(blob.map_or_else(|| Held::nameless(place.clone()), |blob| Held::of(&blob, place.clone())))
}

/// Decides about a lock that is there. In a directory it is asked only once we have the operating system's lock.
fn judge(blob: &Blob, by: &Holder, in_directory: bool, options: &LockOptions, place: String) -> Verdict {
    if blob.bytes.is_empty() {
        return Verdict::Free;
    }
    let held = Held::of(blob, place);
    let over = blob.now > held.until;
    let of_this_machine = held.by.as_ref().is_some_and(|holder| holder.host == by.host);
    match (in_directory, over) {
        (true, _) if of_this_machine || over => {
            Verdict::Abandoned(TakenOver { from: held, because: Abandoned::ProcessEnded })
        }
        (false, true) if options.break_stale => {
            Verdict::Abandoned(TakenOver { from: held, because: Abandoned::LeaseOver })
        }
        (false, true) => Verdict::Stale(held),
        (true | false, _) => Verdict::Held(held),
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const FOR_A_NAME: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
