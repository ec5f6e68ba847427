//! Data that certwright 0.1 wrote as sentences.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::schema::JsonSchema;

/// Something in a file: as data, or as the sentence that certwright 0.1 wrote of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Recorded{T}")]
pub enum Recorded<T> {
    /// The data.
    Data(T),
    /// The sentence.
    Sentence(String),
}

impl<T> From<T> for Recorded<T> {
    fn from(data: T) -> Self {
        Self::Data(data)
    }
}

impl<T: fmt::Display> fmt::Display for Recorded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(data) => data.fmt(f),
            Self::Sentence(sentence) => f.write_str(sentence),
        }
    }
}
