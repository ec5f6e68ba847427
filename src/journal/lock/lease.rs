//! For how long a lock is good.

use std::time::Duration;

/// For how long a lock is good without being renewed, in whole seconds, and how often it is renewed.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// Its length.
    pub length: Duration,
    /// The time between renewals.
    pub renewal: Duration,
}

impl Default for Lease {
    fn default() -> Self {
        Self { length: Duration::from_secs(60), renewal: Duration::from_secs(20) }
    }
}

/// The lock's file.
pub(super) const LOCK: &str = "lock";
