//! Evidence of what endpoints serve.

use std::collections::BTreeMap;

use crate::model::{endpoint::Endpoint, names::PeerName, thumbprint::Thumbprint};

/// Evidence that every endpoint of a server or load balancer that should serve a certificate of the manifest was seen serving it. Only
/// `verify` makes it.
#[derive(Debug)]
pub struct Verified {
    served: BTreeMap<(PeerName, Endpoint), Thumbprint>,
}

impl Verified {
    /// Evidence out of handshakes that were all good. `verify::run` alone may call it (`tests/tidy.rs` sees to it).
    pub(crate) fn from_handshakes(served: BTreeMap<(PeerName, Endpoint), Thumbprint>) -> Self {
        Self { served }
    }

    /// What each endpoint was seen to serve.
    pub fn served(&self) -> &BTreeMap<(PeerName, Endpoint), Thumbprint> {
        &self.served
    }
}
