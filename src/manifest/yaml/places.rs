//! Where the values of a document stand: saphyr-parser tells.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, Span};

use super::text::bad;
use crate::manifest::finding::{DocPath, Finding, Place, Severity};

/// Where the values of a document stand.
#[derive(Debug, Default)]
pub struct Places {
    /// Name and lines of each file.
    pub(super) files: Vec<(String, Vec<String>)>,
    /// The place of each value: of its key where it has one, and of the value itself.
    pub(super) at: HashMap<DocPath, Spot>,
}

/// Where a value stands, and its key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) file: usize,
    pub(super) key: Position,
    pub(super) value: Position,
}

/// Line and column, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
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

    /// The place in a file, with its line.
    pub(super) fn place(&self, file: usize, at: Position) -> Place {
        let (name, lines) = &self.files[file];
        let text = lines.get(at.line - 1).map_or("", String::as_str);
        Place { file: name.clone(), line: at.line, column: at.column, text: text.chars().take(200).collect() }
    }

    /// A key that stands twice.
    pub(super) fn twice(&self, path: &DocPath, second: Option<&Spot>) -> Finding {
        let what = format!("`{path}` is defined twice");
        let why = "Only one of the two can be meant, and certwright does not guess which.";
        let mut finding = Finding::new("duplicate-key", Severity::Error, path.clone(), what, why)
            .hinted("keep one of the two definitions");
        finding.place = second.map(|spot| self.place(spot.file, spot.key));
        finding.related = self.at.get(path).map(|spot| self.place(spot.file, spot.key));
        finding
    }

    /// What is wrong with the places of a file.
    pub(super) fn problem(&self, file: usize, problem: Problem) -> Finding {
        match problem {
            Problem::Syntax { line, column, message } => {
                bad(self.place(file, Position { line, column }), message, NOT_YAML)
            }
            Problem::Twice { path, first, second } => {
                let mut finding = self.twice(&path, None);
                finding.place = Some(self.place(file, second));
                finding.related = Some(self.place(file, first));
                finding
            }
        }
    }
}

/// Where every value stands, and whether a key stands twice in one mapping.
pub(super) fn spots(text: &str, file: usize) -> Result<HashMap<DocPath, Spot>, Problem> {
    let mut spots = HashMap::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Problem::Syntax {
            line: error.marker().line(),
            column: error.marker().col() + 1,
            message: error.info().to_owned(),
        })?;
        match event {
            Event::Scalar(text, ..) => match open.last_mut() {
                Some(Open::Mapping { path, key: key @ None, keys }) => {
                    let at = position(span);
                    if let Some(first) = keys.insert(text.to_string(), at) {
                        return Err(Problem::Twice { path: path.key(&text), first, second: at });
                    }
                    *key = Some((text.into_owned(), at));
                }
                _ => drop(place_value(&mut open, &mut spots, file, span)),
            },
            Event::Alias(_) => drop(place_value(&mut open, &mut spots, file, span)),
            Event::MappingStart(..) => {
                let path = place_value(&mut open, &mut spots, file, span);
                open.push(Open::Mapping { path, key: None, keys: HashMap::new() });
            }
            Event::SequenceStart(..) => {
                let path = place_value(&mut open, &mut spots, file, span);
                open.push(Open::Sequence { path, next: 0 });
            }
            Event::MappingEnd | Event::SequenceEnd => drop(open.pop()),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        if open.len() > DEEPEST {
            let Position { line, column } = position(span);
            let message = format!("values are nested more than {DEEPEST} deep");
            return Err(Problem::Syntax { line, column, message });
        }
    }
    Ok(spots)
}

/// Records the value that begins here and returns its path.
fn place_value(open: &mut [Open], spots: &mut HashMap<DocPath, Spot>, file: usize, span: Span) -> DocPath {
    let value = position(span);
    let (path, key) = match open.last_mut() {
        None => (DocPath::root(), value),
        Some(Open::Sequence { path, next }) => {
            *next += 1;
            (path.index(*next - 1), value)
        }
        Some(Open::Mapping { path, key, .. }) => match key.take() {
            Some((text, at)) => (path.key(text), at),
            // A mapping or list as a key: serde_yaml has refused it before.
            None => (path.key("?"), value),
        },
    };
    spots.insert(path.clone(), Spot { file, key, value });
    path
}

fn position(span: Span) -> Position {
    Position { line: span.start.line(), column: span.start.col() + 1 }
}

/// A mapping or list whose end has not come yet.
enum Open {
    Mapping { path: DocPath, key: Option<(String, Position)>, keys: HashMap<String, Position> },
    Sequence { path: DocPath, next: usize },
}

/// Why places cannot be told.
pub(super) enum Problem {
    Syntax { line: usize, column: usize, message: String },
    Twice { path: DocPath, first: Position, second: Position },
}

/// Why what cannot be read is a finding.
pub(super) const NOT_YAML: &str = "What cannot be read as YAML cannot be planned.";

/// The beginning.
pub(super) const START: Position = Position { line: 1, column: 1 };

/// Our own types nest six deep.
const DEEPEST: usize = 32;
