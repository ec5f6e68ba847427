//! Texts of files, short and safe to show.

use crate::model::text::escaped;

/// A text from a capture that is short and safe to show.
pub(super) fn shown(text: &str) -> String {
    escaped(&text.chars().take(120).collect::<String>())
}

/// Some names of files, and how many there are besides.
pub(super) fn listed<'a>(files: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = files.len().saturating_sub(NAMED);
    let names: Vec<&str> = files.take(NAMED).collect();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", names.join(", "))
}

/// So many files are named in one line.
const NAMED: usize = 3;
