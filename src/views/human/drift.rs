//! Drift, for people.

use std::io;

use super::{
    super::layout::{Layout, Tone},
    words::count,
};
use crate::verify::drift::Drift;

/// Writes what is different.
pub fn write(layout: Layout, drift: &Drift, out: &mut dyn io::Write) -> io::Result<()> {
    let met = drift
        .verdict
        .as_ref()
        .map_or(String::new(), |verdict| format!(", {} checked", count(verdict.rows.len(), "endpoint")));
    write!(out, "{}", layout.labelled(&drift.organization, &format!("looked at {}{met}", drift.at)))?;
    for difference in &drift.differences {
        writeln!(out, "{} {}", layout.paint(Tone::Change, "~"), difference.id)?;
        write!(out, "{}", layout.labelled("", &difference.message))?;
    }
    for ending in &drift.ending {
        write!(out, "{}", layout.labelled("  ends soon", &ending.to_string()))?;
    }
    for ignored in &drift.ignored {
        writeln!(out, "  {}", layout.paint(Tone::Quiet, &ignored.id))?;
        write!(out, "{}", layout.labelled("    overlooked", &ignored.because))?;
    }
    let text = if drift.drifted {
        let number = drift.differences.len();
        let are = if number == 1 { "is" } else { "are" };
        layout.paint(Tone::Bad, &format!("Drift: {} {are} not as the manifest says.", count(number, "thing")))
    } else {
        layout.paint(Tone::Good, "No drift.")
    };
    writeln!(out)?;
    write!(out, "{}", layout.paragraph(&text))
}
