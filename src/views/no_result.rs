//! Why a command has no result: what reports tell in its place, so that nobody takes an older one for it.

use crate::{
    manifest::finding::{DocPath, Finding, Place, Severity},
    model::time::Timestamp,
};

/// Why a command has no result.
#[derive(Clone, Debug)]
pub struct NoResult {
    /// The command, as it is typed: `plan`.
    pub command: &'static str,
    /// The manifest's file, or that which it is expected in.
    pub manifest: String,
    /// The organization, where the manifest says it.
    pub organization: Option<String>,
    /// The exit code.
    pub exit_code: u8,
    /// What went wrong, in one line.
    pub summary: String,
    /// The causes, nearest first.
    pub causes: Vec<String>,
    /// More about it.
    pub details: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
    /// Mistakes in files.
    pub findings: Vec<Finding>,
    /// When.
    pub at: Timestamp,
    /// What Markdown may have at most, in bytes.
    pub budget: usize,
}

impl NoResult {
    /// What is found: mistakes in files, or that there is no result.
    pub fn told(&self) -> Vec<Finding> {
        if !self.findings.is_empty() {
            return self.findings.clone();
        }
        let why = "Without a result nothing is known of the organization.";
        let mut finding =
            Finding::new("no-result", Severity::Error, DocPath::root(), self.in_one_line(), why);
        finding.hint = self.hints.first().cloned();
        finding.place = Some(Place { file: self.manifest.clone(), line: 1, column: 1, text: String::new() });
        vec![finding]
    }

    /// What went wrong, with its causes.
    pub(super) fn in_one_line(&self) -> String {
        let parts = std::iter::once(&self.summary).chain(&self.causes).chain(&self.details);
        parts.map(|part| part.trim_end_matches('.')).collect::<Vec<_>>().join(": ")
    }

    /// The name of what it is about.
    pub(super) fn name(&self) -> &str {
        self.organization.as_deref().unwrap_or(&self.manifest)
    }

    pub(super) fn title(&self) -> String {
        format!("{}: no result of `certwright {}`", self.name(), self.command)
    }
}
