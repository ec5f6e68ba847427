//! What was seen, or why it was not. Unknown is never different and never empty.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Something a driver looked for: its value, or why it could not be seen. In JSON a known fact is its value and an
/// unknown one is `{"unknown": "why"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fact<T> {
    /// It could not be seen; the text says why.
    Unknown(Unknown),
    /// It was seen.
    Known(T),
}

/// Why a fact is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unknown {
    /// The reason, as a short phrase: `not captured`, `access denied`.
    #[serde(rename = "unknown")]
    pub why: String,
}

impl<T> Fact<T> {
    /// An unknown fact, with the reason.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown(Unknown { why: why.into() })
    }

    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// The value to change, if it is known.
    pub fn known_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Why it is unknown, if it is.
    pub fn why_unknown(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(unknown) => Some(&unknown.why),
        }
    }

    /// The same fact about something computed from the value.
    pub fn map<U>(&self, of: impl FnOnce(&T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(of(value)),
            Self::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Fact<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Fact_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [generator.subschema_for::<Unknown>(), generator.subschema_for::<T>()] })
    }
}
