//! When the served certificates end: a bar for each, on a scale that gives the next weeks more room than the years.

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::{
    model::{certificate::Certificate, thumbprint::Thumbprint, time::Timestamp},
    verify::verdict::{State, Verdict},
};

/// The section, or nothing when nothing was served.
pub(super) fn section(verdict: &Verdict) -> Markup {
    let served: BTreeSet<Thumbprint> =
        verdict.services.iter().flat_map(|service| service.served.iter().copied()).collect();
    let mut lines: Vec<Line<'_>> = served
        .iter()
        .filter_map(|thumbprint| verdict.certificates.get(thumbprint))
        .map(|certificate| Line::new(verdict, certificate))
        .collect();
    // Those that end on the same day stand in the order of their servers, as everywhere on the page.
    lines.sort_by(|one, other| {
        let key = |line: &Line<'_>| (line.certificate.not_after, line.place);
        key(one).cmp(&key(other)).then_with(|| one.certificate.thumbprint.cmp(&other.certificate.thumbprint))
    });
    let scale = Scale::new(&lines);
    html! {
        @if !lines.is_empty() {
            section {
                h2 { "Expiries" small { "the nearest first; the next weeks have more room than later years" } }
                div.expiries {
                    div.ticks aria-hidden="true" {
                        span.now style=(left(scale.percent(0.0))) { "now" }
                        @for (days, word, class) in scale.ticks() {
                            span.(class) style=(left(scale.percent(days))) { (word) }
                        }
                    }
                    @for line in &lines { (bar(line, &scale)) }
                }
            }
        }
    }
}

/// A certificate with what is said of it.
struct Line<'a> {
    certificate: &'a Certificate,
    /// Days from now to its end.
    days: f64,
    /// Which servers serve it.
    servers: Vec<&'a str>,
    /// Where the first of them stands on the page.
    place: usize,
}

impl<'a> Line<'a> {
    fn new(verdict: &'a Verdict, certificate: &'a Certificate) -> Self {
        let serves = |service: &&crate::verify::verdict::ServiceVerdict| {
            service.served.contains(&certificate.thumbprint)
        };
        let mut servers: Vec<&str> =
            verdict.services.iter().filter(serves).map(|service| service.server.as_str()).collect();
        servers.dedup();
        let place = verdict.services.iter().position(|service| serves(&service)).unwrap_or(usize::MAX);
        Self { certificate, days: days(certificate.not_after, verdict.at), servers, place }
    }

    fn state(&self) -> State {
        match self.days {
            ..0.0 => State::Wrong,
            0.0..=14.0 => State::Warning,
            _ => State::Good,
        }
    }
}

fn bar(line: &Line<'_>, scale: &Scale) -> Markup {
    let Line { certificate, days, servers, .. } = line;
    let subject = certificate.subject.to_string();
    let name = certificate.subject.common_name().map_or(subject.as_str(), |name| name);
    let (now, end) = (scale.percent(0.0), scale.percent(*days));
    let (from, to) = if end < now { (end, now) } else { (now, end) };
    html! {
        div.expiry {
            div.whose {
                b title=(subject) { (name) }
                span.quiet { code { (certificate.thumbprint.short()) } " " (on(servers)) }
            }
            div.track { i.(line.state().word()) style=(format!("{};width:{:.1}%", left(from), to - from)) {} }
            div.until {
                span.date { (certificate.not_after.date()) } " "
                span.quiet { (until(*days)) }
            }
        }
    }
}

fn on(servers: &[&str]) -> String {
    match servers {
        [] => String::new(),
        [one] => format!("on {one}"),
        [one, two] => format!("on {one}, {two}"),
        [first, rest @ ..] => format!("on {first} and {} more", rest.len()),
    }
}

fn until(days: f64) -> String {
    if days < 0.0 {
        return "expired".to_owned();
    }
    let unit = if (1.0..2.0).contains(&days) { "day" } else { "days" };
    format!("{:.0} {unit}", days.floor())
}

fn left(percent: f64) -> String {
    format!("left:{percent:.1}%")
}

/// Days from now to places on the line. Logarithmic, so that next week and next year both have room.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    fn new(lines: &[Line<'_>]) -> Self {
        let ends = || lines.iter().map(|line| line.days);
        Self { least: ends().fold(0.0, f64::min), most: ends().fold(30.0, f64::max) }
    }

    fn percent(&self, days: f64) -> f64 {
        let bent = |days: f64| days.signum() * (1.0 + days.abs() / 7.0).ln();
        let (least, most) = (bent(self.least), bent(self.most));
        (bent(days) - least) / (most - least) * 100.0
    }

    /// The marks that have room: each far enough from the one before it. Those between have none on a narrow screen.
    fn ticks(&self) -> Vec<(f64, &'static str, &'static str)> {
        let mut ticks = Vec::new();
        let mut last = self.percent(0.0);
        for (place, (days, word)) in TICKS.iter().enumerate() {
            let at = self.percent(*days);
            if *days <= self.most && at - last >= LEAST_GAP {
                ticks.push((*days, *word, if place % 2 == 0 { "minor" } else { "major" }));
                last = at;
            }
        }
        ticks
    }
}

fn days(end: Timestamp, now: Timestamp) -> f64 {
    let seconds = end.since(now).as_seconds();
    #[expect(clippy::cast_precision_loss, reason = "a place in a drawing")]
    let seconds = seconds as f64;
    seconds / 86_400.0
}

/// Percent of the line that a word needs.
const LEAST_GAP: f64 = 9.0;
const TICKS: [(f64, &str); 7] = [
    (7.0, "1 week"),
    (30.0, "30 days"),
    (90.0, "90 days"),
    (200.0, "200 days"),
    (365.0, "1 year"),
    (730.0, "2 years"),
    (1825.0, "5 years"),
];
