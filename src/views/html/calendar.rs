//! What is due, as a page: a section for each month.

use std::io;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{style::STYLE, words::sentence};
use crate::{
    model::time::Timestamp,
    plan::outlook::{Calendar, Event, Who},
};

/// Writes the page.
pub fn calendar(calendars: &[Calendar], out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(page(calendars).into_string().as_bytes())
}

fn page(calendars: &[Calendar]) -> Markup {
    let names: Vec<&str> = calendars.iter().map(|calendar| calendar.organization.as_str()).collect();
    html! {
        (DOCTYPE) "\n"
        html lang="en" {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (names.join(", ")) ": what is due" }
            style { (PreEscaped(STYLE)) (PreEscaped(OWN)) }
            main {
                @for calendar in calendars { (section(calendar)) }
                footer {
                    "certwright " (env!("CARGO_PKG_VERSION")) ". The same for programs: "
                    code { "certwright calendar --format json" }
                }
            }
        }
        "\n"
    }
}

fn section(calendar: &Calendar) -> Markup {
    let Calendar { organization, from, until, events, .. } = calendar;
    let by = |who| events.iter().filter(|event| event.who == who).count();
    let people = by(Who::Person);
    html! {
        header {
            h1 { (organization) small { "What is due from " (from.date()) " to " (until.date()) } }
        }
        div.tiles {
            div.tile.warning[people > 0] { b { (people) } span { "by people" } }
            div.tile { b { (by(Who::Certwright)) } span { "by certwright apply" } }
        }
        @if events.is_empty() { p { "Nothing is due." } }
        @for (month, events) in months(events) {
            section {
                h2 { (month) }
                ol.due { @for event in events { (item(event, *from)) } }
            }
        }
    }
}

/// The events of each month.
fn months(events: &[Event]) -> Vec<(String, &[Event])> {
    let month = |event: &Event| event.at.date().chars().take("2026-03".len()).collect::<String>();
    events.chunk_by(|one, next| month(one) == month(next)).map(|chunk| (month(&chunk[0]), chunk)).collect()
}

fn item(event: &Event, from: Timestamp) -> Markup {
    let (class, who) = match event.who {
        Who::Certwright => ("good", "certwright apply"),
        Who::Person => ("warning", "by hand"),
        Who::Nobody => ("", "happens"),
    };
    let date = event.at.date();
    html! {
        li {
            time datetime=(date) { @if event.at <= from { "now" } @else { (date) } }
            span class={ "pill " (class) } { (who) }
            span.what {
                (sentence(&event.message))
                @if let Some(before) = event.before { " " span.quiet { "before " (before.date()) } }
            }
        }
        "\n"
    }
}

/// What the page has beside the style of verdicts.
const OWN: &str = "\
.due { list-style: none; margin: 0; padding: 0; }
.due li { display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: baseline; padding: .45rem 0; border-top: 1px solid var(--line); break-inside: avoid; }
.due time { font-variant-numeric: tabular-nums; min-width: 6.5rem; white-space: nowrap; }
.due .what { flex: 1 1 20rem; overflow-wrap: anywhere; }
.due .quiet { color: var(--quiet); white-space: nowrap; }
";
