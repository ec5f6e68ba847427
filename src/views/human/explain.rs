//! Entries of the catalogue for people.

use std::io;

use super::super::layout::{Layout, Tone};
use crate::explain::{Explanation, ExplanationKind};

/// Whole entries.
pub(super) fn write(layout: Layout, entries: &[&Explanation], out: &mut dyn io::Write) -> io::Result<()> {
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let Explanation { id, kind, means, texts, why, advice, source } = entry;
        writeln!(out, "{}   {}", layout.paint(Tone::Strong, id), kind.title())?;
        writeln!(out)?;
        write!(out, "{}", layout.labelled("  means", means))?;
        if !texts.is_empty() {
            write!(out, "{}", layout.labelled("  text", texts))?;
        }
        write!(out, "{}", layout.labelled("  why", why))?;
        write!(out, "{}", layout.labelled("  do", advice))?;
        if !source.is_empty() {
            write!(out, "{}", layout.labelled("  source", source))?;
        }
    }
    Ok(())
}

/// All of them, a sentence each.
pub(super) fn list(layout: Layout, entries: &[&Explanation], out: &mut dyn io::Write) -> io::Result<()> {
    for kind in ExplanationKind::ALL {
        let title = kind.title();
        let title = title[..1].to_uppercase() + &title[1..];
        writeln!(out, "{}", layout.paint(Tone::Strong, &title))?;
        for entry in entries.iter().filter(|entry| entry.kind == kind) {
            // Ids are longer than the column of labels: they have a line for themselves.
            writeln!(out, "  {}", entry.id)?;
            write!(out, "{}", layout.labelled("", &entry.means))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "certwright explain ID shows why, and what to do.")
}
