//! The messages of a command, and what all formats say of one in the same way.

use sha2::{Digest, Sha256};

use crate::{
    manifest::foreign::SkippedFile,
    model::{
        diagnostic::{Diagnostic, Severity},
        text::on_one_line,
    },
};

/// The messages of one command.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    /// The command, as it is typed: `check`.
    pub command: &'static str,
    /// The file that a message without a place is shown at: a forge shows nothing that has none.
    pub file: String,
    /// What is said.
    pub list: Vec<Diagnostic>,
    /// What would be said and is accepted for now.
    pub accepted: Vec<Accepted>,
    /// Files that were not read.
    pub skipped: Vec<SkippedFile>,
    /// Whether the command has no result.
    pub failed: bool,
    /// The root of the repository, from which files are seen; none outside of one.
    pub root: Option<String>,
}

/// A message that somebody accepts for now.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The message.
    pub diagnostic: Diagnostic,
    /// Why it is accepted, and until when.
    pub because: String,
}

/// A result with its messages.
#[derive(Debug)]
pub struct Reported<T> {
    /// The result.
    pub result: T,
    /// Its messages.
    pub diagnostics: Diagnostics,
}

/// A file, a line and a column as forges take them: the path with `/` and without `./` in front.
pub(super) fn place<'a>(diagnostics: &'a Diagnostics, diagnostic: &'a Diagnostic) -> (String, usize, usize) {
    let (file, line, column) = match &diagnostic.location {
        Some(location) => (location.file.as_str(), location.line, location.column),
        None => (diagnostics.file.as_str(), 1, 1),
    };
    (shown(file), line.max(1), column.max(1))
}

/// A path as forges take it: with `/`, and without `./` in front.
pub(super) fn shown(file: &str) -> String {
    let file = file.replace('\\', "/");
    on_one_line(file.strip_prefix("./").unwrap_or(&file)).into_owned()
}

/// What stays the same when lines move: the code, the file and what it is about.
pub(super) fn fingerprint(diagnostics: &Diagnostics, diagnostic: &Diagnostic) -> String {
    let (file, ..) = place(diagnostics, diagnostic);
    let subject = serde_json::to_string(&diagnostic.subject).expect("a subject can be written as JSON");
    let told = format!("{}\n{file}\n{subject}\n{}", diagnostic.code, diagnostic.message);
    data_encoding::HEXLOWER.encode(&Sha256::digest(told)[..16])
}

/// The severity in one of three words.
pub(super) const fn by_severity(severity: Severity, words: [&'static str; 3]) -> &'static str {
    match severity {
        Severity::Error => words[0],
        Severity::Warning => words[1],
        Severity::Notice => words[2],
    }
}
