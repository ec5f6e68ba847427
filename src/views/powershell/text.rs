//! Text inside a PowerShell script. What was observed is foreign: it must not end a string or a comment. And the script is
//! ASCII: Windows PowerShell reads a file without byte order mark in the code page of the machine, in which the bytes of
//! other characters may be quotes.

use crate::model::action::CertRef;

/// A string that PowerShell takes as it is. Other characters than those of ASCII are joined in by their numbers.
pub(super) fn quoted(text: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut plain = String::new();
    let is_plain = |character: char| character == ' ' || character.is_ascii_graphic();
    for character in text.chars() {
        if is_plain(character) {
            plain.push(character);
            if character == '\'' {
                plain.push(character);
            }
            continue;
        }
        // The first part decides that the sum is a string.
        if !plain.is_empty() || parts.is_empty() {
            parts.push(format!("'{plain}'"));
            plain.clear();
        }
        parts.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("[char]0x{unit:04X}")));
    }
    if !plain.is_empty() || parts.is_empty() {
        parts.push(format!("'{plain}'"));
    }
    match parts.as_slice() {
        [one] => one.clone(),
        _ => format!("({})", parts.join(" + ")),
    }
}

/// Several strings, as an argument that takes a list.
pub(super) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| quoted(&item.to_string())).collect();
    if items.is_empty() { "@()".into() } else { items.join(", ") }
}

/// A certificate by its thumbprint, or by the variable that holds it.
pub(super) fn reference(certificate: CertRef) -> String {
    match certificate {
        CertRef::Known(thumbprint) => quoted(&thumbprint.to_string()),
        CertRef::FromStep(step) => format!("$certificate{step}"),
    }
}

/// The signs of certwright's own sentences, as ASCII has them.
pub(super) fn plain_signs(text: &str) -> String {
    text.replace('\u{2026}', "...").replace(['\u{2013}', '\u{2014}'], "-")
}

/// A text on one line and in ASCII, for a comment.
pub(super) fn remark(text: &str) -> String {
    let mut plain = String::new();
    for character in plain_signs(text).chars() {
        match character {
            ' '..='~' => plain.push(character),
            _ if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') => plain.push(' '),
            _ => plain.push_str(&format!("[U+{:04X}]", u32::from(character))),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_string_or_its_comment() {
        for (text, expected) in [
            ("", "''"),
            ("Outbound to O'Neill", "'Outbound to O''Neill'"),
            ("a\u{2019}; Remove-Item b", "('a' + [char]0x2019 + '; Remove-Item b')"),
            ("\u{d1}", "('' + [char]0x00D1)"),
            ("a\tb", "('a' + [char]0x0009 + 'b')"),
            ("\u{1f600}!", "('' + [char]0xD83D + [char]0xDE00 + '!')"),
            ("$env:TEMP `n", "'$env:TEMP `n'"),
        ] {
            assert_eq!(quoted(text), expected);
        }
        assert_eq!(remark("CN=a\r\nRemove-Item b\u{2028}c"), "CN=a  Remove-Item b c");
        assert_eq!(remark("ESPA\u{d1}A \u{2026}"), "ESPA[U+00D1]A ...");
        assert_eq!(list(["a", "b"]), "'a', 'b'");
        assert_eq!(list::<&str>([]), "@()");
    }
}
