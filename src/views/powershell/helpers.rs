//! The functions that steps call: those alone that a script needs, so that it can be read whole.

use std::collections::BTreeSet;

/// The helpers for a script that has these steps.
pub(super) fn needed(steps: &str) -> String {
    let blocks: Vec<&str> = HELPERS.trim_end().split("\n\n").collect();
    let mut kept: BTreeSet<usize> =
        (0..blocks.len()).filter(|index| name(blocks[*index]).is_none()).collect();
    let mut to_read = vec![steps];
    while let Some(text) = to_read.pop() {
        for (index, block) in blocks.iter().enumerate() {
            let called = name(block).is_some_and(|name| calls(text, name));
            if called && kept.insert(index) {
                to_read.push(block);
            }
        }
    }
    kept.into_iter().map(|index| blocks[index]).collect::<Vec<_>>().join("\n\n")
}

/// The function that a block defines.
fn name(block: &str) -> Option<&str> {
    let line = block.lines().find_map(|line| line.strip_prefix("function "))?;
    line.split(['(', ' ']).next()
}

/// Whether a text has a name as a whole word.
fn calls(text: &str, name: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '-';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part))
}

const HELPERS: &str = include_str!("helpers.ps1");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_called_is_there() {
        let few = needed("    $null = Get-TlsNameOf '' ''");
        for (name, is_there) in [
            ("Find-Certificate", true),
            ("ConvertTo-Certificate", true),
            ("Get-TlsName", true),
            ("Restart-Pools", false),
            ("Get-Backup", false),
        ] {
            assert_eq!(few.contains(&format!("function {name}(")), is_there, "{name}");
        }
        assert!(few.contains("$record"));
        assert!(HELPERS.is_ascii() && HELPERS.lines().all(|line| line.len() <= 120));
    }
}
