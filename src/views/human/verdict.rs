//! What endpoints serve, for people: one line for each, and below it what is wrong and why.

use std::io;

use super::{
    super::layout::{Layout, Tone, wrap_whole},
    unfinished,
    words::count,
};
use crate::{
    model::{ending::Ending, handshake::endpoint_finding::EndpointSeverity, thumbprint::Thumbprint},
    verify::{
        health::HealthRow,
        mail_flow::MailRow,
        not_provable::NotProvable,
        row::Row,
        run,
        smtp_log::{By, SmtpLogSummary},
        verdict::Verdict,
    },
};

pub(super) fn write(layout: Layout, verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()> {
    let mut server: Option<&str> = None;
    let mut known: Vec<&str> = Vec::new();
    for row in &verdict.rows {
        if server != Some(&row.server) {
            writeln!(out, "{}", layout.paint(Tone::Strong, &row.server))?;
            server = Some(&row.server);
            known.clear();
        }
        write_row(layout, row, out)?;
        // The same is said once for each server.
        if let Some(cause) = row.cause.as_ref().filter(|cause| !known.contains(&cause.message.as_str())) {
            write!(out, "{}", layout.labelled("    likely cause", &cause.message))?;
            known.push(&cause.message);
        }
    }
    write_health(layout, &verdict.health, out)?;
    write_mail(layout, &verdict.mail_flow, out)?;
    if let Some(shown) = &verdict.smtp_log {
        write_log(layout, shown, out)?;
    }
    write_endings(layout, &verdict.ending, out)?;
    let mut bad = |label: &str, text: String| write!(out, "{}", layout.marked(Tone::Bad, label, &text));
    for absence in verdict.absences() {
        bad(&format!("✗ {}", absence.word()), absence.told())?;
    }
    let (senders, rest): (Vec<_>, Vec<_>) = verdict.not_provable.iter().partition(|what| what.is_of_sender());
    for what in senders {
        bad("✗ send connector", what.to_string())?;
    }
    for what in rest {
        write!(out, "{}", layout.labelled("  not asked", &what.to_string()))?;
    }
    writeln!(out)?;
    unfinished::write(layout, verdict.unfinished_run.as_ref(), out)?;
    write!(out, "{}", layout.paragraph(&conclusion(layout, verdict)))?;
    match run::advice(&verdict.rows) {
        Some(advice) => writeln!(out, "{}", wrap_whole(&format!("hint: {advice}"), layout.width).join("\n")),
        None => Ok(()),
    }
}

/// What is in use and has ended or ends soon.
pub(super) fn write_endings(layout: Layout, endings: &[Ending], out: &mut dyn io::Write) -> io::Result<()> {
    for ending in endings {
        let (tone, label) =
            if ending.expired { (Tone::Bad, "✗ ended") } else { (Tone::Change, "! ends soon") };
        write!(out, "{}", layout.marked(tone, label, &ending.to_string()))?;
    }
    Ok(())
}

fn conclusion(layout: Layout, verdict: &Verdict) -> String {
    let bad = verdict.rows.iter().filter(|row| !row.is_good()).count();
    let sick = verdict.health.iter().filter(|row| !row.healthy).count();
    let (tone, text) = match (verdict.good, bad, sick, verdict.worst_absence()) {
        (true, ..) => (Tone::Good, format!("Verified. {}.", served(verdict))),
        (false, 0, 0, _) if verdict.ending.iter().any(|ending| ending.expired) => {
            (Tone::Bad, "Not verified: certificates in use have ended.".into())
        }
        (false, 0, 0, Some(absent)) => (Tone::Bad, format!("Not verified: {absent}.")),
        (false, 0, 0, _) if verdict.mail_flow.iter().any(|row| !row.accepted) => {
            (Tone::Bad, "Not verified: not every server took the test message.".into())
        }
        (false, 0, 0, _) if verdict.not_provable.iter().any(NotProvable::is_of_sender) => {
            (Tone::Bad, "Not verified: not every send connector presents what the manifest declares.".into())
        }
        (false, 0, 0, _) => (Tone::Bad, "Not verified: some endpoints could not be checked.".into()),
        (false, 0, sick, _) => {
            (Tone::Bad, format!("Not verified: {} behind HTTPS not well.", count(sick, "page")))
        }
        (false, ..) => (Tone::Bad, format!("{}.", not_served(verdict))),
    };
    layout.paint(tone, &text)
}

/// The endpoints of which the manifest says what they serve, and the others, which are met for their own sake.
fn declared_and_others(verdict: &Verdict) -> [Vec<&Row>; 2] {
    let (declared, others) =
        verdict.rows.iter().partition(|row| verdict.organization.is_some() && row.declared.is_some());
    [declared, others]
}

const DECLARED: &str = "the certificate that the manifest declares";
const ACCEPTED: &str = "a certificate that clients accept";

fn served(verdict: &Verdict) -> String {
    let [declared, others] = declared_and_others(verdict);
    let serve = |rows: &[&Row]| if rows.len() == 1 { "serves" } else { "serve" };
    let endpoints = |rows: &[&Row]| count(rows.len(), "endpoint");
    match (declared.as_slice(), others.as_slice()) {
        (declared, []) if verdict.organization.is_some() => {
            format!("{} {} {DECLARED}", endpoints(declared), serve(declared))
        }
        ([], others) => format!("{} {} {ACCEPTED}", endpoints(others), serve(others)),
        (declared, others) => {
            let (own, more) = (serve(declared), count(others.len(), "other"));
            format!("{} {own} {DECLARED}, and {more} {ACCEPTED}", endpoints(declared))
        }
    }
}

fn not_served(verdict: &Verdict) -> String {
    let bad = |rows: &[&Row]| rows.iter().filter(|row| !row.is_good()).count();
    let told = |rows: &[&Row], noun: &str, what: &str| {
        let verb = if bad(rows) == 1 { "does not serve" } else { "do not serve" };
        format!("{} of {} {verb} {what}", bad(rows), count(rows.len(), noun))
    };
    let (what, accepted) = ("what the manifest declares", "what clients accept");
    match declared_and_others(verdict) {
        [declared, others] if bad(&others) == 0 => told(&declared, "endpoint", what),
        [declared, others] if declared.is_empty() => told(&others, "endpoint", accepted),
        [declared, others] if bad(&declared) == 0 => told(&others, "undeclared endpoint", accepted),
        [declared, others] => {
            format!("{}; {}", told(&declared, "endpoint", what), told(&others, "other", accepted))
        }
    }
}

fn write_row(layout: Layout, row: &Row, out: &mut dyn io::Write) -> io::Result<()> {
    let (symbol, tone) = if row.is_good() { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
    let served = row.served.map_or("nothing".into(), Thumbprint::short);
    let until = row.not_after.map_or(String::new(), |end| format!(" until {}", end.date()));
    let name = row.name.as_ref().map_or(String::new(), |name| format!(" for {name}"));
    let again = match row.retries {
        0 => String::new(),
        1 => ", tried again once".into(),
        times => format!(", tried again {times} times"),
    };
    let text = format!("{served}{until}{name}{again}");
    let line = layout.labelled(&format!("  {symbol} {}", row.endpoint), &text);
    write!(out, "{}", line.replacen(symbol, &layout.paint(tone, symbol), 1))?;
    for problem in &row.problems {
        let text = match problem.severity() {
            EndpointSeverity::Wrong => problem.to_string(),
            EndpointSeverity::Warning => format!("warning: {problem}"),
        };
        write!(out, "{}", layout.labelled("", &text))?;
    }
    Ok(())
}

fn write_health(layout: Layout, health: &[HealthRow], out: &mut dyn io::Write) -> io::Result<()> {
    let mut servers: Vec<&str> = health.iter().map(|row| row.server.as_str()).collect();
    servers.dedup();
    for server in servers {
        let of_server = || health.iter().filter(|row| row.server == server);
        let well = of_server().filter(|row| row.healthy).count();
        let all = of_server().count();
        let (symbol, tone) = if well == all { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
        let line =
            layout.labelled(&format!("{symbol} pages of {server}"), &format!("{well} of {all} are well"));
        write!(out, "{}", line.replacen(symbol, &layout.paint(tone, symbol), 1))?;
        for row in of_server().filter(|row| !row.healthy) {
            let problem = row.problem.as_deref().unwrap_or_default();
            write!(out, "{}", layout.labelled("", &format!("{} {}: {problem}", row.endpoint, row.page)))?;
        }
    }
    Ok(())
}

fn write_mail(layout: Layout, rows: &[MailRow], out: &mut dyn io::Write) -> io::Result<()> {
    for row in rows {
        let (symbol, tone) = if row.accepted { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
        let text = row.problem.as_ref().or(row.reply.as_ref()).map_or("", String::as_str);
        let line = layout.labelled(&format!("{symbol} mail to {}", row.server), text);
        write!(out, "{}", line.replacen(symbol, &layout.paint(tone, symbol), 1))?;
    }
    Ok(())
}

fn write_log(layout: Layout, shown: &SmtpLogSummary, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "{}", layout.paint(Tone::Strong, "SMTP protocol logs"))?;
    let range = match (shown.from, shown.to) {
        (Some(from), Some(to)) => format!(", {from} to {to}"),
        _ => String::new(),
    };
    let unread =
        if shown.unreadable == 0 { String::new() } else { format!(", {} unreadable", shown.unreadable) };
    let read =
        format!("{}, {}{unread}{range}", count_u64(shown.files, "file"), count_u64(shown.lines, "line"));
    write!(out, "{}", layout.labelled("  read", &read))?;
    for certificate in &shown.certificates {
        let who = match certificate.by {
            By::Us => "",
            By::Partner => "the partner showed ",
        };
        let which = match certificate.thumbprint {
            Some(thumbprint) => thumbprint.short(),
            None => certificate.subject.clone(),
        };
        let last = certificate.last.map_or(String::new(), |last| format!(", last {last}"));
        let expired = match certificate.expired_sessions {
            0 => String::new(),
            sessions => format!(", expired in {sessions} of them"),
        };
        let text = format!(
            "{}: {who}{which} in {}{expired}{last}",
            certificate.connector,
            count_u64(certificate.sessions, "session")
        );
        write!(out, "{}", layout.labelled("  shown", &text))?;
    }
    for failure in &shown.failures {
        let text = format!(
            "{}: {} failed with {}",
            failure.connector,
            count_u64(failure.sessions, "handshake"),
            failure.error
        );
        write!(out, "{}", layout.labelled("  ✗ failed", &text))?;
    }
    Ok(())
}

fn count_u64(number: u64, one: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), one)
}
