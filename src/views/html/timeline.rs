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
    let mut certificates: Vec<&Certificate> =
        served.iter().filter_map(|thumbprint| verdict.certificates.get(thumbprint)).collect();
    certificates.sort_by_key(|certificate| (certificate.not_after, certificate.thumbprint));
    html! {
        @if !certificates.is_empty() {
            section {
                h2 {
                    "Expiries"
                    small { "the nearest first; a day of next week is wider than one of next year" }
                }
                (drawing(verdict, &certificates))
            }
        }
    }
}

fn drawing(verdict: &Verdict, certificates: &[&Certificate]) -> Markup {
    let scale = Scale::new(certificates, verdict.at);
    let top = |place: usize| TOP + BAR * f64::from(u32::try_from(place).unwrap_or(u32::MAX));
    let height = whole(top(certificates.len()) + 6.0);
    let now = tenths(scale.x(0.0));
    html! {
        svg.timeline viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label="When the served certificates end" {
            @for (days, word) in TICKS.iter().filter(|(days, _)| *days <= scale.most) {
                @let x = tenths(scale.x(*days));
                line x1=(x) y1=(TOP) x2=(x) y2=(height) {}
                text.tick x=(x) y="18" text-anchor="middle" { (word) }
            }
            @for (place, certificate) in certificates.iter().enumerate() {
                (bar(verdict, certificate, &scale, top(place)))
            }
            line.now x1=(now) y1="24" x2=(now) y2=(height) {}
            text.nowtext x=(now) y="18" text-anchor="middle" { "now" }
        }
    }
}

fn bar(verdict: &Verdict, certificate: &Certificate, scale: &Scale, y: f64) -> Markup {
    let days = days(certificate.not_after, verdict.at);
    let state = match days {
        ..0.0 => State::Wrong,
        0.0..=14.0 => State::Warning,
        _ => State::Good,
    };
    let name =
        certificate.subject.common_name().map_or_else(|| certificate.subject.to_string(), ToOwned::to_owned);
    let (from, to) = (scale.x(0.0), scale.x(days));
    let (x, width) = if to < from { (to, from - to) } else { (from, (to - from).max(3.0)) };
    // Beside the bar, and where there is no room, above its end.
    let (at, anchor) = if to + 150.0 > WIDTH { (WIDTH - 4.0, "end") } else { (to.max(from) + 8.0, "start") };
    let below = if anchor == "end" { y + 15.0 } else { y + 20.0 };
    let bar_y = whole(if anchor == "end" { y + 20.0 } else { y + 10.0 });
    html! {
        text x="0" y=(whole(y + 14.0)) { (cut(&name)) }
        text.quiet x="0" y=(whole(y + 30.0)) {
            (certificate.thumbprint.short()) " " (users(verdict, certificate.thumbprint))
        }
        rect.track x=(LEFT) y=(bar_y) width=(whole(WIDTH - LEFT)) height="12" rx="6" {}
        rect.(state.word()) x=(tenths(x)) y=(bar_y) width=(tenths(width)) height="12" rx="6" {
            title { (certificate.subject.to_string()) }
        }
        text x=(tenths(at)) y=(whole(below)) text-anchor=(anchor) { (until(certificate, days)) }
    }
}

/// Which servers serve it.
fn users(verdict: &Verdict, thumbprint: Thumbprint) -> String {
    let users = verdict.services.iter().filter(|service| service.served.contains(&thumbprint));
    let mut servers: Vec<&str> = users.map(|service| service.server.as_str()).collect();
    servers.dedup();
    match servers.as_slice() {
        [] => String::new(),
        [one] => format!("on {one}"),
        [one, two] => format!("on {one}, {two}"),
        [first, rest @ ..] => format!("on {first} and {} more", rest.len()),
    }
}

fn until(certificate: &Certificate, days: f64) -> String {
    if days < 0.0 {
        return format!("expired {}", certificate.not_after.date());
    }
    let unit = if (1.0..2.0).contains(&days) { "day" } else { "days" };
    format!("{} · {:.0} {unit}", certificate.not_after.date(), days.floor())
}

/// Places in the drawing, as exact as eyes are.
fn tenths(place: f64) -> String {
    format!("{place:.1}")
}

fn whole(place: f64) -> String {
    format!("{place:.0}")
}

/// Days from now to places on the line. Logarithmic, so that next week and next year both have room.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    fn new(certificates: &[&Certificate], now: Timestamp) -> Self {
        let ends = || certificates.iter().map(|certificate| days(certificate.not_after, now));
        Self { least: ends().fold(0.0, f64::min), most: ends().fold(30.0, f64::max) }
    }

    fn x(&self, days: f64) -> f64 {
        let bent = |days: f64| days.signum() * (1.0 + days.abs() / 7.0).ln();
        let (least, most) = (bent(self.least), bent(self.most));
        LEFT + (bent(days) - least) / (most - least) * (WIDTH - LEFT - 4.0)
    }
}

fn days(end: Timestamp, now: Timestamp) -> f64 {
    let seconds = end.since(now).as_seconds();
    #[expect(clippy::cast_precision_loss, reason = "a place in a drawing")]
    let seconds = seconds as f64;
    seconds / 86_400.0
}

fn cut(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}

const WIDTH: f64 = 1140.0;
/// Where names end and the line begins.
const LEFT: f64 = 290.0;
const TOP: f64 = 30.0;
const BAR: f64 = 44.0;
const LONGEST_NAME: usize = 38;
const TICKS: [(f64, &str); 7] = [
    (7.0, "1 week"),
    (30.0, "30 days"),
    (90.0, "90 days"),
    (200.0, "200 days"),
    (365.0, "1 year"),
    (730.0, "2 years"),
    (1825.0, "5 years"),
];
