//! From the bytes of a file to its text, when it is text at all.

use super::{kind::DocumentKind, secret::shows_one};
use crate::manifest::finding::{DocPath, Finding, Place, Severity};

/// A file as it was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as the user knows it.
    pub file: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The file's text.
pub(super) fn of(source: &Source) -> Result<&str, Finding> {
    let bytes = source.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&source.bytes);
    let start = || start(source);
    if bytes.len() > LARGEST {
        let what = format!("the file is larger than {} MiB", LARGEST / 1024 / 1024);
        let why = "No manifest is that large; it is probably another file.";
        return Err(bad(start(), what, why).hinted("name the right file, or split the manifest into several"));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let why = "Windows writes this for files saved as Unicode; YAML files are UTF-8.";
        return Err(bad(start(), "the file is UTF-16", why).hinted(
            "save it as UTF-8; `>` of Windows PowerShell writes UTF-16, so write files with `--out FILE` instead",
        ));
    }
    if bytes.contains(&0) {
        let why = "A manifest is a text file with YAML in it.";
        return Err(
            bad(start(), "the file is binary", why).hinted("name a YAML file or the directory that holds it")
        );
    }
    std::str::from_utf8(bytes).map_err(|error| not_utf8(source, bytes, error.valid_up_to()))
}

fn not_utf8(source: &Source, bytes: &[u8], at: usize) -> Finding {
    let before = &bytes[..at];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = String::from_utf8_lossy(&before[line_start..]);
    let place = Place {
        file: source.file.clone(),
        line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
        column: line.chars().count() + 1,
        text: if shows_one(&line) { String::new() } else { line.chars().take(200).collect() },
    };
    let what = format!("the byte 0x{:02X} is not UTF-8", bytes[at]);
    bad(place, what, "YAML files are UTF-8; another encoding would change names silently.")
        .hinted("save the file as UTF-8")
}

/// What is said of a file without content.
pub(super) fn empty(source: &Source, kind: DocumentKind) -> Finding {
    bad(start(source), "the file is empty", kind.no_empty_one).hinted(kind.start_from)
}

/// The beginning of a file.
pub(super) fn start(source: &Source) -> Place {
    Place { file: source.file.clone(), line: 1, column: 1, text: String::new() }
}

/// A text that cannot be read, at a place.
pub(super) fn bad(place: Place, what: impl Into<String>, why: &str) -> Finding {
    let mut finding = Finding::new("unreadable", Severity::Error, DocPath::root(), what, why);
    finding.place = Some(place);
    finding
}

/// Ten thousand servers that are spelled out make ten megabytes; three times that is room enough.
pub(crate) const LARGEST: usize = 32 * 1024 * 1024;
