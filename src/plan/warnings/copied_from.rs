//! Keys that come from another server than the one that `copyFrom` names.

use crate::{
    model::{organization::Organization, warning::RunWarning},
    plan::{
        builder::PlanBuilder,
        decision::{Decisions, Supply},
    },
};

/// Warns of each certificate whose key another server gives.
pub(in crate::plan) fn warn(
    builder: &mut PlanBuilder,
    organization: &Organization,
    decisions: &Decisions<'_>,
) {
    for decision in decisions.all() {
        let certificate = decision.certificate;
        let Supply::Have { thumbprint, missing, from: Some(from) } = &decision.supply else { continue };
        let Some(wanted) = certificate.copy_from.as_ref().filter(|wanted| *wanted != from) else { continue };
        if missing.is_empty() {
            continue;
        }
        let held = organization.servers.get(wanted).and_then(|server| server.certificate(*thumbprint));
        builder.warn(RunWarning::CopiedFromElsewhere {
            certificate: certificate.id.clone(),
            wanted: wanted.clone(),
            holds_it: held.is_some_and(|stored| stored.has_private_key),
            from: from.clone(),
        });
    }
}
