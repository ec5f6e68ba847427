//! What becomes of a run that is not finished: it goes on, it is given up, or nothing is begun before a person has
//! decided. Pure: whoever asks has read the journal and looked at the organization.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
};

use crate::{
    model::{
        action::{Action, StepId},
        cannot::Cannot,
        certificate::Certificate,
        desired::Desired,
        names::ServerName,
        organization::Observed,
        plan::{Only, Plan, Step},
        reason::Reason,
        service::Restartable,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::{
        Narrowing,
        lint::{self, Unsafe},
        plan_certificate, plan_only,
        progress::{Progress, StepState},
        recovery::{Kept, Settled},
    },
};

/// What a command is asked to do, as far as it matters for a run that did not come to its end.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Whether a run that did not come to its end is given up.
    pub abandon: bool,
    /// The saved plan that is to be carried out.
    pub saved: Option<&'a Plan>,
    /// What a new plan would be narrowed to.
    pub narrowing: &'a Narrowing,
    /// The certificates that a new plan would replace because somebody says so.
    pub replaced: &'a [Thumbprint],
}

/// How far a run is, with what it has kept.
#[derive(Debug)]
pub struct Standing {
    /// What was done, and what was begun.
    pub settled: Settled,
    /// The certificates that it keeps.
    pub kept: Kept,
}

/// What becomes of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a run that did not come to its end may hold the only key of a certificate"]
pub enum Course {
    /// It goes on with these steps.
    GoOn(Box<Plan>),
    /// It does not go on.
    End(End),
}

/// What becomes of a run that does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a run that did not come to its end may hold the only key of a certificate"]
pub enum End {
    /// Nobody goes on with it, and a new plan is made.
    GiveUp(GivenUp),
    /// Nothing is begun.
    Refuse(Refused),
}

/// Why a run is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// Somebody said so.
    Asked,
    /// All that is left is what its plan said could not be done; this is what.
    DidWhatItCould(Cannot),
    /// It cannot go on as it was planned, for this reason first of all, and nothing is lost with it.
    DoesNotFit(Obstacle),
}

/// Why nothing is begun while a run is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It takes back this run.
    TakesBack(String),
    /// It was of another plan than the saved one.
    OtherPlan,
    /// It is for another part of the manifest: this one, or the whole.
    OtherPart(Option<Only>),
    /// It does not replace these certificates, and somebody asks for that.
    OtherReplacement(Vec<Thumbprint>),
    /// It cannot go on as it was planned, and giving it up would lose something.
    DoesNotFit {
        /// What stands in the way.
        obstacles: Vec<Obstacle>,
        /// Certificates that are on no server yet.
        lost: Vec<Certificate>,
    },
}

/// Why a run cannot go on as it was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// What is left of its plan is not safe any more.
    Unsafe(Unsafe),
    /// What a new plan would say, and its own does not know.
    News(Reason),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsafe(law) => law.fmt(f),
            Self::News(reason) => reason.fmt(f),
        }
    }
}

/// What is decided before anything is looked at; none when the organization has to be asked.
pub fn at_first(progress: &Progress, asked: &Asked<'_>) -> Option<End> {
    if asked.abandon {
        return Some(End::GiveUp(GivenUp::Asked));
    }
    let plan = &progress.plan;
    if let Some(taken_back) = &plan.rolls_back {
        return Some(End::Refuse(Refused::TakesBack(taken_back.clone())));
    }
    if !asked.narrowing.is_empty() && *asked.narrowing != narrowing(progress) {
        return Some(End::Refuse(Refused::OtherPart(plan.only.clone())));
    }
    not_replaced(progress, asked.replaced).map(End::Refuse)
}

/// What the run would silently leave: certificates that somebody wants replaced, and that its plan does not replace for that.
pub fn not_replaced(progress: &Progress, asked: &[Thumbprint]) -> Option<Refused> {
    let replaced = progress.plan.compromised();
    let left: Vec<Thumbprint> = asked.iter().copied().filter(|own| !replaced.contains(own)).collect();
    (!left.is_empty()).then_some(Refused::OtherReplacement(left))
}

/// Whether a saved plan is to be carried out that is not the run's own.
pub fn is_of_another_plan(progress: &Progress, asked: &Asked<'_>) -> bool {
    asked.saved.is_some_and(|saved| *saved != progress.plan)
}

/// What is decided once it is known how far the run is. `obstacles` are the reasons why it cannot go on as it was planned.
pub fn course(
    progress: &Progress,
    asked: &Asked<'_>,
    standing: &Standing,
    obstacles: Vec<Obstacle>,
    observed: &Observed,
) -> Course {
    let rest = rest(progress, &standing.settled);
    let lost = would_be_lost(&standing.kept, observed);
    let nothing_lost = lost.is_empty() && standing.settled.begun.is_empty();
    if let (Some(why), true) = (cannot(&rest), nothing_lost) {
        return Course::End(End::GiveUp(GivenUp::DidWhatItCould(why)));
    }
    match obstacles.first() {
        Some(first) if nothing_lost => Course::End(End::GiveUp(GivenUp::DoesNotFit(first.clone()))),
        _ if is_of_another_plan(progress, asked) => Course::End(End::Refuse(Refused::OtherPlan)),
        None => Course::GoOn(Box::new(rest)),
        Some(_) => Course::End(End::Refuse(Refused::DoesNotFit { obstacles, lost })),
    }
}

/// Why what is left of the run's plan is not safe any more; none when it is.
pub fn unsafe_rest(
    progress: &Progress,
    standing: &Standing,
    desired: &Desired,
    observed: &Observed,
    now: Timestamp,
) -> Vec<Unsafe> {
    let Standing { settled, kept } = standing;
    lint::lint_rest(&progress.plan, settled, kept, desired, observed, now)
}

/// Why the run cannot go on as it was planned, by what was observed: what is left of its plan is not safe any more, or
/// services were met with an old certificate and no step of it restarts them.
pub fn obstacles(
    progress: &Progress,
    standing: &Standing,
    desired: &Desired,
    observed: &Observed,
    served: &Observed,
    now: Timestamp,
) -> Vec<Obstacle> {
    let unsafe_rest = unsafe_rest(progress, standing, desired, observed, now);
    let mut obstacles: Vec<Obstacle> = unsafe_rest.into_iter().map(Obstacle::Unsafe).collect();
    let mut news = not_restarted(progress, desired, served, now);
    news.extend(unfit_answers(progress, standing, desired, observed, now));
    obstacles.extend(news.into_iter().map(Obstacle::News));
    obstacles
}

/// Answers of CAs that lie there for what is left of the run, and that do not do.
fn unfit_answers(
    progress: &Progress,
    standing: &Standing,
    desired: &Desired,
    observed: &Observed,
    now: Timestamp,
) -> Vec<Reason> {
    let left = progress.plan.steps.iter().filter(|step| !standing.settled.done.contains_key(&step.id));
    let completing = left.filter(|step| matches!(step.action, Action::Complete { .. }));
    let decisions = completing
        .filter_map(|step| plan_certificate(step.certificate.as_ref()?, desired, observed, now))
        .flat_map(|decision| decision.reasons);
    let unfit = decisions.filter(|reason| {
        matches!(
            reason,
            Reason::AnswerDoesNotFit { .. } | Reason::AnswerUnread { .. } | Reason::NotTrusted { .. }
        )
    });
    unfit.collect()
}

/// The servers that did not serve what they should when they were met last.
pub fn served_wrongly(progress: &Progress) -> BTreeSet<ServerName> {
    let failed = |step: &&Step| {
        let record = progress.steps.get(&step.id);
        matches!(step.action, Action::Verify { .. })
            && matches!(record.map(|record| &record.state), Some(StepState::Failed(_)))
    };
    let failed = progress.plan.steps.iter().filter(failed);
    failed.filter_map(|step| step.action.server()).cloned().collect()
}

/// Restarts that were begun and are done again, since nothing that can be observed tells whether they happened: Exchange shows
/// whether a service runs, and not since when.
pub fn restarted_again<'a>(
    progress: &'a Progress,
    settled: &'a Settled,
) -> impl Iterator<Item = (StepId, &'a ServerName, Restartable)> {
    let again = progress.plan.steps.iter().filter(|step| settled.again.contains(&step.id));
    again.filter_map(|step| match &step.action {
        Action::Restart { server, service, unless_served, .. } if unless_served.is_empty() => {
            Some((step.id, server, *service))
        }
        _ => None,
    })
}

/// What the run's plan is narrowed to.
pub fn narrowing(progress: &Progress) -> Narrowing {
    progress.plan.only.as_ref().map(Narrowing::from).unwrap_or_default()
}

/// The plan with the steps that are left.
pub fn rest(progress: &Progress, settled: &Settled) -> Plan {
    let mut rest = progress.plan.clone();
    rest.steps.retain(|step| !settled.done.contains_key(&step.id));
    rest
}

/// Services that were met with an old certificate, and that no step of the run restarts.
fn not_restarted(progress: &Progress, desired: &Desired, observed: &Observed, now: Timestamp) -> Vec<Reason> {
    let again = plan_only(&narrowing(progress), desired, observed, now);
    let serve_still = |why: &&Reason| matches!(why, Reason::ServesStill { .. });
    let restarted: BTreeSet<_> = progress.plan.steps.iter().filter_map(restarts).collect();
    let is_planned = |step: &Step| match restarts(step) {
        Some(restart) => restarted.contains(&restart),
        None => progress.plan.steps.iter().any(|own| own.action == step.action),
    };
    let still =
        again.steps.iter().filter(|step| step.why.iter().any(|why| serve_still(&why)) && !is_planned(step));
    still.flat_map(|step| &step.why).filter(serve_still).cloned().collect()
}

fn restarts(step: &Step) -> Option<(&ServerName, Restartable)> {
    match &step.action {
        Action::Restart { server, service, .. } => Some((server, *service)),
        _ => None,
    }
}

/// What the plan said could not be done. It may be possible by now, and only a new plan tells.
fn cannot(rest: &Plan) -> Option<Cannot> {
    rest.steps.iter().find_map(|step| match &step.action {
        Action::CannotApply { why, .. } => Some(why.clone()),
        _ => None,
    })
}

/// Certificates that were issued, are on no server yet, and would be lost with the run's files. A new plan finds a CA's answer
/// to a request that a server holds.
fn would_be_lost(kept: &Kept, observed: &Observed) -> Vec<Certificate> {
    if kept.is_empty() {
        return Vec::new();
    }
    let servers = || observed.organization.servers.values();
    let stores = servers().filter_map(|server| server.certificates.known());
    let held: HashSet<Thumbprint> = stores.flat_map(|store| store.0.keys().copied()).collect();
    let requests = servers().flat_map(|server| server.requests.known().into_iter().flatten());
    let requested: HashSet<_> = requests.map(|request| &request.certificate.public_key).collect();
    let is_safe = |own: &&Certificate| held.contains(&own.thumbprint) || requested.contains(&own.public_key);
    kept.values().filter(|own| !is_safe(own)).cloned().collect()
}

#[cfg(test)]
mod tests;
