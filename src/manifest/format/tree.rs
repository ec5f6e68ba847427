//! A document as a tree, with each comment at what it is about.

use std::collections::BTreeMap;

use super::{
    error::FormatError,
    order::fields,
    source::{Comment, Text, Token, TokenKind},
};

/// A document.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// Whether it begins with `---`.
    pub(super) marked: bool,
    /// What stands at the top of the file and is about the file.
    pub(super) head: Vec<Note>,
    pub(super) root: Node,
    /// What stands at the end.
    pub(super) after: Vec<Note>,
}

/// A comment that has a line of its own.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) text: String,
    /// Whether an empty line stands before it.
    pub(super) blank_before: bool,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) properties: String,
    pub(super) kind: Kind,
    start: usize,
    end: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A scalar, an alias, or a mapping or list that is kept as it is written.
    Raw(String),
    /// A literal scalar of several lines, by its value.
    Block(String),
    /// A folded one, by its lines.
    Folded {
        chomping: String,
        lines: Vec<String>,
    },
    Map {
        flow: bool,
        entries: Vec<Entry>,
    },
    Seq {
        flow: bool,
        entries: Vec<Entry>,
    },
}

/// An entry of a mapping, or an item of a list, which has no key.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) before: Vec<Note>,
    pub(super) blank_before: bool,
    pub(super) key: Option<String>,
    pub(super) value: Node,
    /// A comment on its line.
    pub(super) beside: Option<String>,
    /// Comments at the end of its value, as deep as that.
    pub(super) after: Vec<Note>,
    start: usize,
    column: usize,
}

impl Document {
    pub(super) fn read(text: &str) -> Result<Self, FormatError> {
        let text = Text::read(text)?;
        let mut tokens = text.tokens.iter();
        let first =
            tokens.next().ok_or(FormatError::Syntax { line: 1, message: "the file is empty".into() })?;
        let mut root = node(first, &mut tokens, &text)?;
        let mut comments = Comments::of(&text);
        comments.attach(&mut root)?;
        let mut document = Self { marked: text.marked, head: Vec::new(), root, after: Vec::new() };
        document.end(&mut comments);
        document.begin();
        match comments.beside.first_key_value() {
            None => Ok(document),
            Some((line, _)) => {
                Err(FormatError::NotForUs { line: line + 1, what: "a comment at an unusual place" })
            }
        }
    }

    /// Puts the fields of each mapping into their order.
    pub(super) fn sort(&mut self) {
        sort(&mut self.root, &mut Vec::new());
    }

    /// What stands behind the last entry: as deep as it stands.
    fn end(&mut self, comments: &mut Comments<'_>) {
        let rest = comments.take_before(usize::MAX);
        for comment in rest {
            let note = comments.note(&comment);
            match last(&mut self.root) {
                Some(entry) if comment.column > entry.column => after(entry, comment.column, note),
                _ => self.after.push(note),
            }
        }
    }

    /// Comments at the top are about the file, when an empty line parts them from the first field or an editor reads them.
    fn begin(&mut self) {
        let (Kind::Map { entries, .. } | Kind::Seq { entries, .. }) = &mut self.root.kind else { return };
        let Some(first) = entries.first_mut() else { return };
        let parted = if first.blank_before {
            first.before.len()
        } else {
            let editor = first
                .before
                .iter()
                .take_while(|note| note.text.starts_with("# yaml-language-server"))
                .count();
            let blank = first.before.iter().rposition(|note| note.blank_before).unwrap_or(0);
            editor.max(blank)
        };
        self.head = first.before.drain(..parted).collect();
    }
}

fn sort(node: &mut Node, path: &mut Vec<String>) {
    match &mut node.kind {
        Kind::Raw(_) | Kind::Block(_) | Kind::Folded { .. } => {}
        Kind::Map { entries, .. } => {
            let order = fields(path);
            let place = |entry: &Entry| {
                let key = entry.key.as_deref().unwrap_or_default().trim_matches(['"', '\'']);
                order.iter().position(|field| *field == key).unwrap_or(order.len())
            };
            entries.sort_by_key(place);
            for entry in entries {
                path.push(entry.key.clone().unwrap_or_default());
                sort(&mut entry.value, path);
                path.pop();
            }
        }
        Kind::Seq { entries, .. } => {
            for entry in entries {
                path.push("[]".to_owned());
                sort(&mut entry.value, path);
                path.pop();
            }
        }
    }
}

/// The value that begins with this token.
fn node<'a>(
    token: &Token,
    rest: &mut impl Iterator<Item = &'a Token>,
    text: &Text,
) -> Result<Node, FormatError> {
    let (properties, start) = (token.properties.clone(), token.start);
    let of = |kind, end| Node { properties: properties.clone(), kind, start, end };
    match &token.kind {
        TokenKind::Scalar(raw) | TokenKind::Alias(raw) => Ok(of(Kind::Raw(raw.clone()), token.end)),
        TokenKind::Block(value) => Ok(of(Kind::Block(value.clone()), token.end)),
        TokenKind::Folded { chomping, lines } => {
            let (chomping, lines) = (chomping.clone(), lines.clone());
            Ok(of(Kind::Folded { chomping, lines }, token.end))
        }
        TokenKind::End => {
            Err(FormatError::Syntax { line: text.line(start) + 1, message: "it ends too early".into() })
        }
        TokenKind::MapStart { flow } | TokenKind::SeqStart { flow } => {
            let is_map = matches!(token.kind, TokenKind::MapStart { .. });
            let mut entries: Vec<Entry> = Vec::new();
            let end = loop {
                let Some(token) = rest.next() else { return Err(FormatError::WouldChange) };
                if matches!(token.kind, TokenKind::End) {
                    let last = entries.last().map_or(start, |entry: &Entry| entry.value.end);
                    break if *flow { token.end } else { last };
                }
                entries.push(entry(is_map, token, rest, text)?);
            };
            let inside = |comment: &&Comment| *flow && (start..end).contains(&comment.start);
            if text.comments.iter().any(|comment| inside(&comment)) {
                return Ok(of(Kind::Raw(text.slice(start, end)), end));
            }
            let flow = *flow;
            let kind = if is_map { Kind::Map { flow, entries } } else { Kind::Seq { flow, entries } };
            Ok(of(kind, end))
        }
    }
}

fn entry<'a>(
    is_map: bool,
    token: &Token,
    rest: &mut impl Iterator<Item = &'a Token>,
    text: &Text,
) -> Result<Entry, FormatError> {
    let line = text.line(token.start) + 1;
    let key = match &token.kind {
        _ if !is_map => None,
        TokenKind::Scalar(raw) if token.properties.is_empty() => Some(raw.clone()),
        _ => return Err(FormatError::NotForUs { line, what: "a key that is no plain word" }),
    };
    // What stands before the node on its line counts for its column: an anchor, a hyphen.
    let start = token.start;
    let value = if is_map {
        let token = rest.next().ok_or(FormatError::WouldChange)?;
        node(token, rest, text)?
    } else {
        node(token, rest, text)?
    };
    let blank_before = text.is_blank_before(text.line(start));
    let column = column(is_map, start, text);
    Ok(Entry { before: Vec::new(), blank_before, key, value, beside: None, after: Vec::new(), start, column })
}

/// Where an entry begins: its key, or the hyphen of an item.
fn column(is_map: bool, start: usize, text: &Text) -> usize {
    let own = text.column(start);
    if is_map {
        return own;
    }
    let before = text.slice(start - own, start);
    before.rfind('-').map_or(own, |hyphen| before[..hyphen].chars().count())
}

/// The comments that have not found their place.
struct Comments<'a> {
    text: &'a Text,
    /// Those on lines of their own, in their order.
    alone: std::vec::IntoIter<Comment>,
    next: Option<Comment>,
    /// Those beside something, by their lines.
    beside: BTreeMap<usize, String>,
}

impl<'a> Comments<'a> {
    fn of(text: &'a Text) -> Self {
        let (alone, beside): (Vec<Comment>, Vec<Comment>) =
            text.comments.iter().cloned().partition(|comment| comment.alone);
        let beside = beside.into_iter().map(|comment| (comment.line, comment.text)).collect();
        let mut alone = alone.into_iter();
        let next = alone.next();
        Self { text, alone, next, beside }
    }

    fn take_before(&mut self, end: usize) -> Vec<Comment> {
        let mut taken = Vec::new();
        while let Some(comment) = self.next.take_if(|comment| comment.start < end) {
            taken.push(comment);
            self.next = self.alone.next();
        }
        taken
    }

    fn note(&self, comment: &Comment) -> Note {
        Note { text: comment.text.clone(), blank_before: self.text.is_blank_before(comment.line) }
    }

    /// Gives each entry its comments, in the order of the text.
    fn attach(&mut self, node: &mut Node) -> Result<(), FormatError> {
        let (is_flow, entries) = match &mut node.kind {
            Kind::Raw(_) => {
                // Those inside of what is kept as it is are kept with it.
                let inside = node.start..node.end;
                self.forget(&inside);
                return Ok(());
            }
            Kind::Block(_) | Kind::Folded { .. } => return Ok(()),
            Kind::Map { flow, entries } | Kind::Seq { flow, entries } => (*flow, entries),
        };
        if is_flow {
            return Ok(());
        }
        for index in 0..entries.len() {
            let start = entries[index].start;
            for comment in self.take_before(start) {
                let note = self.note(&comment);
                let (before, own) = entries.split_at_mut(index);
                match before.last_mut() {
                    Some(previous)
                        if own[0].before.is_empty()
                            && comment.column > own[0].column
                            && is_block(&previous.value) =>
                    {
                        after(previous, comment.column, note);
                    }
                    _ => own[0].before.push(note),
                }
            }
            self.attach_to(&mut entries[index])?;
        }
        Ok(())
    }

    /// Gives an entry the comments beside it, and those that part its key or hyphen from its value.
    fn attach_to(&mut self, entry: &mut Entry) -> Result<(), FormatError> {
        let own = self.text.line(entry.start);
        let first = if entry.key.is_some() { own } else { self.text.line_of_hyphen(entry.start) };
        if is_block(&entry.value) {
            // On the line on which the value begins, a comment is of its first entry.
            let lines = first..self.text.line(entry.value.start);
            self.beside_of(entry, lines);
            return self.attach(&mut entry.value);
        }
        let is_empty = matches!(&entry.value.kind, Kind::Raw(raw) if raw.is_empty());
        let apart = if is_empty { Vec::new() } else { self.take_before(entry.value.start) };
        let apart: Vec<Note> = apart.iter().map(|comment| self.note(comment)).collect();
        self.attach(&mut entry.value)?;
        let last = match &entry.value.kind {
            // Behind the indicator of a block a comment may stand, behind its text none.
            Kind::Block(_) | Kind::Folded { .. } => self.text.line(entry.value.start),
            _ if is_empty => own,
            _ => self.text.line(entry.value.end.max(entry.start + 1) - 1),
        };
        self.beside_of(entry, first..last + 1);
        entry.before.extend(apart);
        Ok(())
    }

    /// The last comment on these lines stays beside the entry; there is room for one, and the others go before it.
    fn beside_of(&mut self, entry: &mut Entry, lines: std::ops::Range<usize>) {
        let mut found: Vec<String> = lines.filter_map(|line| self.beside.remove(&line)).collect();
        entry.beside = found.pop();
        entry.before.extend(found.into_iter().map(|text| Note { text, blank_before: false }));
    }

    fn forget(&mut self, inside: &std::ops::Range<usize>) {
        let lines: Vec<usize> = self
            .text
            .comments
            .iter()
            .filter(|comment| inside.contains(&comment.start))
            .map(|comment| comment.line)
            .collect();
        for line in lines {
            self.beside.remove(&line);
        }
        if self.next.as_ref().is_some_and(|comment| inside.contains(&comment.start)) {
            drop(self.take_before(inside.end));
        }
    }
}

/// Puts a comment behind the last entry that is as deep as it is.
fn after(entry: &mut Entry, column: usize, note: Note) {
    match last(&mut entry.value) {
        Some(inner) if column > inner.column && is_block(&inner.value) => after(inner, column, note),
        _ => entry.after.push(note),
    }
}

fn last(node: &mut Node) -> Option<&mut Entry> {
    match &mut node.kind {
        Kind::Map { flow: false, entries } | Kind::Seq { flow: false, entries } => entries.last_mut(),
        Kind::Map { .. } | Kind::Seq { .. } | Kind::Raw(_) | Kind::Block(_) | Kind::Folded { .. } => None,
    }
}

/// Whether it stands on the lines below its key.
fn is_block(node: &Node) -> bool {
    matches!(node.kind, Kind::Map { flow: false, .. } | Kind::Seq { flow: false, .. })
}
