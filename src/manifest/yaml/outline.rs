//! What a text holds, by its places: what stands twice, and what is no text that certwright reads. Whatever a person is told of
//! YAML comes from here; the values come from elsewhere.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use crate::manifest::finding::{DocPath, Segment};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// What one file holds, by its places.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// Keys that stand twice in one mapping.
    pub(super) twice: Vec<Twice>,
    /// Keys that YAML reads as numbers, `true`, `null` or lists.
    pub(super) odd_keys: Vec<(Position, String)>,
    /// Tags such as `!secret`.
    pub(super) tags: Vec<Position>,
    /// Where a tag of YAML stands that says that the value is another one: `!!binary`, `!!set`.
    pub(super) another: Option<Position>,
    /// Numbers that no manifest has: endless ones, what is none, and what no computer counts to.
    pub(super) no_numbers: Vec<Position>,
    /// Where a value first refers to an anchor.
    pub(super) first_alias: Option<Position>,
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

/// Reads what a text holds.
pub(super) fn outline(text: &str) -> Result<Outline, Broken> {
    let mut outline = Outline::default();
    let mut open: Vec<Open> = Vec::new();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Broken {
            at: Position { line: error.marker().line(), column: error.marker().col() + 1 },
            inside: open.last().map(|open| open.start),
            reason: Reason::Syntax(error.info().to_owned()),
        })?;
        match event {
            Event::Scalar(text, style, _, tag) => {
                outline.note_tag(tag.as_deref(), span);
                if style == ScalarStyle::Plain && (is_endless(&text) || is_beyond_counting(&text)) {
                    outline.no_numbers.push(position(span));
                }
                outline.scalar(&mut open, &text, style, span);
            }
            Event::Alias(_) => {
                outline.first_alias.get_or_insert(position(span));
                outline.value(&mut open, span);
            }
            Event::MappingStart(_, tag) => {
                outline.note_tag(tag.as_deref(), span);
                outline.value(&mut open, span);
                open.push(Open { start: position(span), inside: Inside::Mapping(Keys::default()) });
            }
            Event::SequenceStart(_, tag) => {
                outline.note_tag(tag.as_deref(), span);
                outline.value(&mut open, span);
                open.push(Open { start: position(span), inside: Inside::Sequence { next: 0 } });
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
    fn scalar(&mut self, open: &mut [Open], text: &str, style: ScalarStyle, span: Span) {
        let Some(Open { inside: Inside::Mapping(keys), .. }) = open.last_mut() else {
            self.value(open, span);
            return;
        };
        if keys.has_key {
            keys.has_key = false;
            return;
        }
        keys.has_key = true;
        let at = position(span);
        if style == ScalarStyle::Plain && is_no_text(text) {
            // Nothing before the colon: what stands between the braces of a template, for example.
            self.odd_keys.push((at, if text.is_empty() { "nothing".to_owned() } else { text.to_owned() }));
        }
        keys.last = Some(Segment::Key(text.to_owned()));
        if let Some(first) = keys.seen.get(text).copied() {
            let path = path(open).fold(DocPath::root(), |path, segment| path.with(segment.clone()));
            self.twice.push(Twice { path, first, second: at });
        } else {
            keys.seen.insert(text.to_owned(), at);
        }
    }

    fn value(&mut self, open: &mut [Open], span: Span) {
        match open.last_mut() {
            None => {}
            Some(Open { inside: Inside::Sequence { next }, .. }) => *next += 1,
            Some(Open { inside: Inside::Mapping(keys), .. }) => {
                if keys.has_key {
                    keys.has_key = false;
                } else {
                    keys.has_key = true;
                    self.odd_keys.push((position(span), "a list or a mapping".into()));
                    keys.last = Some(Segment::Key("?".into()));
                }
            }
        }
    }

    fn note_tag(&mut self, tag: Option<&Tag>, span: Span) {
        if let Some(tag) = tag {
            self.tags.push(position(span));
            if tag.is_yaml_core_schema() && !ORDINARY.contains(&tag.suffix.as_str()) {
                self.another.get_or_insert(position(span));
            }
        }
    }
}

/// Whether YAML takes a word for a number that JSON does not have.
fn is_endless(word: &str) -> bool {
    let word = word.strip_prefix(['+', '-']).unwrap_or(word);
    matches!(word, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN")
}

/// Whether a word is a number with more digits than a computer's own numbers have. Forty digits are rather a thumbprint, of
/// which more is said elsewhere.
fn is_beyond_counting(word: &str) -> bool {
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number
        && digits.len() >= 19
        && word.parse::<i64>().is_err()
        && word.parse::<u64>().is_err()
        && (word.parse::<i128>().is_ok() || word.parse::<u128>().is_ok())
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

pub(super) fn position(span: Span) -> Position {
    Position { line: span.start.line(), column: span.start.col() + 1 }
}

/// A mapping or list whose end has not come yet.
struct Open {
    start: Position,
    inside: Inside,
}

enum Inside {
    Mapping(Keys),
    Sequence { next: usize },
}

/// The keys of a mapping so far.
#[derive(Default)]
struct Keys {
    seen: HashMap<String, Position>,
    last: Option<Segment>,
    /// Whether the value of the last key has not come yet.
    has_key: bool,
}

/// The way to the value that was read last.
fn path(open: &[Open]) -> impl Iterator<Item = Segment> {
    open.iter().filter_map(|open| match &open.inside {
        Inside::Mapping(keys) => keys.last.clone(),
        Inside::Sequence { next } => next.checked_sub(1).map(Segment::Index),
    })
}

pub(super) const START: Position = Position { line: 1, column: 1 };

/// YAML's tags for what values are without one.
const ORDINARY: [&str; 7] = ["str", "int", "float", "bool", "null", "map", "seq"];
/// Our own types nest six deep.
const DEEPEST: usize = 32;
