//! Where the values of a document stand. Nothing is kept of that but the texts: places are looked for when somebody asks, for
//! as many values as he asks for, in one pass.

use std::collections::{BTreeSet, HashMap};

use saphyr_parser::{Event, Parser, Span};

use super::{
    masked::Masked,
    outline::{Position, START, position},
    secret::{shows_one, without_password},
    text::{self, Source},
};
use crate::manifest::finding::{DocPath, Finding, Place, Segment};

/// The files of a document, in which it can be looked up where a value stands.
#[derive(Debug, Default)]
pub struct Places {
    files: Vec<File>,
    /// Lines in which a secret stands, by their files. They are not shown.
    hidden: BTreeSet<(String, usize)>,
}

#[derive(Debug)]
struct File {
    source: Source,
    /// Whether its values are part of the document.
    is_read: bool,
    /// What of it could not be read.
    masked: Option<Masked>,
}

/// Where a value stands: its key, or the value itself where it has none, and the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) file: usize,
    pub(super) key: Position,
    pub(super) value: Position,
    /// Whether the value is a mapping: an entry, which is known by its key.
    is_entry: bool,
}

impl Places {
    /// All files, of which every one was read.
    pub(super) fn of(sources: Vec<Source>) -> Self {
        let files = sources.into_iter().map(|source| File { source, is_read: true, masked: None }).collect();
        Self { files, hidden: BTreeSet::new() }
    }

    /// Takes a file out of which nothing could be read.
    pub(super) fn is_lost(&mut self, file: usize) {
        self.files[file].is_read = false;
    }

    /// Notes what of a file could not be read.
    pub(super) fn is_covered(&mut self, file: usize, masked: Masked) {
        self.files[file].masked = Some(masked);
    }

    /// Whether a place is in what could not be read: that was told, and what follows from it is no other mistake.
    pub(super) fn covers(&self, place: &Place) -> bool {
        let of_file = |file: &&File| file.source.file == place.file;
        let masked = self.files.iter().filter(of_file).filter_map(|file| file.masked.as_ref());
        masked.into_iter().any(|masked| masked.covers(place.line, place.column))
    }

    /// The same findings, each with the place its path stands at, or the nearest one above it.
    #[must_use]
    pub fn locate(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        let spots = self.find(findings.iter().filter(|finding| finding.place.is_none()).map(|it| &it.path));
        findings.retain_mut(|finding| {
            let is_placed = finding.place.is_some();
            if !is_placed {
                finding.place = spots.of_entry(&finding.path).or_else(|| spots.nearest(&finding.path));
            }
            is_placed || finding.place.as_ref().is_none_or(|place| !self.covers(place))
        });
        self.veiled(findings)
    }

    /// Hides the lines from now on.
    pub(super) fn hide(&mut self, lines: BTreeSet<(String, usize)>) {
        self.hidden = lines;
    }

    /// The same findings, without the texts of hidden lines and without passwords of addresses.
    pub(super) fn veiled(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        let own =
            findings.iter().filter(|finding| finding.hides_line).filter_map(|finding| finding.place.as_ref());
        let own: BTreeSet<(String, usize)> = own.map(|place| (place.file.clone(), place.line)).collect();
        for Finding { message, hint, place, related, .. } in &mut findings {
            for text in std::iter::once(message).chain(hint) {
                if let Some(veiled) = without_password(text) {
                    *text = veiled;
                }
            }
            for place in place.iter_mut().chain(related) {
                let line = (place.file.clone(), place.line);
                if self.hidden.contains(&line) || own.contains(&line) {
                    place.text.clear();
                }
            }
        }
        findings
    }

    /// The findings in the order in which a person reads the files.
    pub fn in_order(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        let files: HashMap<&str, usize> =
            self.files.iter().enumerate().rev().map(|(at, file)| (file.source.file.as_str(), at)).collect();
        findings.sort_by_cached_key(|finding| {
            finding.place.as_ref().map(|place| (files.get(place.file.as_str()), place.line, place.column))
        });
        findings
    }

    /// The texts that were given.
    pub(super) fn sources(&self) -> impl ExactSizeIterator<Item = &Source> {
        self.files.iter().map(|file| &file.source)
    }

    /// Looks for the places of these values, and of what they stand in.
    pub(super) fn find<'p>(&self, paths: impl IntoIterator<Item = &'p DocPath>) -> Spots<'_> {
        let mut spots = Spots { places: self, nodes: vec![Node::default()], lines: HashMap::new() };
        let mut is_asked = false;
        for path in paths {
            is_asked = true;
            spots.want(path);
        }
        if is_asked {
            for (file, File { source, is_read, masked }) in self.files.iter().enumerate() {
                if let (true, Ok(text)) = (is_read, text::of(source)) {
                    match masked {
                        None => spots.look_through(file, text),
                        Some(masked) => spots.look_through(file, &masked.text()),
                    }
                    spots.take_lines(file, text);
                }
            }
        }
        spots
    }
}

/// A text by its lines.
#[derive(Debug)]
pub(super) struct Page<'a> {
    file: &'a str,
    lines: Vec<&'a str>,
}

impl<'a> Page<'a> {
    pub(super) fn of(file: &'a str, text: &'a str) -> Self {
        Self { file, lines: text.lines().collect() }
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.lines.iter().copied()
    }

    pub(super) fn place(&self, at: Position) -> Place {
        place(self.file, at, self.lines.get(at.line - 1).copied())
    }
}

fn place(file: &str, at: Position, line: Option<&str>) -> Place {
    let line = line.filter(|line| !shows_one(line));
    let text = line.map_or_else(String::new, |line| line.chars().take(LONGEST_LINE).collect());
    Place { file: file.to_owned(), line: at.line, column: at.column, text }
}

/// Where values stand that were looked for: a tree of the steps of their paths.
#[derive(Debug)]
pub(super) struct Spots<'a> {
    places: &'a Places,
    nodes: Vec<Node>,
    /// The lines of the spots, of each file.
    lines: HashMap<(usize, usize), &'a str>,
}

#[derive(Debug, Default)]
struct Node {
    keys: HashMap<String, usize>,
    items: HashMap<usize, usize>,
    /// One of each file that has the value; of a key that stands twice the first is meant.
    spots: Vec<Spot>,
}

/// A mapping or list whose end has not come yet, and which node it is where something in it was asked for.
struct Open {
    node: Option<usize>,
    next: Next,
}

enum Next {
    /// The value of a key, once the key has come: the node of the value, and where the key stands.
    Entry(Option<(Option<usize>, Position)>),
    Item(usize),
}

impl<'a> Spots<'a> {
    /// The place of a value, or the nearest one above it.
    pub(super) fn nearest(&self, path: &DocPath) -> Option<Place> {
        let (mut node, mut found) = (&self.nodes[0], self.nodes[0].spots.first().map(|spot| (spot, 0)));
        for (depth, segment) in path.segments().iter().enumerate() {
            let Some(next) = self.below(node, segment) else { break };
            node = next;
            found = node.spots.first().map(|spot| (spot, depth + 1)).or(found);
        }
        if let Some((spot, depth)) = found {
            let itself = depth == path.segments().len();
            return Some(self.place(spot.file, if itself { spot.value } else { spot.key }));
        }
        let File { source, .. } = self.places.files.first()?;
        let first = text::of(source).ok().and_then(|text| text.lines().next());
        Some(place(&source.file, START, first))
    }

    /// The place of the key of an entry: its name, where the whole of it is meant.
    fn of_entry(&self, path: &DocPath) -> Option<Place> {
        let spot = self.spots(path).first().filter(|spot| spot.is_entry && !path.segments().is_empty())?;
        Some(self.place(spot.file, spot.key))
    }

    /// The place of a key, or of a value that has none.
    pub(super) fn of_key(&self, path: &DocPath) -> Option<Place> {
        self.spots(path).first().map(|spot| self.place(spot.file, spot.key))
    }

    /// The same in one file.
    pub(super) fn of_key_in(&self, file: usize, path: &DocPath) -> Option<Place> {
        let spot = self.spots(path).iter().find(|spot| spot.file == file)?;
        Some(self.place(spot.file, spot.key))
    }

    fn spots(&self, path: &DocPath) -> &[Spot] {
        let mut segments = path.segments().iter();
        let node = segments.try_fold(&self.nodes[0], |node, segment| self.below(node, segment));
        node.map_or(&[], |node| &node.spots)
    }

    fn below(&self, node: &Node, segment: &Segment) -> Option<&Node> {
        let next = match segment {
            Segment::Key(key) => node.keys.get(key),
            Segment::Index(index) => node.items.get(index),
        };
        next.map(|next| &self.nodes[*next])
    }

    fn place(&self, file: usize, at: Position) -> Place {
        place(&self.places.files[file].source.file, at, self.lines.get(&(file, at.line)).copied())
    }

    fn want(&mut self, path: &DocPath) {
        let mut node = 0;
        for segment in path.segments() {
            let new = self.nodes.len();
            let next = match segment {
                Segment::Key(key) => match self.nodes[node].keys.get(key) {
                    Some(next) => *next,
                    None => *self.nodes[node].keys.entry(key.clone()).or_insert(new),
                },
                Segment::Index(index) => *self.nodes[node].items.entry(*index).or_insert(new),
            };
            if next == new {
                self.nodes.push(Node::default());
            }
            node = next;
        }
    }

    fn look_through(&mut self, file: usize, text: &str) {
        let mut open: Vec<Open> = Vec::new();
        // A text that was read has no mistakes; of another its beginning counts.
        for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
            match event {
                Event::Scalar(text, ..) => match open.last_mut() {
                    Some(Open { node, next: Next::Entry(entry @ None) }) => {
                        let value = node.and_then(|node| self.nodes[node].keys.get(&*text).copied());
                        *entry = Some((value, position(span)));
                    }
                    _ => drop(self.value(&mut open, file, span)),
                },
                Event::Alias(_) => drop(self.value(&mut open, file, span)),
                Event::MappingStart(..) => {
                    let node = self.value(&mut open, file, span);
                    self.is_entry(node, file);
                    open.push(Open { node, next: Next::Entry(None) });
                }
                Event::SequenceStart(..) => {
                    let node = self.value(&mut open, file, span);
                    open.push(Open { node, next: Next::Item(0) });
                }
                Event::MappingEnd | Event::SequenceEnd => drop(open.pop()),
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
            }
        }
    }

    /// Notes where the value that begins here stands, and returns its node.
    fn value(&mut self, open: &mut [Open], file: usize, span: Span) -> Option<usize> {
        let value = position(span);
        let (node, key) = match open.last_mut() {
            None => (Some(0), value),
            Some(Open { node, next: Next::Item(next) }) => {
                *next += 1;
                (node.and_then(|node| self.nodes[node].items.get(&(*next - 1)).copied()), value)
            }
            Some(Open { next: Next::Entry(entry), .. }) => entry.take().unwrap_or((None, value)),
        };
        let spots = &mut self.nodes[node?].spots;
        if spots.last().is_none_or(|spot| spot.file != file) {
            spots.push(Spot { file, key, value, is_entry: false });
        }
        node
    }

    /// Notes that the value of this node is a mapping.
    fn is_entry(&mut self, node: Option<usize>, file: usize) {
        let spots = node.map(|node| &mut self.nodes[node].spots);
        if let Some(spot) = spots.and_then(|spots| spots.last_mut()).filter(|spot| spot.file == file) {
            spot.is_entry = true;
        }
    }

    /// Takes the texts of the lines that findings show.
    fn take_lines(&mut self, file: usize, text: &'a str) {
        let spots = self.nodes.iter().flat_map(|node| &node.spots).filter(|spot| spot.file == file);
        let mut wanted: Vec<usize> = spots.flat_map(|spot| [spot.key.line, spot.value.line]).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut lines = text.lines().enumerate();
        for line in wanted {
            if let Some((_, text)) = lines.by_ref().find(|(number, _)| number + 1 == line) {
                self.lines.insert((file, line), text);
            }
        }
    }
}

/// What is longer is no line that people read.
const LONGEST_LINE: usize = 2000;
