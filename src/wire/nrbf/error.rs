//! Why bytes are not a stream that is read here, and where.

/// Why a stream could not be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NrbfError {
    /// More than is read.
    #[error("{0} bytes are too many for serialized data; the limit is 4 MiB")]
    TooLarge(usize),
    /// Something is wrong at a place.
    #[error("byte {offset} of the serialized data: {problem}")]
    At {
        /// Counted from zero.
        offset: usize,
        /// What is wrong there.
        problem: Problem,
    },
}

/// What is wrong at a place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It does not begin as it should.
    #[error(
        "it does not begin like a stream of .NET's BinaryFormatter; it was damaged, or is something else"
    )]
    NotAStream,
    /// It ends too early.
    #[error("it ends within {0}; it was cut")]
    Truncated(&'static str),
    /// A length that cannot be.
    #[error("{what} has a length of {length}, and {left} bytes are left; it was damaged")]
    Length {
        /// What has this length.
        what: &'static str,
        /// The length it says.
        length: i64,
        /// How many bytes follow.
        left: usize,
    },
    /// A string that is not UTF-8.
    #[error("a text is not UTF-8; it was damaged")]
    NotText,
    /// A code that does not exist.
    #[error("{code} is no code of {what}; it was damaged")]
    UnknownCode {
        /// What it would be the code of.
        what: &'static str,
        /// The code.
        code: u8,
    },
    /// A record that exists, but has no business here.
    #[error("a record {0} is not supported; Exchange's own data has none")]
    Unsupported(&'static str),
    /// A record in a wrong place.
    #[error("a record {0} cannot stand here; it was damaged")]
    Misplaced(&'static str),
    /// An array of more than one dimension, or one that does not begin at zero.
    #[error("an array of {0} dimensions, or one that does not begin at zero, is not supported")]
    Array(i32),
    /// Two objects of one number.
    #[error("a second object has the number {0}; it was damaged")]
    DuplicateObject(i32),
    /// A reference to an object that is nowhere.
    #[error("object {0} is referred to, and nowhere to be found; it was damaged")]
    UnknownObject(i32),
    /// A class that is like another one, which does not exist.
    #[error("a class is like that of object {0}, which has none; it was damaged")]
    UnknownClass(i32),
    /// More nulls in a row than the array has room for.
    #[error("{count} nulls follow where {room} elements have room; it was damaged")]
    Nulls {
        /// How many nulls.
        count: i64,
        /// How many elements are missing.
        room: usize,
    },
    /// Objects in objects in objects.
    #[error("the objects lie more than {0} deep")]
    TooDeep(usize),
    /// More values than are read.
    #[error("there are more than {0} values")]
    TooManyValues(usize),
    /// Something follows after the end.
    #[error("something follows after the end ({0} bytes); it was damaged")]
    TrailingBytes(usize),
}
