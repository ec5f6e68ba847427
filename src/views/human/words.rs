//! Small words of sentences.

/// `1 server`, `2 servers`.
pub(super) fn count(number: usize, one: &str) -> String {
    let plural = match one.strip_suffix('y') {
        Some(stem) if !one.ends_with("ay") => format!("{stem}ies"),
        _ => format!("{one}s"),
    };
    format!("{number} {}", if number == 1 { one.to_owned() } else { plural })
}
