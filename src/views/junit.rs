//! A verdict as a report of JUnit, which pipelines show: a suite for each server, a case for each endpoint and page.

use std::{collections::BTreeMap, io};

use crate::verify::{
    finding::{EndpointFinding, EndpointSeverity},
    health::HealthRow,
    row::Row,
    verdict::Verdict,
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
    let organization = verdict.organization.as_deref().unwrap_or("endpoints");
    let unproved = verdict.not_provable.iter().map(|what| Case {
        name: what.to_string(),
        seconds: 0.0,
        failure: Some(("not asked".into(), what.to_string())),
        output: String::new(),
    });
    suites.entry(organization).or_default().extend(unproved);
    suites.retain(|_, cases| !cases.is_empty());
    let failures = |cases: &[Case]| cases.iter().filter(|case| case.failure.is_some()).count();
    let all: usize = suites.values().map(Vec::len).sum();
    let failed: usize = suites.values().map(|cases| failures(cases)).sum();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"certwright verify {}\" tests=\"{all}\" failures=\"{failed}\">",
        escaped(organization)
    )?;
    for (server, cases) in &suites {
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" timestamp=\"{}\">",
            escaped(server),
            cases.len(),
            failures(cases),
            verdict.at
        )?;
        for case in cases {
            write_case(server, case, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

struct Case {
    name: String,
    seconds: f64,
    /// What is wrong, in short and in full.
    failure: Option<(String, String)>,
    output: String,
}

fn of_row(row: &Row) -> Case {
    let name = row.name.as_ref().map_or(String::new(), |name| format!(" for {name}"));
    let service = row.service.as_ref().map_or(String::new(), |service| format!(" ({service})"));
    let wrong: Vec<&EndpointFinding> = row.wrong().collect();
    let failure = wrong.first().map(|first| {
        let mut lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        lines.extend(row.cause.iter().map(|cause| format!("likely cause: {}", cause.message)));
        (first.word(), lines.join("\n"))
    });
    let mut output = Vec::new();
    output.extend(row.served.map(|served| format!("served {served}")));
    output.extend(row.not_after.map(|end| format!("until {end}")));
    output.extend(row.version.map(|version| format!("{version} {}", row.cipher.as_deref().unwrap_or(""))));
    let warnings = row.problems.iter().filter(|problem| problem.severity() == EndpointSeverity::Warning);
    output.extend(warnings.map(|problem| format!("warning: {problem}")));
    let seconds = row.milliseconds.map_or(0, |took| took.connect + took.greeting + took.handshake);
    Case {
        name: format!("{}{name}{service}", row.endpoint),
        seconds: f64::from(u32::try_from(seconds).unwrap_or(u32::MAX)) / 1000.0,
        failure,
        output: output.join("\n"),
    }
}

fn of_page(row: &HealthRow) -> Case {
    let problem = row.problem.clone().unwrap_or_default();
    Case {
        name: format!("{} {}", row.endpoint, row.page),
        seconds: 0.0,
        failure: (!row.healthy).then(|| ("unhealthy".into(), problem)),
        output: String::new(),
    }
}

fn write_case(server: &str, case: &Case, out: &mut dyn io::Write) -> io::Result<()> {
    let Case { name, seconds, failure, output } = case;
    let (server, name) = (escaped(server), escaped(name));
    writeln!(out, "    <testcase classname=\"{server}\" name=\"{name}\" time=\"{seconds:.3}\">")?;
    if let Some((short, full)) = failure {
        writeln!(out, "      <failure message=\"{}\">{}</failure>", escaped(short), escaped(full))?;
    }
    if !output.is_empty() {
        writeln!(out, "      <system-out>{}</system-out>", escaped(output))?;
    }
    writeln!(out, "    </testcase>")
}

/// Text in XML. Characters that XML has no way to write are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            char if char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}') => {}
            char => escaped.push(char),
        }
    }
    escaped
}
