//! Names that a certificate has and its successor will not have.

use crate::{
    model::{names::DnsName, organization::Organization, warning::ServerWarning},
    plan::{
        builder::PlanBuilder,
        decision::{Decisions, Supply},
    },
};

/// Warns of the names that go with a certificate that is replaced.
/// `observed` still has what the plan removes.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, decisions: &Decisions<'_>, observed: &Organization) {
    for decision in decisions.all() {
        let certificate = decision.certificate;
        let (Supply::New | Supply::Requested { .. }, Some(thumbprint)) =
            (&decision.supply, decision.incumbent)
        else {
            continue;
        };
        let present = certificate
            .servers
            .iter()
            .find_map(|server| observed.servers.get(server)?.certificate(thumbprint));
        let names: Vec<DnsName> = present
            .map(|present| &present.certificate.names)
            .into_iter()
            .flatten()
            .filter(|name| !certificate.covers(name))
            .cloned()
            .collect();
        if !names.is_empty() {
            let certificate = certificate.id.clone();
            builder.warn(ServerWarning::NamesDropped { certificate, thumbprint, names });
        }
    }
}
