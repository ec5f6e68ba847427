//! The fleet at a glance: servers down, services across.

use super::{anchor, escaped, symbol};
use crate::verify::verdict::{ServiceVerdict, State, Verdict};

/// Server by service: colour, symbol and words.
pub(super) fn services(verdict: &Verdict) -> String {
    let columns = distinct(verdict.services.iter().map(|service| service.service.as_str()));
    let head: String =
        columns.iter().map(|column| format!("<th scope=\"col\">{}</th>", escaped(column))).collect();
    let mut body = String::new();
    for server in distinct(verdict.services.iter().map(|service| service.server.as_str())) {
        body += &format!("<tr><th scope=\"row\">{}</th>", escaped(server));
        for column in &columns {
            let found = verdict
                .services
                .iter()
                .find(|service| service.server == server && service.service == *column);
            body += &found.map_or_else(|| "<td class=\"none\">–</td>".into(), cell);
        }
        body += "</tr>\n";
    }
    let legend = [
        (State::Good, "serves what it should, until this day"),
        (State::Warning, "so it does, and some clients will have trouble"),
        (State::Wrong, "does not, or clients refuse it"),
    ];
    let legend: String = legend
        .into_iter()
        .map(|(state, words)| {
            format!("<span><i class=\"{}\">{}</i>{words}</span>", state.word(), symbol(state))
        })
        .collect();
    format!(
        "<section>\n<h2>Servers and services</h2>\n<div class=\"scroll\"><table class=\"matrix\">\
         <thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n<p class=\"legend\">{legend}</p>\n</section>\n"
    )
}

fn cell(service: &ServiceVerdict) -> String {
    let mut ports: Vec<String> = service.endpoints.iter().map(|endpoint| endpoint.port.to_string()).collect();
    ports.dedup();
    let title: Vec<String> = service.endpoints.iter().map(ToString::to_string).collect();
    let cause = service.cause.as_ref().map_or(String::new(), |cause| format!(": {}", cause.message));
    let inside = format!(
        "<b>{} {}</b><span>{}</span>",
        symbol(service.state),
        escaped(words(service)),
        ports.join(" ")
    );
    let inside = if service.state == State::Good {
        inside
    } else {
        format!("<a href=\"#{}\">{inside}</a>", anchor(service))
    };
    format!(
        "<td class=\"{}\" title=\"{}\">{inside}</td>",
        service.state.word(),
        escaped(&format!("{}{cause}", title.join(" ")))
    )
}

/// What a cell says. That a good certificate is good until a day goes without words.
fn words(service: &ServiceVerdict) -> &str {
    match service.state {
        State::Good => service.message.strip_prefix("until ").unwrap_or(&service.message),
        State::Warning | State::Wrong => &service.message,
    }
}

/// Server by page: what the services behind HTTPS say of themselves.
pub(super) fn health(verdict: &Verdict) -> String {
    if verdict.health.is_empty() {
        return String::new();
    }
    let pages = distinct(verdict.health.iter().map(|row| row.page.as_str()));
    let title = |page: &str| page.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
    let head: String = pages
        .iter()
        .map(|page| format!("<th scope=\"col\" title=\"{}\">{}</th>", escaped(page), escaped(&title(page))))
        .collect();
    let mut body = String::new();
    for server in distinct(verdict.health.iter().map(|row| row.server.as_str())) {
        body += &format!("<tr><th scope=\"row\">{}</th>", escaped(server));
        for page in &pages {
            let row = verdict.health.iter().find(|row| row.server == server && row.page == *page);
            body += &row.map_or_else(
                || "<td class=\"none\">–</td>".into(),
                |row| {
                    let state = if row.healthy { State::Good } else { State::Wrong };
                    let status = row.status.map_or_else(|| "no answer".into(), |status| status.to_string());
                    let problem = escaped(row.problem.as_deref().unwrap_or_default());
                    format!(
                        "<td class=\"{}\" title=\"{problem}\"><b>{} {status}</b></td>",
                        state.word(),
                        symbol(state)
                    )
                },
            );
        }
        body += "</tr>\n";
    }
    format!(
        "<section>\n<h2>Behind HTTPS<small>the health pages of Managed Availability, asked without credentials</small></h2>\n\
         <div class=\"scroll\"><table class=\"matrix\"><thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n</section>\n"
    )
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
