//! Until when something may take.

use std::time::{Duration, Instant};

/// A moment on this machine's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// How long there is still; nothing when it has passed.
    pub fn left(self) -> Option<Duration> {
        self.0.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// The same and so much more.
    pub(super) fn with_grace(self, grace: Duration) -> Self {
        Self(self.0 + grace)
    }
}
