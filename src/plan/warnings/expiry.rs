//! What is in use when all steps are done, and ends: declared or not.

use std::collections::BTreeSet;

use crate::{
    exchange::ending,
    model::{
        action::Action,
        cannot::Cannot,
        desired::{CertificateId, Desired},
        ending::{Ending, MissingAuth, UsedBy},
        names::ServerName,
        warning::{AuthWarning, ExpiryNotice, RenewalToCome, RenewedElsewhere, Warning},
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decisions, Supply},
        rules::renew_from,
        targeting::Scope,
        without_certificate::undeclared_without_certificate,
    },
};

/// Warns of what no step replaces.
pub(in crate::plan) fn warn(
    builder: &mut PlanBuilder,
    (asked, desired): (&Desired, &Desired),
    decisions: &Decisions<'_>,
    scope: &Scope,
) {
    let organization = &builder.world.organization;
    // A server that is left out goes on presenting what it has.
    let is_managed = |name: &&ServerName| desired.servers.contains_key(*name) || scope.keeps(name);
    let servers = asked.servers.keys().filter(is_managed);
    let endings = ending::endings(organization, asked, servers.clone(), builder.now);
    let missing = ending::missing_auth(organization);
    let told = |thumbprint| {
        let said = builder.steps().iter().any(|step| {
            matches!(&step.action, Action::CannotApply { why: Cannot::AuthEnded { thumbprint: own, .. }, .. } if *own == thumbprint)
        });
        said || builder.warnings().iter().any(|warning| {
            matches!(warning, Warning::Auth(AuthWarning::AuthNotDeclared { thumbprint: own, .. }) if *own == thumbprint)
        })
    };
    let mut notices: Vec<ExpiryNotice> = endings
        .into_iter()
        .filter(|ending| ending.server.is_some() || !told(ending.certificate))
        .map(|ending| {
            let left_out = left_out(builder, asked, &ending);
            let awaited = awaited(builder, &ending, decisions)
                .or_else(|| kept_by_senders(builder, asked, &ending).filter(|_| left_out.is_empty()));
            let elsewhere = elsewhere(builder, &ending);
            let renewal = renewal(builder, &ending, decisions);
            ExpiryNotice::EndsInUse { awaited, left_out, elsewhere, renewal, ending }
        })
        .collect();
    notices.extend(missing.map(|MissingAuth { certificate, servers, everywhere }| {
        let servers = if everywhere { Vec::new() } else { servers };
        ExpiryNotice::AuthCertificateMissing { thumbprint: certificate, servers }
    }));
    let without = ending::missing_internal_transport(organization, asked, servers.clone());
    notices.extend(without.into_iter().map(|missing| ExpiryNotice::InternalTransportMissing { missing }));
    let without = undeclared_without_certificate(asked, organization, servers, builder.now);
    notices.extend(without.into_iter().map(|place| ExpiryNotice::PlaceWithoutCertificate { place }));
    for notice in notices {
        builder.warn(notice);
    }
}

/// The renewal of what ends, where it stands for a certificate of the manifest and is not due yet.
fn renewal(builder: &PlanBuilder, ending: &Ending, decisions: &Decisions<'_>) -> Option<RenewalToCome> {
    let server = ending.server.as_ref()?;
    let stored = builder.server(server)?.certificate(ending.certificate)?;
    let of = decisions
        .on(server)
        .find(|decision| matches!(decision.supply, Supply::Have { thumbprint, .. } if thumbprint == ending.certificate))?;
    let from = renew_from(of.certificate, stored);
    (from > builder.now).then(|| RenewalToCome { certificate: of.certificate.id.clone(), from })
}

/// What renews it, where no manifest does.
fn elsewhere(builder: &PlanBuilder, ending: &Ending) -> Option<RenewedElsewhere> {
    let organization = &builder.world.organization;
    let Some(server) = &ending.server else {
        let trust = organization.federation.known().and_then(Option::as_ref);
        let is_its_own = trust.is_some_and(|trust| trust.current == Some(ending.certificate));
        // The Auth certificate may be the federation certificate too; that one is declared.
        let signs = organization.auth.known().and_then(Option::as_ref).and_then(|auth| auth.current);
        let is_only_its = is_its_own && signs != Some(ending.certificate);
        return is_only_its.then_some(RenewedElsewhere::FederationTrust {});
    };
    let programs = builder.server(server)?.other_programs.known()?;
    let own = programs.iter().filter(|(_, used)| **used == ending.certificate);
    let programs: Vec<String> = own.map(|(program, _)| program.clone()).collect();
    let alone = programs.len() == ending.used_by.len();
    (!programs.is_empty()).then_some(RenewedElsewhere::Programs { programs, alone })
}

/// The certificate of the manifest that is declared for the send connectors which alone go on with what ends.
fn kept_by_senders(builder: &PlanBuilder, asked: &Desired, ending: &Ending) -> Option<CertificateId> {
    ending.server.as_ref()?;
    let declared = |by: &UsedBy| match by {
        UsedBy::SendConnector(name) => asked.send_connectors.get(name).cloned().flatten(),
        UsedBy::Place(_)
        | UsedBy::FromStore { .. }
        | UsedBy::Program(_)
        | UsedBy::Auth
        | UsedBy::Federation => None,
    };
    let ids: Option<BTreeSet<CertificateId>> = ending.used_by.iter().map(declared).collect();
    let ids = ids.filter(|ids| ids.len() == 1)?;
    ids.into_iter().find(|id| builder.thumbprint(id) != Some(ending.certificate))
}

/// Servers that are left out and that a declared send connector waits for which goes on with what ends.
fn left_out(builder: &PlanBuilder, asked: &Desired, ending: &Ending) -> Vec<ServerName> {
    if ending.left_out {
        return Vec::new();
    }
    let known = builder.world.organization.send_connectors.known();
    let waiting = asked.send_connectors.iter().filter(|(name, id)| {
        id.is_some() && ending.used_by.contains(&UsedBy::SendConnector((*name).clone()))
    });
    let sources = waiting.filter_map(|(name, _)| known?.get(name)).flat_map(|own| &own.source_servers);
    let kept = sources.filter(|source| asked.is_left_out(source));
    kept.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// The certificate of the manifest that what ends is one of on its server, where another one is to come and does not.
fn awaited(builder: &PlanBuilder, ending: &Ending, decisions: &Decisions<'_>) -> Option<CertificateId> {
    let server = ending.server.as_ref()?;
    let of = decisions.on(server).find(|decision| {
        let lineage = decision.lineage.get(server);
        let replaced = match decision.supply {
            Supply::Have { thumbprint, .. } => thumbprint != ending.certificate,
            Supply::New | Supply::Requested { .. } | Supply::Blocked => true,
        };
        let is_there = builder.on_server(server, &decision.certificate.id).is_some();
        replaced && !is_there && lineage.is_some_and(|lineage| lineage.contains(&ending.certificate))
    });
    of.map(|decision| decision.certificate.id.clone())
}
