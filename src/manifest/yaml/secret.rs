//! Secrets that stand where only a reference to one may stand: what is said of them, and what is shown of their lines.

use serde_json::{Map, Value};

use super::{
    advice::{flow, last, named},
    schema::{Allowed, fields, needed},
};
use crate::manifest::finding::DocPath;

/// The types whose place in a manifest says where a secret is.
const TYPES: [&str; 2] = ["SecretRef", "BackupPassword"];

/// Whether what stands here says where a secret is.
pub(super) fn is_secret(allowed: &Allowed<'_>) -> bool {
    allowed.name.is_some_and(|name| TYPES.contains(&name))
}

/// Whether a field of the mapping says where a secret is.
pub(super) fn has_one(mapping: &Map<String, Value>, root: &Value) -> bool {
    fields(mapping).any(|(_, schema)| is_secret(&Allowed::by(schema, root)))
}

/// Whether what may stand here holds a place that says where a secret is.
pub(super) fn holds_one(allowed: &Allowed<'_>, root: &Value, depth: u8) -> bool {
    let of_fields = allowed.mapping.into_iter().flat_map(fields);
    let mut inside = of_fields.chain(allowed.ways.iter().copied());
    depth < DEEPEST
        && inside.any(|(_, schema)| {
            let allowed = Allowed::by(schema, root);
            is_secret(&allowed) || holds_one(&allowed, root, depth + 1)
        })
}

/// What is said of a value in the place of a secret's reference, and what to write.
pub(super) fn instead(allowed: &Allowed<'_>, path: &DocPath) -> (String, String) {
    let key = last(path).unwrap_or_default();
    let own =
        |kind: &str, form: &str| (format!("{} takes {kind}", named(path)), format!("write `{key}: {form}`"));
    if !allowed.ways.is_empty() {
        let none =
            if allowed.words.contains(&"none") { format!("; `{key}: none` for none") } else { String::new() };
        return (
            format!("{} takes a mapping that says where the secret is", named(path)),
            format!(
                "write `{key}: {{ env: NAME }}`, `{key}: {{ file: PATH }}` or `{key}: {{ command: [PROGRAM] }}`{none}"
            ),
        );
    }
    match (allowed.list, key.as_str()) {
        (Some(_), _) => own("a list with one item for each word", "[PROGRAM, ARGUMENT]"),
        (None, "file") => own("the path of a file", "PATH"),
        (None, "command") => own("texts", "[PROGRAM, ARGUMENT]"),
        (None, _) => own("a name", "NAME"),
    }
}

/// How what stands around a secret's reference is written.
pub(super) fn form(allowed: &Allowed<'_>, path: &DocPath) -> String {
    let key = last(path).unwrap_or_default();
    if let Some(example) = allowed.example {
        return format!("write `{key}: {}`", flow(example));
    }
    let words: Vec<&str> = match allowed.mapping {
        Some(mapping) => needed(mapping).collect(),
        None => allowed.ways.iter().map(|(word, _)| *word).take(1).collect(),
    };
    let entries: Vec<String> = words.iter().map(|word| format!("{word}: …")).collect();
    if entries.is_empty() {
        "write a mapping".into()
    } else {
        format!("write `{key}: {{ {} }}`", entries.join(", "))
    }
}

pub(super) fn kind_only(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a switch",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// Whether a line has a secret in clear: behind a key that sounds like one, or in an address.
pub(super) fn shows_one(line: &str) -> bool {
    let line = line.to_lowercase();
    let behind_key =
        WORDS.iter().any(|word| line.match_indices(word).any(|(at, _)| is_clear(&line[at + word.len()..])));
    behind_key || in_address(&line)
}

/// Whether a value in clear follows the rest of a key.
fn is_clear(rest: &str) -> bool {
    let rest =
        rest.trim_start_matches(|char: char| char.is_alphanumeric() || "_-\"'".contains(char)).trim_start();
    let Some(value) = rest.strip_prefix([':', '=']) else { return false };
    let value = value.trim_start();
    let end = value.find([',', '}', '#']).unwrap_or(value.len());
    let first = value[..end].trim();
    !value.starts_with(['{', '|', '>', '&', '*']) && !["", "none", "null", "~", "…"].contains(&first)
}

/// `https://user:password@host`.
fn in_address(line: &str) -> bool {
    line.split("://").skip(1).any(|rest| {
        let end = rest.find(['/', ' ', '"', '\'', '`']).unwrap_or(rest.len());
        rest[..end].split_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

/// The text without the passwords of the addresses in it; nothing where there is none.
pub(super) fn without_password(text: &str) -> Option<String> {
    if !in_address(text) {
        return None;
    }
    let mut parts = text.split("://");
    let first = parts.next().unwrap_or_default().to_owned();
    let veiled = |rest: &str| {
        let end = rest.find(['/', ' ', '"', '\'', '`']).unwrap_or(rest.len());
        match rest[..end].rfind('@') {
            Some(at) if rest[..at].contains(':') => format!("…{}", &rest[at..]),
            _ => rest.to_owned(),
        }
    };
    Some(parts.fold(first, |text, rest| format!("{text}://{}", veiled(rest))))
}

/// A secret's reference is at most one mapping below what is written in its place.
const DEEPEST: u8 = 2;
const WORDS: [&str; 9] =
    ["password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "api_key", "credential"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_show_a_secret() {
        for (line, shows) in [
            ("  password: hunter2", true),
            ("backup: { password: hunter2, issued: true }", true),
            ("backup: { \"password\": \"hunter2\" }", true),
            ("clientSecret: x", true),
            ("  password: { env: NAME }", false),
            ("  password: none", false),
            ("  password: # later", false),
            ("  password: |", false),
            ("  names: [password.contoso.com]", false),
            ("  address: https://me:hunter2@lb01", true),
            ("  address: https://lb01/me:a@b", false),
        ] {
            assert_eq!(shows_one(line), shows, "{line}");
        }
        let told = without_password("`https://me:hunter2@lb01` is not a host");
        assert_eq!(told.as_deref(), Some("`https://…@lb01` is not a host"));
        assert_eq!(without_password("https://lb01/"), None);
    }
}
