//! Where the values of a document stand, what stands twice, and what is no text that certwright reads.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use crate::manifest::finding::{DocPath, Finding, Place};

/// Where the values of a document stand.
#[derive(Debug, Default)]
pub struct Places {
    /// Name and lines of each file.
    pub(super) files: Vec<(String, Vec<String>)>,
    /// The place of each value: of its key where it has one, and of the value itself.
    pub(super) at: HashMap<DocPath, Spot>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) file: usize,
    pub(super) key: Position,
    pub(super) value: Position,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// What one file holds, by its places.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) spots: HashMap<DocPath, Spot>,
    /// Keys that stand twice in one mapping.
    pub(super) twice: Vec<Twice>,
    /// Keys that YAML reads as numbers, `true`, `null` or lists.
    pub(super) odd_keys: Vec<(Position, String)>,
    /// Tags such as `!secret`.
    pub(super) tags: Vec<Position>,
    /// Where a second document begins.
    pub(super) second_document: Option<Position>,
}

#[derive(Debug)]
pub(super) struct Twice {
    pub(super) path: DocPath,
    pub(super) first: Position,
    pub(super) second: Position,
}

/// Why a text has no outline: it is no YAML from here on.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) at: Position,
    /// Where the list or mapping around it begins.
    pub(super) inside: Option<Position>,
    pub(super) reason: Reason,
}

/// What ends the reading of a text.
#[derive(Debug)]
pub(super) enum Reason {
    /// The parser's own words.
    Syntax(String),
    /// More levels than any manifest has.
    TooDeep,
}

impl Places {
    /// The same finding with the place its path stands at, or the nearest one above it.
    #[must_use]
    pub fn locate(&self, mut finding: Finding) -> Finding {
        if finding.place.is_none() {
            let mut path = Some(finding.path.clone());
            while let Some(at) = path {
                if let Some(spot) = self.at.get(&at) {
                    let itself = at == finding.path;
                    finding.place = Some(self.place(spot.file, if itself { spot.value } else { spot.key }));
                    break;
                }
                path = at.parent();
            }
        }
        if finding.place.is_none() {
            finding.place = self.files.first().map(|_| self.place(0, START));
        }
        finding
    }

    /// The findings in the order in which a person reads the files.
    pub fn in_order(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        let file = |name: &str| self.files.iter().position(|(known, _)| known == name);
        findings.sort_by_key(|finding| {
            finding.place.as_ref().map(|place| (file(&place.file), place.line, place.column))
        });
        findings
    }

    pub(super) fn place(&self, file: usize, at: Position) -> Place {
        let (name, lines) = &self.files[file];
        let text = lines.get(at.line - 1).map_or("", String::as_str);
        Place { file: name.clone(), line: at.line, column: at.column, text: text.chars().take(200).collect() }
    }

    /// The place of a key, or of a value that has none.
    pub(super) fn of_key(&self, path: &DocPath) -> Option<Place> {
        self.at.get(path).map(|spot| self.place(spot.file, spot.key))
    }
}

/// Reads where every value of a text stands.
pub(super) fn outline(text: &str, file: usize) -> Result<Outline, Broken> {
    let mut outline = Outline::default();
    let mut open: Vec<Open> = Vec::new();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Broken {
            at: Position { line: error.marker().line(), column: error.marker().col() + 1 },
            inside: open.last().map(Open::start),
            reason: Reason::Syntax(error.info().to_owned()),
        })?;
        match event {
            Event::Scalar(text, style, _, tag) => {
                outline.note_tag(tag.as_deref(), span);
                outline.scalar(&mut open, file, &text, style, span);
            }
            Event::Alias(_) => drop(outline.value(&mut open, file, span)),
            Event::MappingStart(_, tag) => {
                outline.note_tag(tag.as_deref(), span);
                let path = outline.value(&mut open, file, span);
                open.push(Open::Mapping { path, start: position(span), key: None, keys: HashMap::new() });
            }
            Event::SequenceStart(_, tag) => {
                outline.note_tag(tag.as_deref(), span);
                let path = outline.value(&mut open, file, span);
                open.push(Open::Sequence { path, start: position(span), next: 0 });
            }
            Event::MappingEnd | Event::SequenceEnd => drop(open.pop()),
            Event::DocumentStart(_) => {
                documents += 1;
                if documents == 2 {
                    outline.second_document = Some(position(span));
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        if open.len() > DEEPEST {
            return Err(Broken { at: position(span), inside: None, reason: Reason::TooDeep });
        }
    }
    Ok(outline)
}

impl Outline {
    fn scalar(&mut self, open: &mut [Open], file: usize, text: &str, style: ScalarStyle, span: Span) {
        let at = position(span);
        let Some(Open::Mapping { path, key: key @ None, keys, .. }) = open.last_mut() else {
            self.value(open, file, span);
            return;
        };
        if style == ScalarStyle::Plain && is_no_text(text) {
            self.odd_keys.push((at, text.to_owned()));
        }
        if let Some(first) = keys.get(text) {
            self.twice.push(Twice { path: path.key(text), first: *first, second: at });
        } else {
            keys.insert(text.to_owned(), at);
        }
        *key = Some((text.to_owned(), at));
    }

    /// Records the value that begins here and returns its path.
    fn value(&mut self, open: &mut [Open], file: usize, span: Span) -> DocPath {
        let value = position(span);
        let (path, key) = match open.last_mut() {
            None => (DocPath::root(), value),
            Some(Open::Sequence { path, next, .. }) => {
                *next += 1;
                (path.index(*next - 1), value)
            }
            Some(Open::Mapping { path, key, .. }) => {
                if let Some((text, at)) = key.take() {
                    (path.key(text), at)
                } else {
                    self.odd_keys.push((value, "a list or a mapping".into()));
                    (path.key("?"), value)
                }
            }
        };
        // Of a key that stands twice the first is meant, until somebody says otherwise.
        self.spots.entry(path.clone()).or_insert(Spot { file, key, value });
        path
    }

    fn note_tag(&mut self, tag: Option<&Tag>, span: Span) {
        if tag.is_some() {
            self.tags.push(position(span));
        }
    }
}

/// Whether YAML takes a word for something else than a text.
fn is_no_text(word: &str) -> bool {
    matches!(
        word,
        "" | "~" | "null" | "Null" | "NULL" | "true" | "True" | "TRUE" | "false" | "False" | "FALSE"
    ) || word.parse::<f64>().is_ok()
        && word.starts_with(|char: char| char.is_ascii_digit() || "+-.".contains(char))
        || word.starts_with("0x")
}

fn position(span: Span) -> Position {
    Position { line: span.start.line(), column: span.start.col() + 1 }
}

/// A mapping or list whose end has not come yet.
enum Open {
    Mapping {
        path: DocPath,
        start: Position,
        key: Option<(String, Position)>,
        keys: HashMap<String, Position>,
    },
    Sequence {
        path: DocPath,
        start: Position,
        next: usize,
    },
}

impl Open {
    fn start(&self) -> Position {
        match self {
            Self::Mapping { start, .. } | Self::Sequence { start, .. } => *start,
        }
    }
}

pub(super) const START: Position = Position { line: 1, column: 1 };

/// Our own types nest six deep.
const DEEPEST: usize = 32;
