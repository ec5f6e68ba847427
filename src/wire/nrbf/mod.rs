//! Streams of .NET's `BinaryFormatter` (MS-NRBF), which Exchange puts into its objects as `SerializationData`.
//!
//! In .NET these bytes say which classes to make, and so have been the way into many servers. Here they become a tree of
//! names and values; no class is known and nothing is made. Records that belong to calls of .NET Remoting, and those
//! that leave the types of their members to the reader's knowledge of the class, are refused.

mod cursor;
mod error;
mod message;
mod reader;
mod writer;

pub use error::{NrbfError, Problem};
pub use message::{Message, Object, ObjectId, Value};
pub(super) use writer::{Member, Writer};

/// Reads a stream.
pub fn read(bytes: &[u8]) -> Result<Message, NrbfError> {
    if bytes.len() > LARGEST {
        return Err(NrbfError::TooLarge(bytes.len()));
    }
    reader::read(bytes)
}

/// An Exchange certificate takes three kilobytes. 4 MiB is said in the error's text, too.
const LARGEST: usize = 4 * 1024 * 1024;

/// The codes of records (MS-NRBF section 2.1.2.1).
mod record {
    pub(super) const HEADER: u8 = 0;
    pub(super) const CLASS_WITH_ID: u8 = 1;
    pub(super) const SYSTEM_CLASS_WITH_MEMBERS: u8 = 2;
    pub(super) const CLASS_WITH_MEMBERS: u8 = 3;
    pub(super) const SYSTEM_CLASS_WITH_MEMBERS_AND_TYPES: u8 = 4;
    pub(super) const CLASS_WITH_MEMBERS_AND_TYPES: u8 = 5;
    pub(super) const STRING: u8 = 6;
    pub(super) const BINARY_ARRAY: u8 = 7;
    pub(super) const PRIMITIVE: u8 = 8;
    pub(super) const REFERENCE: u8 = 9;
    pub(super) const NULL: u8 = 10;
    pub(super) const END: u8 = 11;
    pub(super) const LIBRARY: u8 = 12;
    pub(super) const NULLS_256: u8 = 13;
    pub(super) const NULLS: u8 = 14;
    pub(super) const PRIMITIVE_ARRAY: u8 = 15;
    pub(super) const OBJECT_ARRAY: u8 = 16;
    pub(super) const STRING_ARRAY: u8 = 17;
    pub(super) const METHOD_CALL: u8 = 21;
    pub(super) const METHOD_RETURN: u8 = 22;
}

/// The codes of what a member or an element holds (MS-NRBF section 2.1.2.2).
mod holds {
    pub(super) const PRIMITIVE: u8 = 0;
    pub(super) const STRING: u8 = 1;
    pub(super) const OBJECT: u8 = 2;
    pub(super) const SYSTEM_CLASS: u8 = 3;
    pub(super) const CLASS: u8 = 4;
    pub(super) const OBJECT_ARRAY: u8 = 5;
    pub(super) const STRING_ARRAY: u8 = 6;
    pub(super) const PRIMITIVE_ARRAY: u8 = 7;
}

/// The codes of primitive types (MS-NRBF section 2.1.2.3).
mod primitive {
    pub(super) const BOOLEAN: u8 = 1;
    pub(super) const BYTE: u8 = 2;
    pub(super) const CHARACTER: u8 = 3;
    pub(super) const DECIMAL: u8 = 5;
    pub(super) const DOUBLE: u8 = 6;
    pub(super) const INT16: u8 = 7;
    pub(super) const INT32: u8 = 8;
    pub(super) const INT64: u8 = 9;
    pub(super) const SBYTE: u8 = 10;
    pub(super) const SINGLE: u8 = 11;
    pub(super) const TIME_SPAN: u8 = 12;
    pub(super) const DATE_TIME: u8 = 13;
    pub(super) const UINT16: u8 = 14;
    pub(super) const UINT32: u8 = 15;
    pub(super) const UINT64: u8 = 16;
}
