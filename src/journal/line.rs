//! The lines of a journal: JSON of an entry, and before it who wrote it.
//!
//! The lock keeps two writers apart, but nothing keeps a process that was stopped for long from waking after it lost the lock, and
//! from writing once more before it looks. So each line says whose it is, and the first of a writer that it takes over from here. What a
//! writer says after another one took over does not count.

use super::store::unique;
use crate::{
    json::{self, Spacing},
    model::entry::Entry,
    ports::BoxError,
};

/// Who writes lines: a token for each time that a journal is opened for writing.
#[derive(Debug)]
pub(super) struct Writer {
    token: String,
    is_first: bool,
}

/// A line that was read.
pub(super) struct Line {
    /// Its writer; none in journals of 0.1.
    pub(super) writer: Option<String>,
    /// Whether the writer takes over with it.
    pub(super) takes_over: bool,
    /// What it says.
    pub(super) entry: Entry,
}

impl Writer {
    pub(super) fn new() -> Result<Self, BoxError> {
        Ok(Self { token: unique()?, is_first: true })
    }

    /// The JSON of an entry with its writer.
    pub(super) fn line(&self, entry: &Entry) -> Result<Vec<u8>, serde_json::Error> {
        let json = json::bytes(entry, Spacing::Line)?;
        let mut line = START.as_bytes().to_vec();
        line.extend_from_slice(self.token.as_bytes());
        line.extend_from_slice(if self.is_first { FIRST.as_bytes() } else { NEXT.as_bytes() });
        line.extend_from_slice(&json[1..]);
        Ok(line)
    }

    /// Notes that a line was written.
    pub(super) fn has_written(&mut self) {
        self.is_first = false;
    }
}

/// Reads a line.
pub(super) fn read(line: &[u8]) -> Result<Line, serde_json::Error> {
    let Some((token, takes_over, rest)) = header(line) else {
        return serde_json::from_slice(line).map(|entry| Line { writer: None, takes_over: false, entry });
    };
    let json = [b"{", rest].concat();
    let entry = serde_json::from_slice(&json)?;
    Ok(Line { writer: Some(token), takes_over, entry })
}

/// Whether somebody takes over with a line, whatever else it says.
pub(super) fn takes_over(line: &[u8]) -> bool {
    header(line).is_some_and(|(_, takes_over, _)| takes_over)
}

/// The token, whether it takes over, and what follows.
fn header(line: &[u8]) -> Option<(String, bool, &[u8])> {
    let rest = line.strip_prefix(START.as_bytes())?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    let token = std::str::from_utf8(&rest[..end]).ok()?.to_owned();
    let rest = &rest[end..];
    match rest.strip_prefix(FIRST.as_bytes()) {
        Some(rest) => Some((token, true, rest)),
        None => Some((token, false, rest.strip_prefix(NEXT.as_bytes())?)),
    }
}

/// The entries that count, in their order. What somebody wrote who had lost the lock becomes [`Entry::Stray`].
#[derive(Default)]
pub(super) struct Counting {
    owner: Option<String>,
}

impl Counting {
    pub(super) fn entry(&mut self, line: Line) -> Entry {
        let Line { writer, takes_over, entry } = line;
        if takes_over {
            self.owner = writer;
        } else if writer != self.owner {
            return Entry::Stray { at: entry.at() };
        }
        entry
    }
}

const START: &str = "{\"writer\":\"";
const FIRST: &str = "\",\"first\":true,";
const NEXT: &str = "\",";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::action::StepId;

    fn started(step: u32) -> Entry {
        Entry::Started { at: "2026-03-02T09:14:07Z".parse().unwrap(), step: StepId(step) }
    }

    /// A holder that lost the lock wakes and writes once more: what it says does not count, and what the new one says does.
    #[test]
    fn what_is_written_after_somebody_took_over_does_not_count() {
        let (mut old, mut new) = (Writer::new().unwrap(), Writer::new().unwrap());
        let mut lines = vec![old.line(&started(1)).unwrap()];
        old.has_written();
        lines.push(new.line(&started(2)).unwrap());
        new.has_written();
        lines.push(old.line(&started(9)).unwrap());
        lines.push(new.line(&started(3)).unwrap());
        let mut counting = Counting::default();
        let entries: Vec<Entry> = lines.iter().map(|line| counting.entry(read(line).unwrap())).collect();
        assert_eq!(entries, [started(1), started(2), Entry::Stray { at: started(9).at() }, started(3)]);
        assert_eq!(lines.iter().map(|line| takes_over(line)).collect::<Vec<_>>(), [true, true, false, false]);
    }

    #[test]
    fn lines_of_earlier_releases_have_no_writer() {
        let old = serde_json::to_vec(&started(1)).unwrap();
        let line = read(&old).unwrap();
        assert_eq!((line.writer.as_deref(), line.entry), (None, started(1)));
    }
}
