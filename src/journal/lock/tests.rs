//! The lease, in a store whose clock, answers and manners are ours.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use super::*;
use crate::journal::store::{Version, tests::version};

/// A store in memory.
#[derive(Debug)]
struct Fake {
    files: Mutex<BTreeMap<String, Blob>>,
    clock: AtomicI64,
    is_down: AtomicBool,
    knows_conditions: bool,
}

impl Fake {
    /// Its clock is years from the machine's.
    fn new() -> Arc<Self> {
        Self::with(true)
    }

    fn with(knows_conditions: bool) -> Arc<Self> {
        Arc::new(Self {
            files: Mutex::default(),
            clock: AtomicI64::new(4_000_000_000),
            is_down: AtomicBool::new(false),
            knows_conditions,
        })
    }

    fn passes(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    fn goes_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    fn write(
        &self,
        path: &str,
        bytes: &[u8],
        allowed: impl Fn(Option<&Blob>) -> bool,
    ) -> Result<Put, BlobError> {
        self.reach()?;
        let mut files = self.files.lock().unwrap();
        if self.knows_conditions && !allowed(files.get(path)) {
            return Ok(Put::Taken);
        }
        let now = Timestamp::from_unix(self.clock.load(Ordering::SeqCst));
        let version = version(bytes);
        let blob = Blob { bytes: bytes.to_vec(), version: version.clone(), written: now, now };
        files.insert(path.to_owned(), blob);
        Ok(Put::Done(version))
    }

    fn reach(&self) -> Result<(), BlobError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(BlobError::Unreachable(self.describe(), "it is down".into()));
        }
        Ok(())
    }
}

impl Blobs for Fake {
    fn read(&self, path: &str) -> Result<Option<Blob>, BlobError> {
        self.reach()?;
        let now = Timestamp::from_unix(self.clock.load(Ordering::SeqCst));
        Ok(self.files.lock().unwrap().get(path).map(|blob| Blob { now, ..blob.clone() }))
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<Put, BlobError> {
        self.write(path, bytes, |there| there.is_none())
    }

    fn replace(&self, path: &str, bytes: &[u8], before: &Version) -> Result<Put, BlobError> {
        self.write(path, bytes, |there| there.is_some_and(|there| there.version.is(before)))
    }

    fn remove(&self, path: &str) -> Result<(), BlobError> {
        self.files.lock().unwrap().remove(path);
        self.reach()
    }

    fn list(&self, _: &str) -> Result<Vec<String>, BlobError> {
        unreachable!("a lock lists nothing")
    }

    fn read_all(&self, _: &[String]) -> Result<Vec<Blob>, BlobError> {
        unreachable!("a lock is one file")
    }

    fn describe(&self) -> String {
        "fake://store".into()
    }

    fn directory(&self) -> Option<&Path> {
        None
    }
}

fn take(store: &Arc<Fake>, user: &str, options: LockOptions) -> Result<Lock, StoreError> {
    let by = Holder { user: user.into(), host: "mgmt01".into(), process: 4711 };
    let blobs: Arc<dyn Blobs> = store.clone();
    Lock::take(&blobs, &by, "2026-03-02T09:14:07Z".parse().unwrap(), &options)
}

/// Leases of this length, which are never renewed by themselves.
fn leases(seconds: u64) -> LockOptions {
    let lease = Lease { length: Duration::from_secs(seconds), renewal: Duration::from_secs(1_000_000) };
    LockOptions { lease, ..LockOptions::default() }
}

const BREAK: LockOptions = LockOptions {
    break_stale: true,
    timeout: Duration::ZERO,
    lease: Lease { length: Duration::from_secs(60), renewal: Duration::from_secs(20) },
};

#[test]
fn a_second_writer_learns_who_is_first() {
    let store = Fake::new();
    let first = take(&store, "anna", leases(60)).unwrap();
    let refused = take(&store, "boris", LockOptions::default()).unwrap_err().to_string();
    assert_eq!(refused, "anna on mgmt01 (process 4711) has been applying since 2026-03-02T09:14:07Z");
    first.release().unwrap();
    let second = take(&store, "boris", LockOptions::default()).unwrap();
    assert!(second.taken_over().is_none());
    drop(second);
    assert!(store.read(LOCK).unwrap().unwrap().bytes.is_empty());
}

#[test]
fn a_lease_is_over_by_the_clock_of_the_store() {
    let store = Fake::new();
    let first = take(&store, "anna", leases(60)).unwrap();
    store.passes(60);
    let refused = take(&store, "boris", BREAK).unwrap_err();
    assert!(matches!(refused, StoreError::Locked(_)), "not even who may break it breaks it early: {refused}");
    store.passes(1);
    let refused = take(&store, "boris", LockOptions::default()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "anna on mgmt01 (process 4711) took the lock in fake://store at 2026-03-02T09:14:07Z and has not renewed it since 2096-10-02T07:06:40Z"
    );
    let second = take(&store, "boris", BREAK).unwrap();
    let taken_over = second.taken_over().unwrap();
    assert_eq!(
        (taken_over.because, taken_over.from.who().as_str()),
        (Abandoned::LeaseOver, "anna on mgmt01 (process 4711)")
    );
    // The first learns it with its next renewal, and does not take the lock away from the second.
    first.keeper.renew_now();
    let Err(LockLost::Taken(held)) = first.still_held() else { panic!("{:?}", first.still_held()) };
    assert_eq!(held.who(), "boris on mgmt01 (process 4711)");
    first.release().unwrap();
    second.still_held().unwrap();
    second.release().unwrap();
}

#[test]
fn a_renewal_begins_the_lease_anew() {
    let store = Fake::new();
    let first = take(&store, "anna", leases(60)).unwrap();
    store.passes(59);
    first.keeper.renew_now();
    store.passes(59);
    assert!(matches!(take(&store, "boris", BREAK), Err(StoreError::Locked(_))));
    first.still_held().unwrap();
}

#[test]
fn a_store_that_is_down_for_longer_than_the_lease_loses_the_lock() {
    let store = Fake::new();
    // A lease of no length is over as soon as it begins, so that each question goes to the store.
    let lock = take(&store, "anna", leases(0)).unwrap();
    store.goes_down(true);
    let lost = lock.still_held().unwrap_err();
    assert!(
        matches!(&lost, LockLost::Lapsed { source: Some(source), .. } if source.to_string() == "fake://store cannot be reached"),
        "{lost:?}"
    );
    store.goes_down(false);
    let _ = store.write(LOCK, b"{}", |_| true).unwrap();
    let lost = lock.still_held().unwrap_err();
    assert!(matches!(&lost, LockLost::Taken(held) if held.who() == "somebody"), "{lost:?}");
    store.remove(LOCK).unwrap();
    assert!(lock.still_held().is_err(), "what is lost stays lost");
}

#[test]
fn a_lock_that_was_not_taken_while_the_store_was_down_is_held_again() {
    let store = Fake::new();
    let lock = take(&store, "anna", leases(1)).unwrap();
    store.goes_down(true);
    thread::sleep(Duration::from_millis(1100));
    assert!(matches!(lock.still_held(), Err(LockLost::Lapsed { .. })));
    store.goes_down(false);
    lock.still_held().unwrap();
}

#[test]
fn a_lock_that_cannot_be_released_says_so_and_for_how_long_others_wait() {
    let store = Fake::new();
    let lock = take(&store, "anna", leases(60)).unwrap();
    store.goes_down(true);
    let not_released = lock.release().unwrap_err();
    assert_eq!(not_released.to_string(), "the lock in fake://store could not be released");
    assert_eq!((not_released.lease, not_released.ends_with_process), (60, false));
    store.goes_down(false);
    let refused = take(&store, "boris", LockOptions::default()).unwrap_err();
    assert!(matches!(refused, StoreError::Locked(_)), "{refused}");
    store.passes(61);
    take(&store, "boris", BREAK).unwrap().release().unwrap();
}

#[test]
fn a_store_without_conditions_gives_no_lock() {
    let store = Fake::with(false);
    let refused = take(&store, "anna", LockOptions::default()).unwrap_err();
    assert!(matches!(refused, StoreError::NoConditions(_)), "{refused}");
    assert!(store.read(LOCK).unwrap().unwrap().bytes.is_empty(), "nobody has to wait for it");
}

#[test]
fn what_cannot_be_read_is_a_lock_too() {
    for text in ["nothing", "{}", r#"{"by":{"user":"anna"}}"#, "\u{0}"] {
        let store = Fake::new();
        let _ = store.write(LOCK, text.as_bytes(), |_| true).unwrap();
        let refused = take(&store, "boris", BREAK).unwrap_err();
        assert!(matches!(&refused, StoreError::Locked(held) if held.by.is_none()), "{text}: {refused}");
        store.passes(61);
        take(&store, "boris", BREAK).unwrap();
    }
}

#[test]
fn a_lease_of_many_years_is_over_within_the_hour() {
    let store = Fake::new();
    let lock = take(&store, "anna", leases(u64::MAX / 1000)).unwrap();
    store.passes(3601);
    take(&store, "boris", BREAK).unwrap();
    drop(lock);
}

#[test]
fn who_waits_gets_the_lock_when_it_is_released() {
    let store = Fake::new();
    let first = take(&store, "anna", LockOptions::default()).unwrap();
    let patient = LockOptions { timeout: Duration::from_secs(60), ..LockOptions::default() };
    let second = thread::scope(|scope| {
        let waiting = scope.spawn(|| take(&store, "boris", patient));
        thread::sleep(Duration::from_millis(300));
        first.release().unwrap();
        waiting.join().unwrap()
    });
    assert!(second.unwrap().taken_over().is_none());
}

#[test]
fn a_lock_says_no_more_than_who_and_when() {
    let store = Fake::new();
    let _lock = take(&store, "anna", leases(60)).unwrap();
    let note: serde_json::Value = serde_json::from_slice(&store.read(LOCK).unwrap().unwrap().bytes).unwrap();
    let keys: Vec<&str> = note.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["by", "since", "expires", "lease", "renewals", "token"]);
}
