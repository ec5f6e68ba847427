//! Moments of `lab.yaml`, which may be said relative to the lab's time.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::model::time::{Span, Timestamp};

/// A moment: absolute, or so long before (`-348d`) or after (`+17d`) the lab's time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SeedMoment {
    /// Absolute.
    At(Timestamp),
    /// After the lab's time.
    After(Span),
    /// Before the lab's time.
    Before(Span),
}

impl SeedMoment {
    /// The moment, when the lab's time is `now`.
    pub fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::After(span) => now.plus(span),
            Self::Before(span) => now.minus(span),
        }
    }
}

impl FromStr for SeedMoment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |error: &dyn fmt::Display| {
            format!("{error}, or so long after or before the lab's time: +17d, -348d")
        };
        match text.split_at_checked(1) {
            Some(("+", span)) => span.parse().map(Self::After).map_err(|error| wrong(&error)),
            Some(("-", span)) => span.parse().map(Self::Before).map_err(|error| wrong(&error)),
            _ => text.parse().map(Self::At).map_err(|error| wrong(&error)),
        }
    }
}

impl fmt::Display for SeedMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => write!(f, "{at}"),
            Self::After(span) => write!(f, "+{span}"),
            Self::Before(span) => write!(f, "-{span}"),
        }
    }
}

impl fmt::Debug for SeedMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SeedMoment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SeedMoment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schemas")]
impl schemars::JsonSchema for SeedMoment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A moment: 2026-03-02T09:14:07Z, or so long before or after the lab's time: -348d, +17d.",
        })
    }
}
