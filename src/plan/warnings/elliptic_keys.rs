//! New certificates with keys on elliptic curves (facts 8.4).

use crate::{
    model::{key::KeySpec, warning::ServerWarning},
    plan::{
        builder::PlanBuilder,
        decision::{Decisions, Supply},
    },
};

/// Warns where such a certificate is issued: whether servers are set to use it, nothing shows.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, decisions: &Decisions<'_>) {
    for decision in decisions.all() {
        let certificate = decision.certificate;
        let is_new = matches!(decision.supply, Supply::New | Supply::Requested { .. });
        if is_new && certificate.key == KeySpec::EcP256 {
            let (certificate, servers) = (certificate.id.clone(), certificate.servers.clone());
            builder.warn(ServerWarning::EllipticKeyNeedsSetting { certificate, servers });
        }
    }
}
