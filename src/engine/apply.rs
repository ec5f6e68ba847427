//! Carrying a plan out. Each step is written into the journal before it is done and after; there is nothing left to
//! decide here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Condvar, Mutex},
};

use super::{
    artifacts::Artifacts,
    driver::Driver,
    issuer::Issuers,
    journal::{Journal, JournalError},
    perform::{self, Made, StepError},
    prober::Prober,
};
use crate::model::{
    action::StepId,
    desired::Desired,
    entry::{Entry, Holder, Outcome, StepOutput},
    names::ServerName,
    plan::{Plan, Step},
    time::Timestamp,
};

/// Everything that a run needs from outside.
pub struct Ports<'a> {
    /// The servers.
    pub driver: &'a dyn Driver,
    /// The CAs.
    pub issuers: &'a Issuers,
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
    /// It was not tried, because this step before it was not done.
    Skipped(StepId),
}

/// What a run tells while it runs.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step begins.
    Started(&'a Step),
    /// A step is over.
    Ended(&'a Step, &'a StepResult),
}

/// The steps and how far they are.
struct State {
    results: BTreeMap<StepId, StepResult>,
    running: BTreeSet<StepId>,
    busy: BTreeSet<ServerName>,
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
    let made = Made::default();
    let state = Mutex::new(State {
        results: BTreeMap::new(),
        running: BTreeSet::new(),
        busy: BTreeSet::new(),
        journal_failed: None,
    });
    let changed = Condvar::new();
    let workers =
        usize::try_from(desired.limits.servers_at_once.max(1)).unwrap_or(usize::MAX).min(plan.steps.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| work(plan, desired, ports, &made, &state, &changed, on_event));
        }
    });
    let State { results, journal_failed, .. } = state.into_inner().expect("no worker panicked");
    if let Some(error) = journal_failed {
        return Err(error);
    }
    let all_done = results.values().all(|result| matches!(result, StepResult::Done(_)));
    let outcome = if all_done { Outcome::Converged } else { Outcome::Stopped };
    ports.journal.append(&Entry::Closed { at: (ports.clock)(), outcome })?;
    if all_done && let Err(error) = ports.artifacts.forget_issued() {
        return Err(JournalError { run: ports.journal.run().into(), source: error.into() });
    }
    Ok(Report { run: ports.journal.run().to_owned(), steps: results })
}

/// Takes the first step that is ready, again and again, until none is left.
fn work(
    plan: &Plan,
    desired: &Desired,
    ports: &Ports<'_>,
    made: &Made,
    state: &Mutex<State>,
    changed: &Condvar,
    on_event: &(dyn Fn(&Event<'_>) + Sync),
) {
    let mut guard = state.lock().expect("no worker panicked");
    loop {
        skip_hopeless(plan, &mut guard, on_event);
        if guard.journal_failed.is_some() || guard.results.len() + guard.running.len() == plan.steps.len() {
            changed.notify_all();
            return;
        }
        let Some(step) = plan.steps.iter().find(|step| is_ready(step, &guard)) else {
            guard = changed.wait(guard).expect("no worker panicked");
            continue;
        };
        guard.running.insert(step.id);
        guard.busy.extend(step.action.server().cloned());
        drop(guard);
        let result = run_step(step, desired, ports, made, on_event);
        guard = state.lock().expect("no worker panicked");
        guard.running.remove(&step.id);
        if let Some(server) = step.action.server() {
            guard.busy.remove(server);
        }
        match result {
            Ok(result) => drop(guard.results.insert(step.id, result)),
            Err(error) => guard.journal_failed = Some(error),
        }
        changed.notify_all();
    }
}

/// Journal, effect, journal.
fn run_step(
    step: &Step,
    desired: &Desired,
    ports: &Ports<'_>,
    made: &Made,
    on_event: &(dyn Fn(&Event<'_>) + Sync),
) -> Result<StepResult, JournalError> {
    ports.journal.append(&Entry::Started { at: (ports.clock)(), step: step.id })?;
    on_event(&Event::Started(step));
    let result = match perform::perform(step, desired, ports, made) {
        Ok(output) => StepResult::Done(output),
        Err(error) => StepResult::Failed(chain(&error)),
    };
    let at = (ports.clock)();
    let entry = match &result {
        StepResult::Done(output) => Entry::Finished { at, step: step.id, output: output.clone() },
        StepResult::Failed(error) => Entry::Failed { at, step: step.id, error: error.clone() },
        StepResult::Skipped(_) => return Ok(result),
    };
    ports.journal.append(&entry)?;
    on_event(&Event::Ended(step, &result));
    Ok(result)
}

fn is_ready(step: &Step, state: &State) -> bool {
    let untouched = !state.results.contains_key(&step.id) && !state.running.contains(&step.id);
    let free = step.action.server().is_none_or(|server| !state.busy.contains(server));
    let done = |after: &StepId| matches!(state.results.get(after), Some(StepResult::Done(_)));
    untouched && free && step.after.iter().all(done)
}

/// Steps that wait for one that was not done will never be ready.
fn skip_hopeless(plan: &Plan, state: &mut State, on_event: &(dyn Fn(&Event<'_>) + Sync)) {
    for step in &plan.steps {
        if state.results.contains_key(&step.id) {
            continue;
        }
        let failed = step.after.iter().find_map(|after| match state.results.get(after) {
            Some(StepResult::Failed(_)) => Some(*after),
            Some(StepResult::Skipped(cause)) => Some(*cause),
            Some(StepResult::Done(_)) | None => None,
        });
        if let Some(cause) = failed {
            let result = StepResult::Skipped(cause);
            on_event(&Event::Ended(step, &result));
            state.results.insert(step.id, result);
        }
    }
}

/// An error with its causes, as one line.
fn chain(error: &StepError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
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
        self.steps.values().all(|result| matches!(result, StepResult::Done(_)))
    }
}
