//! Errors for programs: on a line of standard error, and in the place of a result.

use std::io;

use serde::Serialize;

use super::no_result::NoResult;
use crate::{
    json::{self, Spacing},
    manifest::finding::Finding,
    model::schema::JsonSchema,
};

/// An error under `--format json`, as one line on standard error.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDocument<'a> {
    /// The format of this line.
    version: u32,
    /// What went wrong.
    error: ErrorParts<'a>,
}

/// What went wrong.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ErrorParts<'a> {
    /// The exit code.
    exit_code: u8,
    /// What went wrong, in one line.
    summary: &'a str,
    /// The causes, nearest first.
    causes: &'a [String],
    /// More about it.
    details: &'a [String],
    /// What to do.
    hints: &'a [String],
    /// Mistakes in files.
    findings: &'a [Finding],
}

impl<'a> ErrorDocument<'a> {
    /// An error with this exit code.
    pub fn new(
        exit_code: u8,
        summary: &'a str,
        causes: &'a [String],
        details: &'a [String],
        hints: &'a [String],
        findings: &'a [Finding],
    ) -> Self {
        Self { version: 1, error: ErrorParts { exit_code, summary, causes, details, hints, findings } }
    }
}

/// A manifest of which nothing is known.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FailedManifest<'a> {
    /// Its file, or that which it is expected in.
    manifest: &'a str,
    /// The organization, where the manifest says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<&'a str>,
    /// Why.
    error: ErrorParts<'a>,
}

impl<'a> From<&'a NoResult> for FailedManifest<'a> {
    fn from(failure: &'a NoResult) -> Self {
        let NoResult { manifest, organization, .. } = failure;
        Self { manifest, organization: organization.as_deref(), error: parts(failure) }
    }
}

fn parts(failure: &NoResult) -> ErrorParts<'_> {
    let NoResult { exit_code, summary, causes, details, hints, findings, .. } = failure;
    ErrorParts { exit_code: *exit_code, summary, causes, details, hints, findings }
}

/// Why there is no result.
pub(super) fn no_result(failure: &NoResult, out: &mut dyn io::Write) -> io::Result<()> {
    json::write(&ErrorDocument { version: 1, error: parts(failure) }, Spacing::Indented, out)?;
    writeln!(out)
}
