//! Drift, for people.

use std::io;

use super::{
    super::layout::{Layout, Tone},
    unfinished,
    words::count,
};
use crate::verify::drift::Drift;

/// Writes what is different.
pub fn write(layout: Layout, drift: &Drift, out: &mut dyn io::Write) -> io::Result<()> {
    let met = drift
        .verdict
        .as_ref()
        .map_or(String::new(), |verdict| format!(", {} checked", count(verdict.rows.len(), "endpoint")));
    write!(out, "{}", layout.labelled(&drift.organization, &format!("observed {}{met}", drift.at)))?;
    for difference in &drift.differences {
        writeln!(out, "{} {}", layout.paint(Tone::Change, "~"), difference.id)?;
        write!(out, "{}", layout.labelled("", &difference.message))?;
    }
    for ending in &drift.ending {
        write!(out, "{}", layout.labelled("  ends soon", &ending.to_string()))?;
    }
    for not_seen in &drift.not_seen {
        let text = format!("{not_seen}: whether it differs is not known");
        write!(out, "{}", layout.marked(Tone::Bad, "? not seen", &text))?;
    }
    for left_out in &drift.left_out {
        write!(out, "{}", layout.labelled("  not asked", &left_out.to_string()))?;
    }
    for ignored in &drift.ignored {
        writeln!(out, "  {}", layout.paint(Tone::Quiet, &ignored.difference.id))?;
        write!(out, "{}", layout.labelled("    ignored", &ignored.because))?;
    }
    let text = if drift.drifted {
        let number = drift.differences.len();
        let are = if number == 1 { "is" } else { "are" };
        layout.paint(Tone::Bad, &format!("Drift: {} {are} not as the manifest says.", count(number, "thing")))
    } else if !drift.not_seen.is_empty() {
        layout.paint(Tone::Bad, "No drift where it could be seen; the rest is not known.")
    } else if drift.unfinished_run.is_some() {
        layout.paint(Tone::Change, "No drift but for what the run has left to do.")
    } else {
        layout.paint(Tone::Good, "No drift.")
    };
    writeln!(out)?;
    unfinished::write(layout, drift.unfinished_run.as_ref(), out)?;
    write!(out, "{}", layout.paragraph(&text))
}
