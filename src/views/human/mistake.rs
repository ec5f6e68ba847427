//! Why a command stopped, for people.

use super::{
    super::layout::{Layout, Tone, wrap_whole},
    hint::{hinted, told},
};
use crate::manifest::finding::Finding;

/// Why a command stopped.
pub struct Mistake<'a> {
    /// What went wrong.
    pub summary: &'a str,
    /// More about it.
    pub details: &'a [String],
    /// The causes, nearest first.
    pub causes: &'a [String],
    /// What to do.
    pub hints: &'a [String],
    /// Mistakes in files, which then say it all.
    pub findings: &'a [Finding],
}

/// The mistake as text: summary, causes, details, hints. No full stop touches a name, so that all can be copied.
pub fn mistake(layout: Layout, mistake: &Mistake<'_>) -> String {
    let Mistake { summary, details, causes, hints, findings } = mistake;
    let mut text = String::new();
    if findings.is_empty() {
        text.push_str(&layout.headed(Tone::Bad, "error", summary));
    } else {
        let mut bytes = Vec::new();
        for finding in *findings {
            // Writing to memory does not fail.
            let _ = super::findings::write_finding(layout, finding, &mut bytes);
            bytes.push(b'\n');
        }
        text.push_str(&String::from_utf8_lossy(&bytes));
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    for cause in *causes {
        for (index, line) in wrap_whole(cause, layout.width.saturating_sub(13)).iter().enumerate() {
            text.push_str(&format!("  {:<11}{line}\n", if index == 0 { "caused by:" } else { "" }));
        }
    }
    for detail in *details {
        // What follows the first line of an item of a list stands below its words.
        let hang = if detail.starts_with("- ") { "  " } else { "" };
        for (index, line) in
            wrap_whole(detail, layout.width.saturating_sub(2 + hang.len())).iter().enumerate()
        {
            text.push_str(&format!("  {}{line}\n", if index == 0 { "" } else { hang }));
        }
    }
    for hint in *hints {
        text.push_str(&hinted(layout, hint));
    }
    text
}

/// What to do next, one thing a line. No full stop touches a name, so that all can be copied.
pub fn next_steps(layout: Layout, steps: &[String]) -> String {
    let lines = steps.iter().flat_map(|step| told(step, layout.width.saturating_sub("next: ".len())));
    let labels =
        std::iter::once(layout.paint(Tone::Good, "next:")).chain(std::iter::repeat("     ".to_owned()));
    labels.zip(lines).map(|(label, line)| format!("{label} {line}\n")).collect()
}
