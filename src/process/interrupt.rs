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
    listen();
    &ASKED
}

/// Ends what was started when this program is stopped.
pub(super) fn catch_for_children() {
    listen();
}

fn listen() {
    LISTENING.get_or_init(|| {
        let _ = system::listen();
    });
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

#[cfg(unix)]
mod system {
    use std::{ffi::c_int, fs, io, thread};

    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };

    /// Each signal by itself: `nohup` has one ignored, a shell's `&` another, and the others still end a run.
    pub(super) fn listen() -> io::Result<()> {
        let ignored = ignored();
        let is_heard = |signal: &c_int| ignored & (1 << (signal - 1)) == 0;
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM].into_iter().filter(is_heard))?;
        let hear = move || signals.forever().for_each(|_| super::on_signal());
        thread::Builder::new().name("signals".into()).spawn(hear).map(drop)
    }

    /// What whoever started this program has ignored, a bit for each signal. Only Linux tells it without `unsafe`; elsewhere none
    /// is taken for ignored.
    fn ignored() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
    }
}

#[cfg(windows)]
mod system {
    pub(super) fn listen() -> Result<(), ctrlc::Error> {
        ctrlc::set_handler(super::on_signal)
    }
}

/// As shells tell of a program that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

static ASKED: AtomicU32 = AtomicU32::new(0);
static ACTION: Mutex<Option<OnInterrupt>> = Mutex::new(None);
static LISTENING: OnceLock<()> = OnceLock::new();
