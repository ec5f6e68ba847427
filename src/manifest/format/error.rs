//! Why a text has no canonical layout.

/// Why a text is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It is no YAML.
    #[error("line {line}: {message}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// It is YAML that the layout has no way to write.
    #[error("line {line}: {what}, which has no canonical layout")]
    NotForUs {
        /// The line, counted from 1.
        line: usize,
        /// What it is.
        what: &'static str,
    },
    /// Something would be lost or become different.
    #[error("it cannot be laid out without changing what it says")]
    WouldChange,
}
