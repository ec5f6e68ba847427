//! What certwright needs from load balancers: to see the certificate they have, and to give them another.

use std::collections::BTreeMap;

use super::{BoxError, FoundDrained};
use crate::model::{
    bundle::Bundle,
    certificate::Certificate,
    endpoint::Endpoint,
    fact::Fact,
    names::{BalancerName, ServerName},
    organization::{self},
    thumbprint::Thumbprint,
};

/// A load balancer or reverse proxy that holds a copy of a certificate and its key.
pub trait Balancer: Send + Sync {
    /// The certificate it is configured with; none when there is none yet. Whether clients get it is for a handshake to
    /// say.
    fn observe(&self) -> Result<Option<Certificate>, BalancerError>;

    /// The certificate that the running process has, when it can be asked and that is another thing than what it is
    /// configured with.
    fn loaded(&self) -> Result<Option<Thumbprint>, BalancerError> {
        Ok(None)
    }

    /// Whether [`export`](Self::export) returns what it has.
    fn is_readable(&self) -> bool;

    /// What it has, with its chain and key; none when there is nothing, or nothing that can be read back.
    fn export(&self) -> Result<Option<Bundle>, BalancerError>;

    /// Gives it this certificate with its chain and key, and makes it serve it. All or nothing: when it fails, what was
    /// there before is still there and still served. Giving it what it has already is no error.
    fn install(&self, bundle: &Bundle) -> Result<(), BalancerError>;

    /// Sends this server no new clients any more, and waits until those that it has are gone, or a while has passed. Doing it
    /// twice is no error; taking out what somebody else has taken out is.
    fn take_out(&self, server: &ServerName, found: FoundDrained) -> Result<(), BalancerError> {
        let _ = found;
        Err(BalancerError::failed(format!("taking {server} out"), "this kind knows no servers"))
    }

    /// Sends it clients again. Doing it twice is no error.
    fn put_back(&self, server: &ServerName) -> Result<(), BalancerError> {
        Err(BalancerError::failed(format!("putting {server} back"), "this kind knows no servers"))
    }

    /// Removes files with keys that a process left which was killed while it installed something. Nobody else installs
    /// anything meanwhile. Returns how many there were.
    fn remove_leftovers(&self) -> Result<usize, BalancerError> {
        Ok(0)
    }

    /// Waits a moment. A reload has only begun when its command ends, and the processes of before go on accepting clients
    /// for a little.
    fn pause(&self);

    /// Where an endpoint of it can be met from here, as `host:port`.
    fn address(&self, endpoint: Endpoint) -> Result<String, BalancerError>;
}

/// The load balancers of a manifest.
pub type Balancers = BTreeMap<BalancerName, Box<dyn Balancer>>;

/// Why a load balancer could not be seen or changed.
#[derive(Debug, thiserror::Error)]
pub enum BalancerError {
    /// It did not work, and what was there before is still there and still served.
    #[error("{operation} failed")]
    Failed {
        /// What was tried, on what.
        operation: String,
        /// Why it failed.
        #[source]
        source: BoxError,
    },
    /// It went wrong, and what is served now is unknown: look before doing anything else.
    #[error("{operation} was interrupted, and what is served now is unknown")]
    OutcomeUnknown {
        /// What was tried, on what.
        operation: String,
        /// What went wrong.
        #[source]
        source: BoxError,
    },
}

impl BalancerError {
    /// Something that failed, with everything as it was before.
    pub fn failed(what: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::Failed { operation: what.into(), source: source.into() }
    }

    /// Whether it may have been done all the same.
    pub fn leaves_doubt(&self) -> bool {
        matches!(self, Self::OutcomeUnknown { .. })
    }

    /// Something that was interrupted, and nobody knows where.
    pub fn unknown(what: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::OutcomeUnknown { operation: what.into(), source: source.into() }
    }
}

/// What every load balancer has. One that cannot be seen is unknown, and says why.
pub fn observe(balancers: &Balancers) -> BTreeMap<BalancerName, organization::ObservedBalancer> {
    let seen = balancers.iter().map(|(name, balancer)| {
        let seen = balancer.observe().and_then(|certificate| Ok((certificate, balancer.loaded()?)));
        let (certificate, loaded) = match seen {
            Ok((certificate, loaded)) => (Fact::Known(certificate), loaded),
            Err(error) => (Fact::unknown(crate::model::causes::with_causes(&error)), None),
        };
        (
            name.clone(),
            organization::ObservedBalancer { certificate, loaded, readable: balancer.is_readable() },
        )
    });
    seen.collect()
}
