//! What comes of reading a document.

use std::collections::BTreeSet;

use super::{
    places::Places,
    twice::{COVER, TWICE},
};
use crate::manifest::finding::{DocPath, Finding, Segment};

/// What files hold, and everything that is wrong with their form.
#[derive(Debug)]
pub struct Reading<T> {
    /// What could be read of it: whole when there are no findings.
    pub value: Option<T>,
    /// Everything that is wrong with the form, in the order of the files.
    pub findings: Vec<Finding>,
    /// What is missing in the value because of that.
    pub left_out: Unread,
    /// Each definition of what has several, read without the others.
    pub definitions: Vec<Definition<T>>,
    /// Where everything stands.
    pub places: Places,
}

/// One of several definitions, read without the others.
#[derive(Debug)]
pub struct Definition<T> {
    /// What has several definitions.
    pub(super) path: DocPath,
    /// The document with this definition.
    pub value: Option<T>,
    /// What is missing in the value because of mistakes.
    pub left_out: Unread,
    pub(super) places: Places,
    /// What stands in the texts for the first letter of a name that was covered.
    pub(super) covered: char,
}

impl<T> Definition<T> {
    /// Of what was found in the value, what is about this definition and not told yet.
    pub fn news(&self, found: Vec<Finding>, told: &[Finding]) -> Vec<Finding> {
        own(self.places.locate(found), &self.path, self.covered, told)
    }
}

/// The findings about what stands at this path that are not told yet, as the texts were written.
pub(super) fn own(found: Vec<Finding>, path: &DocPath, covered: char, told: &[Finding]) -> Vec<Finding> {
    let same = |one: &Finding, other: &Finding| {
        one.id == other.id && one.path == other.path && at(one) == at(other) && one.message == other.message
    };
    let is_new = |finding: &Finding| {
        finding.path.starts_with(path)
            && finding.id != TWICE
            && !told.iter().any(|known| same(known, finding))
    };
    let written = |mut finding: Finding| {
        for place in finding.place.iter_mut().chain(finding.related.iter_mut()) {
            place.text = place.text.replace(COVER, &covered.to_string());
        }
        finding
    };
    found.into_iter().filter(is_new).map(written).collect()
}

fn at(finding: &Finding) -> Option<(&str, usize, usize)> {
    finding.place.as_ref().map(|place| (place.file.as_str(), place.line, place.column))
}

/// What a value does not show because of a mistake in its form. Nothing may be concluded from its absence.
#[derive(Clone, Debug, Default)]
pub struct Unread {
    pub(super) paths: BTreeSet<DocPath>,
    /// Whether a file could not be read at all.
    pub(super) file: bool,
}

impl Unread {
    /// Whether the value is whole.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.file
    }

    /// Whether what stands at this path, or a part of it, or what it stands in was left out.
    pub fn touches(&self, path: &DocPath) -> bool {
        let above = || {
            let mut above = Some(path.clone());
            std::iter::from_fn(move || {
                let next = above.take()?;
                above = next.parent();
                Some(next)
            })
        };
        let inside = || self.paths.range(path..).next().is_some_and(|lost| lost.starts_with(path));
        above().any(|path| self.paths.contains(&path)) || inside()
    }

    /// Whether the value at this very path was left out.
    pub fn is(&self, path: &DocPath) -> bool {
        self.paths.contains(path)
    }

    /// Whether a file could not be read, which may define what the others refer to.
    pub fn misses_a_file(&self) -> bool {
        self.file
    }

    /// The same, where a file could not be read either.
    #[must_use]
    pub fn without_a_file(self) -> Self {
        Self { file: true, ..self }
    }

    /// The path that a value had before items of the lists around it were left out.
    pub(super) fn path_before(&self, path: &DocPath) -> DocPath {
        path.segments().iter().fold(DocPath::root(), |before, segment| match segment {
            Segment::Key(_) => before.with(segment.clone()),
            Segment::Index(index) => {
                let there = (0..).filter(|at| !self.paths.contains(&before.index(*at))).nth(*index);
                before.index(there.unwrap_or(*index))
            }
        })
    }
}
