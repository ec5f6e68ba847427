//! The two sides of a server.

/// What a request is about, and so by which channel it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Cmdlets of Exchange.
    Exchange,
    /// IIS, Windows services, certificate stores.
    Windows,
}
