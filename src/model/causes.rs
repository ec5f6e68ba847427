//! An error and what it comes from, in one line, in words for people: numbers of the system and words of libraries say nothing
//! to whoever reads them.

use std::{error::Error, io};

/// An error with its causes, as one line; what a cause only repeats is not said again.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = without_number(&error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        let words = in_words(cause);
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}

/// What one error says, without its causes.
pub fn in_words(error: &(dyn Error + 'static)) -> String {
    if let Some(error) = error.downcast_ref::<io::Error>()
        && error.raw_os_error().is_some()
        && let Some(words) = of_system(error.kind())
    {
        return words.to_owned();
    }
    if let Some(error) = error.downcast_ref::<serde_json::Error>() {
        return of_json(error);
    }
    without_number(&error.to_string())
}

/// The usual errors of files, in the same words on every system.
fn of_system(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::NotFound => Some("there is no such file or directory"),
        io::ErrorKind::PermissionDenied => Some("permission denied"),
        io::ErrorKind::AlreadyExists => Some("something of this name is there already"),
        io::ErrorKind::NotADirectory => Some("a file is where a directory should be"),
        io::ErrorKind::IsADirectory => Some("it is a directory, not a file"),
        io::ErrorKind::StorageFull => Some("the disk is full"),
        io::ErrorKind::ReadOnlyFilesystem => Some("the file system is read-only"),
        _ => None,
    }
}

fn of_json(error: &serde_json::Error) -> String {
    let place = format!("(line {}, column {})", error.line(), error.column());
    if error.is_eof() {
        return format!("it ends too early {place}");
    }
    if error.is_syntax() {
        return format!("it is not JSON {place}");
    }
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or_else(|| text.clone(), |(what, _)| format!("{what} {place}"))
}

/// The text without the number that the system has for its error.
pub fn without_number(text: &str) -> String {
    let Some((before, after)) = text.split_once(" (os error ") else { return text.to_owned() };
    match after.split_once(')') {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{before}{}", without_number(rest))
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_and_of_libraries_are_in_plain_words() {
        let missing = io::Error::from_raw_os_error(2);
        assert_eq!(in_words(&missing), "there is no such file or directory");
        let broken = serde_json::from_str::<u32>("x").unwrap_err();
        assert_eq!(in_words(&broken), "it is not JSON (line 1, column 1)");
        let cut = serde_json::from_str::<Vec<u32>>("[1").unwrap_err();
        assert_eq!(in_words(&cut), "it ends too early (line 1, column 2)");
        for (text, plain) in [
            ("a.json: Too many open files (os error 24)", "a.json: Too many open files"),
            ("a (os error 1): b (os error 2)", "a: b"),
            ("a (os error x)", "a (os error x)"),
        ] {
            assert_eq!(without_number(text), plain);
        }
    }
}
