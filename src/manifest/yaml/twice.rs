//! What stands twice has two definitions, and a value has only one of them. For each definition the files are read again
//! without the others, so that its own mistakes are told too.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::text::{self, Source};
use crate::manifest::finding::{DocPath, Finding, Place, Segment};

/// A definition that is to be read without the others.
pub(super) struct Alone {
    pub(super) path: DocPath,
    pub(super) sources: Vec<Source>,
    pub(super) covered: char,
}

/// Each of several definitions of one thing, with texts in which the names of the others are covered.
pub(super) fn each_alone(findings: &[Finding], sources: &[Source]) -> Vec<Alone> {
    let mut places: BTreeMap<&DocPath, BTreeSet<&Place>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.id == TWICE) {
        places.entry(&finding.path).or_default().extend(finding.place.iter().chain(&finding.related));
    }
    let alone = places.into_iter().flat_map(|(path, places)| {
        let Some(Segment::Key(name)) = path.segments().last() else { return Vec::new() };
        let Some(first) = name.chars().next() else { return Vec::new() };
        let each = places.iter().filter_map(|kept| {
            let others = places.iter().filter(|place| place != &kept);
            Some(Alone { path: path.clone(), sources: covered(sources, others, first)?, covered: first })
        });
        each.collect()
    });
    alone.take(MOST).collect()
}

/// The files with the first letter of the names at these places covered. None where something else stands there: a name that is the
/// same but for its case has a value of its own.
fn covered<'a>(
    sources: &[Source],
    places: impl Iterator<Item = &'a &'a Place>,
    first: char,
) -> Option<Vec<Source>> {
    let mut texts: HashMap<&str, Vec<Vec<char>>> = HashMap::new();
    for place in places {
        let source = sources.iter().find(|source| source.file == place.file)?;
        let text = text::of(source).ok()?;
        let lines = texts
            .entry(&source.file)
            .or_insert_with(|| text.split('\n').map(|line| line.chars().collect()).collect());
        let line = lines.get_mut(place.line.checked_sub(1)?)?;
        let column = place.column.checked_sub(1)?;
        let column = column + usize::from(matches!(line.get(column), Some('"' | '\'')));
        let letter = line.get_mut(column).filter(|letter| **letter == first)?;
        *letter = COVER;
    }
    let source = |source: &Source| match texts.get(source.file.as_str()) {
        None => source.clone(),
        Some(lines) => {
            let lines: Vec<String> = lines.iter().map(|line| line.iter().collect()).collect();
            Source { file: source.file.clone(), bytes: lines.join("\n").into_bytes() }
        }
    };
    Some(sources.iter().map(source).collect())
}

/// Takes out what has a covered name.
pub(super) fn without_covered(mapping: &mut Map<String, Value>) {
    mapping.retain(|key, _| !key.starts_with(COVER));
    mapping.values_mut().for_each(within);
}

fn within(value: &mut Value) {
    match value {
        Value::Object(mapping) => without_covered(mapping),
        Value::Array(items) => items.iter_mut().for_each(within),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The id of what stands twice.
pub(super) const TWICE: &str = "duplicate-key";
/// A letter that no name begins with: Unicode keeps it for private use.
pub(super) const COVER: char = '\u{e000}';
/// More definitions than that are no slip, and each costs another reading.
const MOST: usize = 24;
