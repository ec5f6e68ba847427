//! JSON as certwright reads and writes it: what is large, once and straight into types; where a mistake is, only when there
//! is one. There is one way to read and one to write: the code of every type is compiled anew for each.

use std::{fmt, io};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{
    Map, Value,
    ser::{CompactFormatter, Formatter, PrettyFormatter},
};
use serde_path_to_error::{Deserializer as Tracked, Path, Track};

/// How the deserializer begins what it says of a text that is no JSON.
const SYNTAX: [&str; 8] = [
    "expected",
    "key must be a string",
    "control character",
    "invalid escape",
    "invalid number",
    "invalid unicode",
    "lone",
    "number out of range",
];

/// What cannot be read, and where it is.
#[derive(Debug)]
pub struct JsonError {
    /// The place inside the document.
    pub path: Path,
    /// What is wrong there; of a text, with line and column.
    pub message: String,
}

impl JsonError {
    /// What is wrong, in words for people: what the deserializer says it says of types of ours.
    pub fn told(&self) -> String {
        let quoted = |message: &str| message.split('`').nth(1).map(str::to_owned);
        let begins = |words: &str| self.message.starts_with(words);
        let at = self.place().map_or_else(|| "it".to_owned(), |place| format!("`{place}`"));
        let line = self.message.rsplit_once(" at line ").and_then(|(_, rest)| rest.split_once(" column "));
        let line = line.map_or_else(String::new, |(line, column)| format!(" (line {line}, column {column})"));
        match quoted(&self.message) {
            Some(field) if begins("missing field") => format!("{at} has no `{field}`{line}"),
            Some(field) if begins("unknown field") => {
                format!("{at} has a field `{field}` that is not known{line}")
            }
            Some(word) if begins("unknown variant") => {
                format!("`{word}` is none of the words that are known there{line}")
            }
            _ if begins("invalid type") || begins("invalid value") || begins("invalid length") => {
                format!("{at} holds a value of another kind than it should{line}")
            }
            _ if begins("EOF") => format!("it ends in the middle{line}"),
            _ if begins("trailing characters") => format!("something follows its end{line}"),
            _ if begins("recursion limit") => format!("it is nested too deep{line}"),
            _ if SYNTAX.iter().any(|words| begins(words)) => format!("it is no JSON from here on{line}"),
            _ => format!("{}{line}", self.of_type()),
        }
    }

    /// Whether the text itself is no JSON, or not the whole of it.
    pub fn is_syntax(&self) -> bool {
        let begins = |words: &str| self.message.starts_with(words);
        begins("EOF") || begins("trailing characters") || SYNTAX.iter().any(|words| begins(words))
    }

    /// What a type of ours says of its text, without the deserializer's place.
    fn of_type(&self) -> &str {
        self.message.rsplit_once(" at line ").map_or(&self.message, |(what, _)| what)
    }

    /// The place, when it is not the document as a whole.
    pub fn place(&self) -> Option<String> {
        let place = self.path.to_string();
        // Whatever comes next there is not known by name yet.
        let place = place.strip_suffix(".?").unwrap_or(&place);
        (!matches!(place, "." | "?")).then(|| place.to_owned())
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.told();
        match self.place().filter(|_| told.starts_with(self.of_type())) {
            Some(place) => write!(f, "at {place}: {told}"),
            None => f.write_str(&told),
        }
    }
}

impl std::error::Error for JsonError {}

/// Reads a text.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    serde_json::from_slice(bytes)
        .map_err(|error| JsonError { path: path_of(bytes, &error), message: error.to_string() })
}

/// The place inside the document at which reading stopped: what is before it is read again, as a mere value, until it ends.
fn path_of(bytes: &[u8], error: &serde_json::Error) -> Path {
    let lines: usize = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    let read = &bytes[..(lines + error.column()).min(bytes.len())];
    // The end of a number or word may be followed by more of it; anything else is one sign that is not wanted.
    let word =
        read.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)).count();
    let mut track = Track::new();
    let mut deserializer =
        serde_json::Deserializer::from_slice(&read[..read.len().saturating_sub(word.max(1))]);
    match Value::deserialize(Tracked::new(&mut deserializer, &mut track)) {
        Ok(_) => Track::new().path(),
        Err(_) => track.path(),
    }
}

/// Reads what was read as a value before, and stays as it is to be read again without its mistake.
pub fn read_mapping<T: DeserializeOwned>(mapping: &Map<String, Value>) -> Result<T, JsonError> {
    let mut track = Track::new();
    T::deserialize(Tracked::new(mapping, &mut track))
        .map_err(|error| JsonError { path: track.path(), message: error.to_string() })
}

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// All on one line.
    Line,
    /// For people to read too.
    Indented,
}

/// Writes a value.
pub fn write<T: Serialize>(value: &T, layout: Spacing, out: &mut dyn io::Write) -> serde_json::Result<()> {
    let formatter = match layout {
        Spacing::Line => LaidOut::Line(CompactFormatter),
        Spacing::Indented => LaidOut::Indented(PrettyFormatter::new()),
    };
    value.serialize(&mut serde_json::Serializer::with_formatter(out, formatter))
}

/// A value as bytes.
pub fn bytes<T: Serialize>(value: &T, layout: Spacing) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(value, layout, &mut bytes)?;
    Ok(bytes)
}

/// One formatter for both layouts.
enum LaidOut {
    Line(CompactFormatter),
    Indented(PrettyFormatter<'static>),
}

macro_rules! as_laid_out {
    ($($method:ident($($argument:ident: $type:ty)?)),* $(,)?) => {$(
        fn $method<W: ?Sized + io::Write>(&mut self, out: &mut W $(, $argument: $type)?) -> io::Result<()> {
            match self {
                Self::Line(formatter) => formatter.$method(out $(, $argument)?),
                Self::Indented(formatter) => formatter.$method(out $(, $argument)?),
            }
        }
    )*};
}

// What the two layouts do differently; the rest is the same for all.
impl Formatter for LaidOut {
    as_laid_out! {
        begin_array(), end_array(), begin_array_value(first: bool), end_array_value(),
        begin_object(), end_object(), begin_object_key(first: bool), begin_object_value(), end_object_value(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::{Spacing, bytes, read, read_mapping};

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shelf {
        books: Vec<Book>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Book {
        pages: u16,
    }

    #[test]
    fn a_mistake_has_its_place() {
        let told = |text: &str| read::<Shelf>(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            told("{\"books\": [{\"pages\": 1}, {\"pages\": 70000}]}"),
            "`books[1].pages` holds a value of another kind than it should (line 1, column 40)"
        );
        assert_eq!(told("{\"books\": []} more"), "something follows its end (line 1, column 15)");
        assert_eq!(told("{\"books\": ["), "it ends in the middle (line 1, column 11)");
        assert_eq!(told(""), "it ends in the middle (line 1, column 0)");
        assert_eq!(told("{books"), "it is no JSON from here on (line 1, column 2)");
        assert_eq!(
            told("{\"books\": [{\"sheets\": 1}]}"),
            "`books[0]` has a field `sheets` that is not known (line 1, column 20)"
        );
        let of_type = "`2026-13-45` is not a day; write it like 2026-12-31 at line 1 column 92".to_owned();
        let of_type = super::JsonError { path: super::Track::new().path(), message: of_type };
        assert_eq!(
            of_type.to_string(),
            "`2026-13-45` is not a day; write it like 2026-12-31 (line 1, column 92)"
        );
        assert!(told("{\"books\": [{}]}").starts_with("`books[0]` has no `pages`"));
        let other_kind = "`books[0].pages` holds a value of another kind";
        assert!(told("{\"books\":\n[{\"pages\": \"many\"}]}").starts_with(other_kind));
        assert!(told("{\"books\":\n[{\"pages\": {\"of\": 1}}]}").starts_with(other_kind));
        let mapping = json!({ "books": [{ "sheets": 1 }] }).as_object().unwrap().clone();
        let mistake = read_mapping::<Shelf>(&mapping).unwrap_err();
        assert_eq!(mistake.to_string(), "`books[0].sheets` has a field `sheets` that is not known");
    }

    #[test]
    fn what_is_whole_is_read() {
        let shelf = Shelf { books: vec![Book { pages: 3 }] };
        assert_eq!(read::<Shelf>(b"{\"books\":[{\"pages\":3}]}").unwrap(), shelf);
    }

    #[test]
    fn both_layouts_are_those_of_serde_json() {
        for value in
            [json!({ "a": [1, { "b": null }], "c": {}, "d": [], "e": "\"\n" }), json!([]), json!("x")]
        {
            assert_eq!(bytes(&value, Spacing::Line).unwrap(), serde_json::to_vec(&value).unwrap());
            assert_eq!(bytes(&value, Spacing::Indented).unwrap(), serde_json::to_vec_pretty(&value).unwrap());
        }
    }
}
