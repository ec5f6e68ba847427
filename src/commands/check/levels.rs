//! How findings count: `--deny`, `--allow` and `--warnings-as-errors`.

use crate::{
    commands::{CommandError, Exit},
    explain::{self, ExplanationKind},
    manifest::{
        finding::{Finding, Severity},
        suggestion::suggestion,
    },
};

/// What the command line says about how findings count.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// Findings of these ids are errors.
    pub deny: Vec<String>,
    /// Findings of these ids are not shown, unless nothing can be planned with them.
    pub allow: Vec<String>,
    /// Whether warnings are errors.
    pub warnings_as_errors: bool,
}

impl Levels {
    /// Refuses ids that no check has: a misspelt one would silently change nothing.
    pub(super) fn validate(&self) -> Result<(), CommandError> {
        if self.deny.is_empty() && self.allow.is_empty() {
            return Ok(());
        }
        let findings = explain::catalogue().iter().filter(|entry| entry.kind == ExplanationKind::Finding);
        let known: Vec<&str> = findings.map(|entry| entry.id).collect();
        for (option, ids) in [("--deny", &self.deny), ("--allow", &self.allow)] {
            if let Some(unknown) = ids.iter().find(|id| !known.contains(&id.as_str())) {
                return Err(CommandError::new(
                    Exit::Usage,
                    format!("{option}: no check has the id `{unknown}`"),
                )
                .hint(suggestion(unknown, &known)));
            }
        }
        match self.deny.iter().find(|id| self.allow.contains(id)) {
            Some(both) => Err(CommandError::new(Exit::Usage, format!("`{both}` is both allowed and denied"))
                .hint("keep one of the two")),
            None => Ok(()),
        }
    }

    /// The finding as it counts; none when it is allowed. An error cannot be allowed: nothing can be planned with it.
    pub(super) fn apply(&self, mut finding: Finding) -> Option<Finding> {
        let named = |ids: &[String]| ids.contains(&finding.id);
        if finding.severity == Severity::Error {
            return Some(finding);
        }
        if named(&self.allow) {
            return None;
        }
        if named(&self.deny) || (self.warnings_as_errors && finding.severity == Severity::Warning) {
            finding.severity = Severity::Error;
        }
        Some(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::finding::DocPath;

    #[test]
    fn errors_stay_and_the_rest_counts_as_it_is_told() {
        let finding = |severity| Finding::new("certificate-unused", severity, DocPath::root(), "", "");
        let severity =
            |levels: &Levels, severity| levels.apply(finding(severity)).map(|found| found.severity);
        let ids = vec!["certificate-unused".to_owned()];
        let allow = Levels { allow: ids.clone(), ..Levels::default() };
        assert_eq!(severity(&allow, Severity::Warning), None);
        assert_eq!(severity(&allow, Severity::Error), Some(Severity::Error));
        let deny = Levels { deny: ids, ..Levels::default() };
        assert_eq!(severity(&deny, Severity::Notice), Some(Severity::Error));
        let strict = Levels { warnings_as_errors: true, ..Levels::default() };
        assert_eq!(severity(&strict, Severity::Warning), Some(Severity::Error));
        assert_eq!(severity(&strict, Severity::Notice), Some(Severity::Notice));
    }
}
