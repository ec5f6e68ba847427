//! Runs that did not come to their end: finding them, and finding out how far they are.

use std::collections::BTreeSet;

use super::{CommandError, Exit, session::Session};
use crate::{
    journal::{Run, RunFiles, Store},
    model::{
        action::{Action, CertRef, Condition},
        entry::{Entry, Outcome, StepOutput},
        names::ServerName,
        organization::Observed,
        plan::{Plan, Step},
        reason::Reason,
        time::Timestamp,
    },
    plan::{
        Narrowing,
        lint::{self, Unsafe},
        plan_only,
        progress::{Progress, StepState, progress},
        recovery::{Kept, Settled, settle},
    },
    ports::{artifacts::Artifacts, enrolment::Requests, journal::Journal},
};

/// A run that did not come to its end, and how far it is.
pub(super) struct Unfinished {
    pub(super) run: Run,
    pub(super) progress: Progress,
}

/// How far a run is, with what it has kept.
pub(super) struct Standing {
    pub(super) settled: Settled,
    pub(super) kept: Kept,
}

/// Reads a run. None when it died before it wrote down what it would do: then it did nothing.
pub(super) fn read(store: &Store, run: &str) -> Result<Option<Progress>, CommandError> {
    Ok(progress(&store.read(run)?))
}

/// The newest run, unless it came to its end. The lock has to be held: a run that goes on is not open to others.
pub(super) fn find(store: &Store) -> Result<Option<Unfinished>, CommandError> {
    for run in store.runs()? {
        if let Some(progress) = read(store, &run)? {
            let unfinished = || Ok(Unfinished { run: store.resume(&run)?, progress });
            return if progress_is_over(store, &run)? { Ok(None) } else { unfinished().map(Some) };
        }
    }
    Ok(None)
}

fn progress_is_over(store: &Store, run: &str) -> Result<bool, CommandError> {
    Ok(read(store, run)?.is_none_or(|progress| progress.is_over()))
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

/// What a run keeps: certificates with their keys that were issued, and answers that have come since.
fn kept(progress: &Progress, files: &RunFiles, session: &Session) -> Result<Kept, CommandError> {
    let mut kept = Kept::new();
    let failed = |error: crate::ports::BoxError| {
        CommandError::new(Exit::Error, "what the run has kept cannot be read").because(error)
    };
    for step in &progress.plan.steps {
        let certificate = match &step.action {
            Action::Issue { .. } => {
                files.issued(step.id).map_err(|error| failed(error.into()))?.map(|bundle| bundle.certificate)
            }
            Action::Await { until } | Action::Manual { until, .. } => {
                answer(progress, until, session).map_err(|error| failed(error.into()))?
            }
            _ => None,
        };
        kept.extend(certificate.map(|certificate| (step.id, certificate)));
    }
    Ok(kept)
}

fn answer(
    progress: &Progress,
    until: &Condition,
    session: &Session,
) -> Result<Option<crate::model::certificate::Certificate>, crate::ports::enrolment::RequestError> {
    let Condition::Answer { file, request, public_key, .. } = until else { return Ok(None) };
    let done = progress.done();
    let of_step = match request {
        CertRef::FromStep(step) => match done.get(step) {
            Some(StepOutput::Request { public_key, .. }) => Some(public_key.clone()),
            _ => return Ok(None),
        },
        CertRef::Known(_) => None,
    };
    let wanted = public_key.clone().or(of_step);
    let answer = session.requests().answer(file)?.map(|answer| answer.certificate);
    Ok(answer.filter(|answer| wanted.as_ref().is_none_or(|wanted| *wanted == answer.public_key)))
}

impl Unfinished {
    pub(super) fn name(&self) -> &str {
        self.run.run()
    }

    /// What its plan is narrowed to.
    pub(super) fn narrowing(&self) -> Narrowing {
        self.progress.plan.only.as_ref().map(Narrowing::from).unwrap_or_default()
    }

    /// Why the run cannot go on as it was planned; none when it can.
    pub(super) fn obstacles(
        &self,
        standing: &Standing,
        session: &Session,
        observed: &Observed,
    ) -> Vec<Unsafe> {
        let Standing { settled, kept } = standing;
        let now = session.driver.now();
        lint::lint_rest(&self.progress.plan, settled, kept, &session.desired, observed, now)
    }

    /// The servers that did not serve what they should when they were met last.
    pub(super) fn served_wrongly(&self) -> BTreeSet<ServerName> {
        let failed = |step: &&Step| {
            let record = self.progress.steps.get(&step.id);
            matches!(step.action, Action::Verify { .. })
                && matches!(record.map(|record| &record.state), Some(StepState::Failed(_)))
        };
        let failed = self.progress.plan.steps.iter().filter(failed);
        failed.filter_map(|step| step.action.server()).cloned().collect()
    }

    /// Services that were met with an old certificate, and that no step of the run restarts: each as a sentence.
    pub(super) fn not_restarted(&self, session: &Session, observed: &Observed) -> Vec<String> {
        let again = plan_only(&self.narrowing(), &session.desired, observed, session.driver.now());
        let restarts = |plan: &Plan, action: &Action| plan.steps.iter().any(|step| step.action == *action);
        let still = again.steps.iter().filter(|step| !restarts(&self.progress.plan, &step.action));
        let why = still.flat_map(|step| &step.why).filter(|why| matches!(why, Reason::ServesStill { .. }));
        why.map(ToString::to_string).collect()
    }

    /// What its plan said could not be done. It may be possible by now, and only a new plan tells.
    pub(super) fn cannot(&self, settled: &Settled) -> Option<String> {
        self.rest(settled).steps.into_iter().find_map(|step| match step.action {
            Action::CannotApply { why, .. } => Some(why),
            _ => None,
        })
    }

    /// Notes that nobody will go on with the run, and forgets its keys.
    pub(super) fn give_up(&self, files: &RunFiles, at: Timestamp) -> Result<(), CommandError> {
        self.run.append(&Entry::Closed { at, outcome: Outcome::Abandoned })?;
        files.forget_issued().map_err(|error| {
            CommandError::new(Exit::Error, "the keys of the run cannot be removed").because(error)
        })
    }

    /// The plan with the steps that are left.
    pub(super) fn rest(&self, settled: &Settled) -> Plan {
        let mut rest = self.progress.plan.clone();
        rest.steps.retain(|step| !settled.done.contains_key(&step.id));
        rest
    }
}

impl Standing {
    /// Certificates that were issued, are on no server yet, and would be lost with the run's files.
    pub(super) fn would_be_lost(&self, observed: &Observed) -> Vec<String> {
        let stored = |thumbprint| {
            observed.organization.servers.values().any(|server| server.certificate(thumbprint).is_some())
        };
        let lost = self.kept.values().filter(|certificate| !stored(certificate.thumbprint));
        lost.map(|certificate| format!("{} {}", certificate.thumbprint.short(), certificate.subject))
            .collect()
    }
}
