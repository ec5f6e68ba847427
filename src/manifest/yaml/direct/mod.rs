//! Ordinary texts straight into types, in one pass and without a copy: what nearly every manifest is made of. Keys and values
//! stand on one line; lists and mappings are indented or in brackets; there are no anchors, tags, block texts or odd
//! numbers. Whatever is more than that, or wrong, is unusual, and the reader with places has to look at it: nothing is decided
//! here that two parsers of YAML could see differently, and nothing is said.

mod access;
mod begun;
mod cursor;

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, MapAccess, Visitor, value::BorrowedStrDeserializer},
    forward_to_deserialize_any,
};

use self::{
    access::{Ahead, Keys, text_of_key},
    begun::{Begun, Owner, Scalar, Style, Unusual},
    cursor::Cursor,
};

/// Reads the document that these texts make up together.
pub(super) fn read<'a, T: Deserialize<'a>>(texts: &[&'a str]) -> Result<T, Unusual> {
    let mut sections = Sections::new();
    for (file, text) in texts.iter().enumerate() {
        add_sections(&mut sections, file, text)?;
    }
    T::deserialize(Document { sections: sections.into_iter() })
}

/// The top-level keys of all texts in their order, each with what stands behind it in one text or several.
type Sections<'a> = IndexMap<Cow<'a, str>, Vec<Part<'a>>>;

/// What one text has behind a top-level key.
struct Part<'a> {
    file: usize,
    text: &'a str,
}

/// Finds the top-level keys of a text, which begin in the first column.
fn add_sections<'a>(sections: &mut Sections<'a>, file: usize, text: &'a str) -> Result<(), Unusual> {
    let mut last: Option<(Cow<'a, str>, usize)> = None;
    let mut is_begun = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let begin = at;
        at += line.len();
        let content = line.strip_suffix('\n').unwrap_or(line);
        let content = content.strip_suffix('\r').unwrap_or(content);
        if !is_printable(content) {
            return Err(Unusual);
        }
        match content.as_bytes() {
            [] | [b'#', ..] => {}
            [b' ', ..] if last.is_some() || is_blank(content) => {}
            b"---" if !is_begun => is_begun = true,
            b"-" | [b'-', b' ', ..] if last.is_some() => {}
            _ => {
                is_begun = true;
                let mut cursor = Cursor::of_section(&text[begin..at]);
                let key = text_of_key(cursor.key(Style::Lines(0), true)?.ok_or(Unusual)?)?;
                if let Some((key, from)) = last.replace((key, begin + cursor.offset())) {
                    add(sections, key, Part { file, text: &text[from..begin] })?;
                }
            }
        }
    }
    // What holds nothing is a finding.
    let (key, from) = last.ok_or(Unusual)?;
    add(sections, key, Part { file, text: &text[from..] })
}

fn add<'a>(sections: &mut Sections<'a>, key: Cow<'a, str>, part: Part<'a>) -> Result<(), Unusual> {
    let parts = sections.entry(key).or_default();
    let is_twice = parts.last().is_some_and(|before| before.file == part.file);
    parts.push(part);
    if is_twice { Err(Unusual) } else { Ok(()) }
}

/// Whether a line holds nothing but a comment.
fn is_blank(line: &str) -> bool {
    let content = line.trim_start_matches(' ');
    content.is_empty() || content.starts_with('#')
}

/// Whether every parser takes the characters of a line, and takes none of them for its end.
fn is_printable(line: &str) -> bool {
    let plain = line.bytes().fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte));
    plain
        || line.chars().all(|char| match char {
            ' '..='~' => true,
            '\0'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
            _ => true,
        })
}

/// The whole document.
struct Document<'a> {
    sections: indexmap::map::IntoIter<Cow<'a, str>, Vec<Part<'a>>>,
}

impl<'a> Deserializer<'a> for Document<'a> {
    type Error = Unusual;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unusual> {
        let mut access = DocumentAccess { sections: self.sections, parts: Vec::new() };
        visitor.visit_map(&mut access)
    }

    forward_to_deserialize_any! {
        <W: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct DocumentAccess<'a> {
    sections: indexmap::map::IntoIter<Cow<'a, str>, Vec<Part<'a>>>,
    /// What belongs to the key that was read.
    parts: Vec<Part<'a>>,
}

impl<'a> MapAccess<'a> for DocumentAccess<'a> {
    type Error = Unusual;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Unusual> {
        let Some((key, parts)) = self.sections.next() else { return Ok(None) };
        self.parts = parts;
        // Only a key in quotation marks with `\` in it is no part of the text.
        let Cow::Borrowed(key) = key else { return Err(Unusual) };
        seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Unusual> {
        let parts = std::mem::take(&mut self.parts);
        let [Part { text, .. }] = parts.as_slice() else { return seed.deserialize(Joined { parts }) };
        let mut cursor = Cursor::of_section(text);
        let begun = cursor.value(0, Owner::Mapping)?;
        let value = seed.deserialize(Ahead { cursor: &mut cursor, begun })?;
        if cursor.is_at_end() { Ok(value) } else { Err(Unusual) }
    }
}

/// What several texts have behind the same top-level key: mappings, whose entries are put together, or the same text.
struct Joined<'a> {
    parts: Vec<Part<'a>>,
}

impl<'a> Deserializer<'a> for Joined<'a> {
    type Error = Unusual;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unusual> {
        let mut access =
            JoinedEntries { parts: self.parts.into_iter(), current: None, keys: Keys::default() };
        let value = visitor.visit_map(&mut access)?;
        if access.current.is_none() && access.parts.len() == 0 { Ok(value) } else { Err(Unusual) }
    }

    /// The format of the file: every file says it, and they have to agree.
    fn deserialize_enum<V: Visitor<'a>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        let mut agreed: Option<&str> = None;
        for Part { text, .. } in &self.parts {
            let mut cursor = Cursor::of_section(text);
            let word = match cursor.value(0, Owner::Mapping)? {
                Begun::Scalar(Scalar::Plain(word) | Scalar::Quoted(Cow::Borrowed(word))) => word,
                Begun::Scalar(_) | Begun::Mapping(_) | Begun::List(_) => return Err(Unusual),
            };
            if !cursor.is_at_end() || agreed.is_some_and(|agreed| agreed != word) || variants.len() > 1 {
                return Err(Unusual);
            }
            agreed = Some(word);
        }
        BorrowedStrDeserializer::new(agreed.ok_or(Unusual)?).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        <W: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The entries of one mapping after the other.
struct JoinedEntries<'a> {
    parts: std::vec::IntoIter<Part<'a>>,
    current: Option<(Cursor<'a>, Style, bool)>,
    keys: Keys,
}

impl<'a> MapAccess<'a> for JoinedEntries<'a> {
    type Error = Unusual;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Unusual> {
        loop {
            let Some((cursor, shape, is_first)) = &mut self.current else {
                let Some(Part { text, .. }) = self.parts.next() else { return Ok(None) };
                let mut cursor = Cursor::of_section(text);
                let Begun::Mapping(shape) = cursor.value(0, Owner::Mapping)? else { return Err(Unusual) };
                self.current = Some((cursor, shape, true));
                continue;
            };
            if let Some(key) = access::next_key(cursor, *shape, *is_first, &mut self.keys)? {
                *is_first = false;
                return access::deserialize_key(seed, key).map(Some);
            }
            if !cursor.is_at_end() {
                return Err(Unusual);
            }
            self.current = None;
        }
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Unusual> {
        let (cursor, shape, _) = self.current.as_mut().ok_or(Unusual)?;
        let begun = cursor.value_of_key(*shape)?;
        seed.deserialize(Ahead { cursor, begun })
    }
}

#[cfg(test)]
mod tests;
