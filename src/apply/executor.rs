//! Carrying a plan out. Each step is written into the journal before it is done and after; there is nothing left to
//! decide here.

use std::{
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
    sync::{
        Condvar, Mutex, MutexGuard,
        mpsc::{self, Sender},
    },
    time::Duration,
};

pub use super::schedule::Pace;
use super::{
    perform::{self, Outputs, Performed, Seen, StepError},
    schedule::Schedule,
};
use crate::{
    apply::{
        ports::Ports,
        report::{ApplyEvent, Halt, Report, StepResult},
    },
    model::{
        action::StepId,
        causes::with_causes,
        desired::Desired,
        entry::{Entry, Outcome, StepOutput},
        failure::StepFailure,
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
    state: Mutex<State<'a>>,
    changed: Condvar,
}

/// Nothing that takes time is done while it is locked: no look at the lease, no step, no print.
struct State<'a> {
    schedule: Schedule<'a>,
    halted: Option<Halt>,
    journal_failed: Option<JournalError>,
}

/// What happened, on its way to the one who tells it.
enum News<'a> {
    Started(&'a Step),
    Retrying(&'a Step, StepFailure),
    Ended(&'a Step, StepResult),
}

/// Carries the plan out, on at most `limits.serversAtOnce` servers at a time. A step that fails takes with it what
/// depends on it and nothing else. An error means that the journal could not be written, and that the run stopped
/// for it.
pub fn apply(
    plan: &Plan,
    desired: &Desired,
    pace: Pace,
    ports: &Ports<'_>,
    on_event: &(dyn Fn(&ApplyEvent<'_>) + Sync),
) -> Result<Report, JournalError> {
    ports.journal.open((ports.clock)(), &ports.by, plan)?;
    carry_out(plan, &Settled::default(), desired, pace, ports, on_event)
}

/// Goes on with a run that was begun. `settled` tells which of its steps are done.
pub fn resume(
    plan: &Plan,
    settled: &Settled,
    desired: &Desired,
    pace: Pace,
    ports: &Ports<'_>,
    on_event: &(dyn Fn(&ApplyEvent<'_>) + Sync),
) -> Result<Report, JournalError> {
    let at = (ports.clock)();
    ports.journal.append(&Entry::Resumed { at, by: ports.by.clone() })?;
    for (step, output) in &settled.found {
        ports.journal.append(&Entry::Found { at, step: *step, output: output.clone() })?;
    }
    carry_out(plan, settled, desired, pace, ports, on_event)
}

fn carry_out(
    plan: &Plan,
    settled: &Settled,
    desired: &Desired,
    pace: Pace,
    ports: &Ports<'_>,
    on_event: &(dyn Fn(&ApplyEvent<'_>) + Sync),
) -> Result<Report, JournalError> {
    let done = settled.done.iter().map(|(step, output)| (*step, StepResult::Done(output.clone()))).collect();
    let run = Run {
        desired,
        ports,
        outputs: Outputs::of(settled, plan, desired),
        state: Mutex::new(State {
            schedule: Schedule::new(plan, &done, pace),
            halted: None,
            journal_failed: None,
        }),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let run = &run;
        for _ in 0..pace.at_once().min(plan.steps.len()) {
            let tell = tell.clone();
            scope.spawn(move || run.work(&tell));
        }
        drop(tell);
        // Until the last worker has said its last word.
        for news in told {
            news.tell(on_event);
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

impl News<'_> {
    fn tell(&self, on_event: &(dyn Fn(&ApplyEvent<'_>) + Sync)) {
        match self {
            Self::Started(step) => on_event(&ApplyEvent::Started(step)),
            Self::Retrying(step, error) => on_event(&ApplyEvent::Retrying(step, error)),
            Self::Ended(step, result) => on_event(&ApplyEvent::Ended(step, result)),
        }
    }
}

impl<'a> Run<'a> {
    /// Takes the first step that is ready, again and again, until none is left.
    fn work(&self, tell: &Sender<News<'a>>) {
        while let Some(step) = self.next() {
            let result = self.step(step, tell);
            self.finish(step, result, tell);
        }
    }

    /// Waits until a step is ready; none when the run is over.
    fn next(&self) -> Option<&'a Step> {
        loop {
            let go_on = (self.ports.go_on)();
            let mut state = self.lock();
            if let Err(halt) = go_on {
                state.halted.get_or_insert(halt);
            }
            if state.is_over() {
                self.changed.notify_all();
                return None;
            }
            let step = state.schedule.start_next();
            if step.is_some() {
                // One that waits is enough for the next step, and wakes another for the one after.
                if state.schedule.has_next() {
                    self.changed.notify_one();
                }
                return step;
            }
            drop(self.changed.wait(state).expect(UNPOISONED));
        }
    }

    /// Notes what became of a step.
    fn finish(&self, step: &'a Step, result: Result<StepResult, JournalError>, tell: &Sender<News<'a>>) {
        let mut state = self.lock();
        let given_up = match result {
            Ok(result) => state.schedule.finish(step, result),
            Err(error) => {
                state.journal_failed = Some(error);
                Vec::new()
            }
        };
        if state.is_over() {
            self.changed.notify_all();
        } else if state.schedule.has_next() {
            self.changed.notify_one();
        }
        drop(state);
        for (step, result) in given_up {
            send(tell, News::Ended(step, result));
        }
    }

    /// Does a step; where that can do no harm, a second and a third time. One of which nobody knows whether it was done is
    /// looked at before.
    fn step(&self, step: &'a Step, tell: &Sender<News<'a>>) -> Result<StepResult, JournalError> {
        let mut pauses = PAUSES.iter();
        let result = loop {
            let (result, again) = self.attempt(step, tell)?;
            let (error, is_known) = match &result {
                StepResult::Failed(error) if again => (error, true),
                StepResult::Unknown(error) if again => (error, false),
                _ => break result,
            };
            let mut seen = Seen::Nothing;
            while seen == Seen::Nothing
                && let Ok(()) = (self.ports.go_on)()
                && let Some(pause) = pauses.next()
            {
                send(tell, News::Retrying(step, error.clone()));
                (self.ports.pause)(*pause);
                seen = if is_known { Seen::NotDone } else { perform::seen(step, self.ports, &self.outputs) };
            }
            match seen {
                Seen::NotDone => {}
                Seen::Done => break self.found(step)?,
                Seen::Nothing => break result,
            }
        };
        send(tell, News::Ended(step, result.clone()));
        Ok(result)
    }

    /// A step that was done although nobody saw it end.
    fn found(&self, step: &Step) -> Result<StepResult, JournalError> {
        if self.has_lost_the_lock() {
            return Ok(StepResult::NotReached);
        }
        let output = StepOutput::Done;
        let entry = Entry::Found { at: (self.ports.clock)(), step: step.id, output: output.clone() };
        self.ports.journal.append(&entry)?;
        Ok(StepResult::Done(output))
    }

    /// Journal, effect, journal. Tells what came of it, and whether it may be tried again.
    ///
    /// A holder that has lost the lock writes nothing more, neither into the journal nor on a server: between each of the
    /// three it may have been stopped for long, and somebody else goes on.
    fn attempt(&self, step: &'a Step, tell: &Sender<News<'a>>) -> Result<(StepResult, bool), JournalError> {
        let Ports { journal, clock, .. } = self.ports;
        if self.has_lost_the_lock() {
            return Ok((StepResult::NotReached, false));
        }
        journal.append(&Entry::Started { at: clock(), step: step.id })?;
        send(tell, News::Started(step));
        if self.has_lost_the_lock() {
            return Ok((StepResult::NotReached, false));
        }
        // Whatever the effect was when something panics in it: others wait for the end of this step.
        let perform = || perform::perform(step, self.desired, self.ports, &self.outputs);
        let performed = panic::catch_unwind(AssertUnwindSafe(perform))
            .unwrap_or_else(|panic| Err(StepError::panicked(&*panic)));
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
                let StepFailure { code, message } = failure(&error);
                let entry = Entry::Doubtful { at, step: id, code, error: message.clone() };
                (entry, StepResult::Unknown(StepFailure { code, message }))
            }
            Err(error) => {
                let StepFailure { code, message } = failure(&error);
                let entry = Entry::Failed { at, step: id, code, error: message.clone() };
                (entry, StepResult::Failed(StepFailure { code, message }))
            }
        };
        if !self.has_lost_the_lock() {
            journal.append(&entry)?;
        }
        Ok((result, again))
    }

    /// Asks for the lock once more, and ends the run when it is lost.
    fn has_lost_the_lock(&self) -> bool {
        match (self.ports.go_on)() {
            Err(lost @ Halt::LockLost(_)) => {
                self.lock().halted.get_or_insert(lost);
                true
            }
            Err(Halt::Asked) | Ok(()) => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().expect(UNPOISONED)
    }
}

impl State<'_> {
    /// Whether no further step is begun.
    fn is_over(&self) -> bool {
        self.halted.is_some() || self.journal_failed.is_some() || self.schedule.is_over()
    }
}

/// The receiver listens until every sender is gone.
fn send<'a>(tell: &Sender<News<'a>>, news: News<'a>) {
    let _ = tell.send(news);
}

/// An error as journals and reports hold it.
fn failure(error: &StepError) -> StepFailure {
    StepFailure { code: Some(error.code()), message: with_causes(error) }
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
