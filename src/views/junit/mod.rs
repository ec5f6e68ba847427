//! A verdict as a report of JUnit, which pipelines show: a suite for each server, a case for each endpoint and page.

pub(super) mod document;

use std::{collections::BTreeMap, io, time::Duration};

use self::document::{Case, Outcome, Suite, Told};
use crate::{
    model::{
        handshake::endpoint_finding::{EndpointFinding, EndpointSeverity},
        names::ServerName,
    },
    verify::{health::HealthRow, mail_flow::MailRow, row::Row, verdict::Verdict},
};

/// Writes it.
pub fn verdict(verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()> {
    let mut suites: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
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
        let outcome = if what.is_error() { failed("not asked", &text) } else { Outcome::Skipped(None) };
        suites.entry(organization).or_default().push(case(organization, text, outcome));
    }
    let absences = verdict.absences();
    for absence in &absences {
        let place = absence.server().map_or(organization, ServerName::as_str);
        let outcome = failed(absence.word(), &absence.told());
        suites.entry(place).or_default().push(case(place, absence.what(), outcome));
    }
    for ending in &verdict.ending {
        let server = ending.server.as_ref().map_or(organization, ServerName::as_str);
        let text = ending.to_string();
        let outcome = if ending.expired { failed("ended", &text) } else { Outcome::Passed };
        let output = if ending.expired { Vec::new() } else { vec![format!("warning: {text}")] };
        let name = format!("end of {}", ending.certificate);
        suites.entry(server).or_default().push(Case { output, ..case(server, name, outcome) });
    }
    if let Some(unfinished) = &verdict.unfinished_run {
        let told = Told { short: "not finished".into(), full: unfinished.diagnostic().to_string() };
        let name = format!("run {}", unfinished.run);
        suites.entry(organization).or_default().push(case(organization, name, Outcome::Skipped(Some(told))));
    }
    let suite = |(name, cases): (&str, _)| Suite { name: name.to_owned(), at: Some(verdict.at), cases };
    let suites: Vec<Suite> = suites.into_iter().map(suite).collect();
    document::write(&format!("certwright verify {organization}"), &suites, out)
}

fn of_row(row: &Row) -> Case {
    let asked_for = row.name.as_ref().map_or(String::new(), |name| format!(" for {name}"));
    let service = row.service.as_ref().map_or(String::new(), |service| format!(" ({service})"));
    let wrong: Vec<&EndpointFinding> = row.wrong().collect();
    let outcome = wrong.first().map_or(Outcome::Passed, |first| {
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
    Case {
        took: Some(Duration::from_millis(took)),
        output,
        ..case(&row.server, format!("{}{asked_for}{service}", row.endpoint), outcome)
    }
}

fn of_page(row: &HealthRow) -> Case {
    let outcome = if row.healthy {
        Outcome::Passed
    } else {
        failed("unhealthy", row.problem.as_deref().unwrap_or_default())
    };
    case(&row.server, format!("{} {}", row.endpoint, row.page), outcome)
}

fn of_mail(row: &MailRow) -> Case {
    let outcome = if row.accepted {
        Outcome::Passed
    } else {
        failed("not taken", row.problem.as_deref().unwrap_or_default())
    };
    case(&row.server, format!("{} test message", row.endpoint), outcome)
}

fn case(server: &str, name: String, outcome: Outcome) -> Case {
    Case { name, class: server.to_owned(), took: None, outcome, output: Vec::new() }
}

/// What is wrong, in short and in full.
fn failed(short: &str, full: &str) -> Outcome {
    Outcome::Failed(Told { short: short.to_owned(), full: full.to_owned() })
}
