//! Certificates that servers need and whose keys cannot be had from where they are.

use crate::{
    model::{
        desired::{CertificateId, Desired},
        names::ServerName,
        organization::Observed,
        thumbprint::Thumbprint,
        time::Timestamp,
        warning::{NoKeyBecause, RunWarning},
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decision, Decisions, Supply},
        targeting::Scope,
    },
};

/// Says of each of them who waits, and for how long that is well.
pub(in crate::plan) fn warn(
    builder: &mut PlanBuilder,
    (desired, observed): (&Desired, &Observed),
    decisions: &Decisions<'_>,
    scope: &Scope,
) {
    for decision in decisions.all() {
        let certificate = decision.certificate;
        key_stays(builder, decision, observed);
        let Some((holder, why)) = withheld(decision, desired, observed) else { continue };
        let servers: Vec<ServerName> =
            lacking(decision).into_iter().filter(|server| *server != holder && scope.takes(server)).collect();
        if servers.is_empty() {
            continue;
        }
        let instead = |server: &ServerName| instead(decision, observed, server);
        let have: Option<Vec<Timestamp>> = servers.iter().map(instead).collect();
        let ends = have.and_then(|have| have.into_iter().min());
        let certificate: CertificateId = certificate.id.clone();
        builder.warn(RunWarning::NoKeySource { certificate, holder, why, servers, ends });
    }
}

/// Says where a key did not come out that others have too: what cannot be exported may not be served either.
fn key_stays(builder: &mut PlanBuilder, decision: &Decision<'_>, observed: &Observed) {
    let Supply::Have { thumbprint, missing, .. } = &decision.supply else { return };
    let holds = |server: &&ServerName| !missing.contains(*server);
    if decision.certificate.servers.iter().filter(holds).count() < 2 {
        return;
    }
    for server in decision.certificate.servers.iter().filter(holds) {
        if let Some(at) =
            observed.history.as_ref().and_then(|history| history.unexportable(server, *thumbprint))
        {
            let (certificate, server) = (decision.certificate.id.clone(), server.clone());
            builder.warn(RunWarning::KeyStays { certificate, server, thumbprint: *thumbprint, at });
        }
    }
}

/// The only server that has the key, or the request, and why it does not give it.
fn withheld(
    decision: &Decision<'_>,
    desired: &Desired,
    observed: &Observed,
) -> Option<(ServerName, NoKeyBecause)> {
    let is_left_out = |server: &ServerName| desired.is_left_out(server);
    match &decision.supply {
        Supply::Have { from: Some(from), .. } if is_left_out(from) => {
            Some((from.clone(), NoKeyBecause::LeftOut))
        }
        Supply::Have { thumbprint, from: Some(from), missing }
            if decision.certificate.servers.iter().filter(|server| !missing.contains(*server)).count()
                < 2 =>
        {
            let at = observed.history.as_ref()?.unexportable(from, *thumbprint)?;
            Some((from.clone(), NoKeyBecause::Refused { at }))
        }
        Supply::Requested { server, .. } if is_left_out(server) => {
            Some((server.clone(), NoKeyBecause::RequestLeftOut))
        }
        Supply::Have { .. } | Supply::Requested { .. } | Supply::New | Supply::Blocked => None,
    }
}

/// The servers that need it and lack it.
fn lacking(decision: &Decision<'_>) -> Vec<ServerName> {
    match &decision.supply {
        Supply::Have { missing, .. } => missing.iter().cloned().collect(),
        Supply::Requested { .. } | Supply::New | Supply::Blocked => decision.certificate.servers.clone(),
    }
}

/// When the last of what a server has of it ends.
fn instead(decision: &Decision<'_>, observed: &Observed, server: &ServerName) -> Option<Timestamp> {
    let own = observed.organization.servers.get(server)?;
    let ends = |thumbprint: &Thumbprint| {
        let stored = own.certificate(*thumbprint).filter(|stored| stored.has_private_key)?;
        Some(stored.certificate.not_after)
    };
    decision.lineage.get(server)?.iter().filter_map(ends).max()
}
