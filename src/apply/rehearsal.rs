//! A plan carried out on a copy of the organization.

use crate::{
    apply::report::Report,
    exchange::services,
    model::{
        desired::Desired,
        entry::Outcome,
        names::ServerName,
        organization::Observed,
        plan::{Plan, Step},
        time::Timestamp,
        unfinished_run::UnfinishedRun,
    },
    plan::{
        self, Narrowing,
        lint::{self, Unsafe},
        progress::Progress,
        recovery::{self, Kept},
        rollback::{self, LostBackups},
    },
    verify::{
        check::Check,
        expectations::{Declared, declared},
        row::Row,
    },
};

/// A copy of an organization, with all that a run on it needs and somebody who plays the people.
pub trait Stage {
    /// Why it could not do something.
    type Error;

    /// The manifest on the copy. An answer that came is in it from then on.
    fn desired(&self) -> &Desired;

    /// The time on the copy.
    fn now(&self) -> Timestamp;

    /// Looks at the copy.
    fn look(&self) -> Result<Observed, Self::Error>;

    /// Carries a plan out on the copy, as a run of its own.
    fn apply(&mut self, plan: &Plan) -> Result<Report, Self::Error>;

    /// Plays the CAs: answers every open request. Returns the requests by their files.
    fn answer(&mut self) -> Result<Vec<String>, Self::Error>;

    /// Plays the people who do what certwright cannot. Returns what they did, as the steps say it.
    fn play_people(&mut self, plan: &Plan, report: &Report) -> Result<Vec<String>, Self::Error>;

    /// Meets endpoints of the copy.
    fn meet(&self, checks: &[Check]) -> Vec<Row>;

    /// What a run on the copy did, and what it keeps; none when it did nothing.
    fn recall(&self, run: &str) -> Result<Option<(Progress, Kept)>, Self::Error>;
}

/// Why a rehearsal did not come to its end.
#[derive(Debug)]
pub enum RehearsalError<E> {
    /// A plan was not safe, and was not carried out.
    Unsafe(Vec<Unsafe>),
    /// The stage could not do something.
    Stage(E),
}

impl<E> From<E> for RehearsalError<E> {
    fn from(error: E) -> Self {
        Self::Stage(error)
    }
}

/// A plan that was carried out on a copy of the organization.
#[derive(Debug)]
pub struct Rehearsal {
    /// The format of this file.
    pub version: u32,
    /// The time that it was rehearsed for.
    pub at: Timestamp,
    /// The runs: one, and one more after each answer of a CA.
    pub rounds: Vec<Round>,
    /// What the copy's endpoints served afterwards.
    pub rows: Vec<Row>,
    /// The plan that was left to make afterwards.
    pub left: Plan,
    /// The way back: a run for each run, the newest first.
    pub back: Vec<Round>,
    /// Why there is no way back, or not all of it.
    pub no_way_back: Option<String>,
    /// What was different from the beginning when everything had been taken back.
    pub different: Vec<String>,
    /// The newest run of the organization itself, when it did not come to its end.
    pub unfinished_run: Option<UnfinishedRun>,
}

/// A run of a rehearsal.
#[derive(Debug)]
pub struct Round {
    /// What was to be done.
    pub plan: Plan,
    /// What came of it.
    pub report: Report,
    /// The requests that a CA of the copy answered afterwards.
    pub answered: Vec<String>,
    /// What people did on the copy afterwards, as the steps say it.
    pub by_hand: Vec<String>,
}

/// Rehearses a plan: carries it out, answers and does by hand what it waits for, until nothing is left to do or nothing
/// helps; looks at what is served then; and takes everything back. `unsafe_words` says why a way back is not gone.
pub fn rehearse<S: Stage>(
    stage: &mut S,
    planned: &Plan,
    narrowing: &Narrowing,
    unsafe_words: &dyn Fn(&[Unsafe]) -> String,
) -> Result<Rehearsal, RehearsalError<S::Error>> {
    let before = stage.look()?;
    let mut rounds: Vec<Round> = Vec::new();
    let left = loop {
        let observed = stage.look()?;
        let plan = next(stage, narrowing, &observed);
        prove(stage, &plan, &observed).map_err(RehearsalError::Unsafe)?;
        let goes_on = rounds.last().is_none_or(|round| round.report.outcome == Outcome::Waiting);
        if plan.is_empty() || !goes_on || rounds.len() == MOST_ROUNDS {
            break plan;
        }
        let report = stage.apply(&plan)?;
        let answered = stage.answer()?;
        let by_hand = stage.play_people(&plan, &report)?;
        // Thumbprints are the copy's own; where the steps are the same, the real ones tell more.
        let shown = if rounds.is_empty() && same_steps(&plan, planned) { planned.clone() } else { plan };
        let waits_in_vain = report.outcome == Outcome::Waiting && answered.is_empty() && by_hand.is_empty();
        rounds.push(Round { plan: shown, report, answered, by_hand });
        if waits_in_vain {
            let observed = stage.look()?;
            break next(stage, narrowing, &observed);
        }
    };
    let observed = stage.look()?;
    let part = plan::part(narrowing, stage.desired(), &observed, stage.now());
    let Declared { checks, .. } = declared(&part, &observed, stage.now());
    let rows = stage.meet(&checks);
    let runs: Vec<String> = rounds.iter().map(|round| round.report.run.clone()).collect();
    let (back, no_way_back) = take_back(stage, &runs, unsafe_words)?;
    let after = stage.look()?;
    let told = |mut observed: Observed| {
        // What is only displayed of services is computed from bindings and names, however a capture has shown it.
        observed.organization.servers.values_mut().for_each(services::refresh);
        plan::facts(stage.desired(), &observed.organization)
    };
    let different = plan::changed_facts(&told(before), &told(after));
    let at = stage.now();
    Ok(Rehearsal { version: 1, at, rounds, rows, left, back, no_way_back, different, unfinished_run: None })
}

fn next<S: Stage>(stage: &S, narrowing: &Narrowing, observed: &Observed) -> Plan {
    plan::plan_only(narrowing, stage.desired(), observed, stage.now())
}

fn prove<S: Stage>(stage: &S, plan: &Plan, observed: &Observed) -> Result<(), Vec<Unsafe>> {
    let problems = lint::lint(plan, stage.desired(), observed, stage.now());
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Takes the runs back, the newest first, as far as there is a way: what was done, and why not everything.
fn take_back<S: Stage>(
    stage: &mut S,
    runs: &[String],
    unsafe_words: &dyn Fn(&[Unsafe]) -> String,
) -> Result<(Vec<Round>, Option<String>), S::Error> {
    let mut back = Vec::new();
    for run in runs.iter().rev() {
        let Some((progress, kept)) = stage.recall(run)? else { continue };
        let observed = stage.look()?;
        let settled = match recovery::settle(&progress, &observed, &kept, stage.now()) {
            Ok(settled) => settled,
            Err(unsettled) => return Ok((back, Some(unsettled.to_string()))),
        };
        let (none_lost, desired) = (LostBackups::new(), stage.desired());
        let plan = rollback::rollback(run, &progress, &settled, &none_lost, desired, &observed, stage.now());
        if plan.is_empty() {
            continue;
        }
        if let Err(problems) = prove(stage, &plan, &observed) {
            return Ok((back, Some(unsafe_words(&problems))));
        }
        let report = stage.apply(&plan)?;
        let stopped = report.outcome != Outcome::Converged;
        back.push(Round { plan, report, answered: Vec::new(), by_hand: Vec::new() });
        if stopped {
            break;
        }
    }
    Ok((back, None))
}

/// Whether both plans do the same in the same order, whatever the thumbprints.
fn same_steps(one: &Plan, other: &Plan) -> bool {
    let told = |plan: &Plan| -> Vec<_> {
        let step = |step: &Step| -> (_, _, Option<ServerName>, _) {
            (step.id, step.action.verb(), step.action.server().cloned(), step.certificate.clone())
        };
        plan.steps.iter().map(step).collect()
    };
    told(one) == told(other)
}

/// A CA's answer leads to one more round; nothing leads to many.
const MOST_ROUNDS: usize = 6;
