//! Runs that did not come to their end: finding them, and finding out how far they are.

use std::collections::BTreeMap;

use super::{
    CommandError, Exit, Terminal,
    next::{self, Place},
    session::Session,
};
use crate::{
    apply::resume::{self, Asked, Course, GivenUp, Refused, Standing},
    journal::{Run, RunFiles, Store},
    model::{
        action::{Action, CertRef, Condition},
        certificate::Certificate,
        entry::{Entry, Outcome, StepOutput},
        names::ServerName,
        organization::Observed,
        time::Timestamp,
        unfinished_run::UnfinishedRun,
    },
    plan::{
        progress::{Progress, progress},
        recovery::{Kept, settle},
    },
    ports::{artifacts::Artifacts, enrolment::Requests, journal::Journal},
};

/// A run that did not come to its end, and how far it is.
pub(super) struct Unfinished {
    pub(super) run: Run,
    pub(super) progress: Progress,
}

/// Reads a run. None when it died before it wrote down what it would do: then it did nothing.
pub(super) fn read(store: &Store, run: &str) -> Result<Option<Progress>, CommandError> {
    Ok(progress(store.read(run)?))
}

/// The newest run, unless it came to its end. The lock has to be held: a run that goes on is not open to others.
pub(super) fn find(store: &Store) -> Result<Option<Unfinished>, CommandError> {
    let open = plan_of_open(store)?;
    open.map(|Open { run, progress }| Ok(Unfinished { run: store.resume(&run)?, progress })).transpose()
}

/// The newest run, when it did not come to its end: its name, and how far it is.
pub(super) struct Open {
    pub(super) run: String,
    pub(super) progress: Progress,
}

/// The newest run, unless it came to its end. The lock need not be held: nothing is gone on with.
pub(super) fn plan_of_open(store: &Store) -> Result<Option<Open>, CommandError> {
    for run in store.runs()? {
        if let Some(progress) = read(store, &run)? {
            return Ok((!progress.is_over()).then_some(Open { run, progress }));
        }
    }
    Ok(None)
}

impl Open {
    /// It for those who are shown something else of the organization.
    pub(super) fn told(&self, place: Place<'_>) -> UnfinishedRun {
        let Self { run, progress } = self;
        UnfinishedRun {
            run: run.clone(),
            done: progress.done().len(),
            steps: progress.plan.steps.len(),
            go_on: next::go_on(&progress.plan, place),
            is_shown: false,
        }
    }
}

/// The newest run, when it did not come to its end, for what is written.
pub(super) fn newest(store: &Store, place: Place<'_>) -> Result<Option<UnfinishedRun>, CommandError> {
    Ok(plan_of_open(store)?.map(|open| open.told(place)))
}

/// Says that a run did not come to its end beside what is written for programs: people read the log.
pub(super) fn warn(unfinished: Option<&UnfinishedRun>, format: &str, terminal: Terminal) {
    if let Some(unfinished) = unfinished.filter(|_| format != "human") {
        terminal.warn(&unfinished.diagnostic().to_string());
    }
}

/// Finds out how far a run is, by its journal, its files and the organization.
pub(super) fn standing(
    run: &str,
    progress: &Progress,
    files: &RunFiles,
    session: &Session,
    observed: &Observed,
) -> Result<Standing, CommandError> {
    let kept = kept(progress, files, session)?;
    let settled = settle(progress, observed, &kept, session.driver.now()).map_err(|unsettled| {
        CommandError::new(Exit::Stopped, format!("run {run} cannot go on: {unsettled}"))
            .detail("Doing the step again without knowing could issue or remove a certificate twice.")
            .hint("see that the server answers (certwright observe), then try again")
    })?;
    Ok(Standing { settled, kept })
}

/// What becomes of a run; what its servers serve is seen on the way and noted in `observed`.
pub(super) fn course(
    progress: &Progress,
    asked: &Asked<'_>,
    standing: &Standing,
    session: &Session,
    observed: &mut Observed,
) -> Course {
    let seen = observed.clone();
    session.see_served(observed, Some(&resume::served_wrongly(progress)));
    let (desired, now) = (&session.desired, session.driver.now());
    let obstacles = resume::obstacles(progress, standing, desired, &seen, observed, now);
    resume::course(progress, asked, standing, obstacles, observed)
}

/// Says which restarts are done again.
pub(super) fn tell_restarts(progress: &Progress, standing: &Standing, terminal: Terminal) {
    for (step, server, service) in resume::restarted_again(progress, &standing.settled) {
        terminal.say(&format!(
            "step {step}: nothing shows whether {service} of {server} was restarted, so it is done again"
        ));
    }
}

/// What a person is told of a run that is given up: why, and what it leaves undone.
pub(super) fn given_up(name: &str, progress: &Progress, why: &GivenUp, observed: &Observed) -> String {
    let undone = undone(name, progress, observed);
    match why {
        GivenUp::Asked => format!("giving up run {name}: {undone}"),
        GivenUp::DidWhatItCould(why) => format!(
            "run {name} has done what it could ({why}); no certificate is lost with it, and a new plan is made: {undone}"
        ),
        GivenUp::DoesNotFit(why) => format!(
            "run {name} cannot go on as it was planned ({why}); no certificate is lost with it, and a new plan is made: {undone}"
        ),
    }
}

/// What a run has not done, and what becomes of it.
fn undone(name: &str, progress: &Progress, observed: &Observed) -> String {
    let all = progress.plan.steps.len();
    let steps = format!("{} of its {all} steps are not done", all - progress.done().len());
    let history = observed.history.as_ref();
    let mut due: BTreeMap<&ServerName, Vec<String>> = BTreeMap::new();
    for left in history.into_iter().flat_map(|history| &history.restarts_due).filter(|due| due.run == name) {
        due.entry(&left.server).or_default().push(left.service.to_string());
    }
    if due.is_empty() {
        return steps;
    }
    let due = due.iter().map(|(server, services)| format!("{} on {server}", services.join(", ")));
    format!(
        "{steps}; the new plan restarts what has the certificate from before: {}",
        due.collect::<Vec<_>>().join("; ")
    )
}

/// Why nothing is begun, and what to do.
pub(super) fn refused(name: &str, why: Refused, place: Place<'_>) -> CommandError {
    let abandon = || {
        format!(
            "or give the run up, and have a new plan made of what it has not done, restarts included: {}",
            place.abandon()
        )
    };
    let stopped = || CommandError::new(Exit::Unfinished, format!("run {name} is not finished"));
    let error = match why {
        Refused::TakesBack(taken_back) => {
            let what = format!("run {name}, which rolls back {taken_back}, is not finished");
            return CommandError::new(Exit::Unfinished, what)
                .hint(format!("go on with it: {}", place.rollback(None)))
                .hint(abandon());
        }
        Refused::OtherPlan => stopped()
            .detail("It belongs to another plan; this plan was made without regard to that run.")
            .hint(format!("go on with it: {}", place.apply())),
        Refused::OtherPart(only) => {
            let part = only.map_or("for the whole manifest".into(), |only| format!("for {}", only.names()));
            stopped()
                .detail(format!("It is {part}, and this command is for another part."))
                .hint(format!("go on with it: {}", place.apply()))
        }
        Refused::OtherReplacement(thumbprints) => {
            let left: Vec<String> = thumbprints.iter().map(|own| own.short()).collect();
            stopped()
                .detail(format!("It does not replace {}, and goes on as it was planned.", left.join(", ")))
                .hint(format!("go on with it, and replace the certificate then: {}", place.apply()))
        }
        Refused::DoesNotFit { obstacles, lost } => {
            let what = format!("run {name} cannot go on as it was planned");
            let error = CommandError::new(Exit::Stopped, what)
                .detail("It is not finished, and its remaining steps no longer fit:");
            let error = obstacles.iter().fold(error, |error, problem| error.detail(format!("- {problem}")));
            lost.iter().fold(error, |error, lost| {
                let lost = format!("{} {}", lost.thumbprint.short(), lost.subject);
                error.detail(format!("Its certificate {lost} is on no server yet; its key is with the run."))
            })
        }
    };
    error.hint(format!("roll it back: {}", place.rollback(Some(name)))).hint(abandon())
}

/// What a run keeps: certificates with their keys that were issued, and answers that have come since.
fn kept(progress: &Progress, files: &RunFiles, session: &Session) -> Result<Kept, CommandError> {
    let mut kept = Kept::new();
    let failed = |error: crate::ports::BoxError| {
        CommandError::new(Exit::Error, "what the run has kept cannot be read").because(error).hint(
            "put back a good copy of the file; or move it away and plan again: certwright apply --abandon",
        )
    };
    for step in &progress.plan.steps {
        let certificate = match &step.action {
            Action::Issue { .. } => {
                files.issued(step.id).map_err(|error| failed(error.into()))?.map(|bundle| bundle.certificate)
            }
            Action::Await { until } | Action::Manual { until, .. } => answer(progress, until, session),
            _ => None,
        };
        kept.extend(certificate.map(|certificate| (step.id, certificate)));
    }
    Ok(kept)
}

fn answer(progress: &Progress, until: &Condition, session: &Session) -> Option<Certificate> {
    let Condition::Answer { file, request, public_key, .. } = until else { return None };
    let done = progress.done();
    let of_step = match request {
        CertRef::FromStep(step) => match done.get(step) {
            Some(StepOutput::Request { public_key, .. }) => Some(public_key.clone()),
            _ => return None,
        },
        CertRef::Known(_) => None,
    };
    let wanted = public_key.clone().or(of_step);
    // One that cannot be read is none yet: the plan says so of its certificate.
    let answer = session.requests().answer(file).ok().flatten().map(|answer| answer.certificate);
    answer.filter(|answer| wanted.as_ref().is_none_or(|wanted| *wanted == answer.public_key))
}

impl Unfinished {
    pub(super) fn name(&self) -> &str {
        self.run.run()
    }

    /// Notes that nobody will go on with the run, and forgets its keys.
    pub(super) fn give_up(&self, files: &RunFiles, at: Timestamp) -> Result<(), CommandError> {
        self.run.append(&Entry::Closed { at, outcome: Outcome::Abandoned })?;
        files.forget_issued().map_err(|error| {
            CommandError::new(Exit::Error, "the keys of the run cannot be removed").because(error)
        })
    }
}
