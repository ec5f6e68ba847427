//! Whether a plan may be carried out: within the bounds of the manifest, and safe at every step.

use super::{
    error::{CommandError, Exit},
    session::Session,
};
use crate::{
    model::{organization::Observed, plan::Plan},
    plan::lint::{self, Unsafe},
};

/// Refuses a plan that is not safe.
pub(super) fn prove(plan: &Plan, session: &Session, observed: &Observed) -> Result<(), CommandError> {
    within_limits(plan, session)?;
    let problems = lint::lint(plan, &session.desired, observed, session.driver.now());
    if problems.is_empty() { Ok(()) } else { Err(unsafe_plan(&problems)) }
}

/// Why an unsafe plan is refused.
pub(super) fn unsafe_plan(problems: &[Unsafe]) -> CommandError {
    let error = CommandError::new(Exit::Error, "the plan is not safe, and nothing is done").detail(
        "A plan is carried out on paper first; at every step every endpoint must keep a valid certificate.",
    );
    problems.iter().fold(error, |error, problem| error.detail(format!("- {problem} [{}]", problem.law())))
}

/// Refuses a plan that removes more than the manifest allows.
fn within_limits(plan: &Plan, session: &Session) -> Result<(), CommandError> {
    let Some(limit) = session.desired.limits.removals else { return Ok(()) };
    let removals = plan.steps.iter().map(|step| step.action.removals().len()).sum::<usize>();
    let allowed = limit.of(plan.seen.certificates);
    if removals <= allowed {
        return Ok(());
    }
    Err(CommandError::new(Exit::Error, format!("the plan would remove {removals} certificates"))
        .detail(format!(
            "`limits.removals` is {limit}, which is {allowed} of the {} certificates on these servers; nothing is done.",
            plan.seen.certificates
        ))
        .hint("see whether that many should really go; then raise `limits.removals`, or narrow the plan with --server or --certificate")
        .hint("keep them for now: retire: never"))
}
