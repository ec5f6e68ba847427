//! Ctrl-C, and what Windows and init systems send instead. What was started is in groups of its own and does not hear it, so this
//! program hears it, whatever it does.

use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use super::living;

/// What is done when somebody asks for the first time, the second time and so on.
pub type OnInterrupt = fn(times: u32);

/// From now on this is done. Where nothing can be caught, asking ends the process as ever. Returns how often somebody asked.
pub fn catch(action: OnInterrupt) -> &'static AtomicU32 {
    *ACTION.lock().unwrap_or_else(PoisonError::into_inner) = Some(action);
    CAUGHT.get_or_init(|| {
        let _ = ctrlc::set_handler(on_signal);
    });
    &ASKED
}

/// Ends what was started when this program is stopped, unless whoever started it has these signals ignored: then they go on
/// being ignored.
pub(super) fn catch_for_children() {
    if CAUGHT.get().is_none() {
        FOR_CHILDREN.get_or_init(|| {
            if ctrlc::try_set_handler(on_signal).is_ok() {
                let _ = CAUGHT.set(());
            }
        });
    }
}

fn on_signal() {
    let times = ASKED.fetch_add(1, Ordering::SeqCst) + 1;
    let action = *ACTION.lock().unwrap_or_else(PoisonError::into_inner);
    action.unwrap_or(leave)(times);
}

#[expect(clippy::exit, reason = "that is what was asked for")]
fn leave(_: u32) {
    living::kill_all();
    std::process::exit(INTERRUPTED);
}

/// As shells tell of a program that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

static ASKED: AtomicU32 = AtomicU32::new(0);
static ACTION: Mutex<Option<OnInterrupt>> = Mutex::new(None);
static CAUGHT: OnceLock<()> = OnceLock::new();
static FOR_CHILDREN: OnceLock<()> = OnceLock::new();
