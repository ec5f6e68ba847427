//! What `certwright drift` is told to overlook.

use serde::{Deserialize, Serialize};

use crate::model::schema::JsonSchema;

/// Differences that are no drift.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DriftSpec {
    /// What is overlooked; each with its reason, so that it is not overlooked for ever.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<IgnoreSpec>,
}

/// Differences that are overlooked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IgnoreSpec {
    /// Which, by the names that `certwright drift` gives them; `*` stands for any text.
    #[schemars(example = &"EX02/*", example = &"*/served/smtp:2525")]
    pub difference: String,
    /// Why.
    #[schemars(example = &"EX02 is being rebuilt")]
    pub because: String,
}

impl DriftSpec {
    pub(super) fn is_default(&self) -> bool {
        self.ignore.is_empty()
    }
}

/// Whether the text is of the pattern, in which `*` stands for any text. Case does not matter.
pub fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last: Option<&str> = None;
    for part in parts {
        if let Some(middle) = last {
            let Some(at) = rest.find(middle) else { return false };
            rest = &rest[at + middle.len()..];
        }
        last = Some(part);
    }
    last.map_or(rest.is_empty(), |end| rest.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, fitting) in [
            ("EX02/*", "EX02/served/https:443", true),
            ("ex02/*", "EX02/served/https:443", true),
            ("*/served/*", "EX02/served/https:443", true),
            ("EX02", "EX02/served/https:443", false),
            ("EX02/served/https:443", "EX02/served/https:443", true),
            ("*", "anything", true),
            ("*:443", "EX02/served/https:4430", false),
            ("a*b*b", "ab", false),
            ("a*b*b", "abb", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(fits(pattern, text), fitting, "{pattern} on {text}");
        }
    }
}
