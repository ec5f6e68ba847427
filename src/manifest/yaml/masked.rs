//! Texts in which a few words cannot be read: they are covered, letter for letter, so that the rest of the file is read too, and
//! every mistake in it is told at once.

use std::collections::BTreeSet;

use super::outline::Position;

/// What cannot be read, at the place where it begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spoilt {
    /// A key that is a list or a mapping; or a template, in the place of a key or a value.
    Key(Position),
    /// A word that no manifest has: an endless number, or an anchor that is not there.
    Word(Position),
    /// A tag, and the text behind it.
    Tag(Position),
}

/// A text with its covered words. All lines and columns are those of the text.
#[derive(Debug)]
pub(super) struct Masked {
    lines: Vec<Vec<char>>,
    /// Line, first column, and the column behind the last.
    covered: BTreeSet<(usize, usize, usize)>,
    keys: usize,
}

impl Masked {
    pub(super) fn of(text: &str) -> Self {
        let lines = text.split('\n').map(|line| line.chars().collect()).collect();
        Self { lines, covered: BTreeSet::new(), keys: 0 }
    }

    pub(super) fn text(&self) -> String {
        self.lines.iter().map(|line| line.iter().collect()).collect::<Vec<String>>().join("\n")
    }

    /// Whether a place is in what was covered: what is wrong with that has been told.
    pub(super) fn covers(&self, line: usize, column: usize) -> bool {
        self.covered.iter().any(|(at, from, to)| *at == line && (*from..*to).contains(&column))
    }

    /// Whether names may be covered, to which the rest refers.
    pub(super) const fn hides_keys(&self) -> bool {
        self.keys > 0
    }

    /// Covers a word. False where it is not known how far it goes, or where that was tried before.
    pub(super) fn cover(&mut self, spoilt: Spoilt) -> bool {
        let (Spoilt::Key(at) | Spoilt::Word(at) | Spoilt::Tag(at)) = spoilt;
        let Some(line) = at.line.checked_sub(1).and_then(|line| self.lines.get(line)) else { return false };
        let from = at.column.saturating_sub(1);
        if self.covered.len() > MOST || self.covers(at.line, at.column) || line.get(from).is_none() {
            return false;
        }
        let cover = match spoilt {
            Spoilt::Key(_) => end_of_brackets(line, from).map(|to| {
                let key = if is_key(line, to) { format!("x{}", self.keys) } else { String::new() };
                (to, key)
            }),
            Spoilt::Word(_) => Some((end_of_word(line, from), String::new())),
            Spoilt::Tag(_) => Some(behind_tag(line, from)),
        };
        let Some((to, text)) = cover else { return false };
        let text = if text.is_empty() { stand_in(to - from) } else { text };
        if text.len() > to - from {
            return false;
        }
        self.keys += usize::from(matches!(spoilt, Spoilt::Key(_)));
        let line = &mut self.lines[at.line - 1];
        let blanks = std::iter::repeat(' ');
        for (place, char) in line[from..to].iter_mut().zip(text.chars().chain(blanks)) {
            *place = char;
        }
        self.covered.insert((at.line, at.column, to + 1));
        true
    }
}

/// What stands for a value that cannot be read: no field takes a list in a list.
fn stand_in(room: usize) -> String {
    if room < 4 { "[]".into() } else { "[[]]".into() }
}

/// Whether what ends here is a key. A template may be one, or a value.
fn is_key(line: &[char], to: usize) -> bool {
    let next = line[to..].iter().find(|char| !char.is_whitespace());
    next.is_none_or(|next| *next == ':')
}

fn end_of_word(line: &[char], from: usize) -> usize {
    let ends = |char: &char| char.is_whitespace() || ",]}".contains(*char);
    line[from..].iter().position(ends).map_or(line.len(), |length| from + length)
}

fn end_of_brackets(line: &[char], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, char) in line.iter().enumerate().skip(from) {
        match char {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// Where what a tag covers ends, and what stands there instead: the text behind it goes with it, a list, a mapping or a text in
/// quotation marks stays.
fn behind_tag(line: &[char], from: usize) -> (usize, String) {
    let tag = end_of_word(line, from);
    let alone = (tag, " ".repeat(tag - from));
    let Some(next) = line[tag..].iter().position(|char| !char.is_whitespace()).map(|blanks| tag + blanks)
    else {
        return alone;
    };
    if "[{|>&#\"'*-,]}".contains(line[next]) {
        return alone;
    }
    let ends = |at: &usize| {
        let behind = line.get(at + 1).is_none_or(|char| char.is_whitespace());
        "]}".contains(line[*at]) || line[*at] == ',' && behind || line[*at] == '#' && line[at - 1] == ' '
    };
    ((next..line.len()).find(ends).unwrap_or(line.len()), String::new())
}

/// More slips of this kind than anybody makes.
const MOST: usize = 50;
