//! Ctrl-C, and what Windows and init systems send instead: the first asks a run to stop after its step, the second stops
//! the process at once, and with it what it has started. Either leaves a journal that a later run goes on from.

use std::{
    io::{self, Write},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use super::Exit;
use crate::process;

/// How often this process was asked to stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interrupt {
    asked: &'static AtomicU32,
}

impl Interrupt {
    /// Catches what asks this process to stop. Where that cannot be caught, it ends the process as ever.
    pub(super) fn catch() -> Self {
        Self { asked: process::catch(on_interrupt) }
    }

    /// Whether somebody asked.
    pub(super) fn was_asked(self) -> bool {
        self.asked.load(Ordering::SeqCst) > 0
    }

    /// Waits, but not longer than until somebody asks.
    pub(super) fn sleep(self, span: Duration) {
        let begun = Instant::now();
        while !self.was_asked() && begun.elapsed() < span {
            std::thread::sleep(SLICE.min(span.saturating_sub(begun.elapsed())));
        }
    }
}

#[expect(clippy::exit, reason = "who asks twice wants the process gone at once")]
fn on_interrupt(times: u32) {
    if times == 1 {
        let _ = writeln!(
            io::stderr(),
            "stopping after the step that is being done; once more stops at once, and\nthe same command, given again, finds out how far it came"
        );
        return;
    }
    // A script on a server gets a moment to start again what it has stopped.
    process::end_all(GRACE);
    std::process::exit(Exit::Stopped as i32);
}

const SLICE: Duration = Duration::from_millis(100);
/// How long what was started has to end by itself.
const GRACE: Duration = Duration::from_secs(10);
