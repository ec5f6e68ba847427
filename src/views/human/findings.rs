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
        excerpt(layout, place, out)?;
    }
    if let Some(related) = related {
        writeln!(out, "  first at {related}")?;
        excerpt(layout, related, out)?;
    }
    for line in wrap_whole(why, layout.width.saturating_sub(2)).iter().filter(|line| !line.is_empty()) {
        writeln!(out, "  {line}")?;
    }
    hint.as_ref().map_or(Ok(()), |hint| out.write_all(hinted(layout, hint).as_bytes()))
}

/// The line, with a mark below the column. Tabs and control characters would put the mark elsewhere, and so would a line that is
/// wider than the screen: of that the part around the mark is shown.
fn excerpt(layout: Layout, place: &Place, out: &mut dyn io::Write) -> io::Result<()> {
    if place.text.trim().is_empty() {
        return Ok(());
    }
    let text: String = place.text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let number = place.line.to_string();
    let gutter = " ".repeat(number.len());
    let room = layout.width.saturating_sub(number.len() + 3).max(NARROWEST);
    let (text, before) = window(text.trim_end(), place.column.saturating_sub(1), room);
    writeln!(out, "{gutter} |")?;
    writeln!(out, "{number} | {text}")?;
    writeln!(out, "{gutter} | {}^", " ".repeat(before))
}

/// As much of a line as there is room for around a character, and how many columns stand before that one.
fn window(line: &str, at: usize, room: usize) -> (String, usize) {
    let before: String = line.chars().take(at).collect();
    if columns(line) < room {
        return (line.to_owned(), columns(&before));
    }
    // What is not shown is told by an ellipsis at each end.
    let (mut start, inside) = (0, room.saturating_sub(2));
    let mut kept: Vec<char> = before.chars().collect();
    while columns(&kept.iter().collect::<String>()) > inside * 2 / 3 {
        let cut = kept.len().min(8);
        kept.drain(..cut);
        start += cut;
    }
    let mut shown = String::from(if start > 0 { "…" } else { "" });
    let mark = columns(&shown) + columns(&kept.iter().collect::<String>());
    let mut is_cut = false;
    for char in line.chars().skip(start) {
        if columns(&shown) + columns(char.encode_utf8(&mut [0; 4])) > room.saturating_sub(2) {
            is_cut = true;
            break;
        }
        shown.push(char);
    }
    (shown + if is_cut { "…" } else { "" }, mark)
}

/// No screen is narrower.
const NARROWEST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_line_that_is_too_wide_the_part_around_the_mark_is_shown() {
        let line = format!("names: [{}]", "a-name.contoso.com, ".repeat(12));
        for at in [0, 8, 40, 100, 200, 240, 249] {
            let (shown, mark) = window(&line, at, 60);
            let (under, meant) = (shown.chars().nth(mark), line.chars().nth(at));
            assert!(columns(&shown) < 60 && mark < 60, "{shown}");
            assert!(under == meant || meant.is_none(), "{at}: {shown} {mark}");
        }
        assert_eq!(window("short", 2, 60), ("short".into(), 2));
        // Letters of two columns.
        let (shown, mark) = window(&"名".repeat(80), 40, 60);
        assert!(
            columns(&shown) < 60 && mark < 60 && shown.starts_with('…') && shown.ends_with('…'),
            "{shown}"
        );
    }
}
