//! A capture as a driver.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{schema::JsonSchema, time::Timestamp};

/// What was saved of an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CaptureSpec {
    /// A folder for one organization, relative to the manifest's directory: what `certwright observe --out FILE` saved, and
    /// files of `Export-Clixml`. Or one such file.
    #[serde(default = "CaptureSpec::default_path")]
    pub path: PathBuf,
    /// When it was captured, where the files do not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The organization to look at, by the name of its forest, where the folder holds files of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"contoso.com")]
    pub organization: Option<String>,
}

impl CaptureSpec {
    fn default_path() -> PathBuf {
        "capture".into()
    }

    /// The capture at this path, of which nothing else is known.
    pub fn at_path(path: PathBuf) -> Self {
        Self { path, at: None, organization: None }
    }
}
