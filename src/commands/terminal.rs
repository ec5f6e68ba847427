//! What is on the other side: a terminal, a file, a pipe.

use std::{
    fs::File,
    io::{self, BufRead, IsTerminal, Write},
};

use super::{
    error::CommandError,
    live::{self, Verbosity},
};
use crate::{
    model::action::StepId,
    views::{ErrorDocument, FORMATS, Layout, View, human, json},
};

/// How things are shown, as the command line says it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Display {
    /// When colours are used.
    pub colours: WhenColours,
    /// Whether no line is broken and thumbprints are whole.
    pub wide: bool,
    /// How much is said beside the output; without it what `CERTWRIGHT_LOG` says.
    pub verbosity: Option<Verbosity>,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenColours {
    /// On terminals, but for what the environment says.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where output goes and answers come from.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Standard output.
    pub out: Layout,
    /// Standard error.
    pub err: Layout,
    /// Whether standard error is a terminal.
    pub err_is_terminal: bool,
    /// Whether a person can answer.
    pub can_answer: bool,
    /// Whether errors are for programs: an object of JSON on one line.
    pub errors_as_json: bool,
}

impl Terminal {
    /// The one this process was started in.
    pub fn open() -> Self {
        Self::showing(&Display::default())
    }

    /// The same, as the command line wants it to show things.
    pub fn showing(display: &Display) -> Self {
        let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
        let on_screen = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let colours = match display.colours {
            WhenColours::Auto => Colours::of(&|name| std::env::var(name).ok()),
            WhenColours::Always => Colours::Always,
            WhenColours::Never => Colours::Never,
        };
        // A console of Windows shows escapes as letters unless it is asked to obey them. Old ones cannot.
        let obeys = anstyle_query::windows::enable_ansi_colors().unwrap_or(true);
        let layout = |is_terminal: bool| Layout {
            width: width(display.wide, columns, on_screen, is_terminal),
            colours: colours.are_used(is_terminal && obeys),
        };
        let said = std::env::var("CERTWRIGHT_LOG").ok().filter(|text| !text.trim().is_empty());
        let of_environment = said.as_deref().and_then(|text| Verbosity::named(text.trim()));
        live::set_verbosity(display.verbosity.or(of_environment).unwrap_or_default());
        let terminal = Self {
            out: layout(io::stdout().is_terminal()),
            err: layout(io::stderr().is_terminal()),
            err_is_terminal: io::stderr().is_terminal(),
            can_answer: io::stdin().is_terminal() && (io::stderr().is_terminal() || screen().is_some()),
            errors_as_json: false,
        };
        if let (Some(text), None) = (&said, of_environment) {
            let text: String = text.chars().take(40).collect();
            terminal.warn(&format!(
                "CERTWRIGHT_LOG is `{text}`, which means nothing; it can be quiet, normal or verbose"
            ));
        }
        terminal
    }

    /// The same, with errors as JSON when the output is.
    #[must_use]
    pub fn for_programs(self, errors_as_json: bool) -> Self {
        Self { errors_as_json, ..self }
    }

    /// A file, which is like a pipe.
    pub(super) fn file() -> Layout {
        Layout { width: Layout::UNBROKEN, colours: false }
    }

    /// The view of this name.
    pub fn view(self, format: &str) -> Box<dyn View> {
        let format = FORMATS.iter().find(|known| known.name == format).unwrap_or(&FORMATS[0]);
        (format.view)(self.out)
    }

    /// Writes what a view makes to standard output, whole.
    pub fn show(self, show: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CommandError> {
        let mut text = Vec::new();
        show(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        let mut out = io::stdout().lock();
        match out.write_all(self.out.harmless(&text).as_bytes()).and_then(|()| out.flush()) {
            // `certwright plan | head` is no mistake.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => Ok(result?),
        }
    }

    /// Says something beside the output. That it may not be heard changes nothing. On a screen lines end between words;
    /// in a log each saying is one line.
    pub fn say(self, words: &str) {
        if live::verbosity() != Verbosity::Quiet {
            self.warn(words);
        }
    }

    /// Says what has to be said, however quiet it should be.
    pub(super) fn warn(self, words: &str) {
        let words = if self.err_is_terminal { human::sentence(self.err, words) } else { words.to_owned() };
        let _ = writeln!(io::stderr().lock(), "{}", self.err.harmless(&words));
    }

    /// Writes a help text, or what is wrong with a command line, painted by whoever reads the command line. That it may not be read
    /// is no reason to end differently.
    pub fn show_painted(self, painted: &str, plain: &str, is_error: bool) {
        let layout = if is_error { self.err } else { self.out };
        let text = if layout.colours { painted } else { plain };
        let _ = if is_error {
            io::stderr().lock().write_all(text.as_bytes())
        } else {
            io::stdout().lock().write_all(text.as_bytes())
        };
    }

    /// Says what is wrong with a command line where it has longer lines than the screen; false where it has none.
    pub fn say_in_lines(self, text: &str) -> bool {
        let Some(text) = human::broken(self.err, text) else { return false };
        let _ = io::stderr().lock().write_all(self.err.harmless(&text).as_bytes());
        true
    }

    /// Suggests what to do next, where nothing has to be done.
    pub(super) fn suggest(self, steps: &[String]) {
        if live::verbosity() != Verbosity::Quiet {
            self.next(steps);
        }
    }

    /// Says what to do next, beside the output and last.
    pub(super) fn next(self, steps: &[String]) {
        let text = human::next_steps(self.err, steps);
        let _ = io::stderr().lock().write_all(self.err.harmless(&text).as_bytes());
    }

    /// Asks a question and returns the answer. The question goes to the terminal itself, wherever the output goes.
    pub fn ask(self, question: &str) -> Result<String, CommandError> {
        let question = format!("{} ", human::sentence(self.err, question));
        if let Some(mut screen) = screen() {
            screen.write_all(self.err.harmless(&question).as_bytes())?;
        } else {
            let mut err = io::stderr().lock();
            err.write_all(self.err.harmless(&question).as_bytes())?;
            err.flush()?;
        }
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(answer.trim().to_owned())
    }

    /// Shows an error: what, why, what to do.
    pub fn complain(self, error: &CommandError) {
        let CommandError { exit, summary, details, source: _, hints, findings } = error;
        if self.errors_as_json {
            let causes = error.causes();
            let document = ErrorDocument::new(*exit as u8, summary, &causes, details, hints, findings);
            let _ = json::write_line(&document, &mut io::stderr().lock());
            return;
        }
        let mistake = human::Mistake { summary, details, causes: &error.causes(), hints, findings };
        let text = human::mistake(self.err, &mistake);
        let _ = io::stderr().lock().write_all(self.err.harmless(&text).as_bytes());
    }
}

/// The terminal that this process was started from, for a question that has to be seen.
fn screen() -> Option<File> {
    File::options().write(true).open(if cfg!(windows) { "CONOUT$" } else { "/dev/tty" }).ok()
}

/// When colours are used: never, always, or on terminals (<https://no-color.org>, <https://bixense.com/clicolors>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colours {
    Never,
    Always,
    OnTerminals,
}

impl Colours {
    /// As the environment says it.
    fn of(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let is_on = |name: &str| is_set(name) && variable(name).as_deref() != Some("0");
        if is_set("NO_COLOR") {
            Self::Never
        } else if is_on("CLICOLOR_FORCE") || is_on("FORCE_COLOR") {
            Self::Always
        } else if variable("TERM").as_deref() == Some("dumb") || variable("CLICOLOR").as_deref() == Some("0")
        {
            Self::Never
        } else {
            Self::OnTerminals
        }
    }

    fn are_used(self, is_terminal: bool) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::OnTerminals => is_terminal,
        }
    }
}

/// A step's number for lines of progress.
pub(super) fn numbered(step: StepId, of: usize) -> String {
    format!("{step:>width$}/{of}", width = of.to_string().len())
}

/// How many columns there are: those of a terminal, or of a reader that says so. What reads a pipe or a file breaks lines
/// itself.
fn width(wide: bool, columns: Option<usize>, screen: Option<usize>, is_terminal: bool) -> usize {
    if wide {
        return Layout::UNBROKEN;
    }
    let screen = is_terminal.then(|| screen.unwrap_or(PAGE));
    columns.or(screen).map_or(Layout::UNBROKEN, |columns| columns.clamp(40, WIDEST))
}

/// What change tickets and mails are read at.
const PAGE: usize = 80;
const WIDEST: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_for_those_who_read_them() {
        for (wide, columns, screen, is_terminal, wanted) in [
            (false, None, Some(100), true, 100),
            (false, None, Some(20), true, 40),
            (false, None, None, true, 80),
            (false, Some(90), Some(100), true, 90),
            (false, None, Some(100), false, Layout::UNBROKEN),
            (false, Some(80), None, false, 80),
            (true, Some(80), Some(100), true, Layout::UNBROKEN),
        ] {
            assert_eq!(width(wide, columns, screen, is_terminal), wanted);
        }
    }

    #[test]
    fn the_environment_decides_about_colours() {
        for (set, colours) in [
            (&[][..], Colours::OnTerminals),
            (&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], Colours::Never),
            (&[("NO_COLOR", "")], Colours::OnTerminals),
            (&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], Colours::Always),
            (&[("CLICOLOR_FORCE", "0")], Colours::OnTerminals),
            (&[("TERM", "dumb")], Colours::Never),
            (&[("CLICOLOR", "0")], Colours::Never),
        ] {
            let variable = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(Colours::of(&variable), colours, "{set:?}");
        }
    }
}
