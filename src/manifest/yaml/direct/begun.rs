//! What can begin at a place of an ordinary text.

use std::borrow::Cow;

/// The text is no ordinary one.
#[derive(Debug, thiserror::Error)]
#[error("the text is not an ordinary one")]
pub(in crate::manifest::yaml) struct Unusual;

/// What begins at a place.
#[derive(Debug)]
pub(super) enum Begun<'a> {
    Scalar(Scalar<'a>),
    Mapping(Style),
    List(Style),
}

/// How a list or a mapping is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Style {
    /// Each entry on a line of its own, with this indentation.
    Lines(usize),
    Brackets,
}

/// A single value.
#[derive(Debug)]
pub(super) enum Scalar<'a> {
    /// Nothing stands there.
    Nothing,
    /// Without quotation marks: YAML decides what it is.
    Plain(&'a str),
    Quoted(Cow<'a, str>),
}

/// What a value on a line belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Mapping,
    List,
}
