//! A number of things, or a share of all of them: `3` and `20%`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

/// A number of things, or a share of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// So many.
    Count(u32),
    /// So much of a hundred.
    Percent(u8),
}

/// Something that is neither a number of things nor a share of them.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is neither a number nor a percentage; write a whole number such as 5, or a percentage such as 20%"
)]
struct NoShare<T>(T);

impl Share {
    /// How many that is of so many; a part of one counts as one.
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Count(count) => usize::try_from(count).unwrap_or(usize::MAX),
            Self::Percent(percent) => all.saturating_mul(usize::from(percent)).div_ceil(100),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_u32(*count),
            Self::Percent(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountOrPercent;

        impl Visitor<'_> for CountOrPercent {
            type Value = Share;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a share: 20%")
            }

            fn visit_u64<E: serde::de::Error>(self, count: u64) -> Result<Share, E> {
                u32::try_from(count).map(Share::Count).map_err(|_| E::custom(NoShare(count)))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Share, E> {
                let digits = text.strip_suffix('%').filter(|digits| !digits.starts_with('+'));
                let percent = digits.and_then(|digits| digits.parse().ok()).filter(|percent| *percent <= 100);
                percent.map(Share::Percent).ok_or_else(|| E::custom(NoShare(text)))
            }
        }

        deserializer.deserialize_any(CountOrPercent)
    }
}

#[cfg(feature = "schemas")]
impl schemars::JsonSchema for Share {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A number of things, or a share of all of them, rounded up.",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^(100|[1-9]?[0-9])%$" },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_up() {
        for (share, all, of) in [
            (Share::Count(3), 100, 3),
            (Share::Percent(20), 10, 2),
            (Share::Percent(20), 11, 3),
            (Share::Percent(0), 11, 0),
        ] {
            assert_eq!(share.of(all), of, "{share} of {all}");
        }
    }

    #[test]
    fn shares_are_numbers_or_percentages() {
        for (text, share) in [("3", Some(Share::Count(3))), ("\"20%\"", Some(Share::Percent(20)))] {
            assert_eq!(serde_json::from_str(text).ok(), share);
            assert_eq!(serde_json::to_string(&share.unwrap()).unwrap(), text);
        }
        for text in ["-1", "\"101%\"", "\"+5%\"", "\"many\"", "1.5", "4294967296"] {
            assert!(serde_json::from_str::<Share>(text).is_err(), "{text}");
        }
    }
}
