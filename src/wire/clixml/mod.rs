//! CLIXML: how PowerShell serializes objects (MS-PSRP section 2.2.5). `Export-Clixml` writes it into files, and the
//! messages of PowerShell remoting hold it.
//!
//! Objects become property bags: the type names say what an object was, `Props` holds what the type itself had, `MS`
//! what was added to the object, and what lies too deep comes as plain text. Nothing is brought back to life here.

mod document;
mod element;
mod error;
mod escape;
mod input;
mod json;
mod moment;
mod primitive;
mod reader;
mod references;
mod texts;

pub use document::{Content, Document, Enumeration, ListKind, Object, ObjectId, Property, Value};
pub use error::{ClixmlError, Problem};
pub use moment::Moment;

/// Reads CLIXML: a file of `Export-Clixml` (`Objs`), or the one value that a message of MS-PSRP holds.
///
/// The text is UTF-8, or UTF-16 as `Out-File` and `>` of Windows PowerShell write it. A message of MS-PSRP that is empty
/// stands for `$null`; that is the protocol's affair, and no bytes at all are an error here.
pub fn read(bytes: &[u8]) -> Result<Document, ClixmlError> {
    if bytes.len() > LARGEST {
        return Err(ClixmlError::TooLarge(bytes.len()));
    }
    reader::read(&input::text(bytes)?)
}

/// Reads what `ConvertTo-Json` wrote of objects: the same values without their types. Bytes are a list of numbers there, and
/// dates `/Date(1772445600000)/` in Windows PowerShell and ISO 8601 in later ones.
pub fn read_json(bytes: &[u8]) -> Result<Document, ClixmlError> {
    if bytes.len() > LARGEST {
        return Err(ClixmlError::TooLarge(bytes.len()));
    }
    json::read(&input::text(bytes)?)
}

/// The text of a file as Windows writes one: UTF-8 or UTF-16, with or without a byte order mark.
pub fn text(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, ClixmlError> {
    input::text(bytes)
}

/// The settings of a large organization are a few megabytes. 64 MiB is said in the error's text, too.
const LARGEST: usize = 64 * 1024 * 1024;
