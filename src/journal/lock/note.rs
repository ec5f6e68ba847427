//! What a lock's file says.

use aws_lc_rs::error::Unspecified;
use serde::{Deserialize, Serialize};

use super::lease::Lease;
use crate::{
    journal::store::{unique, wall_clock},
    json::{self, Spacing},
    model::{
        entry::Holder,
        time::{Span, Timestamp},
    },
};

/// Who holds the lock. It holds no secrets: everybody who may look into the store may read it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Note {
    /// Who.
    pub(super) by: Holder,
    /// Since when.
    pub(super) since: Timestamp,
    /// Until when, if it is not renewed; by the holder's clock, for people. Programs count from when the file was
    /// written.
    expires: Timestamp,
    /// The length of the lease in seconds.
    pub(super) lease: u64,
    /// How often it was renewed. No two contents are the same, so that no two versions are.
    renewals: u64,
    /// Tells two locks of one holder apart.
    token: String,
}

impl Note {
    pub(super) fn new(by: &Holder, since: Timestamp, lease: Lease) -> Result<Self, Unspecified> {
        let lease = lease.length.as_secs();
        let token = unique()?;
        Ok(Self { by: by.clone(), since, expires: expires(lease), lease, renewals: 0, token })
    }

    /// The note of the next renewal.
    pub(super) fn renewed(&self) -> Self {
        Self { expires: expires(self.lease), renewals: self.renewals + 1, ..self.clone() }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        json::bytes(self, Spacing::Line).expect("a note can be written as JSON")
    }

    /// What the file says. Whatever it is that cannot be read, it was put there to hold the lock.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether both are notes of one and the same lock.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.token == other.token
    }
}

fn expires(lease: u64) -> Timestamp {
    wall_clock().plus(Span::seconds(i64::try_from(lease).unwrap_or(i64::MAX)))
}
