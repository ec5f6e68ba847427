//! The outlook of an organization, for people: its certificates, and what is due on which day.

use std::io;

use super::{
    super::{
        layout::{Layout, Tone},
        no_result::NoResult,
    },
    unfinished,
    verdict::write_endings,
    words::count,
};
use crate::{
    model::{
        desired::CertificateId,
        diagnostic::{Diagnostic, Severity},
        names::ServerName,
        plan::ChangeKind,
        time::Timestamp,
        unseen::{NotSeen, UnseenPart},
    },
    plan::outlook::{
        Calendar, CertificateOutlook, Current, Event, Next, OtherCertificate, Outlook, PlaceInUse, Who,
    },
};

/// Writes of which organizations nothing is known. Why is told in full on standard error.
pub fn not_known(layout: Layout, failed: &[NoResult], out: &mut dyn io::Write) -> io::Result<()> {
    failed.iter().try_for_each(|failure| {
        let text = format!("{}: nothing is known of it", failure.in_one_line());
        write!(out, "{}", layout.marked(Tone::Bad, &format!("✗ {}", failure.name()), &text))
    })
}

/// Writes how the certificates of organizations are.
pub fn status(layout: Layout, outlooks: &[Outlook], out: &mut dyn io::Write) -> io::Result<()> {
    for (index, outlook) in outlooks.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let text =
            format!("observed {}: {}", outlook.observed_at, count(outlook.certificates.len(), "certificate"));
        write!(out, "{}", layout.labelled(&outlook.organization, &text))?;
        unfinished::write(layout, outlook.unfinished_run.as_ref(), out)?;
        for certificate in &outlook.certificates {
            writeln!(out)?;
            write_certificate(layout, certificate, &outlook.not_seen, out)?;
        }
        for not_seen in &outlook.not_seen {
            let text = format!("{not_seen}: what it has and presents is not known");
            write!(out, "{}", layout.marked(Tone::Bad, "? not seen", &text))?;
        }
        for due in &outlook.restarts_due {
            write!(out, "{}", layout.marked(Tone::Change, "! restart due", &due.to_string()))?;
        }
        write_endings(layout, &outlook.ending, out)?;
        for left_out in &outlook.left_out {
            write!(out, "{}", layout.labelled("  not asked", &left_out.to_string()))?;
        }
        if !outlook.others.is_empty() {
            writeln!(out, "\n{}", layout.paint(Tone::Strong, "Others in the stores"))?;
        }
        for other in &outlook.others {
            write_other(layout, other, out)?;
        }
        let told = |it: &&Diagnostic| matches!(it.severity, Severity::Error | Severity::Warning);
        let obstacles = outlook.obstacles;
        let warnings = outlook.diagnostics.iter().filter(told).count().saturating_sub(obstacles);
        if obstacles + warnings > 0 {
            writeln!(out)?;
            let cannot = (obstacles > 0).then(|| format!("{} cannot be done", count(obstacles, "thing")));
            let warned = (warnings > 0).then(|| count(warnings, "warning"));
            let parts: Vec<String> = cannot.into_iter().chain(warned).collect();
            let text = format!("{}; `certwright plan` shows more.", parts.join(", "));
            write!(out, "{}", layout.paint(Tone::Change, &layout.paragraph(&text)))?;
        }
    }
    Ok(())
}

fn write_other(layout: Layout, other: &OtherCertificate, out: &mut dyn io::Write) -> io::Result<()> {
    let OtherCertificate { thumbprint, subject, not_after, days_left, servers } = other;
    let end = if *days_left < 0 {
        format!("expired {}", not_after.date())
    } else {
        format!("{} left, until {}", count_days(*days_left), not_after.date())
    };
    let text = format!("{end}, {subject}, on {}", list(servers));
    write!(out, "{}", layout.labelled(&format!("  {}", thumbprint.short()), &text))
}

fn write_certificate(
    layout: Layout,
    certificate: &CertificateOutlook,
    not_seen: &[NotSeen],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let CertificateOutlook { certificate: id, issuer, current, servers, places, next, file, .. } =
        certificate;
    let on = on(id, servers, current.as_ref());
    let (tone, days) = match current {
        None if may_be_unseen(id, servers, not_seen) => {
            (Tone::Bad, "it is not known whether it exists".to_owned())
        }
        None => (Tone::Bad, "does not exist yet".to_owned()),
        Some(Current { days_left, not_after, .. }) if *days_left < 0 => {
            (Tone::Bad, format!("expired {}", not_after.date()))
        }
        Some(Current { days_left, not_after, .. }) => {
            let tone = if *days_left < SOON { Tone::Change } else { Tone::Good };
            (tone, format!("{} left, until {}", count_days(*days_left), not_after.date()))
        }
    };
    let line = layout.labelled(id.name.as_str(), &format!("{days}, from {issuer}, {on}"));
    write!(out, "{}", line.replacen(&days, &layout.paint(tone, &days), 1))?;
    if let Some(Current { thumbprint, .. }) = current {
        write!(out, "{}", layout.labelled("    thumbprint", &thumbprint.to_string()))?;
    }
    write!(out, "{}", layout.labelled("    presented at", &presented_at(places)))?;
    write!(out, "{}", layout.labelled("    next", &next_in_words(next, file.as_deref())))
}

/// Whether a server may have it whose certificates could not be seen.
fn may_be_unseen(id: &CertificateId, servers: &[ServerName], not_seen: &[NotSeen]) -> bool {
    let own =
        |server: &ServerName| id.server.as_ref().map_or_else(|| servers.contains(server), |of| of == server);
    not_seen.iter().any(|unseen| {
        own(&unseen.server) && unseen.unseen.iter().any(|unseen| unseen.part == UnseenPart::Server)
    })
}

/// The servers that have it, and those that should and were not seen to.
fn on(id: &CertificateId, servers: &[ServerName], current: Option<&Current>) -> String {
    let Some(current) = current else {
        return format!("for {}", id.server.as_ref().map_or_else(|| list(servers), ToString::to_string));
    };
    let others: Vec<ServerName> =
        servers.iter().filter(|server| !current.servers.contains(server)).cloned().collect();
    match (current.servers.as_slice(), others.as_slice()) {
        (on, []) => format!("on {}", list(on)),
        ([], others) => format!("not seen on {}", list(others)),
        (on, others) => format!("on {}, not seen on {}", list(on), list(others)),
    }
}

/// The places, those of one name together: `POP on EX01, EX02`.
fn presented_at(places: &[PlaceInUse]) -> String {
    let mut by_place: Vec<(String, Vec<&ServerName>)> = Vec::new();
    for PlaceInUse { server, place } in places {
        // A default connector has its server's name in its own.
        let name = place.replace(server.as_str(), "SERVER");
        match by_place.iter_mut().find(|(known, _)| *known == name) {
            Some((_, servers)) => servers.push(server),
            None => by_place.push((name, vec![server])),
        }
    }
    if by_place.is_empty() {
        return "nothing".to_owned();
    }
    let told = by_place.iter().map(|(name, servers)| {
        let name = match servers.as_slice() {
            [one] => name.replace("SERVER", one.as_str()),
            _ => name.replace("SERVER", "…"),
        };
        let servers: Vec<ServerName> = servers.iter().map(|server| (*server).clone()).collect();
        format!("{name} ({})", list(&servers))
    });
    told.collect::<Vec<_>>().join(", ")
}

fn next_in_words(next: &Next, file: Option<&str>) -> String {
    match (next, file) {
        (Next::Wait { until, .. }, Some(file)) => {
            return format!("a person puts the next one in the place of {file}, from {} on", until.date());
        }
        (Next::Apply { change, .. }, Some(_)) => {
            return next_in_words(&Next::Apply { change: *change, by_hand: false }, None);
        }
        (Next::Wait { .. } | Next::Apply { .. } | Next::Answer { .. } | Next::Blocked { .. }, _) => {}
    }
    match next {
        Next::Wait { until, by_hand: false } => {
            format!("`certwright apply` renews it from {}", until.date())
        }
        Next::Wait { until, by_hand: true } => {
            format!("`certwright apply` writes a request from {}; a person takes it to the CA", until.date())
        }
        Next::Apply { change, by_hand } => {
            let what = match change {
                ChangeKind::NoOp => "keeps it",
                ChangeKind::Create => "creates it",
                ChangeKind::Update => "brings it into use",
                ChangeKind::Replace => "replaces it",
                ChangeKind::Retire => "removes its predecessor",
                ChangeKind::Blocked => "cannot do anything",
            };
            let hand = if *by_hand { "; a person takes the request to the CA" } else { "" };
            format!("now: `certwright apply` {what}{hand}")
        }
        Next::Answer { file } => format!("now: the CA answers {file}.csr, then `certwright apply`"),
        Next::Blocked { message } => format!("blocked: {message}"),
    }
}

/// Writes what is due.
pub fn calendar(layout: Layout, calendars: &[Calendar], out: &mut dyn io::Write) -> io::Result<()> {
    for (index, calendar) in calendars.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let Calendar { organization, from, until, events, unfinished_run, .. } = calendar;
        let text = format!("{} to {}", from.date(), until.date());
        write!(out, "{}", layout.labelled(organization, &text))?;
        unfinished::write(layout, unfinished_run.as_ref(), out)?;
        let mut month = String::new();
        for event in events {
            let date = event.at.date();
            let own = date.get(..7).unwrap_or(&date).to_owned();
            if own != month {
                writeln!(out, "\n{}", layout.paint(Tone::Strong, &own))?;
                month = own;
            }
            write_event(layout, event, *from, out)?;
        }
        writeln!(out)?;
        let by = |who| events.iter().filter(|event| event.who == who).count();
        let text = format!(
            "{}: {} by `certwright apply`, {} by people.",
            count(events.len(), "entry"),
            by(Who::Certwright),
            by(Who::Person)
        );
        write!(out, "{}", layout.paragraph(&text))?;
    }
    Ok(())
}

fn write_event(layout: Layout, event: &Event, from: Timestamp, out: &mut dyn io::Write) -> io::Result<()> {
    let (symbol, tone) = symbol(event.who);
    let date = if event.at <= from { "now".to_owned() } else { event.at.date() };
    let before = event.before.map_or_else(String::new, |at| format!("; before {}", at.date()));
    let line = layout.labelled(&format!("{symbol} {date}"), &format!("{}{before}", event.message));
    write!(out, "{}", line.replacen(symbol, &layout.paint(tone, symbol), 1))
}

fn symbol(who: Who) -> (&'static str, Tone) {
    match who {
        Who::Certwright => ("~", Tone::Good),
        Who::Person => ("!", Tone::Change),
        Who::Nobody => ("·", Tone::Quiet),
    }
}

fn count_days(days: i64) -> String {
    count(usize::try_from(days).unwrap_or(0), "day")
}

fn list(servers: &[ServerName]) -> String {
    let shown: Vec<&str> = servers.iter().take(MOST).map(ServerName::as_str).collect();
    match servers.len().saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

const SOON: i64 = 21;
const MOST: usize = 6;
