//! How a certificate comes to be, and into a server's store.

use super::lane::{Lane, default_smtp, failing_connectors};
use crate::{
    model::{
        action::{Action, BundleSource, CertRef, Condition},
        certificate::Certificate,
        desired::{Desired, DesiredCertificate, DesiredServer, Origin},
        names::{ConnectorName, ServerName},
        reason::Reason,
        server::StoredCertificate,
        service::{Service, Services},
        thumbprint::Thumbprint,
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decision, Decisions, Supply},
    },
};

/// Settles which certificate is used for each of the manifest where one is there.
pub(in crate::plan) fn settle(builder: &mut PlanBuilder, decisions: &Decisions<'_>) {
    for decision in decisions.all() {
        if let Supply::Have { thumbprint, .. } = decision.supply {
            builder.choose(&decision.certificate.id, CertRef::Known(thumbprint));
        }
    }
}

/// Has the CAs issue what is missing.
pub(in crate::plan) fn issue(builder: &mut PlanBuilder, desired: &Desired, decisions: &Decisions<'_>) {
    for decision in decisions.all() {
        let certificate = decision.certificate;
        let DesiredCertificate { id, issuer, origin, .. } = certificate;
        match (&decision.supply, origin) {
            (Supply::New, Origin::LocalCa { subject, .. }) => {
                let request = certificate.request();
                let action = Action::Issue { issuer: issuer.clone(), request, issued_by: subject.clone() };
                if let Some(step) = builder.push(Some(id), action, decision.reasons.clone(), []) {
                    builder.choose(id, CertRef::FromStep(step));
                }
            }
            (Supply::New, Origin::Csr { file, .. }) => ask(builder, desired, decision, file),
            (Supply::Requested { server, request, .. }, Origin::Csr { file, answer, .. }) => {
                let public_key = public_key(builder, server, *request);
                let pending =
                    Pending { server: server.clone(), request: CertRef::Known(*request), public_key, file };
                await_answer(builder, desired, decision, &pending, answer.as_deref());
            }
            // Made on the first server that needs it, in its lane.
            (Supply::New, Origin::SelfSigned)
            | (Supply::Have { .. } | Supply::Blocked, _)
            | (Supply::Requested { .. }, Origin::SelfSigned | Origin::LocalCa { .. }) => {}
        }
    }
}

fn public_key(builder: &PlanBuilder, server: &ServerName, request: Thumbprint) -> Option<String> {
    let mut requests = builder.server(server)?.requests.known()?.iter().map(|pending| &pending.certificate);
    requests.find(|stand_in| stand_in.thumbprint == request).map(|stand_in| stand_in.public_key.clone())
}

/// A request that a server holds.
struct Pending<'a> {
    server: ServerName,
    request: CertRef,
    public_key: Option<String>,
    file: &'a str,
}

fn ask(builder: &mut PlanBuilder, desired: &Desired, decision: &Decision<'_>, file: &str) {
    let certificate = decision.certificate;
    let in_sight = |name: &&ServerName| builder.out_of_sight(name).is_none();
    let Some(server) = certificate.servers.iter().find(in_sight) else { return };
    let action =
        Action::Request { server: server.clone(), request: certificate.request(), file: file.to_owned() };
    let Some(step) = builder.push(Some(&certificate.id), action, decision.reasons.clone(), []) else {
        return;
    };
    let pending =
        Pending { server: server.clone(), request: CertRef::FromStep(step), public_key: None, file };
    await_answer(builder, desired, decision, &pending, None);
}

/// The answer is completed on the server that holds the request; the other servers get a copy in their lanes.
fn await_answer(
    builder: &mut PlanBuilder,
    desired: &Desired,
    decision: &Decision<'_>,
    pending: &Pending<'_>,
    answer: Option<&Certificate>,
) {
    let id = &decision.certificate.id;
    let Pending { server, request, file, .. } = pending;
    let answered = matches!(decision.supply, Supply::Requested { answered: true, .. });
    let answer = answer.filter(|_| answered);
    let (certificate, after) = if let Some(answer) = answer {
        (CertRef::Known(answer.thumbprint), None)
    } else {
        let until = Condition::Answer {
            file: (*file).to_owned(),
            server: server.clone(),
            request: *request,
            public_key: pending.public_key.clone(),
        };
        let after = match request {
            CertRef::FromStep(step) => Some(*step),
            CertRef::Known(_) => None,
        };
        let Some(step) = builder.push(Some(id), Action::Await { until }, decision.reasons.clone(), after)
        else {
            return;
        };
        (CertRef::FromStep(step), Some(step))
    };
    let own = &desired.servers[server];
    let foreseen = answer.cloned().or_else(|| builder.world.issued(certificate).cloned());
    let (enable, chosen_by) = enable_at_once(builder, own, server, decision, foreseen);
    let action = Action::Complete {
        server: server.clone(),
        certificate,
        file: (*file).to_owned(),
        answer: answer.map(|answer| answer.der.clone()),
        friendly_name: decision.certificate.friendly_name.clone(),
        enable,
        default_smtp: default_smtp(own, id),
    };
    let why = decision.reasons.iter().cloned().chain(chosen_by).collect();
    if builder.push_smtp(Some(id), action, why, after).is_some() {
        builder.choose(id, certificate);
        builder.note_arrival(server, id);
    }
}

/// Brings the certificate into the server's store.
pub(super) fn arrive(builder: &mut PlanBuilder, lane: &mut Lane<'_>, decision: &Decision<'_>) {
    let certificate = decision.certificate;
    let id = &certificate.id;
    if builder.has_arrived(lane.name, id) {
        lane.restart_for(&Services::from([Service::Smtp]));
        return;
    }
    if let Some(why) = builder.out_of_sight(lane.name).map(ToOwned::to_owned) {
        if decision.supply == Supply::New {
            let why = format!("{} cannot be read, and so {id} is not brought there: {why}", lane.name);
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
    let (enable, chosen_by) = enable_at_once(builder, lane.own, lane.name, decision, foreseen);
    lane.restart_for(&enable);
    let default_smtp = default_smtp(lane.own, id);
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
    builder.note_arrival(lane.name, id);
}

/// A copy of the certificate without its key is invisible to the cmdlets and in the way of every import (facts 8.3).
fn keyless_copy(builder: &PlanBuilder, name: &ServerName, arriving: &Certificate) -> Option<String> {
    let copy = builder.server(name)?.certificate(arriving.thumbprint)?;
    (!copy.has_private_key).then(|| {
        format!(
            "{name} holds a copy of {} without its private key, which no cmdlet shows and every import stumbles over \
             (\"already exists\"); on the server, delete it: certutil -delstore my {}",
            arriving.thumbprint.short(),
            arriving.thumbprint
        )
    })
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
                Origin::LocalCa { .. } => BundleSource::Issued(step),
                Origin::SelfSigned | Origin::Csr { .. } => {
                    BundleSource::Server(certificate.servers[0].clone())
                }
            };
            Some((Source::Import(chosen, from), decision.reasons.clone()))
        }
        (Supply::Requested { server, .. }, Some(chosen)) => {
            Some((Source::Import(chosen, BundleSource::Server(server.clone())), decision.reasons.clone()))
        }
        (Supply::New, None) if certificate.origin.is_self_signed() => {
            Some((Source::Create, decision.reasons.clone()))
        }
        (Supply::Have { .. } | Supply::New | Supply::Requested { .. } | Supply::Blocked, _) => None,
    }
}

/// SMTP, when the manifest wants it, or when Exchange would choose the certificate without it; and why in that case.
fn enable_at_once(
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

/// The receive connectors that would choose this certificate if it came without SMTP.
fn would_choose(builder: &PlanBuilder, name: &ServerName, arriving: Certificate) -> Vec<ConnectorName> {
    let Some(server) = builder.server(name) else { return Vec::new() };
    let thumbprint = arriving.thumbprint;
    let mut server = server.clone();
    let Some(store) = server.certificates.known_mut() else { return Vec::new() };
    store.0.insert(thumbprint, StoredCertificate::without_services(arriving));
    failing_connectors(&server, thumbprint, builder.now)
}
