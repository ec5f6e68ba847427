//! What a run says while it runs: on a terminal a line for each step that is being done, with the time it takes, below
//! what is over; elsewhere a line for each step that is over; and for programs one JSON object a line.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{
        Arc, Mutex, MutexGuard,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar};

use super::{
    Terminal,
    live::{self, Verbosity},
    terminal::numbered,
};
use crate::{
    apply::report::{ApplyEvent, Report, StepResult},
    json::{self, Spacing},
    model::{
        action::{Action, StepId},
        entry::StepOutput,
        plan::{Plan, Step},
        time::Timestamp,
    },
    views::{
        RunEvent, Running, harmless,
        human::{Thumbprints, describe, hanging},
    },
};

/// The lines of a run.
pub(super) struct Lines<'a> {
    terminal: Terminal,
    total: usize,
    clock: &'a (dyn Fn() -> Timestamp + Sync),
    how: How,
    /// What short thumbprints stand for, where there is room for whole ones.
    thumbprints: Option<Mutex<Thumbprints>>,
    /// Since when steps are being done.
    begun: Mutex<BTreeMap<StepId, Instant>>,
}

enum How {
    /// A line for each step that is over.
    Plain,
    /// The same, and below them the steps that are being done.
    Live(MultiProgress, Mutex<BTreeMap<StepId, ProgressBar>>),
    /// JSON on standard output.
    Programs(Heart),
}

impl<'a> Lines<'a> {
    pub(super) fn begin(
        run: &str,
        plan: &Plan,
        format: &str,
        terminal: Terminal,
        clock: &'a (dyn Fn() -> Timestamp + Sync),
    ) -> Self {
        let total = plan.steps.iter().map(|step| step.id.0 as usize).max().unwrap_or(0);
        let how = if format == "jsonl" {
            print(&RunEvent::begun(run, plan, clock()));
            How::Programs(Heart::start())
        } else if terminal.err_is_terminal && live::verbosity() != Verbosity::Quiet {
            How::Live(MultiProgress::new(), Mutex::default())
        } else {
            How::Plain
        };
        // A value that has no JSON would not have been planned.
        let thumbprints = terminal.err.is_unbroken().then(|| Thumbprints::of(plan).unwrap_or_default());
        Self {
            terminal,
            total,
            clock,
            how,
            thumbprints: thumbprints.map(Mutex::new),
            begun: Mutex::default(),
        }
    }

    pub(super) fn tell(&self, event: &ApplyEvent<'_>) {
        self.learn(event);
        match &self.how {
            How::Plain => {
                if let Some(line) = self.line(event) {
                    self.terminal.say(&line);
                }
            }
            How::Live(lines, lanes) => self.show(lines, lanes, event),
            How::Programs(heart) => {
                print(&RunEvent::of(event, (self.clock)()));
                heart.note(event);
            }
        }
    }

    /// The last word to programs; people get the report.
    pub(super) fn end(self, report: &Report) {
        if let How::Programs(heart) = self.how {
            drop(heart);
            print(&RunEvent::closed(report, (self.clock)()));
        }
    }

    fn show(
        &self,
        lines: &MultiProgress,
        lanes: &Mutex<BTreeMap<StepId, ProgressBar>>,
        event: &ApplyEvent<'_>,
    ) {
        let mut lanes = lanes.lock().expect(UNPOISONED);
        if let ApplyEvent::Started(step) = event {
            let bar = lines.add(ProgressBar::new_spinner());
            live::start(&bar, "{wide_msg}");
            let message = format!("{} {}", numbered(step.id, self.total), what(step));
            bar.set_message(harmless(&self.whole(message)).into_owned());
            lanes.entry(step.id).or_insert(bar);
        }
        if let ApplyEvent::Ended(step, _) = event
            && let Some(bar) = lanes.remove(&step.id)
        {
            bar.finish_and_clear();
        }
        if let Some(line) = self.line(event) {
            // The words stand behind the number of the step and what became of it.
            let column = numbered(StepId(0), self.total).len() + " UNKNOWN ".len();
            // A terminal that is gone changes nothing about the run.
            let _ = lines.println(hanging(self.terminal.err, &line, column));
        }
    }

    /// How long a step took that is over, for those who want to know.
    fn took(&self, event: &ApplyEvent<'_>) -> String {
        let mut begun = self.begun.lock().expect(UNPOISONED);
        match event {
            ApplyEvent::Started(step) => {
                begun.entry(step.id).or_insert_with(Instant::now);
                String::new()
            }
            ApplyEvent::Ended(step, _) => match begun.remove(&step.id) {
                Some(since) if live::verbosity() == Verbosity::Verbose => {
                    format!(" ({:.1} s)", since.elapsed().as_secs_f64())
                }
                Some(_) | None => String::new(),
            },
            ApplyEvent::Retrying(..) => String::new(),
        }
    }

    /// What is said about an event to people; nothing about a beginning.
    fn line(&self, event: &ApplyEvent<'_>) -> Option<String> {
        let took = self.took(event);
        let (step, word, error) = match event {
            // Steps that were not begun are counted at the end.
            ApplyEvent::Started(_)
            | ApplyEvent::Ended(
                _,
                StepResult::NotReached | StepResult::Skipped(_) | StepResult::Waiting(_),
            ) => {
                return None;
            }
            // Nothing is done at a gate; one that opens is no news.
            ApplyEvent::Ended(Step { action: Action::Gate { .. }, .. }, StepResult::Done(_)) => return None,
            ApplyEvent::Retrying(step, failure) => (step, "again  ", Some(*failure)),
            ApplyEvent::Ended(step, StepResult::Done(_)) => (step, "done   ", None),
            ApplyEvent::Ended(step, StepResult::Failed(failure)) => (step, "FAILED ", Some(failure)),
            ApplyEvent::Ended(step, StepResult::Unknown(failure)) => (step, "UNKNOWN", Some(failure)),
            ApplyEvent::Ended(step, StepResult::Parked(_)) => (step, "waits  ", None),
        };
        let mut error = error.map_or(String::new(), |error| format!(": {}", error.first_of_list()));
        if let ApplyEvent::Ended(_, StepResult::Done(StepOutput::Certificate { key_from: Some(from), .. })) =
            event
        {
            error = format!("; {from}");
        }
        let line = format!("{} {word} {}{error}{took}", numbered(step.id, self.total), what(step));
        Some(harmless(&self.whole(line)).into_owned())
    }

    /// The text with whole thumbprints, where there is room for them.
    fn whole(&self, text: String) -> String {
        let Some(known) = &self.thumbprints else { return text };
        known.lock().expect(UNPOISONED).whole(&text)
    }

    /// What steps make is known when they are over.
    fn learn(&self, event: &ApplyEvent<'_>) {
        if let (Some(known), ApplyEvent::Ended(_, StepResult::Done(output))) = (&self.thumbprints, event) {
            // A short thumbprint is no mistake.
            let _ = known.lock().expect(UNPOISONED).learn(output);
        }
    }
}

fn what(step: &Step) -> String {
    let server = step.action.server().map_or(String::new(), |server| format!("{server}: "));
    format!("{server}{} {}", step.action.verb(), describe(&step.action))
}

/// Says every while which steps are being done, so that who reads along can tell a long step from a dead program.
struct Heart {
    running: Arc<Mutex<BTreeMap<StepId, Instant>>>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heart {
    fn start() -> Self {
        let running: Arc<Mutex<BTreeMap<StepId, Instant>>> = Arc::default();
        let (stop, stopped) = mpsc::channel();
        let shared = running.clone();
        let thread = thread::spawn(move || {
            while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                let steps = shared.lock().expect(UNPOISONED).clone();
                let running = steps
                    .iter()
                    .map(|(step, since)| Running { step: *step, seconds: since.elapsed().as_secs() })
                    .collect();
                print(&RunEvent::Heartbeat { running });
            }
        });
        Self { running, stop: Some(stop), thread: Some(thread) }
    }

    fn note(&self, event: &ApplyEvent<'_>) {
        let mut running: MutexGuard<'_, _> = self.running.lock().expect(UNPOISONED);
        match event {
            ApplyEvent::Started(step) => drop(running.insert(step.id, Instant::now())),
            ApplyEvent::Ended(step, _) => drop(running.remove(&step.id)),
            ApplyEvent::Retrying(..) => {}
        }
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Writes a line at once. A reader that is gone does not stop a run: its journal tells everything.
fn print(event: &RunEvent) {
    let mut line = json::bytes(event, Spacing::Line).expect("an event is JSON");
    line.push(b'\n');
    let mut out = io::stdout().lock();
    let _ = out.write_all(&line).and_then(|()| out.flush());
}

/// No lock is held where something can panic.
const UNPOISONED: &str = "no panic holds the lock";
/// Runners end jobs that say nothing for a while.
const BEAT: Duration = Duration::from_secs(10);
