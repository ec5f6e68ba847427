//! What was started and has not ended, for the moment in which somebody stops this program at once: nothing of it is left behind.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use process_wrap::std::ChildWrapper;

/// Asks a process to end by itself.
type Ask = Box<dyn Fn() + Send + Sync>;

/// A process that was started.
pub(super) struct Living {
    child: Mutex<Box<dyn ChildWrapper>>,
    ask: Mutex<Option<Ask>>,
}

impl Living {
    pub(super) fn child(&self) -> MutexGuard<'_, Box<dyn ChildWrapper>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ask_by(&self, ask: Ask) {
        *self.ask.lock().unwrap_or_else(PoisonError::into_inner) = Some(ask);
    }

    fn asks_to_end(&self) -> bool {
        let ask = self.ask.lock().unwrap_or_else(PoisonError::into_inner);
        ask.as_ref().map(|ask| ask()).is_some()
    }

    fn is_running(&self) -> bool {
        matches!(self.child().try_wait(), Ok(None))
    }
}

/// Notes a process, for as long as somebody holds what this returns.
pub(super) fn note(child: Box<dyn ChildWrapper>) -> Arc<Living> {
    let living = Arc::new(Living { child: Mutex::new(child), ask: Mutex::new(None) });
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|living| living.strong_count() > 0);
    all.push(Arc::downgrade(&living));
    living
}

/// Waits for the end of this program, when an interrupt has begun to end what it has started: what those children came to is no
/// result.
pub fn rest_if_ending() {
    while ENDING.load(Ordering::SeqCst) {
        thread::park();
    }
}

/// Kills all that was started, each with what it started itself.
pub(super) fn kill_all() {
    ENDING.store(true, Ordering::SeqCst);
    for living in running() {
        // What ends in this very moment need not be killed.
        let _ = living.child().start_kill();
    }
}

/// Asks all that can be asked to end by itself, waits so long for it, and kills what is left.
pub fn end_all(patience: Duration) {
    ENDING.store(true, Ordering::SeqCst);
    let asked: Vec<_> = running().into_iter().filter(|living| living.asks_to_end()).collect();
    let until = Instant::now() + patience;
    while asked.iter().any(|living| living.is_running()) && Instant::now() < until {
        thread::sleep(GLANCE);
    }
    kill_all();
}

fn running() -> Vec<Arc<Living>> {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let all: Vec<_> = all.iter().filter_map(Weak::upgrade).collect();
    all.into_iter().filter(|living| living.is_running()).collect()
}

/// Whether this program is about to end, and its children before it.
static ENDING: AtomicBool = AtomicBool::new(false);
static ALL: Mutex<Vec<Weak<Living>>> = Mutex::new(Vec::new());

const GLANCE: Duration = Duration::from_millis(20);
