//! Whether a plan may be carried out: within the bounds of the manifest, and safe at every step.

use std::collections::BTreeMap;

use super::{
    error::{CommandError, Exit},
    session::Session,
};
use crate::{
    exchange::cmdlet::{self, Capability},
    model::{
        action::StepId,
        names::ServerName,
        organization::Observed,
        plan::{Plan, removed_for_good},
    },
    plan::lint::{self, Unsafe},
};

/// Refuses a plan that is not safe.
pub(super) fn prove(plan: &Plan, session: &Session, observed: &Observed) -> Result<(), CommandError> {
    let problems = problems(plan, session, observed)?;
    if problems.is_empty() { Ok(()) } else { Err(unsafe_plan(&problems)) }
}

/// Refuses a way back that is not safe: what the run replaced is of no use by now, and nothing is wrong with the plan.
pub(super) fn prove_way_back(
    plan: &Plan,
    session: &Session,
    observed: &Observed,
    forward: &str,
) -> Result<(), CommandError> {
    let problems = problems(plan, session, observed)?;
    if problems.is_empty() {
        return Ok(());
    }
    let error = CommandError::new(Exit::Cannot, "the rollback is not safe, and nothing is done").detail(
        "It would give services back what is not valid any more, or take a valid certificate from them.",
    );
    Err(listing(error, &problems).hint(format!(
        "what the run brought stays in use; where it should not, replace it instead: {forward} --replace NAME"
    )))
}

/// Why an unsafe plan is refused.
pub(super) fn unsafe_plan(problems: &[Unsafe]) -> CommandError {
    let error = CommandError::new(Exit::Error, "the plan is not safe, and nothing is done")
        .detail("A plan is simulated first; at every step every endpoint must keep a valid certificate.");
    listing(error, problems)
}

/// What is not safe in a plan that keeps within its bounds.
fn problems(plan: &Plan, session: &Session, observed: &Observed) -> Result<Vec<Unsafe>, CommandError> {
    within_limits(plan, session)?;
    within_reach(plan, session, observed)?;
    Ok(lint::lint(plan, &session.desired, observed, session.driver.now()))
}

fn listing(error: CommandError, problems: &[Unsafe]) -> CommandError {
    problems.iter().fold(error, |error, problem| error.detail(format!("- {problem} [{}]", problem.law())))
}

/// Refuses a plan that needs what the ways to its servers cannot do, before anything of it is done. What only looks, carries
/// no plan out.
fn within_reach(plan: &Plan, session: &Session, observed: &Observed) -> Result<(), CommandError> {
    let Some(driver) = session.driver.acting() else { return Ok(()) };
    let mut beyond: BTreeMap<(ServerName, Capability), Vec<StepId>> = BTreeMap::new();
    for step in &plan.steps {
        for (server, needed) in cmdlet::needs(&step.action, step.id, &observed.organization) {
            if !driver.capabilities(&server).contains(&needed) {
                beyond.entry((server, needed)).or_default().push(step.id);
            }
        }
    }
    if beyond.is_empty() {
        return Ok(());
    }
    let error = CommandError::new(Exit::Error, "the plan needs more than the ways to its servers can do")
        .detail(
            "Half of a plan would leave services without the certificate that they name; nothing is done.",
        );
    let mut error = beyond.iter().fold(error, |error, ((server, needed), steps)| {
        let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
        let why = driver.refusal(server, *needed).map_or_else(String::new, |why| format!("; {why}"));
        error.detail(format!("- {needed} of {server}: step {}{why}", steps.join(", ")))
    });
    let is_refused = |(server, needed): &&(ServerName, Capability)| driver.refusal(server, *needed).is_some();
    let (refused, others): (Vec<_>, Vec<_>) = beyond.keys().partition(is_refused);
    if !refused.is_empty() {
        error = error
            .hint("let the account be a local administrator of these servers, whom Windows remote management lets in")
            .hint("see what works and what does not: certwright doctor");
    }
    if others.iter().any(|(_, needed)| *needed == Capability::ExchangeCmdlets) {
        error = error.hint("Exchange 2007 answers to its own shell only: certwright plan --format powershell prints the steps for it");
    }
    if others.iter().any(|(_, needed)| *needed != Capability::ExchangeCmdlets) {
        error = error
            .hint(
                "say how Windows of the servers is reached: driver: { powershell: { windows: { ssh: {} } } }",
            )
            .hint("see what works and what does not: certwright doctor");
    }
    Err(error)
}

/// Refuses a plan that removes more old certificates than the manifest allows. A way back removes what its run brought.
fn within_limits(plan: &Plan, session: &Session) -> Result<(), CommandError> {
    if plan.rolls_back.is_some() {
        return Ok(());
    }
    let limit = session.desired.limits.removals;
    let removals = removed_for_good(&plan.steps);
    let allowed = limit.of(plan.seen.certificates);
    if removals <= allowed {
        return Ok(());
    }
    Err(CommandError::new(Exit::LimitExceeded, format!("the plan would remove {removals} certificate{}", if removals == 1 { "" } else { "s" }))
        .detail(format!(
            "`limits.removals` is {limit}, which is {allowed} of the {} certificates on these servers; nothing is done.",
            plan.seen.certificates
        ))
        .hint("see whether that many should really go; then raise `limits.removals`, or narrow the plan with --server or --certificate")
        .hint("keep them for now: retire: never"))
}
