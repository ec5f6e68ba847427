//! What is written, and the shape of a format of it.

use std::io;

use super::{against::Against, layout::Layout};
use crate::{
    manifest::finding::Finding,
    model::{organization::Organization, plan::Plan},
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

/// A plan, and what else there is to be said with it.
#[derive(Debug)]
pub struct PlanResult {
    /// The plan.
    pub plan: Plan,
    /// The organization that it was made for, where it is known: scripts need the versions of its servers.
    pub organization: Option<Organization>,
    /// The plan beside that of another version of the manifest.
    pub against: Option<Against>,
    /// What Markdown may have at most, in bytes.
    pub budget: usize,
}
