//! The way to a value while somebody walks there.

use crate::manifest::finding::DocPath;

/// The way to a value while the walk is there.
#[derive(Clone, Copy)]
pub(super) enum Trail<'t> {
    Root,
    Key(&'t Self, &'t str),
    Index(&'t Self, usize),
}

impl Trail<'_> {
    pub(super) fn path(&self) -> DocPath {
        match self {
            Self::Root => DocPath::root(),
            Self::Key(above, key) => above.path().key(key),
            Self::Index(above, index) => above.path().index(*index),
        }
    }
}
