//! Send connectors, which belong to the organization: the names by which they find their certificates.

use std::collections::{BTreeMap, BTreeSet};

use super::edge::Subscriptions;
use crate::{
    exchange::hybrid,
    model::{
        action::{Action, ConnectorRef, StepId, TlsName},
        cannot::Cannot,
        desired::{CertificateId, Desired},
        dn::TlsCertificateName,
        fact::Fact,
        names::{ConnectorName, ServerName},
        reason::Reason,
        server::Server,
        service::Restartable,
        version::Release,
        warning::RunWarning,
    },
    plan::{
        builder::PlanBuilder,
        lanes::{is_same, restart, verify},
        told::Told,
    },
};

/// Gives every send connector the name that the manifest says, once every source server has the certificate. Transport of those, and
/// of the servers whose lanes left it to this, restarts after all of them.
pub(in crate::plan) fn send_connectors(
    builder: &mut PlanBuilder,
    desired: &Desired,
    subscriptions: &Subscriptions,
    told: &Told,
    left_to_restart: BTreeSet<ServerName>,
) {
    let left = left_to_restart.into_iter().map(|server| (server, Vec::new()));
    let mut repointed: BTreeMap<ServerName, Vec<StepId>> = left.collect();
    for (name, id) in &desired.send_connectors {
        let Fact::Known(connectors) = &builder.world.organization.send_connectors else { continue };
        let Some(settings) = connectors.get(name) else {
            builder.cannot(id.as_ref(), Cannot::NoSendConnector { connector: name.clone() });
            continue;
        };
        let judged_online = hybrid::goes_to_microsoft_365(settings);
        let (have, sources) = (settings.tls_certificate_name.clone(), settings.source_servers.clone());
        let Some((want, to)) = send_target(builder, desired, name, id.as_ref(), &sources) else { continue };
        let same = is_same(have.as_ref(), want.as_ref());
        let unseen: Vec<ServerName> =
            sources.iter().filter(|server| is_out_of_view(builder, desired, server)).cloned().collect();
        // It would have mail wait on a server that lacks the certificate, and nobody knows whether these do.
        if let (Some(id), false) = (id, unseen.is_empty()) {
            let (connector, certificate) = (name.clone(), id.clone());
            builder.warn(RunWarning::SenderNotSeen { connector, certificate, servers: unseen, stays: !same });
            continue;
        }
        if same {
            continue;
        }
        let connector = ConnectorRef::Send { name: name.clone() };
        let mut proofs: Vec<StepId> = sources.iter().filter_map(|server| builder.last_step(server)).collect();
        proofs.extend(told.before(id.as_ref()).filter(|_| judged_online));
        // What is set here reaches an Edge server by EdgeSync.
        let edges = sources.iter().filter(|server| builder.server(server).is_some_and(Server::is_edge));
        proofs.extend(edges.flat_map(|edge| subscriptions.of(edge)));
        let why = vec![Reason::ConnectorDiffers { connector: connector.clone(), have }];
        if let Some(step) = builder.push(id.as_ref(), Action::Repoint { connector, to }, why, proofs) {
            for server in sources {
                repointed.entry(server).or_default().push(step);
            }
        }
    }
    for (server, own) in &desired.servers {
        if let Some(steps) = repointed.get(server) {
            let wanted = desired.restarts.of(Restartable::Transport);
            restart(builder, &wanted.into_iter().collect(), server, steps);
            verify(builder, own, server);
        }
    }
}

/// The name that a send connector should have; none when it cannot be given one yet. Every source server needs the
/// certificate first, or mail waits with `454 4.7.5` on those that lack it (facts 15, no. 9).
fn send_target(
    builder: &mut PlanBuilder,
    desired: &Desired,
    name: &ConnectorName,
    id: Option<&CertificateId>,
    sources: &[ServerName],
) -> Option<(Option<TlsCertificateName>, Option<TlsName>)> {
    let Some(id) = id else { return Some((None, None)) };
    let chosen = builder.chosen(id)?;
    if let Some((server, release)) = sources.iter().find_map(|server| without_tls_name(builder, server)) {
        let (connector, certificate) = (name.clone(), id.clone());
        builder.cannot(Some(id), Cannot::NoTlsCertificateName { connector, server, release, certificate });
        return None;
    }
    let mut holders = sources.iter().chain(desired.servers.keys());
    let want = holders.find_map(|server| builder.on_server(server, id)).map(TlsCertificateName::of)?;
    let lacks = |server: &&ServerName| builder.on_server(server, id).is_none();
    let lacking = sources.iter().filter(lacks).filter(|server| !is_out_of_view(builder, desired, server));
    let lacking: Vec<ServerName> = lacking.cloned().collect();
    if lacking.is_empty() {
        return Some((Some(want), Some(TlsName::Of(chosen))));
    }
    let (undeclared, lacking): (Vec<_>, Vec<_>) =
        lacking.into_iter().partition(|server| !desired.servers.contains_key(server));
    if !undeclared.is_empty() {
        let (connector, certificate, servers) = (name.clone(), id.clone(), undeclared);
        builder.cannot(Some(id), Cannot::SourceServersNotDeclared { connector, certificate, servers });
    }
    if lacking.is_empty() {
        return None;
    }
    let unread = lacking.iter().any(|server| builder.out_of_sight(server).is_some());
    let (connector, certificate) = (name.clone(), id.clone());
    builder.cannot(Some(id), Cannot::SourceServersLack { connector, certificate, servers: lacking, unread });
    None
}

/// Whether nobody has looked at a server: the manifest does not have it.
fn is_out_of_view(builder: &PlanBuilder, desired: &Desired, server: &ServerName) -> bool {
    !desired.servers.contains_key(server) && builder.server(server).is_none()
}

/// Connectors name certificates since Exchange 2013 (facts 1.7, 6.2).
fn without_tls_name(builder: &PlanBuilder, server: &ServerName) -> Option<(ServerName, Release)> {
    let release = builder.server(server)?.version.known()?.release();
    (!release.has_tls_certificate_name()).then(|| (server.clone(), release))
}
