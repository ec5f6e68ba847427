//! Send connectors that the manifest does not declare and that select its certificates, by name or by `Fqdn` (facts 5.9): they
//! select alike on all their source servers, and what is on one that the manifest does not have nobody has looked at.

use crate::{
    exchange::{named, selection::Presented},
    model::{
        desired::{CertificateId, Desired},
        names::{ConnectorName, ServerName},
        warning::RunWarning,
    },
    plan::builder::PlanBuilder,
};

/// Warns of source servers that nobody has looked at.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, desired: &Desired) {
    let organization = &builder.world.organization;
    let mut found = Vec::new();
    for (name, connector) in organization.send_connectors.known().into_iter().flatten() {
        let is_declared = desired.send_connectors.get(name).is_some_and(Option::is_some);
        if is_declared || !connector.enabled {
            continue;
        }
        let unseen = connector.source_servers.iter().filter(|server| {
            !desired.servers.contains_key(*server) && !organization.servers.contains_key(*server)
        });
        let unseen: Vec<ServerName> = unseen.cloned().collect();
        if unseen.is_empty() {
            continue;
        }
        if let Some(certificate) = selected(builder, desired, name) {
            let connector = name.clone();
            found.push(RunWarning::SenderNotSeen { connector, certificate, servers: unseen, stays: false });
        }
    }
    for warning in found {
        builder.warn(warning);
    }
}

/// The certificate of the manifest that the connector selects on a server of the manifest.
fn selected(builder: &PlanBuilder, desired: &Desired, name: &ConnectorName) -> Option<CertificateId> {
    let connector = builder.world.organization.send_connectors.known()?.get(name)?;
    connector.source_servers.iter().find_map(|source| {
        let (own, server) = (desired.servers.get(source)?, builder.server(source)?);
        let Presented::Certificate(shown) = named::presented(server, connector, builder.now) else {
            return None;
        };
        own.uses().find(|id| builder.thumbprint(id) == Some(shown)).cloned()
    })
}
