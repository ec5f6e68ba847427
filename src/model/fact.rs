//! What was seen, or why it was not. Unknown is never different and never empty.

mod read;

use serde::Serialize;

use super::schema::JsonSchema;

/// Something a driver looked for: its value, or why it could not be seen. In JSON a known fact is its value and an
/// unknown one is `{"unknown": "why"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Fact<T> {
    /// It could not be seen; the text says why.
    Unknown(Unknown),
    /// It was seen.
    Known(T),
}

/// Why a fact is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Unknown {
    /// The reason, as a short phrase: `not captured`, `access denied`.
    #[serde(rename = "unknown")]
    pub why: String,
}

impl Unknown {
    /// The reason where nobody looked.
    pub const NOT_CAPTURED: &str = "not captured";

    /// Whether nobody looked, so that another source may know better or know why.
    pub fn is_not_captured(&self) -> bool {
        self.why == Self::NOT_CAPTURED
    }
}

impl<T> Fact<T> {
    /// Nobody looked.
    pub fn not_captured() -> Self {
        Self::unknown(Unknown::NOT_CAPTURED)
    }

    /// Whether nobody looked.
    pub fn is_not_captured(&self) -> bool {
        matches!(self, Self::Unknown(unknown) if unknown.is_not_captured())
    }

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

#[cfg(feature = "schemas")]
impl<T: JsonSchema> JsonSchema for Fact<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Fact_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [generator.subschema_for::<Unknown>(), generator.subschema_for::<T>()] })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fmt,
    };

    use serde::Deserialize;

    use super::*;

    fn goes_both_ways<T: Clone + fmt::Debug + PartialEq + Serialize + for<'de> Deserialize<'de>>(value: T) {
        for fact in [Fact::Known(value), Fact::unknown("not captured")] {
            let text = serde_json::to_string(&fact).unwrap();
            assert_eq!(serde_json::from_str::<Fact<T>>(&text).unwrap(), fact, "{text}");
        }
    }

    #[test]
    fn known_and_unknown_are_told_apart_for_every_shape() {
        goes_both_ways(true);
        goes_both_ways(String::from("unknown"));
        goes_both_ways(BTreeSet::from([String::from("SMTP")]));
        goes_both_ways(Vec::<String>::new());
        goes_both_ways(BTreeMap::from([(String::from("a"), 1)]));
        goes_both_ways(None::<String>);
        goes_both_ways(Some(String::from("a")));
        goes_both_ways(-1);
        goes_both_ways(1.5);
        goes_both_ways(Some(BTreeMap::from([(String::from("a"), Some(1))])));
        goes_both_ways(Fact::Known(vec![Fact::Known(true), Fact::unknown("access denied")]));
        goes_both_ways(Thing::Named);
        goes_both_ways(Some(Thing::Numbered { number: 1 }));
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Thing {
        Named,
        Numbered { number: u8 },
    }

    /// A connector may be called so.
    #[test]
    fn a_value_in_which_something_is_called_unknown_is_a_value() {
        goes_both_ways(BTreeMap::from([(String::from("unknown"), 1)]));
        goes_both_ways(BTreeMap::from([(String::from("unknown"), "a".to_owned()), ("z".into(), "b".into())]));
        goes_both_ways(BTreeMap::from([(String::from("a"), "b".to_owned()), ("unknown".into(), "c".into())]));
    }

    #[test]
    fn what_is_neither_is_an_error_that_says_where() {
        let wrong = |text: &str| serde_json::from_str::<Fact<Vec<u8>>>(text).unwrap_err().to_string();
        assert!(wrong("[1, 300]").starts_with("invalid value: integer `300`, expected u8 at line 1"));
        assert!(wrong(r#"{"unknown": 1}"#).contains("expected a sequence"), "{}", wrong(r#"{"unknown": 1}"#));
        assert!(wrong(r#"{"unknown": "a", "b": 1}"#).contains("expected a sequence"));
    }
}
