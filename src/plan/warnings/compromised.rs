//! Certificates whose keys others may have and that no step replaces: they are not declared, or nobody has them.

use std::collections::BTreeSet;

use crate::{
    exchange::{
        named,
        selection::Presented,
        uses::{Use, uses},
    },
    model::{
        cannot::Cannot,
        desired::Desired,
        names::ServerName,
        organization::{Observed, Organization},
        plan::{LeftAlone, LeftBecause},
        recorded::Recorded,
        thumbprint::Thumbprint,
        warning::RunWarning,
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decisions, Supply},
        targeting::Scope,
    },
};

/// Says what stays in use, and what is nowhere to be found.
pub(in crate::plan) fn compromised(
    builder: &mut PlanBuilder,
    (desired, observed): (&Desired, &Observed),
    decisions: &Decisions<'_>,
    scope: &Scope,
) {
    for thumbprint in desired.compromised() {
        // Why that one is not replaced is said with it.
        let is_blocked = decisions.all().iter().any(|decision| {
            decision.incumbent == Some(thumbprint) && matches!(decision.supply, Supply::Blocked)
        });
        if is_blocked {
            continue;
        }
        let servers: BTreeSet<ServerName> = builder.world.organization.servers.keys().cloned().collect();
        for server in servers.into_iter().filter(|server| scope.takes(server)) {
            let by = still_using(builder, &server, thumbprint);
            if !by.is_empty() {
                builder.cannot(None, Cannot::CompromisedInUse { server, thumbprint, by });
            }
        }
        if is_nowhere(&observed.organization, thumbprint) {
            builder.warn(RunWarning::CompromisedNotThere { thumbprint });
        }
    }
}

/// Says which of them stay although nothing presents them any more.
pub(in crate::plan) fn kept(builder: &mut PlanBuilder, left_alone: &[LeftAlone]) {
    for left in left_alone {
        if matches!(left.why, LeftBecause::NamedWithSuccessor { compromised: true, .. }) {
            let (server, thumbprint) = (left.server.clone(), left.certificate);
            builder.warn(RunWarning::CompromisedKept { server, thumbprint });
        }
    }
}

/// What uses a certificate of a server when all steps are done. A connector that names it beside its successor presents that
/// one.
fn still_using(builder: &PlanBuilder, name: &ServerName, thumbprint: Thumbprint) -> Vec<Recorded<Use>> {
    let organization = &builder.world.organization;
    let Some(server) = organization.servers.get(name).filter(|own| own.certificate(thumbprint).is_some())
    else {
        return Vec::new();
    };
    let connectors = organization.send_connectors.known();
    let is_used = |found: &Use| match found {
        Use::Unknown(_) => false,
        Use::SendConnector(connector) => connectors.and_then(|all| all.get(connector)).is_some_and(|own| {
            named::presented(server, own, builder.now) == Presented::Certificate(thumbprint)
                && own.source_servers.contains(name)
        }),
        Use::Presented(_)
        | Use::OutboundByName(_)
        | Use::ConnectorCopy(_)
        | Use::UnifiedMessaging
        | Use::Auth
        | Use::Federation
        | Use::EdgeSubscription
        | Use::Hybrid
        | Use::InstantMessaging(_)
        | Use::Balancer(_)
        | Use::OtherProgram(_) => true,
    };
    let found = uses(organization, name, thumbprint, builder.now);
    found.into_iter().filter(is_used).map(Recorded::from).collect()
}

/// Whether every store and every load balancer was seen, and none has it.
fn is_nowhere(organization: &Organization, thumbprint: Thumbprint) -> bool {
    let servers = organization
        .servers
        .values()
        .all(|server| server.certificates.known().is_some() && server.certificate(thumbprint).is_none());
    let balancers = organization.balancers.values().all(|balancer| {
        let held = balancer.certificate.known().map(|held| held.as_ref().map(|held| held.thumbprint));
        held.is_some_and(|held| held != Some(thumbprint)) && balancer.loaded != Some(thumbprint)
    });
    servers && balancers
}
