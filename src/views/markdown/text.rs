//! Text in Markdown.

/// Text that means nothing in Markdown: names may hold what it would take for markup.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut quoted = false;
    for char in text.chars() {
        match char {
            // What stands in backticks is code, and stays so.
            '`' => {
                quoted = !quoted;
                escaped.push('`');
            }
            '|' => escaped.push_str("\\|"),
            '\n' | '\r' => escaped.push(' '),
            '\\' | '*' | '_' | '[' | ']' | '~' | '#' if !quoted => {
                escaped.push('\\');
                escaped.push(char);
            }
            '<' if !quoted => escaped.push_str("&lt;"),
            '>' if !quoted => escaped.push_str("&gt;"),
            '&' if !quoted => escaped.push_str("&amp;"),
            char => escaped.push(char),
        }
    }
    if quoted { escaped.replace('`', "\\`") } else { escaped }
}

/// Text as code.
pub(super) fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace(['\n', '\r'], " "))
}

/// `1 step`, `2 steps`.
pub(super) fn counted(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// The same where what is counted ends in more than its noun: `2 more groups of servers`.
pub(super) fn several(number: usize, one: &str) -> String {
    match one.split_once(" of ") {
        Some((head, tail)) => format!("{} of {tail}", counted(number, head)),
        None => counted(number, one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(escaped("<I>CN=a_b*|c"), "&lt;I&gt;CN=a\\_b\\*\\|c");
        assert_eq!(escaped("`retire: never` and *"), "`retire: never` and \\*");
        assert_eq!(escaped("one ` alone"), "one \\` alone");
        assert_eq!(code("a`b"), "`a'b`");
    }
}
