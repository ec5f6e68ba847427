//! How many superseded certificates go in one plan. A limit is there so that not many disappear at once: what is too much
//! waits for a later plan, and what else is due is done.

use super::removals::Removal;
use crate::{
    model::{
        organization::Observed,
        plan::{LeftBecause, removed_for_good},
        share::Share,
    },
    plan::{builder::PlanBuilder, predecessors::was_used},
};

/// How many certificates a plan may remove.
#[derive(Clone, Copy, Debug)]
pub(in crate::plan) struct Limit {
    /// As the manifest says it.
    pub(in crate::plan) limit: Share,
    /// How many that are.
    pub(in crate::plan) allowed: usize,
}

impl Limit {
    /// The removals that this plan may still make, and those that wait. What has ended goes before what is valid, what nothing
    /// used before what this plan takes out of use, and what nothing names before what send connectors name.
    pub(super) fn split<'a>(
        self,
        builder: &PlanBuilder,
        observed: &Observed,
        mut removals: Vec<Removal<'a>>,
    ) -> (Vec<Removal<'a>>, Vec<(Removal<'a>, LeftBecause)>) {
        let Self { limit, allowed } = self;
        let planned = removed_for_good(builder.steps());
        let budget = allowed.saturating_sub(planned);
        if removals.len() <= budget {
            return (removals, Vec::new());
        }
        removals.sort_by_cached_key(|own| {
            let stored = builder.server(&own.server).and_then(|server| server.certificate(own.thumbprint));
            let is_valid = stored.is_some_and(|stored| stored.certificate.is_valid_at(builder.now));
            let used = was_used(observed, &own.server, own.thumbprint, builder.now);
            (used, is_valid, !own.tagged.is_empty())
        });
        let waiting = removals.split_off(budget).into_iter().map(|own| {
            let why = LeftBecause::OverLimit { limit, allowed, of: own.id.clone(), since: own.since };
            (own, why)
        });
        let waiting = waiting.collect();
        (removals, waiting)
    }
}
