//! Text inside a PowerShell script. What was observed is foreign: it must not end a string or a comment.

use crate::model::action::CertRef;

/// A string that PowerShell takes as it is. It ends such a string at typographic single quotes too ("about_Quoting_Rules"),
/// so all of them are doubled; control characters have no place in what Exchange is given.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            quoted.push(character);
        }
        quoted.push(character);
    }
    quoted.push('\'');
    quoted
}

/// Several strings, as an argument that takes a list.
pub(super) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| quoted(&item.to_string())).collect();
    if items.is_empty() { "@()".into() } else { items.join(", ") }
}

/// A file of the folder that the shell is in. .NET has a current folder of its own, which is another one.
pub(super) fn in_this_folder(file: &str) -> String {
    format!("(Join-Path $PWD {})", quoted(file))
}

/// A certificate by its thumbprint, or by the variable that holds it.
pub(super) fn reference(certificate: CertRef) -> String {
    match certificate {
        CertRef::Known(thumbprint) => quoted(&thumbprint.to_string()),
        CertRef::FromStep(step) => format!("$certificate{step}"),
    }
}

/// A text on one line, for a comment.
pub(super) fn on_one_line(text: &str) -> String {
    let breaks = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    text.chars().map(|character| if breaks(character) { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_string_or_its_comment() {
        assert_eq!(quoted("Outbound to O'Neill"), "'Outbound to O''Neill'");
        assert_eq!(quoted("a\u{2019}; Remove-Item b"), "'a\u{2019}\u{2019}; Remove-Item b'");
        assert_eq!(quoted("$env:TEMP `n\r\n"), "'$env:TEMP `n'");
        assert_eq!(on_one_line("CN=a\r\nRemove-Item b\u{2028}c"), "CN=a  Remove-Item b c");
        assert_eq!(list(["a", "b"]), "'a', 'b'");
        assert_eq!(list::<&str>([]), "@()");
    }
}
