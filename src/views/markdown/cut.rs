//! Keeping within a number of bytes by cutting the end.

/// Where even the least is too long, it ends at the end of a line, and says so.
pub(super) fn cut(mut text: String, budget: usize) -> String {
    if text.len() <= budget {
        return text;
    }
    let room = budget.saturating_sub(CUT.len());
    let mut end = room.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(text[..end].rfind('\n').map_or(end, |line| line + 1));
    let whole = without_empty_ends(&text);
    text.truncate(whole);
    // A block that was cut is closed; for the fence there is room, since its own last line went.
    if text.matches("```").count() % 2 == 1 {
        let line = text.trim_end_matches('\n').rfind('\n').map_or(0, |line| line + 1);
        text.truncate(line);
        text.push_str("```\n");
    }
    text.push_str(CUT);
    // A budget that has no room for the sentence has room for its beginning.
    text.truncate(budget);
    text
}

/// Where a text ends without titles and heads of tables and lists that nothing follows any more.
fn without_empty_ends(text: &str) -> usize {
    let mut end = text.len();
    loop {
        let before = text[..end].trim_end_matches('\n');
        let start = before.rfind('\n').map_or(0, |line| line + 1);
        let line = &before[start..];
        let opens = line.starts_with("### ") || line.ends_with(':') || line == "```diff";
        if line.starts_with("|---") {
            // The names of the columns stand above.
            end = before[..start].trim_end_matches('\n').rfind('\n').map_or(0, |line| line + 1);
        } else if opens || line.starts_with("| | ") {
            end = start;
        } else {
            return before.len() + usize::from(before.len() < text.len());
        }
        if end == 0 {
            return 0;
        }
    }
}

const CUT: &str = "\n**The rest did not fit.** `certwright show plan.json`\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_at_the_end_stands_alone() {
        let head = "## Plan for contoso\n\nsum\n";
        for (text, wanted) in [
            ("\n### Certificates\n\n| | Certificate |\n|---|---|\n", ""),
            ("\n### Certificates\n\n| | Certificate |\n", ""),
            ("\n### Removals (2)\n", ""),
            ("\n| | Certificate |\n|---|---|\n| a | b |\n", "\n| | Certificate |\n|---|---|\n| a | b |\n"),
            ("\nRemoved, when its successor is proved:\n\n", ""),
            ("\n### Compared with `a`\n\n```diff\n", ""),
            ("\n```diff\n+ one\n+ two\n", "\n```diff\n+ one\n```\n"),
        ] {
            let whole = format!("{head}{text}{}", "x".repeat(100));
            let budget = head.len() + text.len() + CUT.len() + 3;
            assert_eq!(cut(whole, budget), format!("{head}{wanted}{CUT}"), "{text:?}");
        }
    }
}
