//! What is due, as a page: a line for each certificate with its marks, and a list for each year.

use std::{collections::BTreeMap, io};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    style::STYLE,
    words::{sentence, unfinished},
};
use crate::{
    model::time::Timestamp,
    plan::outlook::{Calendar, Event, Who},
    views::{no_result::NoResult, results::Organizations},
};

/// Writes the page.
pub fn calendar(calendars: &Organizations<Calendar>, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(page(calendars).into_string().as_bytes())
}

fn page(calendars: &Organizations<Calendar>) -> Markup {
    let Organizations { list: calendars, failed } = calendars;
    let names = calendars.iter().map(|calendar| calendar.organization.as_str());
    let names: Vec<&str> = names.chain(failed.iter().map(NoResult::name)).collect();
    html! {
        (DOCTYPE) "\n"
        html lang="en" {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (names.join(", ")) ": what is due" }
            style { (PreEscaped(STYLE)) (PreEscaped(OWN)) }
            main {
                @for calendar in calendars { (section(calendar)) }
                @for failure in failed {
                    header { h1 { (failure.name()) } span.pill.wrong { "✗ what is due is not known" } }
                    p.case.wrong { (sentence(&failure.in_one_line())) }
                }
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
    let Calendar { organization, from, until, events, unfinished_run, .. } = calendar;
    let by = |who| events.iter().filter(|event| event.who == who).count();
    let people = by(Who::Person);
    html! {
        header {
            h1 { (organization) small { "What is due from " (from.date()) " to " (until.date()) } }
        }
        (unfinished(unfinished_run.as_ref()))
        div.tiles {
            div.tile.warning[people > 0] { b { (people) } span { "by people" } }
            div.tile { b { (by(Who::Certwright)) } span { "by certwright apply" } }
        }
        @if events.is_empty() { p { "Nothing is due." } } @else { (timeline(calendar)) }
        @for (year, events) in years(events) {
            section {
                h2 { (year) }
                ol.due { @for event in events { (item(event, *from)) } }
            }
        }
    }
}

/// A line for each certificate, with a mark for each day on which something is due.
fn timeline(calendar: &Calendar) -> Markup {
    let Calendar { from, until, events, .. } = calendar;
    let mut lanes: BTreeMap<String, Vec<&Event>> = BTreeMap::new();
    for event in events {
        let name = event.certificate.as_ref().map_or_else(|| OTHERS.to_owned(), ToString::to_string);
        lanes.entry(name).or_default().push(event);
    }
    let place = |at: Timestamp| format!("left:{:.1}%", share(*from, *until, at));
    html! {
        section {
            h2 { "Timeline" small { "a mark for each day on which something is due" } }
            div.scale aria-hidden="true" {
                span.now { "now" }
                @for (year, begins) in new_years(*from, *until) { span style=(place(begins)) { (year) } }
            }
            @for (name, events) in &lanes {
                div.lane {
                    b { (name) }
                    div.track {
                        @for event in events {
                            @let (class, who) = actor(event.who);
                            i.(class) style=(place(event.at)) title={ (event.at.date()) ", " (who) ": " (event.message.replace('`', "")) } {}
                        }
                    }
                }
            }
        }
    }
}

/// How far a moment is on the way from one to another, in percent.
fn share(from: Timestamp, until: Timestamp, at: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a place in a drawing")]
    let seconds = |from: Timestamp, to: Timestamp| to.since(from).as_seconds().max(0) as f64;
    (seconds(from, at) / seconds(from, until).max(1.0) * 100.0).min(100.0)
}

/// The years that begin where there is room for their numbers.
fn new_years(from: Timestamp, until: Timestamp) -> Vec<(String, Timestamp)> {
    let year = |at: Timestamp| at.date().get(..4).and_then(|year| year.parse::<u32>().ok());
    let (Some(first), Some(last)) = (year(from), year(until)) else { return Vec::new() };
    let begins = |year: u32| Some((year.to_string(), format!("{year:04}-01-01T00:00:00Z").parse().ok()?));
    let has_room = |(_, begins): &(String, Timestamp)| (8.0..94.0).contains(&share(from, until, *begins));
    let years = (first + 1..=last).take(MOST_YEARS).filter_map(begins);
    years.filter(has_room).collect()
}

/// The events of each year.
fn years(events: &[Event]) -> Vec<(String, &[Event])> {
    let year = |event: &Event| event.at.date().chars().take("2026".len()).collect::<String>();
    events.chunk_by(|one, next| year(one) == year(next)).map(|chunk| (year(&chunk[0]), chunk)).collect()
}

/// The colour and the word for who has to do something.
const fn actor(who: Who) -> (&'static str, &'static str) {
    match who {
        Who::Certwright => ("good", "certwright apply"),
        Who::Person => ("warning", "by hand"),
        Who::Nobody => ("happens", "happens"),
    }
}

fn item(event: &Event, from: Timestamp) -> Markup {
    let (class, who) = actor(event.who);
    let date = event.at.date();
    html! {
        li {
            time datetime=(date) { @if event.at <= from { "now" } @else { (date) } }
            span class={ "word " (class) } { (who) }
            span.what {
                (sentence(&event.message))
                @if let Some(before) = event.before { " " span.quiet { "before " (before.date()) } }
            }
        }
        "\n"
    }
}

/// What is about no certificate of the manifest.
const OTHERS: &str = "others";
/// More have no room.
const MOST_YEARS: usize = 10;

/// What the page has beside the style of verdicts.
const OWN: &str = "\
.due { list-style: none; margin: 0; padding: 0; }
.due li { display: flex; flex-wrap: wrap; gap: .2rem .8rem; align-items: baseline; padding: .4rem 0; border-top: 1px solid var(--line); break-inside: avoid; }
.due li:first-child { border-top: 0; }
.due time { font-variant-numeric: tabular-nums; min-width: 6.5rem; white-space: nowrap; }
.due .word { min-width: 8.5rem; text-align: center; } .word.happens, .track i.happens { color: var(--quiet); background: var(--none-back); }
.due .what { flex: 1 1 20rem; overflow-wrap: anywhere; }
.due .quiet { color: var(--quiet); white-space: nowrap; }
.lane { display: grid; grid-template-columns: 12rem 1fr; gap: 0 16px; align-items: center; padding: 6px 0; }
.lane b { font-weight: 500; overflow-wrap: anywhere; }
.lane .track { margin-right: 8px; } .lane .track i { width: 12px; margin-left: -2px; border-radius: 50%; }
.lane .track i.happens { background: var(--quiet); }
.scale { position: relative; height: 18px; margin: 0 8px 2px calc(12rem + 16px); font-size: 11.5px; color: var(--quiet); }
.scale span { position: absolute; transform: translateX(-50%); } .scale .now { left: 0; transform: none; color: var(--accent); font-weight: 600; }
@media (max-width: 800px) { .lane { grid-template-columns: 1fr; } .scale { margin-left: 0; } }
";
