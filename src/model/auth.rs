//! The Auth certificate as it should be.

use super::{
    desired::DesiredCertificate,
    thumbprint::Thumbprint,
    time::{Span, Timestamp},
};

/// The Auth certificate of an organization: what it should be, and how a successor takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredAuth {
    /// The certificate. Its servers are all of the manifest but Edge servers.
    pub certificate: DesiredCertificate,
    /// How long a successor is staged before it takes effect.
    pub effective_after: Span,
    /// How long after that the one before is still accepted.
    pub clear_previous_after: Span,
    /// The one that Microsoft 365 knows, as the manifest says.
    pub reported: Option<Thumbprint>,
}

impl DesiredAuth {
    /// When a successor that is staged now takes effect: at the first midnight after the time that every server needs to
    /// get it. A whole day, so that a plan that was reviewed in the morning still fits in the afternoon.
    pub fn effective(&self, now: Timestamp) -> Timestamp {
        now.plus(self.effective_after).next_midnight()
    }
}
