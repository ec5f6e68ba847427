//! A verdict as a page of HTML: one file, without scripts, that is complete on paper and for readers without colours.

mod calendar;
mod cases;
mod evidence;
mod matrix;
mod style;
mod timeline;
mod words;

use std::io;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use self::calendar::calendar;
use self::{style::STYLE, words::symbol};
use crate::{
    model::{certificate::Certificate, thumbprint::Thumbprint, time::Timestamp},
    verify::verdict::{State, Verdict, row_state},
};

/// Writes it.
pub fn verdict(verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(page(verdict).into_string().as_bytes())
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
                (tiles(verdict))
                (matrix::services(verdict))
                (cases::section(verdict))
                (timeline::section(verdict))
                (matrix::health(verdict))
                (evidence::smtp_log(verdict))
                (evidence::endpoints(verdict))
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
    let warnings = verdict.services.iter().any(|service| service.state == State::Warning);
    match (verdict.good, wrong) {
        (true, _) if warnings => (State::Warning, "verified, with warnings".into()),
        (true, _) => (State::Good, "verified".into()),
        (false, 0) => (State::Wrong, "not all could be verified".into()),
        (false, wrong) => (State::Wrong, format!("{wrong} of {} endpoints wrong", verdict.rows.len())),
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
            (tile(None, &verdict.rows.len().to_string(), "endpoints met"))
            (counted(State::Wrong, "wrong"))
            (counted(State::Warning, "with warnings"))
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
