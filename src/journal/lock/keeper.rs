//! Keeping a lock: renewing it from a thread of its own, and knowing when it is lost.

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use super::{
    held::Held,
    lease::{LOCK, Lease},
    note::Note,
    process::ProcessLock,
};
use crate::journal::{
    StoreError,
    store::{BlobError, Blobs, Put, Version},
};

/// Why a lock is not ours any more. What was begun may be finished; nothing more may be begun.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LockLost {
    /// Somebody broke it and has it now.
    #[error("{who} has the lock in {place} since {since}", who = .0.who(), place = .0.place, since = .0.since)]
    Taken(Held),
    /// It is gone, or free: somebody removed it, or broke it and is done already.
    #[error("the lock in {0} was taken away")]
    Removed(String),
    /// It could not be renewed in time, so that somebody else may have it.
    #[error("the lock in {place} could not be renewed for {seconds} seconds, and its lease is over")]
    Lapsed {
        /// Where it is.
        place: String,
        /// Since when it could not be renewed.
        seconds: u64,
        /// Why not, when that is known.
        #[source]
        source: Option<Arc<BlobError>>,
    },
}

/// A lock that still says that its holder has it, although the holder is done.
#[derive(Debug, thiserror::Error)]
#[error("the lock in {place} could not be released")]
pub struct NotReleased {
    /// Where it is.
    pub place: String,
    /// For how many seconds others have to take it for held.
    pub lease: u64,
    /// Whether the operating system tells other processes of this machine that its holder is gone.
    pub ends_with_process: bool,
    /// Why not.
    pub source: BlobError,
}

/// The thread that renews, and what it shares with those who ask.
#[derive(Debug)]
pub(super) struct Keeper {
    shared: Arc<Shared>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    released: bool,
}

#[derive(Debug)]
pub(super) struct Shared {
    blobs: Arc<dyn Blobs>,
    process: Option<ProcessLock>,
    lease: Lease,
    /// Held while the store is asked, so that one renewal follows the other.
    renewing: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Clone, Debug)]
struct State {
    note: Note,
    version: Version,
    renewed: Moment,
    trouble: Option<Arc<BlobError>>,
    lost: Option<LockLost>,
}

/// A moment by two clocks. The one that only goes forward stands still while a machine sleeps; the other may be set.
#[derive(Clone, Copy, Debug)]
struct Moment(Instant, SystemTime);

impl Keeper {
    pub(super) fn start(shared: Shared) -> Result<Self, StoreError> {
        let mut keeper = Self { shared: Arc::new(shared), stop: None, thread: None, released: false };
        // From here on a failure releases the lock.
        if keeper.shared.process.is_none() {
            keeper.shared.prove()?;
        }
        let (stop, stopped) = mpsc::channel();
        let shared = keeper.shared.clone();
        let thread = thread::Builder::new().name("lock".into()).spawn(move || shared.keep(&stopped));
        keeper.stop = Some(stop);
        keeper.thread = Some(thread.map_err(StoreError::Thread)?);
        Ok(keeper)
    }

    pub(super) fn still_held(&self) -> Result<(), LockLost> {
        self.shared.still_held()
    }

    #[cfg(test)]
    pub(super) fn renew_now(&self) {
        self.shared.renew();
    }

    pub(super) fn release(&mut self) -> Result<(), NotReleased> {
        if std::mem::replace(&mut self.released, true) {
            return Ok(());
        }
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.shared.release()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The last resort, for a panic and the ways out before there is a lock to release: where it fails, the lease
        // runs out.
        let _ = self.release();
    }
}

impl Shared {
    pub(super) fn new(
        blobs: Arc<dyn Blobs>,
        note: Note,
        version: Version,
        process: Option<ProcessLock>,
        lease: Lease,
    ) -> Self {
        let state = State { note, version, renewed: Moment::now(), trouble: None, lost: None };
        Self { blobs, process, lease, renewing: Mutex::new(()), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic holds it")
    }

    /// Proves that the store keeps its promise. Some that speak the protocol of S3 do not know conditions: they take
    /// every write, and would give the lock to everybody who asks.
    fn prove(&self) -> Result<(), StoreError> {
        let State { note, version: first, .. } = self.state().clone();
        let broken = || StoreError::NoConditions(self.blobs.describe());
        let Put::Taken = self.blobs.create(LOCK, &note.to_bytes())? else { return Err(broken()) };
        let next = note.renewed();
        let renewed = Moment::now();
        let Put::Done(version) = self.blobs.replace(LOCK, &next.to_bytes(), &first)? else {
            return Err(broken());
        };
        let Put::Taken = self.blobs.replace(LOCK, &next.to_bytes(), &first)? else { return Err(broken()) };
        *self.state() = State { note: next, version, renewed, trouble: None, lost: None };
        Ok(())
    }

    /// Renews until it is told to stop or the lock is lost.
    fn keep(&self, stopped: &mpsc::Receiver<()>) {
        loop {
            let troubled = self.state().trouble.is_some();
            let pause = if troubled { self.lease.renewal / 4 } else { self.lease.renewal };
            match stopped.recv_timeout(pause) {
                Err(RecvTimeoutError::Timeout) => self.renew(),
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.state().lost.is_some() {
                return;
            }
        }
    }

    fn renew(&self) {
        let _turn = self.renewing.lock().expect("no panic holds it");
        let State { note, version, lost, .. } = self.state().clone();
        if lost.is_some() {
            return;
        }
        let renewed = Moment::now();
        let next = note.renewed();
        let put = self.blobs.replace(LOCK, &next.to_bytes(), &version);
        match put {
            Ok(Put::Done(version)) => {
                *self.state() = State { note: next, version, renewed, trouble: None, lost: None };
            }
            Ok(Put::Taken) => {
                let lost = self.who_has_it(&note);
                self.state().lost = Some(lost);
            }
            Err(error) => self.state().trouble = Some(Arc::new(error)),
        }
    }

    fn who_has_it(&self, ours: &Note) -> LockLost {
        let place = self.blobs.describe();
        match self.blobs.read(LOCK) {
            Ok(Some(blob))
                if !blob.bytes.is_empty() && !Note::read(&blob.bytes).is_some_and(|note| note.is(ours)) =>
            {
                LockLost::Taken(Held::of(&blob, place))
            }
            Ok(_) | Err(_) => LockLost::Removed(place),
        }
    }

    fn still_held(&self) -> Result<(), LockLost> {
        if self.state().renewed.age() >= self.lease.length {
            self.renew();
        }
        let State { renewed, trouble, lost, .. } = self.state().clone();
        match lost {
            Some(lost) => Err(lost),
            // While this process lives, the operating system keeps others out.
            None if self.process.is_some() || renewed.age() < self.lease.length => Ok(()),
            None => Err(LockLost::Lapsed {
                place: self.blobs.describe(),
                seconds: renewed.age().as_secs(),
                source: trouble,
            }),
        }
    }

    fn release(&self) -> Result<(), NotReleased> {
        let _turn = self.renewing.lock().expect("no panic holds it");
        let State { version, lost, .. } = self.state().clone();
        if lost.is_some() {
            return Ok(());
        }
        match self.blobs.replace(LOCK, b"", &version) {
            // When it was changed meanwhile, it is not ours to release.
            Ok(Put::Done(_) | Put::Taken) => Ok(()),
            Err(source) => Err(NotReleased {
                place: self.blobs.describe(),
                lease: self.lease.length.as_secs(),
                ends_with_process: self.process.is_some(),
                source,
            }),
        }
    }
}

impl Moment {
    fn now() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    fn age(self) -> Duration {
        self.0.elapsed().max(self.1.elapsed().unwrap_or_default())
    }
}
