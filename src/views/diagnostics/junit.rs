//! Messages as a report of JUnit: a suite for each file, a case for each message. A file of which nothing is said passes.

use std::{collections::BTreeMap, io};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::told::{Accepted, Diagnostics, place};
use crate::model::diagnostic::{Diagnostic, Severity};

/// Writes it. Errors and warnings fail; notices and what is accepted are skipped.
pub(super) fn write(diagnostics: &Diagnostics, out: &mut dyn io::Write) -> io::Result<()> {
    let mut suites: BTreeMap<String, TestSuite> = BTreeMap::new();
    let mut add = |diagnostic: &Diagnostic, accepted: Option<&str>| {
        let (file, line, column) = place(diagnostics, diagnostic);
        let suite = suites.entry(file.clone()).or_insert_with(|| TestSuite::new(XmlString::new(&file)));
        let mut status = match (diagnostic.severity, accepted) {
            (Severity::Notice, _) | (_, Some(_)) => TestCaseStatus::skipped(),
            (Severity::Error | Severity::Warning, None) => {
                TestCaseStatus::non_success(NonSuccessKind::Failure)
            }
        };
        status.set_message(XmlString::new(format!("{}: {}", diagnostic.severity, diagnostic.message)));
        let mut told = format!("{file}:{line}:{column}: {diagnostic}");
        if let Some(because) = accepted {
            told += &format!("\naccepted: {because}");
        }
        status.set_description(XmlString::new(told));
        let name = diagnostic.subject.place.as_deref().filter(|place| !place.is_empty());
        let name = name.map_or_else(|| format!("{line}:{column}"), ToOwned::to_owned);
        let mut case = TestCase::new(XmlString::new(format!("{} at {name}", diagnostic.code)), status);
        case.set_classname(XmlString::new(file));
        suite.add_test_case(case);
    };
    diagnostics.list.iter().for_each(|diagnostic| add(diagnostic, None));
    for Accepted { diagnostic, because } in &diagnostics.accepted {
        add(diagnostic, Some(because));
    }
    if suites.is_empty() {
        let mut suite = TestSuite::new(XmlString::new(&diagnostics.file));
        let mut case = TestCase::new(
            XmlString::new(format!("{} finds nothing", diagnostics.command)),
            TestCaseStatus::success(),
        );
        case.set_classname(XmlString::new(&diagnostics.file));
        suite.add_test_case(case);
        suites.insert(String::new(), suite);
    }
    let mut report = Report::new(XmlString::new(format!("certwright {}", diagnostics.command)));
    report.add_test_suites(suites.into_values());
    report.serialize(out).map_err(io::Error::other)
}
