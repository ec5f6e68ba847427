//! Fitting text to a screen.

use std::borrow::Cow;

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm, core::display_width};

/// How wide the screen is and whether it has colours.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Columns.
    pub width: usize,
    /// Whether to use colours. They only repeat what a word or a symbol says.
    pub colours: bool,
}

/// A colour's meaning.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tone {
    Good,
    Change,
    Bad,
    Quiet,
    Strong,
}

impl Layout {
    /// A width at which no line is broken: what goes into a file or a program is cut there as it is wanted.
    pub const UNBROKEN: usize = 1_000_000;

    /// Whether lines are broken.
    pub const fn is_unbroken(self) -> bool {
        self.width >= Self::UNBROKEN
    }

    /// The text in a colour, or as it is.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Change => "33",
            Tone::Bad => "31",
            Tone::Quiet => "2",
            Tone::Strong => "1",
        };
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// The same as [`harmless`], and colours stay where they are used.
    pub fn harmless(self, text: &str) -> Cow<'_, str> {
        without_odd(text, self.colours)
    }

    /// A label in a column of its own, and the text beside it, wrapped and indented.
    pub(super) fn labelled(self, label: &str, text: &str) -> String {
        let mut lines = wrap_whole(text, self.width.saturating_sub(TEXT_COLUMN)).into_iter();
        let gap = TEXT_COLUMN.saturating_sub(columns(label));
        let mut result = format!("{label}{:gap$}{}\n", "", lines.next().unwrap_or_default());
        for line in lines {
            result.push_str(&format!("{:TEXT_COLUMN$}{line}\n", ""));
        }
        result
    }

    /// The same with a coloured label, a little to the right.
    pub(super) fn marked(self, tone: Tone, label: &str, text: &str) -> String {
        self.labelled(&format!("  {label}"), text).replacen(label, &self.paint(tone, label), 1)
    }

    /// A coloured word, a colon and the text, wrapped; what follows the first line stands below the text. What is between
    /// backticks stays whole.
    pub(super) fn headed(self, tone: Tone, label: &str, text: &str) -> String {
        let indent = " ".repeat(columns(label) + 2);
        let lines = wrap_whole(text, self.width.saturating_sub(indent.len()));
        format!("{}: {}\n", self.paint(tone, label), lines.join(&format!("\n{indent}")))
    }

    /// Text from the left edge, wrapped.
    pub(super) fn paragraph(self, text: &str) -> String {
        wrap_whole(text, self.width).iter().map(|line| format!("{line}\n")).collect()
    }
}

/// Where the text beside labels begins.
const TEXT_COLUMN: usize = 19;

/// A text in which nothing can move the cursor, colour or hide a part or turn the reading direction: names come from servers,
/// certificates and files of others. Such characters are written as JSON writes them, so that JSON stays JSON.
pub fn harmless(text: &str) -> Cow<'_, str> {
    without_odd(text, false)
}

fn without_odd(text: &str, painted: bool) -> Cow<'_, str> {
    let odd = |char: char| {
        (char.is_control() && char != '\n' && char != '\t')
            || matches!(char, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for (at, char) in text.char_indices() {
        let ours = painted && char == '\u{1b}' && PAINT.iter().any(|code| text[at + 1..].starts_with(code));
        // Calendars have the line ends of Windows.
        let ends_line = char == '\r' && text[at + 1..].starts_with('\n');
        if odd(char) && !ours && !ends_line {
            shown.push_str(&format!("\\u{:04x}", u32::from(char)));
        } else {
            shown.push(char);
        }
    }
    Cow::Owned(shown)
}

/// What [`Layout::paint`] writes after the escape character.
const PAINT: [&str; 6] = ["[0m", "[1m", "[2m", "[31m", "[32m", "[33m"];

/// Breaks a text at blanks. A word that is longer than a line has one for itself: names are not cut.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let at_blanks = Options::new(width)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
        .break_words(false);
    textwrap::wrap(text, at_blanks).into_iter().map(Cow::into_owned).collect()
}

/// The same, and what stands between backticks stays on one line: it is there to be copied. A backtick without a second one is a
/// letter of somebody's name.
pub(super) fn wrap_whole(text: &str, width: usize) -> Vec<String> {
    let (mut quoted, mut left) = (false, text.matches('`').count());
    let glued = text.chars().map(|char| {
        if char == '`' {
            left -= 1;
            quoted = !quoted && left > 0;
        }
        if quoted && char == ' ' { GLUE } else { char }
    });
    let lines = wrap(&glued.collect::<String>(), width);
    lines.into_iter().map(|line| line.replace(GLUE, " ")).collect()
}

/// How many columns a text takes: colours take none, and letters of some scripts two.
pub(super) fn columns(text: &str) -> usize {
    display_width(text)
}

/// A blank at which no line ends.
const GLUE: char = '\u{a0}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_cannot_steer_a_terminal() {
        for (text, shown) in [
            ("plain äöü\n\ttext", "plain äöü\n\ttext"),
            ("a\u{1b}[2Jb", "a\\u001b[2Jb"),
            ("a\u{1b}]0;title\u{7}", "a\\u001b]0;title\\u0007"),
            ("\u{1b}[31merror\u{1b}[0m", "\\u001b[31merror\\u001b[0m"),
            ("\u{1b}[8mhidden", "\\u001b[8mhidden"),
            ("moc.\u{202e}osotnoc", "moc.\\u202eosotnoc"),
            ("one\r\ntwo", "one\r\ntwo"),
            ("one\rtwo\u{9b}2J", "one\\u000dtwo\\u009b2J"),
        ] {
            assert_eq!(harmless(text), shown, "{text:?}");
        }
        let layout = Layout { width: 30, colours: true };
        for (text, shown) in [
            ("\u{1b}[31merror\u{1b}[0m", "\u{1b}[31merror\u{1b}[0m"),
            ("\u{1b}[8mhidden", "\\u001b[8mhidden"),
        ] {
            assert_eq!(layout.harmless(text), shown, "{text:?}");
        }
    }

    #[test]
    fn text_is_broken_at_blanks_only() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(
            wrap("<I>CN=Corp_CA<S>CN=mail.contoso.com x", 10),
            ["<I>CN=Corp_CA<S>CN=mail.contoso.com", "x"]
        );
        let layout = Layout { width: 30, colours: false };
        assert_eq!(
            layout.labelled("    because", "expires soon, really soon"),
            "    because        expires\n                   soon,\n                   really soon\n"
        );
    }

    #[test]
    fn what_is_to_be_copied_stays_whole() {
        assert_eq!(wrap_whole("write `roots: [FILE]` there", 17), ["write", "`roots: [FILE]`", "there"]);
        assert_eq!(
            wrap_whole("`a b` and a ` that stays alone", 12),
            ["`a b` and a", "` that stays", "alone"]
        );
        let layout = Layout { width: 24, colours: false };
        let headed = layout.headed(Tone::Bad, "error", "`names` takes a list [shape]");
        assert_eq!(headed, "error: `names` takes a\n       list [shape]\n");
        let whole = Layout { width: Layout::UNBROKEN, colours: false };
        assert_eq!(whole.headed(Tone::Good, "hint", "one two"), "hint: one two\n");
    }

    #[test]
    fn colours_take_no_room_and_wide_letters_two_columns() {
        let coloured = "\u{1b}[31merror\u{1b}[0m: of all";
        assert_eq!(wrap(coloured, 13), [coloured]);
        assert_eq!(wrap(coloured, 12), ["\u{1b}[31merror\u{1b}[0m: of", "all"]);
        assert_eq!(wrap("O=証明書 CN=x", 12), ["O=証明書", "CN=x"]);
        let layout = Layout { width: 80, colours: false };
        assert_eq!(layout.labelled("証明書", "x"), format!("証明書{:13}x\n", ""));
    }
}
