//! Certificates that receive connectors are to name. A connector that names its certificate does not choose by name and date
//! any more (facts 5.1, step 3), so it is given the name before anything arrives that it would choose instead.

use super::{connectors, deploy, lane::Lane, services};
use crate::{
    model::{
        desired::{CertificateId, DesiredServer},
        service::Service,
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decision, Decisions, Supply},
    },
};

/// Has connectors name what is there already, and what the server signs itself: neither is chosen before a certificate of a
/// CA.
pub(super) fn first(builder: &mut PlanBuilder, lane: &mut Lane<'_>, decisions: &Decisions<'_>) {
    if !decisions.on(lane.name).any(|decision| will_arrive(builder, lane, decision)) {
        return;
    }
    let own = lane.own;
    for decision in decisions.on(lane.name).filter(|decision| is_pinned(own, &decision.certificate.id)) {
        let id = &decision.certificate.id;
        if builder.on_server(lane.name, id).is_none() && decision.certificate.origin.is_self_signed() {
            deploy::arrive(builder, lane, decision);
        }
        if builder.on_server(lane.name, id).is_some() {
            services::bind_smtp(builder, lane, decision);
            if may_use(builder, lane, id) {
                connectors::repoint_receive_to(builder, lane, id);
            }
        }
    }
}

/// Whether transport may read its key.
fn may_use(builder: &PlanBuilder, lane: &Lane<'_>, id: &CertificateId) -> bool {
    let stored = builder
        .thumbprint(id)
        .and_then(|thumbprint| builder.server(lane.name)?.certificate(thumbprint))
        .and_then(|stored| stored.services.known());
    stored.is_some_and(|services| services.contains(&Service::Smtp))
}

fn is_pinned(own: &DesiredServer, id: &CertificateId) -> bool {
    own.receive_connectors.values().any(|wanted| wanted.as_ref() == Some(id))
}

/// Whether the certificate is still to come to the server.
fn will_arrive(builder: &PlanBuilder, lane: &Lane<'_>, decision: &Decision<'_>) -> bool {
    match decision.supply {
        Supply::Blocked => false,
        Supply::Have { .. } | Supply::New | Supply::Requested { .. } => {
            builder.on_server(lane.name, &decision.certificate.id).is_none()
        }
    }
}
