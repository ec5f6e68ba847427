//! What is written, and the shape of a format of it.

use std::{fmt, io};

use serde::Serialize;
use serde_json::Value;

use super::{against::Against, layout::Layout, no_result::NoResult};
use crate::{
    manifest::{finding::Finding, foreign::SkippedFile},
    model::{organization::Organization, plan::Plan, schema::JsonSchema, unfinished_run::UnfinishedRun},
};

/// A format of one kind of result, by the name it has on the command line.
#[derive(Debug)]
pub struct ResultFormat<T> {
    /// Its name.
    pub name: &'static str,
    /// Writes it.
    pub write: fn(Layout, &T, &mut dyn io::Write) -> io::Result<()>,
}

/// What `check` found.
#[derive(Clone, Debug, Default)]
pub struct CheckResult {
    /// What counts, in the order of the manifests and their files.
    pub findings: Vec<Finding>,
    /// How many files were read.
    pub files: usize,
    /// What a baseline accepts for now.
    pub accepted: Vec<AcceptedFinding>,
    /// What lies beside the manifests and was not read.
    pub skipped: Vec<SkippedFile>,
}

/// A plan of a format that is not known yet: as much of it as can be understood.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewerPlan {
    /// The format of this document.
    pub version: u32,
    /// The format of the plan, which this certwright does not know.
    pub format: u64,
    /// The organization it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_at: Option<String>,
    /// When the organization was observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<String>,
    /// The driver that observed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The steps, in order.
    pub steps: Vec<NewerStep>,
    /// What Markdown may have at most, in bytes.
    #[serde(skip)]
    #[schemars(skip)]
    pub budget: usize,
    /// The file as it is.
    pub file: Value,
}

/// A step of which only the words are known.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewerStep {
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// What is done, as far as it can be understood.
    pub what: String,
}

/// A finding that a baseline accepts for now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedFinding {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it is accepted, and until when.
    pub because: String,
}

/// What is known of several organizations, and why nothing is known of the others.
#[derive(Debug)]
pub struct Organizations<T> {
    /// Each organization of which something is known, in the order of the command line.
    pub list: Vec<T>,
    /// The others.
    pub failed: Vec<NoResult>,
}

/// A plan, and what else there is to be said with it.
#[derive(Debug)]
pub struct PlanResult {
    /// The plan.
    pub plan: Plan,
    /// The organization that it was made for, where it is known: scripts need the versions of its servers.
    pub organization: Option<Organization>,
    /// The newest run, when it did not come to its end.
    pub unfinished_run: Option<UnfinishedRun>,
    /// The plan beside that of another version of the manifest.
    pub against: Option<Against>,
    /// Why `apply` would not take the file that it was read from; none when it would, or when it comes from no file.
    pub refused: Option<RefusedPlan>,
    /// What Markdown may have at most, in bytes.
    pub budget: usize,
}

/// Why `apply` does not take the plan in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "because", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RefusedPlan {
    /// Its digest is that of another content.
    Changed,
    /// It has no digest, as what `plan --format json` prints.
    NoDigest,
    /// Its format is newer than what this certwright knows.
    NewerFormat {
        /// Its format.
        format: u64,
        /// The newest that is known.
        known: u32,
    },
}

impl fmt::Display for RefusedPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str(
                "it was changed after certwright wrote it, or written by another certwright; `apply` refuses it",
            ),
            Self::NoDigest => f.write_str(
                "it has no digest, so nobody can tell whether it was changed; `apply` takes only what `plan --out` saves",
            ),
            Self::NewerFormat { format, known } => write!(
                f,
                "its format is {format}, and this certwright knows up to {known}; `apply` refuses it"
            ),
        }
    }
}

impl NewerPlan {
    /// What is known of it beside its steps, each with its name.
    pub(super) fn facts(&self) -> Vec<(&'static str, &str)> {
        let Self { organization, planned_at, observed_at, driver, .. } = self;
        let facts = [
            ("organization", organization),
            ("planned at", planned_at),
            ("observed at", observed_at),
            ("driver", driver),
        ];
        facts.into_iter().filter_map(|(name, fact)| Some((name, fact.as_deref()?))).collect()
    }

    pub(super) fn is_unknown(&self) -> bool {
        self.steps.is_empty() && self.facts().is_empty()
    }

    pub(super) fn title(&self) -> String {
        let organization = self.organization.as_deref().unwrap_or("an organization");
        format!("Plan for {organization}, made by a newer certwright")
    }
}

impl NewerStep {
    /// Its number, or what stands for one.
    pub(super) fn number(&self) -> String {
        self.id.map_or_else(|| "?".to_owned(), |id| id.to_string())
    }
}

/// What is said of a plan of which nothing can be told.
pub(super) const NOTHING_KNOWN: &str = "nothing in it is known";
