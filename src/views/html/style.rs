//! The style that all pages share.

/// It.
pub(super) const STYLE: &str = include_str!("style.css");
