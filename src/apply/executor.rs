//! Carrying a plan out. Each step is written into the journal before it is done and after; there is nothing left to
//! decide here.

use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, MutexGuard},
    time::Duration,
};

use super::{
    perform::{self, Outputs, Performed},
    schedule::{Fleet, Schedule},
};
use crate::{
    apply::{
        ports::Ports,
        report::{ApplyEvent, Halt, Report, StepResult},
    },
    model::{
        action::StepId,
        desired::Desired,
        entry::{Entry, Outcome},
        plan::{Plan, Step},
    },
    plan::recovery::Settled,
    ports::journal::JournalError,
};

/// A run: what it carries out, and what it has come to.
struct Run<'a> {
    desired: &'a Desired,
    ports: &'a Ports<'a>,
    outputs: Outputs,
    on_event: &'a (dyn Fn(&ApplyEvent<'_>) + Sync),
    state: Mutex<State<'a>>,
    changed: Condvar,
}

struct State<'a> {
    schedule: Schedule<'a>,
    halted: Option<Halt>,
    journal_failed: Option<JournalError>,
}

/// Carries the plan out, on at most `limits.serversAtOnce` servers at a time. A step that fails takes with it what
/// depends on it and nothing else. An error means that the journal could not be written, and that the run stopped
/// for it.
pub fn apply(
    plan: &Plan,
    desired: &Desired,
    ports: &Ports<'_>,
    on_event: &(dyn Fn(&ApplyEvent<'_>) + Sync),
) -> Result<Report, JournalError> {
    let opened = Entry::Opened {
        version: Entry::VERSION,
        at: (ports.clock)(),
        by: ports.by.clone(),
        plan: Box::new(plan.clone()),
    };
    ports.journal.append(&opened)?;
    carry_out(plan, &Settled::default(), desired, ports, on_event)
}

/// Goes on with a run that was begun. `settled` tells which of its steps are done.
pub fn resume(
    plan: &Plan,
    settled: &Settled,
    desired: &Desired,
    ports: &Ports<'_>,
    on_event: &(dyn Fn(&ApplyEvent<'_>) + Sync),
) -> Result<Report, JournalError> {
    let at = (ports.clock)();
    ports.journal.append(&Entry::Resumed { at, by: ports.by.clone() })?;
    for (step, output) in &settled.found {
        ports.journal.append(&Entry::Found { at, step: *step, output: output.clone() })?;
    }
    carry_out(plan, settled, desired, ports, on_event)
}

fn carry_out(
    plan: &Plan,
    settled: &Settled,
    desired: &Desired,
    ports: &Ports<'_>,
    on_event: &(dyn Fn(&ApplyEvent<'_>) + Sync),
) -> Result<Report, JournalError> {
    let done = settled.done.iter().map(|(step, output)| (*step, StepResult::Done(output.clone()))).collect();
    let at_once = usize::try_from(desired.limits.servers_at_once.max(1)).unwrap_or(usize::MAX);
    let fleet = Fleet { at_once, canary: desired.limits.canary };
    let run = Run {
        desired,
        ports,
        outputs: Outputs::of(settled, plan, desired),
        on_event,
        state: Mutex::new(State {
            schedule: Schedule::new(plan, &done, fleet),
            halted: None,
            journal_failed: None,
        }),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(plan.steps.len()) {
            scope.spawn(|| run.work());
        }
    });
    let State { mut schedule, halted, journal_failed } = run.state.into_inner().expect(UNPOISONED);
    for (step, result) in schedule.give_up() {
        on_event(&ApplyEvent::Ended(step, &result));
    }
    match journal_failed {
        Some(error) => Err(error),
        None => close(ports, halted, schedule.into_results()),
    }
}

impl<'a> Run<'a> {
    /// Takes the first step that is ready, again and again, until none is left.
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if state.halted.is_none()
                && let Err(halt) = (self.ports.go_on)()
            {
                state.halted = Some(halt);
            }
            if state.halted.is_some() || state.journal_failed.is_some() || state.schedule.is_over() {
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
                        (self.on_event)(&ApplyEvent::Ended(step, &result));
                    }
                }
            }
            self.changed.notify_all();
        }
    }

    /// Does a step; where that can do no harm, a second and a third time.
    fn step(&self, step: &Step) -> Result<StepResult, JournalError> {
        let mut pauses = PAUSES.iter();
        let result = loop {
            let (result, again) = self.attempt(step)?;
            let error = match &result {
                StepResult::Failed(error) | StepResult::Unknown(error) if again => error,
                _ => break result,
            };
            let (Some(pause), Ok(())) = (pauses.next(), (self.ports.go_on)()) else { break result };
            (self.on_event)(&ApplyEvent::Retrying(step, error));
            (self.ports.pause)(*pause);
        };
        (self.on_event)(&ApplyEvent::Ended(step, &result));
        Ok(result)
    }

    /// Journal, effect, journal. Tells what came of it, and whether it may be tried again.
    fn attempt(&self, step: &Step) -> Result<(StepResult, bool), JournalError> {
        let Ports { journal, clock, .. } = self.ports;
        journal.append(&Entry::Started { at: clock(), step: step.id })?;
        (self.on_event)(&ApplyEvent::Started(step));
        let performed = perform::perform(step, self.desired, self.ports, &self.outputs);
        let again = performed.as_ref().is_err_and(|error| step.action.is_repeatable() && error.may_pass());
        let (at, id) = (clock(), step.id);
        let (entry, result) = match performed {
            Ok(Performed::Done(output)) => {
                (Entry::Finished { at, step: id, output: output.clone() }, StepResult::Done(output))
            }
            Ok(Performed::Waiting(until)) => {
                (Entry::Parked { at, step: id, until: until.clone() }, StepResult::Parked(until))
            }
            Err(error) if error.leaves_doubt() => {
                let error = crate::model::causes::with_causes(&error);
                (Entry::Doubtful { at, step: id, error: error.clone() }, StepResult::Unknown(error))
            }
            Err(error) => {
                let error = crate::model::causes::with_causes(&error);
                (Entry::Failed { at, step: id, error: error.clone() }, StepResult::Failed(error))
            }
        };
        journal.append(&entry)?;
        Ok((result, again))
    }

    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().expect(UNPOISONED)
    }
}

fn close(
    ports: &Ports<'_>,
    halted: Option<Halt>,
    steps: BTreeMap<StepId, StepResult>,
) -> Result<Report, JournalError> {
    let any = |wanted: fn(&StepResult) -> bool| steps.values().any(wanted);
    let stopped = |result: &StepResult| {
        matches!(result, StepResult::Failed(_) | StepResult::Unknown(_) | StepResult::NotReached)
    };
    let outcome = if any(stopped) {
        Outcome::Stopped
    } else if any(|result| matches!(result, StepResult::Parked(_))) {
        Outcome::Waiting
    } else {
        Outcome::Converged
    };
    let run = ports.journal.run().to_owned();
    // Without the lock the journal may be somebody else's by now.
    if !matches!(halted, Some(Halt::LockLost(_))) {
        ports.journal.append(&Entry::Closed { at: (ports.clock)(), outcome })?;
        if outcome == Outcome::Converged
            && let Err(error) = ports.artifacts.forget_issued()
        {
            return Err(JournalError { run, source: error.into() });
        }
    }
    Ok(Report { run, outcome, halted, steps })
}

/// Workers do nothing that panics while they hold the lock.
const UNPOISONED: &str = "no panic holds the lock";

/// How long to wait before a step is tried again: Active Directory replicates, services come up.
const PAUSES: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(4)];
