//! A verdict as a report of JUnit, which pipelines show: a suite for each server, a case for each endpoint and page.

use std::{collections::BTreeMap, io, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use crate::{
    model::time::Timestamp,
    verify::{
        finding::{EndpointFinding, EndpointSeverity},
        health::HealthRow,
        mail_flow::MailRow,
        row::Row,
        verdict::Verdict,
    },
};

/// Writes it.
pub fn verdict(verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()> {
    let mut suites: BTreeMap<&str, Vec<TestCase>> = BTreeMap::new();
    for row in &verdict.rows {
        suites.entry(&row.server).or_default().push(of_row(row));
    }
    for row in &verdict.health {
        suites.entry(&row.server).or_default().push(of_page(row));
    }
    for row in &verdict.mail_flow {
        suites.entry(&row.server).or_default().push(of_mail(row));
    }
    let organization = verdict.organization.as_deref().unwrap_or("endpoints");
    for what in &verdict.not_provable {
        let text = what.to_string();
        let status = if what.is_error() { failed("not asked", &text) } else { TestCaseStatus::skipped() };
        let asked = case(organization, &text, status);
        suites.entry(organization).or_default().push(asked);
    }
    let mut report = Report::new(xml(&format!("certwright verify {organization}")));
    report.add_test_suites(suites.into_iter().map(|(name, cases)| suite(name, verdict.at, cases)));
    report.serialize(out).map_err(io::Error::other)
}

fn suite(name: &str, at: Timestamp, cases: Vec<TestCase>) -> TestSuite {
    let mut suite = TestSuite::new(xml(name));
    suite.timestamp = Some(at.to_string().parse().expect("a moment is written as RFC 3339"));
    suite.add_test_cases(cases);
    suite
}

fn of_row(row: &Row) -> TestCase {
    let asked_for = row.name.as_ref().map_or(String::new(), |name| format!(" for {name}"));
    let service = row.service.as_ref().map_or(String::new(), |service| format!(" ({service})"));
    let wrong: Vec<&EndpointFinding> = row.wrong().collect();
    let status = wrong.first().map_or_else(TestCaseStatus::success, |first| {
        let mut lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        lines.extend(row.cause.iter().map(|cause| format!("likely cause: {}", cause.message)));
        failed(&first.word(), &lines.join("\n"))
    });
    let mut output = Vec::new();
    output.extend(row.served.map(|served| format!("served {served}")));
    output.extend(row.not_after.map(|end| format!("until {end}")));
    output.extend(row.version.map(|version| format!("{version} {}", row.cipher.as_deref().unwrap_or(""))));
    let warnings = row.problems.iter().filter(|problem| problem.severity() == EndpointSeverity::Warning);
    output.extend(warnings.map(|problem| format!("warning: {problem}")));
    let took = row.milliseconds.map_or(0, |took| took.connect + took.greeting + took.handshake);
    let mut case = case(&row.server, &format!("{}{asked_for}{service}", row.endpoint), status);
    case.set_time(Duration::from_millis(took));
    if !output.is_empty() {
        case.set_system_out(xml(&output.join("\n")));
    }
    case
}

fn of_page(row: &HealthRow) -> TestCase {
    let status = if row.healthy {
        TestCaseStatus::success()
    } else {
        failed("unhealthy", row.problem.as_deref().unwrap_or_default())
    };
    case(&row.server, &format!("{} {}", row.endpoint, row.page), status)
}

fn of_mail(row: &MailRow) -> TestCase {
    let status = if row.accepted {
        TestCaseStatus::success()
    } else {
        failed("not taken", row.problem.as_deref().unwrap_or_default())
    };
    case(&row.server, &format!("{} test message", row.endpoint), status)
}

fn case(server: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(xml(name), status);
    case.set_classname(xml(server));
    case
}

/// What is wrong, in short and in full.
fn failed(short: &str, full: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(xml(short)).set_description(xml(full));
    status
}

/// Text without what XML has no way to write: [`XmlString`] leaves out control characters, and these are none.
fn xml(text: &str) -> XmlString {
    XmlString::new(text.replace(['\u{fffe}', '\u{ffff}'], ""))
}
