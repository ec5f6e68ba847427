//! Why a text is not CLIXML, and where.

use super::super::shown;

/// Why a text could not be read. The caller knows the file's name and says it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClixmlError {
    /// More than is read.
    #[error("{0} bytes are too many for CLIXML; the limit is 64 MiB, so export fewer objects at a time")]
    TooLarge(usize),
    /// Nothing, or nothing but blanks and comments.
    #[error("there is no object in it: it is empty, so the export failed or has not ended yet")]
    Empty,
    /// Something is wrong at a place.
    #[error("line {line}, column {column}: {problem}")]
    At {
        /// Counted from one.
        line: usize,
        /// Counted from one, in characters.
        column: usize,
        /// What is wrong there.
        problem: Problem,
    },
}

/// What is wrong at a place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The bytes are no text.
    #[error("the bytes from here on are not {0}; the file was damaged, or converted from another encoding")]
    NotText(&'static str),
    /// The XML declaration names an encoding in which PowerShell does not write.
    #[error("the file says that its encoding is `{0}`; it has to be UTF-8 or UTF-16")]
    Encoding(String),
    /// The XML is broken.
    #[error("the XML is broken ({0}); the file was cut or edited, so export it again")]
    Malformed(String),
    /// The JSON is broken.
    #[error("the JSON is broken ({0}); the file was cut or edited, so export it again")]
    Json(&'static str),
    /// The text ends before its elements do.
    #[error("the file ends inside <{0}>; it was cut, or the export has not ended yet")]
    Truncated(&'static str),
    /// A document type definition.
    #[error("a document type definition is refused; PowerShell never writes one")]
    DocumentType,
    /// An entity that XML does not define by itself.
    #[error("the entity `&{0};` is refused; PowerShell never writes one of its own")]
    Entity(String),
    /// An element that the serialization does not have.
    #[error("<{0}> is no element of PowerShell's serialization; is this file from Export-Clixml?")]
    UnknownElement(String),
    /// An element in a wrong place.
    #[error("<{element}> cannot stand {inside}; the file was edited, so export it again")]
    Misplaced {
        /// The element.
        element: &'static str,
        /// In what it stands.
        inside: Inside,
    },
    /// Text between elements.
    #[error("`{0}` stands between elements, where no text belongs; the file was edited, so export it again")]
    StrayText(String),
    /// An attribute is missing.
    #[error("<{element}> has no attribute {attribute} here, which says {says}")]
    MissingAttribute {
        /// The element.
        element: &'static str,
        /// The attribute.
        attribute: &'static str,
        /// What it would say.
        says: &'static str,
    },
    /// An entry of a dictionary with something else than one key and one value.
    #[error("an entry of a dictionary has one Key and one Value, and here is {0}")]
    Entry(&'static str),
    /// A reference to what does not stand before it.
    #[error("<{element}> refers to RefId `{id}`, which nothing before it has; the file was cut or joined")]
    UnknownReference {
        /// The element.
        element: &'static str,
        /// What it refers to.
        id: String,
    },
    /// A RefId that two elements have.
    #[error("a second <{element}> has RefId `{id}`; two files were joined, so read them one by one")]
    DuplicateReference {
        /// The element.
        element: &'static str,
        /// What both have.
        id: String,
    },
    /// A second `TN`, `ToString` or value in an object.
    #[error("<{0}> comes on top of another one in the same object; the file was edited, so export it again")]
    Twice(&'static str),
    /// Text that is not what its element holds.
    #[error("`{text}` is not what <{element}> holds, which is {expected}")]
    Primitive {
        /// The element.
        element: &'static str,
        /// Its text, or what may be shown of it.
        text: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Elements in elements in elements.
    #[error("the elements lie more than {0} deep; PowerShell itself ends before that")]
    TooDeep(usize),
    /// More values than are read.
    #[error("there are more than {0} values; export fewer objects at a time")]
    TooManyValues(usize),
    /// More attributes than any element has.
    #[error("an element has more than {0} attributes; PowerShell writes three at most")]
    TooManyAttributes(usize),
}

/// In what an element stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// In an element.
    Element(&'static str),
    /// Where a document begins.
    Nothing,
    /// Where a document has ended.
    AfterTheEnd,
}

impl std::fmt::Display for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Element(name) => write!(f, "in <{name}>"),
            Self::Nothing => f.write_str("at the beginning"),
            Self::AfterTheEnd => f.write_str("after the end of the document"),
        }
    }
}

impl Problem {
    /// What quick-xml found. Its words hold names from the file, of any length.
    pub(super) fn malformed(error: &impl std::fmt::Display) -> Self {
        Self::Malformed(shown(&error.to_string()))
    }
}
