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
    /// How long a successor is staged before it takes effect, where the manifest says it.
    pub effective_after: Option<Span>,
    /// How long after that the one before is still accepted.
    pub clear_previous_after: Span,
    /// The one that Microsoft 365 knows, as the manifest says.
    pub reported: Option<Thumbprint>,
}

impl DesiredAuth {
    /// The shortest time that Exchange takes without asking (`Set-AuthConfig -NewCertificateEffectiveDate`).
    pub const SHORTEST: Span = Span::hours(48);
    /// The time in which a person with rights in Microsoft 365 is found.
    // facts 4.5
    pub const IN_HYBRID: Span = Span::days(14);

    /// When a successor that is staged now takes effect: at the first midnight after the time that every server needs to
    /// get it, and in a hybrid organization somebody to tell Microsoft 365 of it; sooner where the current one, which
    /// `ends` then, would not last so long and the manifest says nothing else. A whole day, so that a plan that was
    /// reviewed in the morning still fits in the afternoon.
    pub fn effective(&self, now: Timestamp, is_hybrid: bool, ends: Option<Timestamp>) -> Timestamp {
        let after = |span| now.plus(span).next_midnight();
        let usual = if is_hybrid { Self::IN_HYBRID } else { Self::SHORTEST };
        match self.effective_after {
            Some(said) => after(said),
            None if ends.is_some_and(|end| end <= after(usual)) => after(Self::SHORTEST),
            None => after(usual),
        }
    }
}
