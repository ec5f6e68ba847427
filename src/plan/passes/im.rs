//! Instant messaging in Outlook on the web, which names the certificate of IIS by its thumbprint (facts 11.2, 15 no. 35).
//!
//! The order that works is: the certificate on all servers, then the setting override, read anew on each server, then the
//! pool of Outlook on the web, then the end of the old one.

use std::collections::BTreeSet;

use crate::{
    exchange::im,
    model::{
        action::{Action, CertRef, StepId},
        desired::{CertificateId, Desired},
        names::{OverrideName, ServerName},
        reason::Reason,
        service::{Restartable, Service},
        thumbprint::Thumbprint,
        warning::ServiceWarning,
    },
    plan::{builder::PlanBuilder, decision::Decisions, lanes::verify},
};

/// Has setting overrides that named a predecessor of IIS's certificate name the present one. One that names another
/// certificate which is there was meant so.
pub(in crate::plan) fn instant_messaging(
    builder: &mut PlanBuilder,
    desired: &Desired,
    decisions: &Decisions<'_>,
) {
    let overrides = builder.world.organization.im_overrides.known().cloned().unwrap_or_default();
    for (name, setting) in overrides {
        let Some(have) = setting.certificate else { continue };
        let servers: Vec<ServerName> =
            im::servers_of(&builder.world.organization, &setting).into_iter().cloned().collect();
        let of_iis = |server: &ServerName| desired.servers.get(server)?.service(Service::Iis).cloned();
        let ids: BTreeSet<CertificateId> = servers.iter().filter_map(of_iis).collect();
        let outdated = |id: &CertificateId| is_predecessor(decisions, &servers, id, have);
        if !(ids.iter().any(outdated) || is_nowhere(builder, &servers, have)) {
            continue;
        }
        let mut ids = ids.iter();
        match (ids.next(), ids.next()) {
            (Some(id), None) => set(builder, desired, id, &name, have, &servers),
            (None, _) => {}
            (Some(_), Some(_)) => {
                builder.warn(ServiceWarning::ImOverrideAmbiguous { name, thumbprint: have });
            }
        }
    }
}

fn set(
    builder: &mut PlanBuilder,
    desired: &Desired,
    id: &CertificateId,
    name: &OverrideName,
    have: Thumbprint,
    servers: &[ServerName],
) {
    let (Some(certificate), Some(thumbprint)) = (builder.chosen(id), builder.thumbprint(id)) else { return };
    if thumbprint == have {
        return;
    }
    let lacks = |server: &&ServerName| builder.on_server(server, id).is_none();
    let missing: Vec<ServerName> = servers.iter().filter(lacks).cloned().collect();
    if !missing.is_empty() {
        builder.warn(ServiceWarning::ImOverrideOutdated {
            name: name.clone(),
            thumbprint: have,
            certificate: id.clone(),
            missing,
        });
        return;
    }
    let after: Vec<StepId> = servers.iter().filter_map(|server| builder.deployed(server)).collect();
    let why = vec![Reason::ImCertificateDiffers { name: name.clone(), have }];
    let action = Action::SetImCertificate { name: name.clone(), certificate, servers: servers.to_vec() };
    let Some(step) = builder.push(Some(id), action, why, after) else { return };
    for server in servers {
        let Some(own) = desired.servers.get(server) else { continue };
        let (what, services) = (Restartable::WebApps, vec![OWA_POOL.to_owned()]);
        let action = Action::Restart {
            server: server.clone(),
            service: what,
            services,
            unless_served: Vec::new(),
            drain: None,
        };
        builder.push_restart(action, vec![Reason::RestartNeeded { service: what }], [step]);
        verify(builder, own, server);
    }
}

/// Whether it is another generation of a certificate of the manifest, on one of these servers.
fn is_predecessor(
    decisions: &Decisions<'_>,
    servers: &[ServerName],
    id: &CertificateId,
    thumbprint: Thumbprint,
) -> bool {
    servers.iter().any(|server| {
        let own = decisions.on(server).filter(|decision| decision.certificate.id == *id);
        own.filter_map(|decision| decision.lineage.get(server)).flatten().any(|known| *known == thumbprint)
    })
}

/// Whether no server has it any more. A store that cannot be seen may have it.
fn is_nowhere(builder: &PlanBuilder, servers: &[ServerName], thumbprint: Thumbprint) -> bool {
    let lacks = |name: &ServerName| {
        builder.server(name).is_some_and(|server| {
            server.certificates.known().is_some() && server.certificate(thumbprint).is_none()
        })
    };
    CertRef::of(thumbprint) == CertRef::Known(thumbprint) && servers.iter().all(lacks)
}

const OWA_POOL: &str = "MSExchangeOWAAppPool";
