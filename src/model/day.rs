//! Days, as people write them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    schema::JsonSchema,
    time::{Span, Timestamp},
};

/// A day, as `2026-12-31`. It ends in UTC.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Day(String);

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match format!("{text}T00:00:00Z").parse::<Timestamp>() {
            Ok(_) => Ok(Self(text)),
            Err(_) => Err(format!("`{text}` is not a day; write it like 2026-12-31")),
        }
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Day {
    /// The day that it is so many days later.
    pub fn after(now: Timestamp, days: i64) -> Self {
        Self(now.plus(Span::days(days)).date())
    }

    /// The day, as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has ended.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.0 < now.date()
    }
}
