//! Words, symbols and links that several sections use.

use maud::{Markup, html};

use crate::{
    model::unfinished_run::UnfinishedRun,
    verify::verdict::{ServiceVerdict, State},
};

/// A sentence of certwright's: what stands in backticks is code.
pub(in crate::views) fn sentence(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (dated(part)) }
        }
    }
}

/// A text in which no line ends inside a date: after each hyphen it could.
fn dated(text: &str) -> Markup {
    let bytes = text.as_bytes();
    let is_date = |at: usize| {
        bytes.get(at..at + DATE.len()).is_some_and(|found| {
            found.iter().zip(DATE.bytes()).all(|(byte, pattern)| match pattern {
                b'-' => *byte == b'-',
                _ => byte.is_ascii_digit(),
            })
        })
    };
    let places: Vec<usize> = (0..bytes.len()).filter(|at| is_date(*at)).collect();
    let mut parts: Vec<(&str, &str)> = Vec::new();
    let mut rest = 0;
    for at in places {
        if at >= rest {
            parts.push((&text[rest..at], &text[at..at + DATE.len()]));
            rest = at + DATE.len();
        }
    }
    html! {
        @for (before, date) in parts { (before) span.date { (date) } }
        (text[rest..])
    }
}

const DATE: &str = "0000-00-00";

/// The run that did not come to its end, where there is one.
pub(super) fn unfinished(run: Option<&UnfinishedRun>) -> Markup {
    html! { @if let Some(run) = run { p.case.warning { (sentence(&run.diagnostic().to_string())) } } }
}

/// A name for links within the page.
pub(super) fn anchor(service: &ServiceVerdict) -> String {
    let plain = |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' };
    format!("{}--{}", service.server, service.service).chars().map(plain).collect()
}

/// What a state is for readers without colours.
pub(super) const fn symbol(state: State) -> &'static str {
    match state {
        State::Good => "✓",
        State::Warning => "!",
        State::Wrong => "✗",
    }
}

/// A number and what there are so many of.
pub(super) fn several(number: usize, one: &str) -> String {
    counted(number as u64, one)
}

/// A number and what there are so many of.
pub(super) fn counted(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// Several of one kind, each on a line of its own.
pub(super) fn lines(parts: &[Markup]) -> Markup {
    html! {
        @for (place, part) in parts.iter().enumerate() {
            @if place > 0 { br; }
            (part)
        }
    }
}
