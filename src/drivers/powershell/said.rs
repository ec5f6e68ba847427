//! Texts of a peer, as far as people see them: one line each, bounded, and with nothing that moves a cursor, paints or turns
//! the reading direction.

use serde::{Deserialize, Deserializer};

/// A text as one line of at most so many characters.
pub(super) fn one_line(text: &str, longest: usize) -> String {
    let shown = text.chars().filter(|char| char.is_whitespace() || !is_odd(*char)).take(longest);
    shown.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Texts, a few and each as one line. What is left out is counted.
pub(super) fn lines(texts: &[String]) -> Vec<String> {
    let left_out = texts.len().saturating_sub(MOST_LINES);
    let shown = texts.iter().take(MOST_LINES).map(|text| one_line(text, LONGEST_LINE));
    let mut shown: Vec<String> = shown.filter(|text| !text.is_empty()).collect();
    if left_out > 0 {
        shown.push(format!("and {left_out} more"));
    }
    shown
}

/// A word of a peer.
pub(super) fn word<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    Ok(one_line(&String::deserialize(source)?, LONGEST_WORD))
}

/// A word of a peer, or none.
pub(super) fn optional_word<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(source)?;
    Ok(text.map(|text| one_line(&text, LONGEST_WORD)))
}

fn is_odd(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a message may have.
pub(super) const LONGEST_LINE: usize = 600;
/// What a name may have.
pub(super) const LONGEST_WORD: usize = 100;
const MOST_LINES: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_peer_are_plain_and_few() {
        assert_eq!(one_line("a\u{1b}[31mb\r\nc\u{202e}d\u{85} e", 100), "a[31mb cd e");
        assert_eq!(one_line(&"x".repeat(1000), 10), "x".repeat(10));
        let many = lines(&vec!["y\nz".to_owned(); 200_000]);
        assert_eq!((many.len(), many[0].as_str()), (MOST_LINES + 1, "y z"));
        assert_eq!(many[MOST_LINES], "and 199950 more");
    }
}
