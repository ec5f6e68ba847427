//! When the served certificates end: a bar for each, on a scale that gives the next weeks more room than the years.

use std::collections::BTreeSet;

use super::escaped;
use crate::{
    model::{certificate::Certificate, thumbprint::Thumbprint, time::Timestamp},
    verify::verdict::{State, Verdict},
};

/// The section, or nothing when nothing was served.
pub(super) fn section(verdict: &Verdict) -> String {
    let served: BTreeSet<Thumbprint> =
        verdict.services.iter().flat_map(|service| service.served.iter().copied()).collect();
    let mut certificates: Vec<&Certificate> =
        served.iter().filter_map(|thumbprint| verdict.certificates.get(thumbprint)).collect();
    certificates.sort_by_key(|certificate| (certificate.not_after, certificate.thumbprint));
    if certificates.is_empty() {
        return String::new();
    }
    let scale = Scale::new(&certificates, verdict.at);
    let height = TOP + BAR * f64::from(u32::try_from(certificates.len()).unwrap_or(u32::MAX)) + 6.0;
    let mut drawing = String::new();
    for (days, word) in TICKS.iter().filter(|(days, _)| *days <= scale.most) {
        let x = scale.x(*days);
        drawing += &format!(
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{height:.0}\"/><text class=\"tick\" x=\"{x:.1}\" y=\"18\" text-anchor=\"middle\">{word}</text>"
        );
    }
    let mut y = TOP;
    for certificate in certificates {
        drawing += &bar(verdict, certificate, &scale, y);
        y += BAR;
    }
    let now = scale.x(0.0);
    drawing += &format!(
        "<line class=\"now\" x1=\"{now:.1}\" y1=\"24\" x2=\"{now:.1}\" y2=\"{height:.0}\"/><text class=\"nowtext\" x=\"{now:.1}\" y=\"18\" text-anchor=\"middle\">now</text>"
    );
    format!(
        "<section>\n<h2>Expiries<small>the nearest first; a day of next week is wider than one of next year</small></h2>\n\
         <svg class=\"timeline\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"When the served certificates end\">{drawing}</svg>\n</section>\n"
    )
}

fn bar(verdict: &Verdict, certificate: &Certificate, scale: &Scale, y: f64) -> String {
    let days = days(certificate.not_after, verdict.at);
    let state = match days {
        ..0.0 => State::Wrong,
        0.0..=14.0 => State::Warning,
        _ => State::Good,
    };
    let users = verdict.services.iter().filter(|service| service.served.contains(&certificate.thumbprint));
    let mut servers: Vec<&str> = users.map(|service| service.server.as_str()).collect();
    servers.dedup();
    let on = match servers.as_slice() {
        [] => String::new(),
        [one] => format!("on {one}"),
        [one, two] => format!("on {one}, {two}"),
        [first, rest @ ..] => format!("on {first} and {} more", rest.len()),
    };
    let name =
        certificate.subject.common_name().map_or_else(|| certificate.subject.to_string(), ToOwned::to_owned);
    let (from, to) = (scale.x(0.0), scale.x(days));
    let (x, width) = if to < from { (to, from - to) } else { (from, (to - from).max(3.0)) };
    let number = days.abs().floor();
    let words = if days < 0.0 {
        format!("expired {}", certificate.not_after.date())
    } else {
        let unit = if (1.0..2.0).contains(&days) { "day" } else { "days" };
        format!("{} · {number:.0} {unit}", certificate.not_after.date())
    };
    // Beside the bar, and where there is no room, in front of its end.
    let (at, anchor) = if to + 150.0 > WIDTH { (WIDTH - 4.0, "end") } else { (to.max(from) + 8.0, "start") };
    let below = if anchor == "end" { y + 15.0 } else { y + 20.0 };
    let bar_y = if anchor == "end" { y + 20.0 } else { y + 10.0 };
    format!(
        "<text x=\"0\" y=\"{:.0}\">{}</text><text class=\"quiet\" x=\"0\" y=\"{:.0}\">{} {}</text>\
         <rect class=\"track\" x=\"{LEFT}\" y=\"{bar_y:.0}\" width=\"{:.0}\" height=\"12\" rx=\"6\"/>\
         <rect class=\"{}\" x=\"{x:.1}\" y=\"{bar_y:.0}\" width=\"{width:.1}\" height=\"12\" rx=\"6\"><title>{}</title></rect>\
         <text x=\"{at:.1}\" y=\"{below:.0}\" text-anchor=\"{anchor}\">{words}</text>",
        y + 14.0,
        escaped(&cut(&name)),
        y + 30.0,
        certificate.thumbprint.short(),
        escaped(&on),
        WIDTH - LEFT,
        state.word(),
        escaped(&certificate.subject.to_string()),
    )
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
