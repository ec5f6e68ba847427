//! Verdicts, plans and calendars as pages of HTML: each one file, without scripts, that is complete on paper, on a narrow screen
//! and for readers without colours. Nothing scrolls sideways: what has no room becomes a list.

mod calendar;
mod cases;
mod evidence;
mod matrix;
mod plan;
mod style;
mod timeline;
mod words;

use std::io;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(super) use self::words::sentence;
pub use self::{calendar::calendar, plan::plan};
use self::{
    style::STYLE,
    words::{several, symbol, unfinished},
};
use crate::{
    model::{certificate::Certificate, thumbprint::Thumbprint, time::Timestamp},
    verify::{
        absence::Absence,
        not_provable::NotProvable,
        verdict::{State, Verdict, row_state},
    },
};

/// Writes it.
pub fn verdict(verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(page(verdict).into_string().as_bytes())
}

/// A page with this title and this in it.
pub(super) fn whole(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE) "\n"
        html lang="en" {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (title) }
            style { (PreEscaped(STYLE)) }
            main {
                (body)
                footer { "certwright " (env!("CARGO_PKG_VERSION")) }
            }
        }
        "\n"
    }
}

fn page(verdict: &Verdict) -> Markup {
    let organization = verdict.organization.as_deref().unwrap_or("endpoints");
    let (state, words) = headline(verdict);
    html! {
        (DOCTYPE) "\n"
        html lang="en" {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (organization) ": " (words) }
            style { (PreEscaped(STYLE)) }
            main {
                header {
                    h1 {
                        (organization)
                        small { "What clients get, seen " (verdict.at.to_string()) " by TLS handshakes" }
                    }
                    span.pill.(state.word()) { (symbol(state)) " " (words) }
                }
                (unfinished(verdict.unfinished_run.as_ref()))
                (tiles(verdict))
                @if !verdict.services.is_empty() { (matrix::services(verdict)) }
                (cases::section(verdict))
                (missing(verdict))
                (ending(verdict))
                (timeline::section(verdict))
                (matrix::health(verdict))
                (evidence::smtp_log(verdict))
                @if !verdict.rows.is_empty() { (evidence::endpoints(verdict)) }
                footer {
                    "certwright " (env!("CARGO_PKG_VERSION")) ". The same evidence for programs: "
                    code { "certwright verify --format json" }
                }
            }
        }
        "\n"
    }
}

fn headline(verdict: &Verdict) -> (State, String) {
    let wrong = verdict.rows.iter().filter(|row| !row.is_good()).count();
    let warnings = verdict.services.iter().any(|service| service.state == State::Warning)
        || verdict.ending.iter().any(|ending| !ending.expired);
    let unhealthy = verdict.health.iter().filter(|row| !row.healthy).count();
    let expired = verdict.ending.iter().filter(|ending| ending.expired).count();
    match (verdict.good, wrong, verdict.worst_absence()) {
        (true, ..) if warnings => (State::Warning, "verified, with warnings".into()),
        (true, ..) => (State::Good, "verified".into()),
        (false, 0, _) if unhealthy > 0 => (State::Wrong, format!("{} unhealthy", several(unhealthy, "page"))),
        (false, 0, _) if expired > 0 => {
            (State::Wrong, format!("{} expired", several(expired, "certificate")))
        }
        (false, 0, Some(absent)) => (State::Wrong, absent),
        (false, 0, _) => (State::Wrong, format!("{} not checked", several(unchecked(verdict), "place"))),
        (false, wrong, _) => (State::Wrong, format!("{wrong} of {} endpoints wrong", verdict.rows.len())),
    }
}

/// What the manifest declares and no endpoint could be asked about.
fn unchecked(verdict: &Verdict) -> usize {
    verdict.not_provable.len()
}

/// Not all of it is a fault: some places nobody can check from here.
fn unchecked_state(verdict: &Verdict) -> State {
    let is_fault = verdict.not_provable.iter().any(NotProvable::is_error);
    if is_fault { State::Wrong } else { State::Warning }
}

fn ending_state(verdict: &Verdict) -> State {
    if verdict.ending.iter().any(|ending| ending.expired) { State::Wrong } else { State::Warning }
}

/// What no endpoint shows: certificates that are named and are not there, and broken subscriptions.
fn missing(verdict: &Verdict) -> Markup {
    let told: Vec<String> = verdict.absences().iter().map(Absence::told).collect();
    html! {
        @if !told.is_empty() {
            section {
                h2 { "Missing or broken" }
                @for told in &told {
                    div.case.(State::Wrong.word()) { (told) }
                }
            }
        }
    }
}

/// What is in use and has ended or ends soon, declared or not.
fn ending(verdict: &Verdict) -> Markup {
    html! {
        @if !verdict.ending.is_empty() {
            section {
                h2 { "Ends soon" small { "in use, declared or not" } }
                @for ending in &verdict.ending {
                    @let state = if ending.expired { State::Wrong } else { State::Warning };
                    div.case.(state.word()) { (ending.to_string()) }
                }
            }
        }
    }
}

fn tiles(verdict: &Verdict) -> Markup {
    let count = |state: State| verdict.rows.iter().filter(|row| row_state(row) == state).count();
    let served: Vec<&Certificate> = verdict
        .services
        .iter()
        .flat_map(|service| &service.served)
        .filter_map(|thumbprint| verdict.certificates.get(thumbprint))
        .collect();
    let mut distinct: Vec<Thumbprint> = served.iter().map(|certificate| certificate.thumbprint).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let tile = |state: Option<State>, number: &str, words: &str| {
        html! { div.tile.(state.map_or("", State::word)) { b { (number) } span { (words) } } }
    };
    let counted = |state: State, words: &str| {
        let number = count(state);
        tile((number > 0).then_some(state), &number.to_string(), words)
    };
    let next_expiry = |end: Timestamp| {
        let days = end.since(verdict.at).as_seconds().div_euclid(86_400);
        let (state, number, words) = match days {
            ..0 => (Some(State::Wrong), format!("{} ago", in_days(-days)), "the first certificate expired"),
            0..=14 => (Some(State::Warning), in_days(days), "to the next expiry"),
            _ => (None, in_days(days), "to the next expiry"),
        };
        tile(state, &number, words)
    };
    html! {
        div.tiles {
            (tile(None, &verdict.rows.len().to_string(), "endpoints checked"))
            (counted(State::Wrong, "wrong"))
            (counted(State::Warning, "with warnings"))
            @if unchecked(verdict) > 0 {
                (tile(Some(unchecked_state(verdict)), &unchecked(verdict).to_string(), "not checked"))
            }
            @if !verdict.ending.is_empty() {
                (tile(Some(ending_state(verdict)), &verdict.ending.len().to_string(), "ended or end soon"))
            }
            (tile(None, &distinct.len().to_string(), "certificates served"))
            @if let Some(end) = served.iter().map(|certificate| certificate.not_after).min() {
                (next_expiry(end))
            }
        }
    }
}

fn in_days(days: i64) -> String {
    if days == 1 { "1 day".into() } else { format!("{days} days") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use crate::model::{edge_distrust::EdgeDistrust, ending::MissingFederation};

    /// Whatever makes a verdict bad stands on its page, and not in its headline alone.
    #[test]
    fn what_no_endpoint_shows_is_on_the_page() {
        let mut verdict = Verdict::new(&[], Vec::new(), None, Timestamp::from_unix(0));
        let certificate = Thumbprint::of(b"federation");
        verdict.missing_federation.push(MissingFederation { server: "EX02".parse().unwrap(), certificate });
        verdict.edge_distrust.push(EdgeDistrust::Shared {
            edge: "EDGE01".parse().unwrap(),
            server: "EX01".parse().unwrap(),
            certificate,
        });
        let page = page(&verdict).into_string();
        assert!(page.contains("EX02 does not have the certificate"), "{page}");
        assert!(page.contains("mail with EDGE01 and EdgeSync stand still"), "{page}");
    }
}
