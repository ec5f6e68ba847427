//! Keys that are made before somebody asks for them, on every core, while something else is done.

use std::{
    num::NonZero,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use rcgen::KeyPair;

use super::fresh::{KeyError, fresh};
use crate::model::key::KeySpec;

/// So many keys of one kind that are made ahead. When nobody wants the rest any more, no more are made.
#[derive(Debug)]
pub struct KeysAhead {
    spec: KeySpec,
    made: Mutex<Receiver<Result<KeyPair, KeyError>>>,
    #[cfg(test)]
    begun: Arc<AtomicUsize>,
}

impl KeysAhead {
    /// Begins to make them.
    pub fn begin(spec: KeySpec, count: usize) -> Self {
        let makers = thread::available_parallelism().map_or(1, NonZero::get).min(count);
        let (send, made) = sync_channel(MOST_WAITING);
        let begun = Arc::new(AtomicUsize::new(0));
        for _ in 0..makers {
            let (send, begun) = (send.clone(), Arc::clone(&begun));
            thread::spawn(move || {
                // Who wanted them may be gone.
                while begun.fetch_add(1, Ordering::Relaxed) < count && send.send(fresh(spec)).is_ok() {}
            });
        }
        Self {
            spec,
            made: Mutex::new(made),
            #[cfg(test)]
            begun,
        }
    }

    /// A key of this kind: one that was made ahead, as long as there are any.
    pub(super) fn make(&self, spec: KeySpec) -> Result<KeyPair, KeyError> {
        let made = || self.made.lock().ok()?.recv().ok();
        let ahead = if spec == self.spec { made() } else { None };
        ahead.unwrap_or_else(|| fresh(spec))
    }
}

/// Keys that wait to be taken; whoever takes them is seldom as slow as whoever makes them.
const MOST_WAITING: usize = 64;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rcgen::PublicKeyData;

    use super::*;

    #[test]
    fn keys_are_of_the_kind_that_is_asked_for_and_each_is_given_once() {
        let ahead = KeysAhead::begin(KeySpec::EcP256, 3);
        let keys: BTreeSet<Vec<u8>> =
            (0..5).map(|_| ahead.make(KeySpec::EcP256).unwrap().der_bytes().to_vec()).collect();
        assert_eq!(keys.len(), 5);
        assert!(keys.iter().all(|key| key.len() == 65));
        assert!(ahead.make(KeySpec::Rsa(2048)).unwrap().der_bytes().len() > 256);
    }

    #[test]
    fn whoever_makes_them_ends_with_the_one_who_wants_them() {
        let ahead = KeysAhead::begin(KeySpec::EcP256, usize::MAX);
        drop(ahead.make(KeySpec::EcP256).unwrap());
        let begun = Arc::clone(&ahead.begun);
        drop(ahead);
        // Each of them holds it until it ends.
        while Arc::strong_count(&begun) > 1 {
            thread::yield_now();
        }
    }
}
