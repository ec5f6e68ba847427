//! Findings for people: what, where with the line itself, why, what to do.

use std::io;

use super::{
    super::{
        layout::{Layout, Tone, columns, wrap_whole},
        results::CheckResult,
    },
    hint::hinted,
    words::count,
};
use crate::manifest::finding::{Finding, Place, Severity};

/// Writes what `check` found.
pub fn check(layout: Layout, result: &CheckResult, out: &mut dyn io::Write) -> io::Result<()> {
    write(layout, &result.findings, result.files, out)?;
    match result.accepted.len() {
        0 => Ok(()),
        accepted => writeln!(out, "{} accepted by the baseline.", count(accepted, "finding")),
    }
}

pub(super) fn write(
    layout: Layout,
    findings: &[Finding],
    files: usize,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    for finding in findings {
        write_finding(layout, finding, out)?;
        writeln!(out)?;
    }
    let number = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let parts: Vec<String> =
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Notice, "notice")]
            .into_iter()
            .filter(|(severity, _)| number(*severity) > 0)
            .map(|(severity, word)| count(number(severity), word))
            .collect();
    let sum = if parts.is_empty() { "no problems found".into() } else { parts.join(", ") };
    writeln!(out, "{}: {sum}.", count(files, "file"))
}

pub(super) fn write_finding(layout: Layout, finding: &Finding, out: &mut dyn io::Write) -> io::Result<()> {
    let Finding { id, severity, message: what, why, hint, path, place, related, hides_line: _ } = finding;
    let tone = match severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Change,
        Severity::Notice => Tone::Quiet,
    };
    let head = layout.headed(tone, &severity.to_string(), &format!("{what} [{id}]"));
    out.write_all(head.as_bytes())?;
    if let Some(place) = place {
        let path = path.to_string();
        let path = if path.is_empty() { String::new() } else { format!("   {path}") };
        writeln!(out, "  --> {place}{path}")?;
        excerpt(place, out)?;
    }
    if let Some(related) = related {
        writeln!(out, "  first at {related}")?;
        excerpt(related, out)?;
    }
    for line in wrap_whole(why, layout.width.saturating_sub(2)).iter().filter(|line| !line.is_empty()) {
        writeln!(out, "  {line}")?;
    }
    hint.as_ref().map_or(Ok(()), |hint| out.write_all(hinted(layout, hint).as_bytes()))
}

/// The line, with a mark below the column. Tabs and control characters would put the mark elsewhere.
fn excerpt(place: &Place, out: &mut dyn io::Write) -> io::Result<()> {
    if place.text.trim().is_empty() {
        return Ok(());
    }
    let text: String = place.text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let number = place.line.to_string();
    let gutter = " ".repeat(number.len());
    writeln!(out, "{gutter} |")?;
    writeln!(out, "{number} | {}", text.trim_end())?;
    let before: String = text.chars().take(place.column.saturating_sub(1)).collect();
    writeln!(out, "{gutter} | {}^", " ".repeat(columns(&before)))
}
