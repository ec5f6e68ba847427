//! A verdict as a page of HTML: one file, without scripts, that is complete on paper and for readers without colours.

mod evidence;
mod matrix;
mod timeline;

use std::io;

use crate::{
    model::{certificate::Certificate, thumbprint::Thumbprint},
    verify::{
        finding::{EndpointFinding, EndpointSeverity},
        row::Row,
        verdict::{ServiceVerdict, State, Verdict},
    },
};

/// Writes it.
pub fn verdict(verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()> {
    let organization = escaped(verdict.organization.as_deref().unwrap_or("endpoints"));
    let (state, words) = headline(verdict);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{organization}: {words}</title>\n<style>\n{STYLE}</style>\n<main>\n<header>\n\
         <h1>{organization}<small>What clients get, seen {} by TLS handshakes</small></h1>\n\
         <span class=\"pill {state}\">{} {words}</span>\n</header>\n",
        verdict.at,
        symbol(state),
        state = state.word(),
    )?;
    write!(out, "{}", tiles(verdict))?;
    write!(out, "{}", matrix::services(verdict))?;
    write!(out, "{}", cases(verdict))?;
    write!(out, "{}", timeline::section(verdict))?;
    write!(out, "{}", matrix::health(verdict))?;
    write!(out, "{}", evidence::smtp_log(verdict))?;
    write!(out, "{}", evidence::endpoints(verdict))?;
    let version = env!("CARGO_PKG_VERSION");
    writeln!(
        out,
        "<footer>certwright {version}. The same evidence for programs: <code>certwright verify --format json</code></footer>\n</main>\n</html>"
    )
}

fn headline(verdict: &Verdict) -> (State, String) {
    let wrong = verdict.rows.iter().filter(|row| !row.is_good()).count();
    let warnings = verdict.services.iter().any(|service| service.state == State::Warning);
    match (verdict.good, wrong) {
        (true, _) if warnings => (State::Warning, "verified, with warnings".into()),
        (true, _) => (State::Good, "verified".into()),
        (false, 0) => (State::Wrong, "not all could be verified".into()),
        (false, wrong) => (State::Wrong, format!("{wrong} of {} endpoints wrong", verdict.rows.len())),
    }
}

fn tiles(verdict: &Verdict) -> String {
    let count = |state: State| {
        verdict.rows.iter().filter(|row| crate::verify::verdict::row_state(row) == state).count()
    };
    let served: Vec<&Certificate> = verdict
        .services
        .iter()
        .flat_map(|service| &service.served)
        .filter_map(|thumbprint| verdict.certificates.get(thumbprint))
        .collect();
    let mut distinct: Vec<Thumbprint> = served.iter().map(|certificate| certificate.thumbprint).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let tile = |class: &str, number: String, words: &str| {
        format!("<div class=\"tile {class}\"><b>{number}</b><span>{words}</span></div>\n")
    };
    let class = |state: State, number: usize| if number > 0 { state.word() } else { "" };
    let (wrong, warnings) = (count(State::Wrong), count(State::Warning));
    let mut tiles = tile("", verdict.rows.len().to_string(), "endpoints met");
    tiles += &tile(class(State::Wrong, wrong), wrong.to_string(), "wrong");
    tiles += &tile(class(State::Warning, warnings), warnings.to_string(), "with warnings");
    tiles += &tile("", distinct.len().to_string(), "certificates served");
    if let Some(end) = served.iter().map(|certificate| certificate.not_after).min() {
        let days = end.since(verdict.at).as_seconds().div_euclid(86_400);
        let (class, number, words) = match days {
            ..0 => ("wrong", format!("{} ago", in_days(-days)), "the first certificate expired"),
            0..=14 => ("warning", in_days(days), "to the next expiry"),
            _ => ("", in_days(days), "to the next expiry"),
        };
        tiles += &tile(class, number, words);
    }
    format!("<div class=\"tiles\">\n{tiles}</div>\n")
}

fn in_days(days: i64) -> String {
    if days == 1 { "1 day".into() } else { format!("{days} days") }
}

/// What is wrong, with its likely cause. Services of which the same is to be said stand together.
fn cases(verdict: &Verdict) -> String {
    let mut services: Vec<&ServiceVerdict> =
        verdict.services.iter().filter(|service| service.state != State::Good).collect();
    services.sort_by_key(|service| std::cmp::Reverse(service.state));
    let mut cases: Vec<(State, String, Vec<&ServiceVerdict>)> = Vec::new();
    for service in services {
        let said = case(verdict, service);
        match cases.iter_mut().find(|(state, known, _)| *state == service.state && *known == said) {
            Some((_, _, same)) => same.push(service),
            None => cases.push((service.state, said, vec![service])),
        }
    }
    let mut text: String = cases.iter().map(|(state, said, same)| framed(*state, said, same)).collect();
    for what in &verdict.not_provable {
        text +=
            &format!("<div class=\"case wrong\"><h3>✗ Not asked</h3>{}</div>\n", sentence(&what.to_string()));
    }
    if text.is_empty() {
        return String::new();
    }
    format!("<section>\n<h2>What is wrong, and why</h2>\n{text}</section>\n")
}

/// A case with the services that it is about, by server.
fn framed(state: State, said: &str, services: &[&ServiceVerdict]) -> String {
    let mut lines: Vec<(&str, String)> = Vec::new();
    for service in services {
        let endpoints: Vec<String> = service.endpoints.iter().map(ToString::to_string).collect();
        let name = format!(
            "<b id=\"{}\">{}</b> <span>{}</span>",
            anchor(service),
            escaped(&service.service),
            endpoints.join(" ")
        );
        match lines.iter_mut().find(|(server, _)| *server == service.server) {
            Some((_, names)) => *names += &format!(", {name}"),
            None => lines.push((&service.server, name)),
        }
    }
    let heads: String = lines
        .iter()
        .map(|(server, names)| format!("<h3>{} {}: {names}</h3>", symbol(state), escaped(server)))
        .collect();
    format!("<div class=\"case {}\">{heads}{said}</div>\n", state.word())
}

/// What is to be said of a service.
fn case(verdict: &Verdict, service: &ServiceVerdict) -> String {
    let rows: Vec<&Row> = verdict
        .rows
        .iter()
        .filter(|row| row.server == service.server && service.endpoints.contains(&row.endpoint))
        .collect();
    let mut said: Vec<String> = Vec::new();
    for (severity, before) in [(EndpointSeverity::Wrong, ""), (EndpointSeverity::Warning, "warning: ")] {
        let problems = rows.iter().flat_map(|row| &row.problems);
        for problem in problems.filter(|problem: &&EndpointFinding| problem.severity() == severity) {
            let problem = sentence(&format!("{before}{problem}"));
            if !said.contains(&problem) {
                said.push(problem);
            }
        }
    }
    let items: String = said.iter().map(|problem| format!("<li>{problem}</li>")).collect();
    let shown = |thumbprint: Thumbprint| match verdict.certificates.get(&thumbprint) {
        Some(certificate) => format!(
            "<code>{}</code> until {}, {}",
            thumbprint.short(),
            certificate.not_after.date(),
            escaped(&certificate.subject.to_string())
        ),
        None => format!("<code>{}</code>", thumbprint.short()),
    };
    let line = |term: &str, value: Option<String>| {
        value.map_or(String::new(), |value| format!("<dt>{term}</dt><dd>{value}</dd>"))
    };
    let served: Vec<String> = service.served.iter().map(|thumbprint| shown(*thumbprint)).collect();
    let served = if served.is_empty() { "nothing".into() } else { served.join("<br>") };
    let cause = service.cause.as_ref().map_or(String::new(), |cause| {
        format!("<p class=\"cause\"><b>Likely cause:</b> {}</p>", sentence(&cause.message))
    });
    format!(
        "<ul>{items}</ul><dl>{}{}{}</dl>{cause}",
        line("declared", service.declared.map(shown)),
        line("configured", service.configured.map(shown)),
        line("served", Some(served)),
    )
}

/// A sentence of certwright's in HTML: what stands in backticks is code.
fn sentence(text: &str) -> String {
    let parts = escaped(text);
    let parts = parts.split('`').enumerate();
    parts
        .map(|(place, part)| if place % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() })
        .collect()
}

/// A name for links within the page.
fn anchor(service: &ServiceVerdict) -> String {
    let plain = |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' };
    format!("{}--{}", service.server, service.service).chars().map(plain).collect()
}

const fn symbol(state: State) -> &'static str {
    match state {
        State::Good => "✓",
        State::Warning => "!",
        State::Wrong => "✗",
    }
}

/// A number and what there are so many of.
fn counted(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// Text in HTML, also within quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            char => escaped.push(char),
        }
    }
    escaped
}

const STYLE: &str = include_str!("style.css");
