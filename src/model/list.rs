//! Lists as sentences have them.

use std::fmt;

/// A list with commas.
pub(super) fn joined<T: fmt::Display>(items: &[T]) -> String {
    listed(items, ", ")
}

/// A list with this between its parts.
pub(super) fn listed<T: fmt::Display>(items: &[T], separator: &str) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}
