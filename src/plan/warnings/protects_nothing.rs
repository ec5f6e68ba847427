//! Entries of `protect` that protect nothing: what was meant is not safe.

use crate::{
    model::{
        desired::Desired, organization::Organization, protection::Fit, server::StoredCertificate,
        warning::RunWarning,
    },
    plan::{builder::PlanBuilder, lineage},
};

/// Warns of each entry that fits no certificate of any server. While a store is not seen, what is meant may lie there.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, desired: &Desired, organization: &Organization) {
    let unseen =
        |name| organization.servers.get(name).is_none_or(|server| server.certificates.known().is_none());
    if desired.protect.is_empty() || desired.servers.keys().any(unseen) {
        return;
    }
    let stores = || organization.servers.values().filter_map(|server| server.certificates.known());
    let fits_one = |rule| {
        stores()
            .flat_map(|store| store.0.values())
            .any(|stored: &StoredCertificate| lineage::protects(rule, stored) >= Fit::Perhaps)
    };
    for (index, rule) in desired.protect.iter().enumerate().filter(|(_, rule)| !fits_one(rule)) {
        builder.warn(RunWarning::ProtectsNothing { index, rule: rule.clone() });
    }
}
