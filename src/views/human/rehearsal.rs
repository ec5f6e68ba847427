//! A rehearsal for people: what each step came to on the copy, and how the copy stood afterwards.

use std::io;

use super::{
    super::layout::{Layout, Tone},
    report,
    words::count,
};
use crate::{
    apply::rehearsal::Rehearsal,
    model::warning::{RunWarning, Warning},
};

pub(super) fn write(layout: Layout, rehearsal: &Rehearsal, out: &mut dyn io::Write) -> io::Result<()> {
    let Rehearsal { version: _, at, rounds, rows, left, back, no_way_back, different, unfinished_run: _ } =
        rehearsal;
    writeln!(out)?;
    let head = format!("Rehearsed as of {at} on a copy with keys of its own; nothing real was changed.");
    write!(out, "{}", layout.paragraph(&layout.paint(Tone::Strong, &head)))?;
    if rounds.is_empty() {
        write!(out, "{}", layout.paragraph("There was nothing to do."))?;
    }
    for round in rounds {
        writeln!(out)?;
        report::steps(layout, &round.report, &round.plan, out)?;
        for file in &round.answered {
            let text = format!("(a CA of the copy answered {file}.csr, and the next run went on)");
            write!(out, "{}", layout.paragraph(&layout.paint(Tone::Quiet, &text)))?;
        }
        for what in &round.by_hand {
            let text = format!("(on the copy somebody did by hand: {what}; and the next run went on)");
            write!(out, "{}", layout.paragraph(&layout.paint(Tone::Quiet, &text)))?;
        }
    }
    writeln!(out)?;
    let bad: Vec<_> = rows.iter().filter(|row| !row.is_good()).collect();
    if bad.is_empty() {
        let serve = if rows.len() == 1 { "serves what it should" } else { "serve what they should" };
        let text = format!("Verified: {} {serve}.", count(rows.len(), "endpoint"));
        write!(out, "{}", layout.paragraph(&layout.paint(Tone::Good, &text)))?;
    } else {
        let text =
            format!("{} of {} do not serve what they should:", bad.len(), count(rows.len(), "endpoint"));
        write!(out, "{}", layout.paragraph(&layout.paint(Tone::Bad, &text)))?;
        for row in bad.iter().take(MOST_ROWS) {
            write!(out, "{}", layout.labelled("", &format!("{} {}", row.server, row.endpoint)))?;
        }
    }
    let text = if left.is_empty() {
        "Planned again: nothing was left to do.".to_owned()
    } else {
        format!("Planned again: {} left.", count(left.steps.len(), "step"))
    };
    write!(out, "{}", layout.paragraph(&text))?;
    for round in back {
        writeln!(out)?;
        write!(out, "{}", layout.paragraph(&layout.paint(Tone::Strong, "Rolled back:")))?;
        report::steps(layout, &round.report, &round.plan, out)?;
    }
    writeln!(out)?;
    let (tone, text) = match (no_way_back, different.as_slice()) {
        (Some(why), _) => (Tone::Bad, format!("It cannot be rolled back: {why}")),
        (None, _) if back.is_empty() => (Tone::Quiet, "Nothing had to be rolled back.".into()),
        (None, []) => (Tone::Good, "Everything that the plan relies on was as before.".into()),
        (None, different) => {
            (Tone::Change, format!("Rolled back, except for {}:", count(different.len(), "difference")))
        }
    };
    write!(out, "{}", layout.paragraph(&layout.paint(tone, &text)))?;
    for difference in different.iter().filter(|_| no_way_back.is_none()).take(MOST_ROWS) {
        write!(out, "{}", layout.labelled("", difference))?;
    }
    // What a way back says beforehand is why.
    let stays = back.iter().flat_map(|round| &round.plan.warnings);
    for why in stays.filter(|warning| matches!(warning, Warning::Run(RunWarning::NotTakenBack { .. }))) {
        write!(out, "{}", layout.labelled("  why", &why.to_string()))?;
    }
    Ok(())
}

const MOST_ROWS: usize = 20;
