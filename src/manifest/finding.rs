//! What certwright has to say about a file: where, what, why it matters, what to do.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

pub use crate::model::diagnostic::Severity;
use crate::model::{
    diagnostic::{Diagnostic, Location, Subject},
    schema::JsonSchema,
    text::on_one_line,
};

/// One thing that a check found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The check's stable id, such as `unknown-certificate`. `certwright explain ID` tells more.
    pub id: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in one line without a full stop.
    pub message: String,
    /// Why that matters.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub why: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// Where in the document it is.
    pub path: DocPath,
    /// Where in the files it is, when it came from files.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<Place>,
    /// A second place that has to do with it, such as the first definition of a key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub related: Option<Place>,
    /// Whether a secret may stand in its line, so that the line is not shown.
    #[serde(skip)]
    #[schemars(skip)]
    pub hides_line: bool,
}

/// A place in a file. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The file, as it was named on the command line.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// The line's text, cut to a readable length.
    pub text: String,
}

/// The way from a document's root to one of its values: `servers.EX01.services.SMTP[1]`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocPath(Vec<Segment>);

/// One step of a [`DocPath`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Into a mapping, by key.
    Key(String),
    /// Into a list, by position from 0.
    Index(usize),
}

impl Finding {
    /// A finding with neither hint nor place yet.
    pub fn new(
        id: &str,
        severity: Severity,
        path: DocPath,
        what: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            severity,
            message: what.into(),
            why: why.into(),
            hint: None,
            path,
            place: None,
            related: None,
            hides_line: false,
        }
    }

    /// The same in the shape that all messages share.
    pub fn diagnostic(&self) -> Diagnostic {
        let location =
            |place: &Place| Location { file: place.file.clone(), line: place.line, column: place.column };
        Diagnostic {
            code: Cow::Owned(self.id.clone()),
            severity: self.severity,
            subject: Subject::default().place(&self.path),
            message: self.message.clone(),
            hint: self.hint.clone(),
            location: self.place.as_ref().map(location),
        }
    }

    /// The same, without the text of its line: a secret may stand there.
    #[must_use]
    pub fn hiding_its_line(self) -> Self {
        Self { hides_line: true, ..self }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl DocPath {
    /// The document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of these keys.
    pub fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Segment::Key((*key).to_owned())).collect())
    }

    /// The path one key further.
    #[must_use]
    pub fn key(&self, key: impl fmt::Display) -> Self {
        self.with(Segment::Key(key.to_string()))
    }

    /// The path one list position further.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// The path one step further.
    #[must_use]
    pub fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// The path to what holds this; none above the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, head) = self.0.split_last()?;
        Some(Self(head.to_vec()))
    }

    /// Whether it leads to the same value as the other one, or into it.
    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The last key on the way; empty at the root.
    pub fn last_key(&self) -> &str {
        let keys = self.0.iter().rev().filter_map(|segment| match segment {
            Segment::Key(key) => Some(key.as_str()),
            Segment::Index(_) => None,
        });
        keys.into_iter().next().unwrap_or_default()
    }

    /// Its steps from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }
}

impl fmt::Display for DocPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(at) => write!(f, "[{at}]")?,
                Segment::Key(key)
                    if key.is_empty()
                        || key.contains(|char: char| !char.is_alphanumeric() && !"-_*".contains(char)) =>
                {
                    write!(f, "[{key:?}]")?;
                }
                Segment::Key(key) if index == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DocPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocPath({self})")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", on_one_line(&self.file), self.line, self.column)
    }
}

impl Serialize for DocPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DocPath {
    /// Findings are written for other programs; the path comes back as one opaque key.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(if text.is_empty() { Self::root() } else { Self(vec![Segment::Key(text)]) })
    }
}

#[cfg(feature = "schemas")]
impl JsonSchema for DocPath {
    fn schema_name() -> Cow<'static, str> {
        "DocPath".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "The way to a value: servers.EX01.services.SMTP[1]." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_people_write_them() {
        let path = DocPath::of(&["servers", "EX01", "iis"]).key("Default Web Site:443").index(1);
        assert_eq!(path.to_string(), r#"servers.EX01.iis["Default Web Site:443"][1]"#);
        assert_eq!(DocPath::root().to_string(), "");
        assert_eq!(DocPath::of(&["servers", ""]).to_string(), r#"servers[""]"#);
    }
}
