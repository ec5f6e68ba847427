//! Findings before their places are looked up, all at once.

use std::collections::BTreeSet;

use super::places::Places;
use crate::manifest::finding::{DocPath, Finding};

/// A finding, and how its place is found once all are known.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) finding: Finding,
    pub(super) at: At,
    /// Whether a secret may stand in the line, so that it is not shown.
    pub(super) secret: bool,
}

#[derive(Debug)]
pub(super) enum At {
    /// It has its place.
    There,
    /// Where its path leads.
    Value,
    /// At the key of its path.
    Key,
    /// At the key of its path in this file; it stands in one before too.
    KeyAgain(usize),
    /// At the key of its path; it is the same name as this one.
    SameAs(DocPath),
}

impl Told {
    pub(super) fn there(finding: Finding) -> Self {
        Self { finding, at: At::There, secret: false }
    }
}

/// The findings at their places, and the lines in which secrets stand. Of files that are something else nothing more is told
/// than that.
pub(super) fn placed(
    told: Vec<Told>,
    places: &Places,
    foreign: &BTreeSet<String>,
) -> (Vec<Finding>, BTreeSet<(String, usize)>) {
    let mut hidden = BTreeSet::new();
    let paths = told.iter().filter(|told| !matches!(told.at, At::There)).flat_map(|told| {
        let same = match &told.at {
            At::SameAs(path) => Some(path),
            At::There | At::Value | At::Key | At::KeyAgain(_) => None,
        };
        std::iter::once(&told.finding.path).chain(same)
    });
    let spots = places.find(paths);
    let one = |Told { mut finding, at, secret }| {
        match at {
            At::There => return Some(finding),
            At::Value => {
                finding.place = spots.nearest(&finding.path);
                repeat_only_what_is_written(&mut finding);
            }
            At::Key => finding.place = spots.of_key(&finding.path).or_else(|| spots.nearest(&finding.path)),
            At::KeyAgain(file) => {
                finding.place = spots.of_key_in(file, &finding.path);
                finding.related = spots.of_key(&finding.path);
                return Some(finding);
            }
            At::SameAs(path) => {
                finding.place = spots.of_key(&finding.path);
                finding.related = spots.of_key(&path);
                return Some(finding);
            }
        }
        if finding.place.as_ref().is_some_and(|place| places.covers(place)) {
            return None;
        }
        if secret && let Some(place) = &finding.place {
            hidden.insert((place.file.clone(), place.line));
        }
        let is_foreign = finding.place.as_ref().is_some_and(|place| foreign.contains(&place.file));
        (!is_foreign).then_some(finding)
    };
    let findings = told.into_iter().filter_map(one).collect();
    (findings, hidden)
}

/// YAML reads `0o17` as 15: what it has made of a number is not what stands there, and not to be written instead.
fn repeat_only_what_is_written(finding: &mut Finding) {
    let Some(hint) = &finding.hint else { return };
    let Some(number) = hint.strip_prefix(QUOTED).and_then(|rest| rest.strip_suffix("\"`")) else { return };
    let Some(place) = finding.place.as_ref().filter(|place| !place.text.is_empty()) else { return };
    if !place.text.contains(number) {
        finding.hint = Some("put what is written there into quotation marks".into());
    }
}

/// How a hint begins that repeats a number.
const QUOTED: &str = "put it into quotation marks: `\"";
