//! What a change of the manifest means, for people.

use std::io;

use super::super::{
    against::{Against, ComparedLine, WithoutPlan},
    layout::{Layout, Tone, wrap_whole},
};

/// Writes what only one of the two plans has.
pub fn write(layout: Layout, against: &Against, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out)?;
    let name = match against.without {
        None => against.name.clone(),
        Some(WithoutPlan::NoManifest) => format!("{}, which has no manifest there", against.name),
        Some(WithoutPlan::Mistakes) => {
            let text =
                format!("Nothing is compared: the manifest of {} has mistakes of its own.", against.name);
            return write!(out, "{}", layout.paint(Tone::Change, &layout.paragraph(&text)));
        }
    };
    if against.lines.is_empty() {
        let text = format!("Compared with {name}: the change of the manifest changes nothing in the plan.");
        return write!(out, "{}", layout.paragraph(&text));
    }
    writeln!(out, "{}", layout.paint(Tone::Strong, &format!("Compared with {name}")))?;
    for line in &against.lines {
        let (mark, tone, text) = match line {
            ComparedLine::This(text) => ("+", Tone::Good, text),
            ComparedLine::Other(text) => ("-", Tone::Bad, text),
        };
        let lines = wrap_whole(text, layout.width.saturating_sub(4));
        writeln!(out, "{} {}", layout.paint(tone, mark), lines.join("\n    "))?;
    }
    Ok(())
}
