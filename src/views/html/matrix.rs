//! The fleet at a glance: servers down, services across.

use maud::{Markup, html};

use super::words::{anchor, sentence, symbol};
use crate::verify::{
    health::HealthRow,
    verdict::{ServiceVerdict, State, Verdict},
};

/// Server by service: colour, symbol and words.
pub(super) fn services(verdict: &Verdict) -> Markup {
    let columns = distinct(verdict.services.iter().map(|service| service.service.as_str()));
    let servers = distinct(verdict.services.iter().map(|service| service.server.as_str()));
    let found = |server: &str, column: &str| {
        verdict.services.iter().find(|service| service.server == server && service.service == column)
    };
    html! {
        section {
            h2 { "Servers and services" }
            table.matrix.(breadth(columns.len())) {
                thead { tr { th {} @for column in &columns { th scope="col" { (column) } } } }
                tbody {
                    @for server in servers {
                        tr {
                            th scope="row" { (server) }
                            @for column in &columns { (cell(found(server, column), column)) }
                        }
                    }
                }
            }
            p.legend {
                @for (state, words) in LEGEND { span { i.(state.word()) { (symbol(state)) } (words) } }
            }
        }
    }
}

const LEGEND: [(State, &str); 3] = [
    (State::Good, "serves what it should, until this day"),
    (State::Warning, "serves it, and some clients will have trouble"),
    (State::Wrong, "serves something else, or clients refuse it"),
];

fn cell(service: Option<&ServiceVerdict>, column: &str) -> Markup {
    let Some(service) = service else { return nothing() };
    let mut ports: Vec<String> = service.endpoints.iter().map(|endpoint| endpoint.port.to_string()).collect();
    ports.dedup();
    let endpoints: Vec<String> = service.endpoints.iter().map(ToString::to_string).collect();
    let cause = service.cause.as_ref().map_or(String::new(), |cause| format!(": {}", cause.message));
    let inside = html! {
        b { (symbol(service.state)) " " (sentence(words(service))) }
        span { (ports.join(" ")) }
    };
    html! {
        td.(service.state.word()) data-label=(column) title={ (endpoints.join(" ")) (cause) } {
            @if service.state == State::Good { (inside) } @else { a href={ "#" (anchor(service)) } { (inside) } }
        }
    }
}

fn nothing() -> Markup {
    html! { td.none { "–" } }
}

/// What a cell says. That a good certificate is good until a day goes without words.
fn words(service: &ServiceVerdict) -> &str {
    match service.state {
        State::Good => service.message.strip_prefix("until ").unwrap_or(&service.message),
        State::Warning | State::Wrong => &service.message,
    }
}

/// Server by page: what the services behind HTTPS say of themselves. Nothing when they were not asked.
pub(super) fn health(verdict: &Verdict) -> Markup {
    let pages = distinct(verdict.health.iter().map(|row| row.page.as_str()));
    let servers = distinct(verdict.health.iter().map(|row| row.server.as_str()));
    let title = |page: &str| page.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
    let found =
        |server: &str, page: &str| verdict.health.iter().find(|row| row.server == server && row.page == page);
    html! {
        @if !verdict.health.is_empty() {
            section {
                h2 {
                    "Behind HTTPS"
                    small { "the health pages of Managed Availability, asked without credentials" }
                }
                table.matrix.(breadth(pages.len())) {
                    thead {
                        tr { th {} @for page in &pages { th scope="col" title=(page) { (title(page)) } } }
                    }
                    tbody {
                        @for server in servers {
                            tr {
                                th scope="row" { (server) }
                                @for page in &pages { (health_cell(found(server, page), &title(page))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn health_cell(row: Option<&HealthRow>, column: &str) -> Markup {
    let Some(row) = row else { return nothing() };
    let state = if row.healthy { State::Good } else { State::Wrong };
    let status = row.status.map_or_else(|| "no answer".into(), |status| status.to_string());
    html! {
        td.(state.word()) data-label=(column) title=(row.problem.as_deref().unwrap_or_default()) {
            b { (symbol(state)) " " (status) }
        }
    }
}

/// How wide a table is, for the style: where its columns have no room beside each other, on a small screen or on paper, each
/// row becomes a list of labelled cells.
const fn breadth(columns: usize) -> &'static str {
    match columns {
        0..=3 => "slim",
        4..=6 => "middling",
        7..=11 => "broad",
        _ => "broadest",
    }
}

/// Each once, in the order in which they come.
fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for text in texts {
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}
