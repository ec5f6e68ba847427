//! What is on the other side: a terminal, a file, a pipe.

use std::io::{self, BufRead, IsTerminal, Write};

use super::error::CommandError;
use crate::{
    model::action::StepId,
    views::{FORMATS, Layout, View, human},
};

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
}

impl Terminal {
    /// The one this process was started in.
    pub fn open() -> Self {
        let width = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let layout = |is_terminal: bool| Layout {
            width: if is_terminal { width.unwrap_or(PAGE).clamp(40, WIDEST) } else { PAGE },
            colours: is_terminal && !plain,
        };
        Self {
            out: layout(io::stdout().is_terminal()),
            err: layout(io::stderr().is_terminal()),
            err_is_terminal: io::stderr().is_terminal(),
            can_answer: io::stdin().is_terminal() && io::stderr().is_terminal(),
        }
    }

    /// A page that is no terminal: a file.
    pub(super) fn page() -> Layout {
        Layout { width: PAGE, colours: false }
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
        let mut out = io::stdout().lock();
        match out.write_all(&text).and_then(|()| out.flush()) {
            // `certwright plan | head` is no mistake.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => Ok(result?),
        }
    }

    /// Says something beside the output. That it may not be heard changes nothing. On a screen lines end between words;
    /// in a log each saying is one line.
    pub fn say(self, words: &str) {
        let words = if self.err_is_terminal { human::sentence(self.err, words) } else { words.to_owned() };
        let _ = writeln!(io::stderr().lock(), "{words}");
    }

    /// Asks a question and returns the answer.
    pub fn ask(self, question: &str) -> Result<String, CommandError> {
        let mut err = io::stderr().lock();
        write!(err, "{} ", human::sentence(self.err, question))?;
        err.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(answer.trim().to_owned())
    }

    /// Shows an error: what, why, what to do.
    pub fn complain(self, error: &CommandError) {
        let CommandError { exit: _, summary, details, source: _, hints, findings } = error;
        let mistake = human::Mistake { summary, details, causes: &error.causes(), hints, findings };
        let text = human::mistake(self.err, &mistake);
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// A step's number for lines of progress.
pub(super) fn numbered(step: StepId, of: usize) -> String {
    format!("{step:>width$}/{of}", width = of.to_string().len())
}

/// What change tickets, mails and snapshots are read at.
const PAGE: usize = 80;
const WIDEST: usize = 120;
