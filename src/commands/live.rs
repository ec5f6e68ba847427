//! Live lines: what is going on and for how long, at the bottom of a terminal, until it is over. They go to standard error;
//! where that is no terminal nothing is written.

use std::{
    borrow::Cow,
    io::{self, Write},
    sync::OnceLock,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// How much is said beside the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Warnings and errors only.
    Quiet,
    /// Also what is going on, and notes.
    #[default]
    Normal,
    /// Also how long each part took.
    Verbose,
}

impl Verbosity {
    /// The one of this name, as `CERTWRIGHT_LOG` has it.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "quiet" => Some(Self::Quiet),
            "normal" => Some(Self::Normal),
            "verbose" => Some(Self::Verbose),
            _ => None,
        }
    }
}

/// It belongs to the process as standard error does, and is said once, when the command line is read.
static VERBOSITY: OnceLock<Verbosity> = OnceLock::new();

pub(super) fn set_verbosity(verbosity: Verbosity) {
    // Who opens a second terminal in one process has the verbosity of the first.
    let _ = VERBOSITY.set(verbosity);
}

pub(super) fn verbosity() -> Verbosity {
    VERBOSITY.get().copied().unwrap_or_default()
}

/// Says something in one line, where nobody knows how wide the screen is.
pub(super) fn say(words: &str) {
    if verbosity() != Verbosity::Quiet {
        let _ = writeln!(io::stderr().lock(), "{words}");
    }
}

/// A line that is there as long as the value is.
pub(super) struct LiveLine {
    bar: ProgressBar,
    what: Cow<'static, str>,
    since: Instant,
}

impl LiveLine {
    /// Something that takes as long as it takes.
    pub(super) fn waiting(words: impl Into<Cow<'static, str>>) -> Self {
        let (bar, what) = (bar(None), words.into());
        start(&bar, "{wide_msg}");
        bar.set_message(what.clone());
        Self { bar, what, since: Instant::now() }
    }

    /// So many of something: `met 12 of 300 endpoints`, and what [`LiveLine::note`] adds.
    pub(super) fn counting(verb: &str, total: usize, of_what: &str) -> Self {
        let bar = bar(Some(total as u64));
        start(&bar, &format!("{verb} {{pos}} of {{len}} {of_what}{{msg}}"));
        let what = format!("{verb} {total} {of_what}").into();
        Self { bar, what, since: Instant::now() }
    }

    /// One more of them is done.
    pub(super) fn count(&self) {
        self.bar.inc(1);
    }

    /// Says something behind the numbers.
    pub(super) fn note(&self, words: impl Into<Cow<'static, str>>) {
        self.bar.set_message(words);
    }
}

impl Drop for LiveLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        if verbosity() == Verbosity::Verbose {
            let seconds = self.since.elapsed().as_secs_f64();
            // That it may not be heard changes nothing.
            let _ = writeln!(io::stderr().lock(), "{}: {seconds:.1} s", self.what);
        }
    }
}

/// A line that moves, or none for those who want to see none.
fn bar(total: Option<u64>) -> ProgressBar {
    match (verbosity(), total) {
        (Verbosity::Quiet, _) => ProgressBar::hidden(),
        (Verbosity::Normal | Verbosity::Verbose, None) => ProgressBar::new_spinner(),
        (Verbosity::Normal | Verbosity::Verbose, Some(total)) => ProgressBar::new(total),
    }
}

/// Lets a line live: it turns, and counts the time, while nothing else happens.
pub(super) fn start(bar: &ProgressBar, template: &str) {
    let style = ProgressStyle::with_template(&format!("{{spinner}} {{elapsed:>4}} {template}"));
    bar.set_style(style.expect("the template is well formed"));
    bar.enable_steady_tick(Duration::from_millis(120));
}
