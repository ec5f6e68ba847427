//! Messages as a report of JUnit: a suite for each file, a case for each message. A file of which nothing is said passes.

use std::{collections::BTreeMap, io};

use super::told::{Accepted, Diagnostics, place, shown};
use crate::{
    manifest::foreign::SkippedFile,
    model::diagnostic::{Diagnostic, Severity},
    views::junit::document::{self, Case, Outcome, Suite, Told},
};

/// Writes it. Errors and warnings fail; notices and what is accepted are skipped.
pub(super) fn write(diagnostics: &Diagnostics, out: &mut dyn io::Write) -> io::Result<()> {
    let mut suites: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    let mut add = |diagnostic: &Diagnostic, accepted: Option<&str>| {
        let case = of(diagnostics, diagnostic, accepted);
        suites.entry(case.class.clone()).or_default().push(case);
    };
    diagnostics.list.iter().for_each(|diagnostic| add(diagnostic, None));
    for Accepted { diagnostic, because } in &diagnostics.accepted {
        add(diagnostic, Some(because));
    }
    for SkippedFile { file, why, .. } in &diagnostics.skipped {
        let told = Told { short: "not read".into(), full: why.clone() };
        let outcome = Outcome::Skipped(Some(told));
        let class = shown(file);
        let case =
            Case { name: "not read".into(), class: class.clone(), took: None, outcome, output: Vec::new() };
        suites.entry(class).or_default().push(case);
    }
    if diagnostics.list.is_empty() && diagnostics.accepted.is_empty() {
        let file = diagnostics.file.clone();
        let name = format!("{} finds nothing", diagnostics.command);
        let passed =
            Case { name, class: file.clone(), took: None, outcome: Outcome::Passed, output: Vec::new() };
        suites.entry(file).or_default().push(passed);
    }
    let suites: Vec<Suite> =
        suites.into_iter().map(|(name, cases)| Suite { name, at: None, cases }).collect();
    document::write(&format!("certwright {}", diagnostics.command), &suites, out)
}

fn of(diagnostics: &Diagnostics, diagnostic: &Diagnostic, accepted: Option<&str>) -> Case {
    let (file, line, column) = place(diagnostics, diagnostic);
    let mut full = format!("{file}:{line}:{column}: {diagnostic}");
    if let Some(because) = accepted {
        full += &format!("\naccepted: {because}");
    }
    let told = Told { short: format!("{}: {}", diagnostic.severity, diagnostic.message), full };
    let outcome = match (diagnostic.severity, accepted) {
        (Severity::Notice, _) | (_, Some(_)) => Outcome::Skipped(Some(told)),
        (Severity::Error | Severity::Warning, None) => Outcome::Failed(told),
    };
    let name = diagnostic.subject.place.as_deref().filter(|place| !place.is_empty());
    let name = name.map_or_else(|| format!("{line}:{column}"), ToOwned::to_owned);
    Case {
        name: format!("{} at {name}", diagnostic.code),
        class: file,
        took: None,
        outcome,
        output: Vec::new(),
    }
}
