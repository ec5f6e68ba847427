//! What `certwright drift` is told to overlook.

use serde::{Deserialize, Serialize};

use crate::model::schema::JsonSchema;

/// Differences that are no drift.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DriftSpec {
    /// Differences to ignore, each with its reason, so that it is reviewed some day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<IgnoreSpec>,
}

/// Differences that are overlooked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IgnoreSpec {
    /// Which, by the names that `certwright drift` gives them; `*` stands for any text, wherever it is written.
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
