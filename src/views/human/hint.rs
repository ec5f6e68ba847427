//! Hints, for people: what to do, with a command that stays whole.

use super::super::layout::{Layout, Tone, columns, wrap_whole};

/// A hint with its label.
pub(super) fn hinted(layout: Layout, hint: &str) -> String {
    let lines = told(hint, layout.width.saturating_sub("hint: ".len()));
    format!("{}: {}\n", layout.paint(Tone::Good, "hint"), lines.join("\n      "))
}

/// The lines of a hint. A command at its end is never broken, so that it can be copied: it gets a line of its own where
/// there is no room beside the words.
pub(super) fn told(hint: &str, width: usize) -> Vec<String> {
    let fits = |text: &str| columns(text) <= width;
    match hint.rsplit_once(": certwright ") {
        Some((words, arguments)) if !fits(hint) => {
            let mut lines = wrap_whole(&format!("{words}:"), width);
            lines.push(format!("certwright {arguments}"));
            lines
        }
        _ => wrap_whole(hint, width),
    }
}
