//! How a certificate comes to be.

use std::collections::BTreeSet;

use crate::{
    model::{
        action::{Action, CertRef, Condition},
        certificate::Certificate,
        desired::{CertificateId, Desired, DesiredCertificate, Origin},
        names::ServerName,
        thumbprint::Thumbprint,
    },
    plan::{
        builder::PlanBuilder,
        decision::{Decision, Decisions, Supply},
        lanes::{default_smtp, enable_at_once, kept_out},
    },
};

/// A certificate that came with an answer, and the server on which it was completed.
type Completed = (ServerName, CertificateId);

/// What the CAs' answers brought to servers before their lanes begin.
#[derive(Debug, Default)]
#[must_use = "a lane that does not know of it would bring the certificate a second time"]
pub(in crate::plan) struct Issued(BTreeSet<Completed>);

impl Issued {
    /// The certificates that this server has by then.
    pub(in crate::plan) fn on<'a>(
        &'a self,
        server: &'a ServerName,
    ) -> impl Iterator<Item = &'a CertificateId> {
        self.0.iter().filter(move |(own, _)| own == server).map(|(_, id)| id)
    }
}

/// Settles which certificate is used for each of the manifest where one is there.
pub(in crate::plan) fn bind_existing(builder: &mut PlanBuilder, decisions: &Decisions<'_>) {
    for decision in decisions.all() {
        if let Supply::Have { thumbprint, .. } = decision.supply {
            builder.choose(&decision.certificate.id, CertRef::Known(thumbprint));
        }
    }
}

/// Has the CAs issue what is missing. An answer is completed on the server that holds the request.
pub(in crate::plan) fn issue(
    builder: &mut PlanBuilder,
    desired: &Desired,
    decisions: &Decisions<'_>,
) -> Issued {
    let mut issued = Issued::default();
    for decision in decisions.all() {
        let certificate = decision.certificate;
        let DesiredCertificate { id, issuer, origin, .. } = certificate;
        // A CA is asked for nothing that no server could be given; their lanes say why.
        if takers(builder, desired, certificate).next().is_none() {
            continue;
        }
        match (&decision.supply, origin) {
            (Supply::New, Origin::LocalCa { subject, .. }) => {
                let request = certificate.request();
                let issued_by = subject.clone();
                let action = Action::Issue { issuer: issuer.clone(), request, issued_by, certificate: None };
                if let Some(step) = builder.push(Some(id), action, decision.reasons.clone(), []) {
                    builder.choose(id, CertRef::FromStep(step));
                }
            }
            (Supply::New, Origin::Pfx { holds, .. }) => {
                let held = holds.known();
                let action = Action::Issue {
                    issuer: issuer.clone(),
                    request: certificate.request(),
                    issued_by: held.map(|held| held.issuer.clone()),
                    certificate: held.map(|held| held.der.clone()),
                };
                if let Some(step) = builder.push(Some(id), action, decision.reasons.clone(), []) {
                    builder.choose(id, CertRef::FromStep(step));
                }
            }
            (Supply::New, Origin::Csr { file, .. }) => {
                issued.0.extend(ask(builder, desired, decision, file));
            }
            (Supply::Requested { server, request, .. }, Origin::Csr { file, .. }) => {
                let public_key = public_key(builder, server, *request);
                let pending =
                    Pending { server: server.clone(), request: CertRef::Known(*request), public_key, file };
                issued.0.extend(await_answer(builder, desired, decision, &pending, certificate.in_hand()));
            }
            // Made on the first server that needs it, in its lane.
            (Supply::New, Origin::SelfSigned)
            | (Supply::Have { .. } | Supply::Blocked, _)
            | (Supply::Requested { .. }, Origin::SelfSigned | Origin::LocalCa { .. } | Origin::Pfx { .. }) => {
            }
        }
    }
    issued
}

/// The servers to which a certificate can come.
fn takers<'a>(
    builder: &'a PlanBuilder,
    desired: &'a Desired,
    certificate: &'a DesiredCertificate,
) -> impl Iterator<Item = &'a ServerName> {
    let is_kept_out = |name: &ServerName| {
        let own = desired.servers.get(name);
        own.is_some_and(|own| kept_out(builder, own, name, &certificate.id).is_some())
    };
    certificate.servers.iter().filter(move |name| !is_kept_out(name))
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

fn ask(
    builder: &mut PlanBuilder,
    desired: &Desired,
    decision: &Decision<'_>,
    file: &str,
) -> Option<Completed> {
    let certificate = decision.certificate;
    let in_sight = |name: &&ServerName| builder.out_of_sight(name).is_none();
    let server = takers(builder, desired, certificate).find(in_sight)?.clone();
    let action =
        Action::Request { server: server.clone(), request: certificate.request(), file: file.to_owned() };
    let step = builder.push(Some(&certificate.id), action, decision.reasons.clone(), [])?;
    let pending =
        Pending { server: server.clone(), request: CertRef::FromStep(step), public_key: None, file };
    await_answer(builder, desired, decision, &pending, None)
}

/// The answer is completed on the server that holds the request; the other servers get a copy in their lanes.
fn await_answer(
    builder: &mut PlanBuilder,
    desired: &Desired,
    decision: &Decision<'_>,
    pending: &Pending<'_>,
    answer: Option<&Certificate>,
) -> Option<Completed> {
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
            added: decision.certificate.names.iter().filter(|name| name.is_address()).cloned().collect(),
        };
        let after = match request {
            CertRef::FromStep(step) => Some(*step),
            CertRef::Known(_) => None,
        };
        let step = builder.push(Some(id), Action::Await { until }, decision.reasons.clone(), after)?;
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
    builder.push_smtp(Some(id), action, why, after)?;
    builder.choose(id, certificate);
    Some((server.clone(), id.clone()))
}
