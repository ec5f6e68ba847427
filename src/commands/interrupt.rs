//! Ctrl-C, and what Windows and init systems send instead: the first asks a run to stop after its step, the second stops
//! the process at once. Either leaves a journal that a later run goes on from.

use std::{
    io::{self, Write},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use super::Exit;

/// How often this process was asked to stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interrupt {
    asked: &'static AtomicU32,
}

impl Interrupt {
    /// Catches what asks this process to stop. Where that cannot be caught, it ends the process as ever.
    pub(super) fn catch() -> Self {
        CAUGHT.get_or_init(|| {
            let _ = ctrlc::set_handler(on_signal);
        });
        Self { asked: &ASKED }
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
fn on_signal() {
    if ASKED.fetch_add(1, Ordering::SeqCst) > 0 {
        std::process::exit(Exit::Stopped as i32);
    }
    let _ = writeln!(
        io::stderr(),
        "stopping after the step that is being done; once more stops at once, and\nthe same command, given again, finds out how far it came"
    );
}

static ASKED: AtomicU32 = AtomicU32::new(0);
static CAUGHT: OnceLock<()> = OnceLock::new();
const SLICE: Duration = Duration::from_millis(100);
