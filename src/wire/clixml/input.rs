//! From the bytes of a file to its text, and back to the place that an error is about.

use std::borrow::Cow;

use quick_xml::{
    escape::resolve_predefined_entity,
    events::{BytesDecl, BytesRef},
};

use super::error::{ClixmlError, Problem};
use crate::wire::shown;

/// The text of a file: UTF-8 with or without a byte order mark, or UTF-16.
pub(super) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, ClixmlError> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // Without a mark, the `<` with which XML begins tells it (XML 1.0 appendix F.1), and so do the brackets of JSON.
        [b'<' | b'{' | b'[', 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, b'<' | b'{' | b'[', ..] => utf16(bytes, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, ClixmlError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            Err(at(&good, good.len(), Problem::NotText("UTF-8")))
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, ClixmlError> {
    let pairs = bytes.chunks_exact(2);
    let whole = pairs.remainder().is_empty();
    let mut text = String::with_capacity(bytes.len() / 2);
    for char in char::decode_utf16(pairs.map(|pair| unit([pair[0], pair[1]]))) {
        match char {
            Ok(char) => text.push(char),
            Err(_) => return Err(at(&text, text.len(), Problem::NotText("UTF-16"))),
        }
    }
    if whole { Ok(text.into()) } else { Err(at(&text, text.len(), Problem::NotText("UTF-16"))) }
}

/// What a reference in text stands for: one of the five entities that every XML has, or a character by its number.
pub(super) fn resolved(reference: &BytesRef<'_>) -> Result<char, Problem> {
    if let Some(char) = reference.resolve_char_ref().map_err(|error| Problem::malformed(&error))? {
        return Ok(char);
    }
    let stands_for = resolve_predefined_entity(reference).and_then(|text| text.chars().next());
    stands_for.ok_or_else(|| Problem::Entity(shown(reference)))
}

/// Whether the XML declaration, when there is one that says it, is right about the encoding.
pub(super) fn encoding_is_ours(declaration: &BytesDecl<'_>) -> Result<(), Problem> {
    let Some(encoding) = declaration.encoding() else { return Ok(()) };
    let encoding = encoding.map_err(|error| Problem::malformed(&error))?;
    let ours = ["utf-8", "utf-16", "us-ascii"].iter().any(|ours| encoding.eq_ignore_ascii_case(ours));
    if ours { Ok(()) } else { Err(Problem::Encoding(shown(&encoding))) }
}

/// The error for a problem at an offset of the text. Lines and columns count from one, columns in characters.
pub(super) fn at(text: &str, offset: usize, problem: Problem) -> ClixmlError {
    let offset = (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    ClixmlError::At {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        problem,
    }
}
