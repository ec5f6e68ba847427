//! Thumbprints on a screen are short, `401024…1EC6`. Where there is room they are whole.

use std::{collections::BTreeMap, io};

use serde::Serialize;

use crate::json::{self, Spacing};

/// The thumbprints of a result, by their first six and last four digits.
#[derive(Debug, Default)]
pub struct Thumbprints(BTreeMap<(String, String), Option<String>>);

impl Thumbprints {
    /// All that a result holds, as its JSON has them.
    pub fn of<T: Serialize>(value: &T) -> io::Result<Self> {
        let mut known = Self::default();
        known.learn(value)?;
        Ok(known)
    }

    /// Those of another result too.
    pub fn learn<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        // Digits need no escapes, so a text that is a thumbprint stands between two quotes as it is.
        let written = json::bytes(value, Spacing::Line)?;
        String::from_utf8_lossy(&written).split('"').for_each(|text| self.add(text));
        Ok(())
    }

    fn add(&mut self, text: &str) {
        if text.len() != WHOLE || !text.bytes().all(is_digit) {
            return;
        }
        let ends = (text[..START].to_owned(), text[WHOLE - END..].to_owned());
        let found = self.0.entry(ends).or_insert_with(|| Some(text.to_owned()));
        // Two that look alike when short stay so.
        if found.as_deref() != Some(text) {
            *found = None;
        }
    }

    /// The text with each short thumbprint in full.
    pub fn whole(&self, text: &str) -> String {
        let mut whole = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('…') {
            let after = at + '…'.len_utf8();
            let (start, end) = (at.checked_sub(START), rest.get(after..after + END));
            let start = start.and_then(|start| rest.get(start..at));
            let found = start.zip(end).and_then(|(start, end)| {
                let ends = (start.to_owned(), end.to_owned());
                self.0.get(&ends).and_then(Option::as_deref)
            });
            if let Some(found) = found {
                whole.push_str(&rest[..at - START]);
                whole.push_str(found);
                rest = &rest[after + END..];
            } else {
                whole.push_str(&rest[..after]);
                rest = &rest[after..];
            }
        }
        whole + rest
    }
}

const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'A'..=b'F')
}

const WHOLE: usize = 40;
const START: usize = 6;
const END: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_thumbprint_becomes_the_one_that_it_stands_for() {
        let (one, twin, other) = (
            "8B46EB442EC26B401C7907DE5A5F106450C9198D",
            "8B46EB000000000000000000000000000000198D",
            "4010240000000000000000000000000000001EC6",
        );
        let known =
            Thumbprints::of(&serde_json::json!({ "steps": [{ "certificate": one }], other: null })).unwrap();
        assert_eq!(known.whole("bind 8B46EB…198D, 401024…1EC6."), format!("bind {one}, {other}."));
        for text in ["names …", "…", "EX01…EX24", "8B46EB…198", "8B46EB…0000", "ä8B46E…198D"] {
            assert_eq!(known.whole(text), text);
        }
        let twins = Thumbprints::of(&[one, twin]).unwrap();
        assert_eq!(twins.whole("8B46EB…198D"), "8B46EB…198D", "it could be either");
    }
}
