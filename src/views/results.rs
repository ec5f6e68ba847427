//! What is written, and the shape of a format of it.

use std::io;

use serde::Serialize;
use serde_json::Value;

use super::{against::Against, layout::Layout};
use crate::{
    manifest::finding::Finding,
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
    /// How many findings a baseline accepts.
    pub accepted: usize,
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
    /// What Markdown may have at most, in bytes.
    pub budget: usize,
}
