//! What the answers of CAs bring that came while a run waited for them: its plan was made before anybody could look at them.

use std::collections::BTreeSet;

use super::resume::{Standing, narrowing};
use crate::{
    model::{
        action::Action,
        desired::{CertificateId, Desired},
        diagnostic::Coded,
        organization::Observed,
        plan::Plan,
        time::Timestamp,
        warning::Warning,
    },
    plan::{plan_only, progress::Progress},
};

/// The warnings of a plan that is made now about certificates whose answers have come, and that the run's own plan does not have.
pub fn warnings(
    progress: &Progress,
    rest: &Plan,
    standing: &Standing,
    desired: &Desired,
    observed: &Observed,
    now: Timestamp,
) -> Vec<Warning> {
    let done = progress.done();
    let awaited = progress.plan.steps.iter().filter(|step| matches!(step.action, Action::Await { .. }));
    let answered =
        awaited.filter(|step| standing.kept.contains_key(&step.id) && !done.contains_key(&step.id));
    let answered: BTreeSet<&CertificateId> = answered.filter_map(|step| step.certificate.as_ref()).collect();
    if answered.is_empty() {
        return Vec::new();
    }
    let fresh = plan_only(&narrowing(progress), desired, observed, now);
    let is_new = |warning: &Warning| {
        let subject = warning.diagnostic().subject;
        let told = progress.plan.warnings.contains(warning) || rest.warnings.contains(warning);
        !told && subject.certificate.is_some_and(|id| answered.contains(&id))
    };
    fresh.warnings.into_iter().filter(is_new).collect()
}
