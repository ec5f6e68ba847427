//! Live lines: what is going on and for how long, at the bottom of a terminal, until it is over. They go to standard error;
//! where that is no terminal nothing is written.

use std::{borrow::Cow, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

/// A line that is there as long as the value is.
pub(super) struct LiveLine(ProgressBar);

impl LiveLine {
    /// Something that takes as long as it takes.
    pub(super) fn waiting(words: impl Into<Cow<'static, str>>) -> Self {
        let bar = ProgressBar::new_spinner();
        start(&bar, "{wide_msg}");
        bar.set_message(words);
        Self(bar)
    }

    /// So many of something: `met 12 of 300 endpoints`, and what [`LiveLine::note`] adds.
    pub(super) fn counting(verb: &str, total: usize, of_what: &str) -> Self {
        let bar = ProgressBar::new(total as u64);
        start(&bar, &format!("{verb} {{pos}} of {{len}} {of_what}{{msg}}"));
        Self(bar)
    }

    /// One more of them is done.
    pub(super) fn count(&self) {
        self.0.inc(1);
    }

    /// Says something behind the numbers.
    pub(super) fn note(&self, words: impl Into<Cow<'static, str>>) {
        self.0.set_message(words);
    }
}

impl Drop for LiveLine {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Lets a line live: it turns, and counts the time, while nothing else happens.
pub(super) fn start(bar: &ProgressBar, template: &str) {
    let style = ProgressStyle::with_template(&format!("{{spinner}} {{elapsed:>4}} {template}"));
    bar.set_style(style.expect("the template is well formed"));
    bar.enable_steady_tick(Duration::from_millis(120));
}
