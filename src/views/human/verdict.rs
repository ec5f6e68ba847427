//! What endpoints serve, for people: one line for each.

use std::io;

use super::{
    super::{
        Verdict,
        layout::{Layout, Tone},
    },
    count,
};
use crate::{
    engine::{problem::Severity, verify::Row},
    model::{names::ServerName, thumbprint::Thumbprint},
};

pub(super) fn write(layout: Layout, verdict: &Verdict, out: &mut dyn io::Write) -> io::Result<()> {
    let mut server: Option<&ServerName> = None;
    for row in &verdict.rows {
        if server != Some(&row.server) {
            writeln!(out, "{}", layout.paint(Tone::Strong, row.server.as_str()))?;
            server = Some(&row.server);
        }
        write_row(layout, row, out)?;
    }
    for what in &verdict.not_provable {
        write!(out, "{}", layout.labelled("  not asked", what))?;
    }
    writeln!(out)?;
    let bad = verdict.rows.iter().filter(|row| !row.is_good()).count();
    let endpoints = count(verdict.rows.len(), "endpoint");
    let text = if verdict.good {
        layout.paint(
            Tone::Good,
            &format!("Verified. {endpoints} serve the certificate that the manifest declares."),
        )
    } else {
        layout.paint(Tone::Bad, &format!("{bad} of {endpoints} do not serve what the manifest declares."))
    };
    write!(out, "{}", layout.paragraph(&text))
}

fn write_row(layout: Layout, row: &Row, out: &mut dyn io::Write) -> io::Result<()> {
    let (symbol, tone) = if row.is_good() { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
    let served = row.served.map_or("nothing".into(), Thumbprint::short);
    let until = row.not_after.map_or(String::new(), |end| format!(" until {}", end.date()));
    let name = row.name.as_ref().map_or(String::new(), |name| format!(" for {name}"));
    let text = format!("{served}{until}{name}");
    let line = layout.labelled(&format!("  {symbol} {}", row.endpoint), &text);
    write!(out, "{}", line.replacen(symbol, &layout.paint(tone, symbol), 1))?;
    for problem in &row.problems {
        let text = match problem.severity() {
            Severity::Wrong => problem.to_string(),
            Severity::Warning => format!("warning: {problem}"),
        };
        write!(out, "{}", layout.labelled("", &text))?;
    }
    Ok(())
}
