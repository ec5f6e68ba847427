//! Carrying a plan out. Each step is written into the journal before it is done and after; there is nothing left to
//! decide here.

use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, MutexGuard},
};

use super::{
    artifacts::Artifacts,
    driver::Driver,
    issuer::Issuers,
    journal::{Journal, JournalError},
    perform::{self, Made, Performed},
    prober::Prober,
    requests::Requests,
    schedule::Schedule,
};
use crate::model::{
    action::StepId,
    desired::Desired,
    entry::{Entry, Holder, Outcome, StepOutput},
    plan::{Plan, Step},
    time::Timestamp,
};

/// Everything that a run needs from outside.
pub struct Ports<'a> {
    /// The servers.
    pub driver: &'a dyn Driver,
    /// The CAs.
    pub issuers: &'a Issuers,
    /// The requests that people carry to CAs.
    pub requests: &'a dyn Requests,
    /// The journal of this run.
    pub journal: &'a dyn Journal,
    /// The files of this run.
    pub artifacts: &'a dyn Artifacts,
    /// The network.
    pub prober: &'a dyn Prober,
    /// The clock for the journal.
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// Who runs it.
    pub by: Holder,
}

/// What became of each step.
#[derive(Debug)]
pub struct Report {
    /// The name of the run.
    pub run: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The steps in order.
    pub steps: BTreeMap<StepId, StepResult>,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// It was done.
    Done(StepOutput),
    /// It was tried and not done.
    Failed(String),
    /// It was tried, and whether it was done is not known.
    Unknown(String),
    /// It waits for this.
    Parked(String),
    /// It was not tried, because this step before it was not done.
    Skipped(StepId),
    /// It was not tried, because this step before it waits.
    Waiting(StepId),
}

/// What a run tells while it runs.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step begins.
    Started(&'a Step),
    /// A step is over, or will not be done.
    Ended(&'a Step, &'a StepResult),
}

/// A run: what it carries out, and what it has come to.
struct Run<'a> {
    desired: &'a Desired,
    ports: &'a Ports<'a>,
    made: Made,
    on_event: &'a (dyn Fn(&Event<'_>) + Sync),
    state: Mutex<State<'a>>,
    changed: Condvar,
}

struct State<'a> {
    schedule: Schedule<'a>,
    journal_failed: Option<JournalError>,
}

/// Carries the plan out, on at most `limits.serversAtOnce` servers at a time. A step that fails takes with it what
/// depends on it and nothing else. An error means that the journal could not be written, and that the run stopped
/// for it.
pub fn apply(
    plan: &Plan,
    desired: &Desired,
    ports: &Ports<'_>,
    on_event: &(dyn Fn(&Event<'_>) + Sync),
) -> Result<Report, JournalError> {
    let opened = Entry::Opened {
        version: Entry::VERSION,
        at: (ports.clock)(),
        by: ports.by.clone(),
        plan: Box::new(plan.clone()),
    };
    ports.journal.append(&opened)?;
    let run = Run {
        desired,
        ports,
        made: Made::default(),
        on_event,
        state: Mutex::new(State { schedule: Schedule::new(plan, &BTreeMap::new()), journal_failed: None }),
        changed: Condvar::new(),
    };
    let at_once = usize::try_from(desired.limits.servers_at_once.max(1)).unwrap_or(usize::MAX);
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(plan.steps.len()) {
            scope.spawn(|| run.work());
        }
    });
    let State { schedule, journal_failed } = run.state.into_inner().expect(UNPOISONED);
    match journal_failed {
        Some(error) => Err(error),
        None => close(ports, schedule.into_results()),
    }
}

impl<'a> Run<'a> {
    /// Takes the first step that is ready, again and again, until none is left.
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if state.journal_failed.is_some() || state.schedule.is_over() {
                self.changed.notify_all();
                return;
            }
            let Some(step) = state.schedule.start_next() else {
                state = self.changed.wait(state).expect(UNPOISONED);
                continue;
            };
            drop(state);
            let result = self.step(step);
            state = self.lock();
            match result {
                Err(error) => state.journal_failed = Some(error),
                Ok(result) => {
                    for (step, result) in state.schedule.finish(step, result) {
                        (self.on_event)(&Event::Ended(step, &result));
                    }
                }
            }
            self.changed.notify_all();
        }
    }

    /// Journal, effect, journal.
    fn step(&self, step: &Step) -> Result<StepResult, JournalError> {
        let Ports { journal, clock, .. } = self.ports;
        journal.append(&Entry::Started { at: clock(), step: step.id })?;
        (self.on_event)(&Event::Started(step));
        let result = match perform::perform(step, self.desired, self.ports, &self.made) {
            Ok(Performed::Done(output)) => StepResult::Done(output),
            Ok(Performed::Waiting(until)) => StepResult::Parked(until),
            Err(error) if error.leaves_doubt() => StepResult::Unknown(chain(&error)),
            Err(error) => StepResult::Failed(chain(&error)),
        };
        let (at, id) = (clock(), step.id);
        match &result {
            StepResult::Done(output) => {
                journal.append(&Entry::Finished { at, step: id, output: output.clone() })?
            }
            StepResult::Parked(until) => {
                journal.append(&Entry::Parked { at, step: id, until: until.clone() })?
            }
            StepResult::Failed(error) => {
                journal.append(&Entry::Failed { at, step: id, error: error.clone() })?
            }
            // Started without an end means just this: look before you act.
            StepResult::Unknown(_) | StepResult::Skipped(_) | StepResult::Waiting(_) => {}
        }
        (self.on_event)(&Event::Ended(step, &result));
        Ok(result)
    }

    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().expect(UNPOISONED)
    }
}

fn close(ports: &Ports<'_>, steps: BTreeMap<StepId, StepResult>) -> Result<Report, JournalError> {
    let any = |wanted: fn(&StepResult) -> bool| steps.values().any(wanted);
    let outcome = if any(|result| matches!(result, StepResult::Failed(_) | StepResult::Unknown(_))) {
        Outcome::Stopped
    } else if any(|result| matches!(result, StepResult::Parked(_))) {
        Outcome::Waiting
    } else {
        Outcome::Converged
    };
    ports.journal.append(&Entry::Closed { at: (ports.clock)(), outcome })?;
    let run = ports.journal.run().to_owned();
    if outcome == Outcome::Converged
        && let Err(error) = ports.artifacts.forget_issued()
    {
        return Err(JournalError { run, source: error.into() });
    }
    Ok(Report { run, outcome, steps })
}

/// An error with its causes, as one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}

impl Report {
    /// Whether every step was done.
    pub fn is_complete(&self) -> bool {
        self.outcome == Outcome::Converged
    }
}

/// Workers do nothing that panics while they hold the lock.
const UNPOISONED: &str = "no panic holds the lock";
