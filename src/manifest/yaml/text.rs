//! Files as they are read: whether they are text at all.

use crate::manifest::finding::{DocPath, Finding, Place, Severity};

/// A file as it was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as the user knows it.
    pub file: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The file's text, when it is text at all.
pub(super) fn text_of(source: &Source) -> Result<&str, Finding> {
    let bytes = source.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&source.bytes);
    let start = || file_start(source);
    if bytes.len() > LARGEST {
        let what = format!("the file has {} bytes; the limit is {LARGEST}", bytes.len());
        let why = "No manifest is that large; it is probably another file.";
        return Err(bad(start(), what, why).hinted("name the right file, or split the manifest into several"));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let why = "Windows writes this for files saved as Unicode; YAML files are UTF-8.";
        return Err(bad(start(), "the file is UTF-16", why).hinted("save it as UTF-8"));
    }
    if bytes.contains(&0) {
        let why = "A manifest is a text file with YAML in it.";
        return Err(
            bad(start(), "the file is binary", why).hinted("name a YAML file or the directory that holds it")
        );
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let place = Place {
            file: source.file.clone(),
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
            text: String::from_utf8_lossy(&before[line_start..]).chars().take(200).collect(),
        };
        let what = format!("the byte 0x{:02X} is not UTF-8", bytes[error.valid_up_to()]);
        bad(place, what, "YAML files are UTF-8; another encoding would change names silently.")
            .hinted("save the file as UTF-8")
    })?;
    if text.trim().is_empty() { Err(empty(source)) } else { Ok(text) }
}

/// Something that is no manifest at all, at this place.
pub(super) fn bad(place: Place, what: impl Into<String>, why: &str) -> Finding {
    let mut finding = Finding::new("unreadable", Severity::Error, DocPath::root(), what, why);
    finding.place = Some(place);
    finding
}

/// A file without any content.
pub(super) fn empty(source: &Source) -> Finding {
    let why =
        "An empty manifest would mean that nothing is managed; a file that lost its content looks the same.";
    bad(file_start(source), "the file is empty", why)
        .hinted("see examples/contoso/manifest.yaml for one to start from")
}

/// The beginning of a file.
pub(super) fn file_start(source: &Source) -> Place {
    Place { file: source.file.clone(), line: 1, column: 1, text: String::new() }
}

/// Ten thousand servers make about one megabyte; four times that is room enough.
const LARGEST: usize = 4 * 1024 * 1024;
