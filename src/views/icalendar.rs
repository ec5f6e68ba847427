//! A calendar in iCalendar (RFC 5545), to be subscribed to: an all-day entry for each thing that is due.

use std::{collections::HashMap, io};

use sha2::{Digest, Sha256};

use super::{no_result::NoResult, results::Organizations};
use crate::{
    model::{
        time::{Span, Timestamp},
        unfinished_run::UnfinishedRun,
    },
    plan::outlook::{Calendar, Event, EventKind, Who},
};

/// Writes it.
pub(super) fn write(calendars: &Organizations<Calendar>, out: &mut dyn io::Write) -> io::Result<()> {
    let Organizations { list: calendars, failed } = calendars;
    let mut text = Lines::default();
    text.add("BEGIN:VCALENDAR");
    text.add("VERSION:2.0");
    text.add(&format!("PRODID:-//certwright//certwright {}//EN", env!("CARGO_PKG_VERSION")));
    text.add("CALSCALE:GREGORIAN");
    for calendar in calendars {
        if let Some(run) = &calendar.unfinished_run {
            unfinished(calendar, run, &mut text);
        }
        let mut before = HashMap::new();
        for event in &calendar.events {
            let what = subject(calendar, event);
            let nth = before.entry(what.clone()).or_insert(0);
            entry(calendar, event, &uid(&what, *nth), &mut text);
            *nth += 1;
        }
    }
    for failure in failed {
        not_known(failure, &mut text);
    }
    text.add("END:VCALENDAR");
    out.write_all(text.text.as_bytes())
}

/// An entry of today for an organization of which nothing is known: that nothing stands here does not mean that nothing is due.
fn not_known(failure: &NoResult, text: &mut Lines) {
    let name = failure.name();
    let what = format!("{name}: what is due is not known");
    let description = format!("{}.", failure.in_one_line());
    of_today(name, &format!("{name}\nnot known"), failure.at, (&what, &description), text);
}

/// An entry of today for a run that did not come to its end: what is due later is not all there is to do.
fn unfinished(calendar: &Calendar, run: &UnfinishedRun, text: &mut Lines) {
    let organization = calendar.organization.as_str();
    let what = format!("{organization}: run {} is not finished", run.run);
    let id = format!("{organization}\nunfinished\n{}", run.run);
    of_today(organization, &id, calendar.from, (&what, &run.sentence()), text);
}

fn of_today(
    organization: &str,
    id: &str,
    at: Timestamp,
    (summary, description): (&str, &str),
    text: &mut Lines,
) {
    text.add("BEGIN:VEVENT");
    text.add(&format!("UID:{}", uid(id, 0)));
    text.add(&format!("DTSTAMP:{}", at.compact()));
    text.add(&format!("DTSTART;VALUE=DATE:{}", at.date().replace('-', "")));
    text.add(&format!("SUMMARY:{}", escaped(summary)));
    text.add(&format!("DESCRIPTION:{}", escaped(description)));
    text.add(&format!("CATEGORIES:certwright,{}", escaped(organization)));
    text.add("TRANSP:TRANSPARENT");
    text.add("END:VEVENT");
}

fn entry(calendar: &Calendar, event: &Event, uid: &str, text: &mut Lines) {
    let Event { at, kind, who, certificate, server, thumbprint: _, before, message } = event;
    let day = |at: Timestamp| at.date().replace('-', "");
    text.add("BEGIN:VEVENT");
    text.add(&format!("UID:{uid}"));
    text.add(&format!("DTSTAMP:{}", calendar.from.compact()));
    text.add(&format!("DTSTART;VALUE=DATE:{}", day(*at)));
    // Behind the last day of all there is none; without an end an entry lasts its day (RFC 5545 section 3.6.1).
    let (begins, ends) = (day(*at), day(at.plus(Span::days(1))));
    if ends != begins {
        text.add(&format!("DTEND;VALUE=DATE:{ends}"));
    }
    let what = match kind {
        EventKind::Apply => "apply",
        EventKind::Answer => "the CA has to answer",
        EventKind::Renew => "renew",
        EventKind::Effective => "Auth certificate takes effect",
        EventKind::Remove => "remove",
        EventKind::End => "a certificate ends",
        EventKind::Limit => "shorter lifetimes",
    };
    let subject = match (certificate, server) {
        (Some(id), _) => format!(" {id}"),
        (None, Some(server)) => format!(" on {server}"),
        (None, None) => String::new(),
    };
    let hand = if *who == Who::Person { " (by hand)" } else { "" };
    text.add(&format!("SUMMARY:{}", escaped(&format!("{}: {what}{subject}{hand}", calendar.organization))));
    let before = before.map_or_else(String::new, |at| format!("\nBefore {}.", at.date()));
    text.add(&format!("DESCRIPTION:{}", escaped(&format!("{message}.{before}"))));
    text.add(&format!("CATEGORIES:certwright,{}", escaped(&calendar.organization)));
    text.add("TRANSP:TRANSPARENT");
    if *who == Who::Person {
        text.add("BEGIN:VALARM");
        text.add("ACTION:DISPLAY");
        text.add("TRIGGER:-P3D");
        text.add("DESCRIPTION:A person has something to do");
        text.add("END:VALARM");
    }
    text.add("END:VEVENT");
}

/// What an entry is about. Its day is no part of it: that of a renewal moves with the one before.
fn subject(calendar: &Calendar, event: &Event) -> String {
    let Event { at: _, kind, who: _, certificate, server, thumbprint, before: _, message } = event;
    // What is about nothing that has a name is known by what is said.
    let said = match (certificate, server, thumbprint) {
        (None, None, None) => message.as_str(),
        _ => "",
    };
    format!("{}\n{kind:?}\n{certificate:?}\n{server:?}\n{thumbprint:?}\n{said}", calendar.organization)
}

/// The same for the first, the second, ... of the same thing, whenever the calendar is written: who subscribes sees it once.
fn uid(subject: &str, nth: u32) -> String {
    let told = format!("{subject}\n{nth}");
    format!("{}@certwright", data_encoding::HEXLOWER.encode(&Sha256::digest(told)[..16]))
}

/// Text as section 3.3.11 wants it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(char);
            }
            '\n' => escaped.push_str("\\n"),
            char if char.is_control() => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}

/// Lines of at most 75 octets, as section 3.1 wants them.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn add(&mut self, line: &str) {
        let mut length = 0;
        for char in line.chars() {
            if length + char.len_utf8() > MOST {
                self.text.push_str("\r\n ");
                length = 1;
            }
            self.text.push(char);
            length += char.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}

const MOST: usize = 75;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_between_characters() {
        let mut lines = Lines::default();
        lines.add(&format!("SUMMARY:{}", "ä".repeat(60)));
        for line in lines.text.split("\r\n") {
            assert!(line.len() <= 75, "{line}");
        }
        assert_eq!(lines.text.replace("\r\n ", "").trim_end(), format!("SUMMARY:{}", "ä".repeat(60)));
        assert_eq!(escaped("a,b;c\\d\ne"), "a\\,b\\;c\\\\d\\ne");
    }
}
