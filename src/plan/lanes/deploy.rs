//! How a certificate comes into a server's store.

use super::lane::{Lane, default_smtp, failing_connectors};
use crate::{
    model::{
        action::{Action, BundleSource, CertRef},
        cannot::Cannot,
        certificate::Certificate,
        desired::{CertificateId, DesiredServer, Origin},
        names::{ConnectorName, ServerName},
        reason::Reason,
        server::StoredCertificate,
        service::{Service, Services},
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decision, Supply},
    },
};

/// Brings the certificate into the server's store.
pub(super) fn arrive(builder: &mut PlanBuilder, lane: &mut Lane<'_>, decision: &Decision<'_>) {
    let certificate = decision.certificate;
    let id = &certificate.id;
    if lane.arrived.contains(id) {
        lane.restart_for(&Services::from([Service::Smtp]));
        return;
    }
    if let Some(why) = builder.out_of_sight(lane.name).map(ToOwned::to_owned) {
        if decision.supply == Supply::New {
            let why = Cannot::ServerUnread { server: lane.name.clone(), certificate: id.clone(), why };
            let server = Some(lane.name.clone());
            builder.push(Some(id), Action::CannotApply { server, why }, Vec::new(), []);
        }
        return;
    }
    // It is not issued where it could come to no server.
    let is_unissued = decision.supply == Supply::New && builder.chosen(id).is_none();
    if is_unissued && !certificate.origin.is_self_signed() {
        if let Some(why) = kept_out(builder, lane.own, lane.name, id) {
            let server = Some(lane.name.clone());
            builder.push(Some(id), Action::CannotApply { server, why }, Vec::new(), []);
        }
        return;
    }
    let Some((source, why)) = source(builder, lane, decision) else { return };
    let foreseen = builder.arriving(decision);
    if let Some(why) = foreseen.as_ref().and_then(|foreseen| keyless_copy(builder, lane.name, foreseen)) {
        let server = Some(lane.name.clone());
        builder.push(Some(id), Action::CannotApply { server, why }, Vec::new(), []);
        return;
    }
    let foreseen_thumbprint = foreseen.as_ref().map(|foreseen| foreseen.thumbprint);
    let (enable, chosen_by) = enable_at_once(builder, lane.own, lane.name, decision, foreseen);
    lane.restart_for(&enable);
    let default_smtp = default_smtp(lane.own, id);
    if let Some(foreseen) = &foreseen_thumbprint {
        lane.restart_for_internal_transport(builder, &enable, default_smtp, *foreseen);
    }
    let (server, friendly_name) = (lane.name.clone(), certificate.friendly_name.clone());
    let action = match source {
        Source::Create => Action::Create { server, request: certificate.request(), enable, default_smtp },
        Source::Import(certificate_ref, from) => Action::Import {
            server,
            certificate: certificate_ref,
            from,
            friendly_name,
            exportable: certificate.exportable,
            enable,
            default_smtp,
        },
    };
    let creates = matches!(action, Action::Create { .. });
    let after = match builder.chosen(id) {
        Some(CertRef::FromStep(step)) => Some(step),
        Some(CertRef::Known(_)) | None => None,
    };
    let why = why.into_iter().chain(chosen_by).collect();
    let Some(step) = builder.push_smtp(Some(id), action, why, after) else { return };
    if creates {
        builder.choose(id, CertRef::FromStep(step));
    }
    lane.arrived.insert(id.clone());
}

/// Why a certificate that is declared for SMTP cannot come to a server: nothing can be enabled for SMTP there (facts 3.10).
pub(in crate::plan) fn kept_out(
    builder: &PlanBuilder,
    own: &DesiredServer,
    name: &ServerName,
    id: &CertificateId,
) -> Option<Cannot> {
    let is_for_smtp = own.services.get(&Service::Smtp).is_some_and(|ids| ids.contains(id));
    is_for_smtp.then(|| builder.connector_without_host_name(name)).flatten()
}

/// A copy of the certificate without its key is invisible to the cmdlets and in the way of every import (facts 8.3).
fn keyless_copy(builder: &PlanBuilder, name: &ServerName, arriving: &Certificate) -> Option<Cannot> {
    let copy = builder.server(name)?.certificate(arriving.thumbprint)?;
    let keyless = || Cannot::KeylessCopy { server: name.clone(), thumbprint: arriving.thumbprint };
    (!copy.has_private_key).then(keyless)
}

/// How a certificate comes to a server.
enum Source {
    Create,
    Import(CertRef, BundleSource),
}

fn source(builder: &PlanBuilder, lane: &Lane<'_>, decision: &Decision<'_>) -> Option<(Source, Vec<Reason>)> {
    let certificate = decision.certificate;
    let not_here = || vec![Reason::NotOnServer { server: lane.name.clone() }];
    match (&decision.supply, builder.chosen(&certificate.id)) {
        (Supply::Have { thumbprint, missing, from: Some(from) }, _) if missing.contains(lane.name) => Some((
            Source::Import(CertRef::Known(*thumbprint), BundleSource::Server(from.clone())),
            not_here(),
        )),
        (Supply::New, Some(chosen @ CertRef::FromStep(step))) => {
            let from = match &certificate.origin {
                Origin::LocalCa { .. } | Origin::Pfx { .. } => BundleSource::Issued(step),
                Origin::SelfSigned | Origin::Csr { .. } => {
                    BundleSource::Server(certificate.servers[0].clone())
                }
            };
            Some((Source::Import(chosen, from), decision.reasons_on(lane.name)))
        }
        (Supply::Requested { server, .. }, Some(chosen)) => {
            let from = BundleSource::Server(server.clone());
            Some((Source::Import(chosen, from), decision.reasons_on(lane.name)))
        }
        (Supply::New, None) if certificate.origin.is_self_signed() => {
            Some((Source::Create, decision.reasons.clone()))
        }
        (Supply::Have { .. } | Supply::New | Supply::Requested { .. } | Supply::Blocked, _) => None,
    }
}

/// SMTP, when the manifest wants it, or when Exchange would choose the certificate without it; and why in that case.
pub(in crate::plan) fn enable_at_once(
    builder: &PlanBuilder,
    own: &DesiredServer,
    name: &ServerName,
    decision: &Decision<'_>,
    arriving: Option<Certificate>,
) -> (Services, Option<Reason>) {
    let declared = own.services.get(&Service::Smtp).is_some_and(|ids| ids.contains(&decision.certificate.id));
    let connectors = arriving.map(|arriving| would_choose(builder, name, arriving)).unwrap_or_default();
    let smtp = Services::from([Service::Smtp]);
    if declared {
        (smtp, None)
    } else if connectors.is_empty() {
        (Services::new(), None)
    } else {
        (smtp, Some(Reason::ChosenBySmtp { server: name.clone(), connectors }))
    }
}

/// The connectors that would choose this certificate if it came without SMTP.
fn would_choose(builder: &PlanBuilder, name: &ServerName, arriving: Certificate) -> Vec<ConnectorName> {
    let Some(server) = builder.server(name) else { return Vec::new() };
    let thumbprint = arriving.thumbprint;
    let mut server = server.clone();
    let Some(store) = server.certificates.known_mut() else { return Vec::new() };
    store.0.insert(thumbprint, StoredCertificate::without_services(arriving));
    failing_connectors(builder, name, &server, thumbprint)
}
