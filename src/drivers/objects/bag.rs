//! One object: a bag of named values.

use super::kind::Kind;
use crate::{
    model::time::{Span, Timestamp},
    wire::clixml::{Content, Document, Moment, Value},
};

/// An object of a known kind.
#[derive(Clone, Copy)]
pub struct Bag<'a> {
    document: &'a Document,
    value: &'a Value,
    kind: &'static Kind,
}

/// Why an object cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// A property is missing or empty.
    #[error("it has no {0}; export the whole object, without Select-Object")]
    Missing(&'static str),
    /// A property is something else than it should be.
    #[error("its {property} is {text}: {why}")]
    NotUnderstood {
        /// The property.
        property: &'static str,
        /// What it is, shortened.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A list that PowerShell wrote as one text, since it lay too deep.
    #[error("its {0} was cut off; export it again with Export-Clixml -Depth 3")]
    CutOff(&'static str),
}

/// The values at the top of a document, with the lists among them taken apart: `Export-Clixml -InputObject $all` writes
/// one list, a pipeline writes one object after the other.
pub fn flattened(document: &Document) -> Vec<&Value> {
    let mut found = Vec::new();
    for root in document.roots() {
        match document.object(root).map(|object| (object, object.content())) {
            Some((object, Content::List(_, items))) if object.adapted().is_empty() => found.extend(items),
            _ => found.push(root),
        }
    }
    found.retain(|value| !document.is_null(value));
    found
}

impl<'a> Bag<'a> {
    /// An object of this kind.
    pub fn new(document: &'a Document, value: &'a Value, kind: &'static Kind) -> Self {
        Self { document, value, kind }
    }

    /// Its kind.
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Whether it has the property at all, be it empty.
    pub fn has(&self, property: &'static str) -> bool {
        self.get(property).is_some()
    }

    /// A text that is not empty; of an object its text form.
    pub fn text(&self, property: &'static str) -> Option<&'a str> {
        let value = self.get(property)?;
        self.document.text(value).map(str::trim).filter(|text| !text.is_empty())
    }

    /// A text that has to be there.
    pub fn needed(&self, property: &'static str) -> Result<&'a str, ObjectError> {
        self.text(property).ok_or(ObjectError::Missing(property))
    }

    /// A text, parsed.
    pub fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        property: &'static str,
    ) -> Result<Option<T>, ObjectError> {
        self.text(property).map(|text| parse(property, text)).transpose()
    }

    /// A text that has to be there, parsed.
    pub fn parsed_needed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        property: &'static str,
    ) -> Result<T, ObjectError> {
        parse(property, self.needed(property)?)
    }

    /// True or false; text of it too, as in a table that was typed off.
    pub fn boolean(&self, property: &'static str) -> Option<bool> {
        let value = self.get(property)?;
        self.document.boolean(value).or_else(|| match self.document.text(value)? {
            text if text.eq_ignore_ascii_case("true") => Some(true),
            text if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        })
    }

    /// A whole number: an enum's, too.
    pub fn number(&self, property: &'static str) -> Option<i128> {
        self.get(property).and_then(|value| self.document.integer(value))
    }

    /// Bytes.
    pub fn bytes(&self, property: &'static str) -> Option<&'a [u8]> {
        self.get(property).and_then(|value| self.document.bytes(value))
    }

    /// A date and time that PowerShell wrote as one.
    pub fn moment(&self, property: &'static str) -> Option<Moment> {
        self.get(property).and_then(|value| self.document.moment(value))
    }

    /// The same with its zone, or taken for UTC.
    pub fn timestamp(&self, property: &'static str) -> Option<Timestamp> {
        self.moment(property).map(|moment| moment.assuming(Span::ZERO))
    }

    /// The texts of a list. A single value counts as a list of one.
    pub fn texts(&self, property: &'static str) -> Result<Vec<&'a str>, ObjectError> {
        let Some(value) = self.get(property) else { return Ok(Vec::new()) };
        if let Some(items) = self.document.items(value) {
            let texts = items.iter().map(|item| self.document.text(item).map(str::trim));
            return texts
                .filter(|text| *text != Some(""))
                .map(|text| text.ok_or(ObjectError::CutOff(property)))
                .collect();
        }
        match self.document.text(value).map(str::trim) {
            None | Some("") => Ok(Vec::new()),
            // A list of .NET that was cut off is the name of its type.
            Some(text) if text.contains("`1[") || text.starts_with("System.Collections") => {
                Err(ObjectError::CutOff(property))
            }
            Some(text) => Ok(vec![text]),
        }
    }

    /// A property of an object that is a property.
    pub fn inner(&self, property: &'static str, name: &str) -> Option<&'a Value> {
        self.get(property).and_then(|value| self.document.get(value, name))
    }

    /// The text of a property of an object that is a property.
    pub fn inner_text(&self, property: &'static str, name: &str) -> Option<&'a str> {
        self.inner(property, name).and_then(|value| self.document.text(value))
    }

    /// The whole number of a property of an object that is a property.
    pub fn inner_number(&self, property: &'static str, name: &str) -> Option<i128> {
        self.inner(property, name).and_then(|value| self.document.integer(value))
    }

    /// The names of its properties.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.document.properties(self.value).map(|property| &*property.name)
    }

    /// An error about a property whose text is not what it should be.
    pub fn odd(&self, property: &'static str, why: impl Into<String>) -> ObjectError {
        let text = self.text(property).map(shortened);
        let number = self.number(property).map(|number| number.to_string());
        let text = text.or(number).map_or_else(|| "empty".into(), |text| format!("`{text}`"));
        ObjectError::NotUnderstood { property, text, why: why.into() }
    }

    fn get(&self, property: &'static str) -> Option<&'a Value> {
        // The lists of what is read and what is not are shown to be true by every test that reads an object.
        debug_assert!(self.kind.uses(property), "{} does not list {property}", self.kind.cmdlet);
        self.document.get(self.value, property).filter(|value| !self.document.is_null(value))
    }
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
    property: &'static str,
    text: &str,
) -> Result<T, ObjectError> {
    text.parse().map_err(|error: T::Err| ObjectError::NotUnderstood {
        property,
        text: format!("`{}`", shortened(text)),
        why: error.to_string(),
    })
}

fn shortened(text: &str) -> String {
    crate::model::text::escaped(&text.chars().take(80).collect::<String>())
}
