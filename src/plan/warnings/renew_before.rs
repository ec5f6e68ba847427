//! Spans before the end that are longer than the whole life: they would renew for ever, and count as a third of it.

use crate::{
    model::{
        desired::{Desired, DesiredCertificate},
        organization::Organization,
        server::StoredCertificate,
        warning::ExpiryNotice,
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decisions, Supply},
        rules::renew_from,
    },
};

/// Warns of each certificate that stays and whose `renewBefore` is not shorter than its life, the Auth certificate among them.
pub(in crate::plan) fn warn(
    builder: &mut PlanBuilder,
    (desired, organization): (&Desired, &Organization),
    decisions: &Decisions<'_>,
) {
    let mut found = Vec::new();
    for decision in decisions.all() {
        let Supply::Have { thumbprint, .. } = decision.supply else { continue };
        let certificate = decision.certificate;
        let mut servers = certificate.servers.iter().filter_map(|name| organization.servers.get(name));
        let stored = servers.find_map(|server| server.certificate(thumbprint));
        found.extend(stored.and_then(|stored| too_long(certificate, stored)));
    }
    let auth = desired.auth.as_ref().and_then(|auth| {
        let current = organization.auth.known()?.as_ref()?.current?;
        let stored = organization.servers.values().find_map(|server| server.certificate(current))?;
        too_long(&auth.certificate, stored)
    });
    for notice in found.into_iter().chain(auth) {
        builder.warn(notice);
    }
}

fn too_long(certificate: &DesiredCertificate, stored: &StoredCertificate) -> Option<ExpiryNotice> {
    let facts = &stored.certificate;
    let lifetime = facts.not_after.since(facts.not_before);
    certificate.renew_before.is_too_long_for(lifetime).then(|| ExpiryNotice::RenewBeforeTooLong {
        certificate: certificate.id.clone(),
        thumbprint: facts.thumbprint,
        declared: certificate.renew_before.to_string(),
        lives: lifetime,
        from: renew_from(certificate, stored),
    })
}
