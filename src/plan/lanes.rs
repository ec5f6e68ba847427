//! The steps that bring certificates to servers and into use: one lane for each server, then the organization.
//!
//! The order within a lane is the one that never leaves an endpoint without a valid certificate: import (with SMTP in
//! the same step), bind, bind sites, names, connectors, restarts, verify.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    choose::{Decision, Supply},
    draft::Draft,
    expect,
};
use crate::{
    exchange::{
        presenters::{Presenter, presented, presenters},
        selection::{Failing, Presented},
        services::set_by_enable_iis,
    },
    model::{
        action::{
            Action, BundleSource, CertRef, CertificateRequest, ConnectorRef, DefaultSmtp, MailService,
            StepId, TlsName,
        },
        certificate::Certificate,
        desired::{CertificateId, Desired, DesiredCertificate, DesiredServer, Origin},
        dn::TlsCertificateName,
        fact::Fact,
        names::{ConnectorName, ServerName},
        reason::Reason,
        server::{MailAccess, Server, StoredCertificate},
        service::{Restartable, Service, Services},
        thumbprint::Thumbprint,
        time::Timestamp,
        version::Release,
    },
};

/// Decisions, found by the server they concern.
pub(super) struct Decisions<'a> {
    all: Vec<Decision<'a>>,
    on: BTreeMap<ServerName, Vec<usize>>,
}

impl<'a> Decisions<'a> {
    pub(super) fn new(all: Vec<Decision<'a>>) -> Self {
        let mut on: BTreeMap<ServerName, Vec<usize>> = BTreeMap::new();
        for (index, decision) in all.iter().enumerate() {
            for server in &decision.certificate.servers {
                on.entry(server.clone()).or_default().push(index);
            }
        }
        Self { all, on }
    }

    pub(super) fn all(&self) -> &[Decision<'a>] {
        &self.all
    }

    pub(super) fn on(&self, server: &ServerName) -> impl Iterator<Item = &Decision<'a>> {
        self.on.get(server).into_iter().flatten().map(|index| &self.all[*index])
    }
}

/// What has happened in one lane so far.
#[derive(Default)]
struct Lane {
    arrived: BTreeSet<CertificateId>,
    restart: BTreeSet<Restartable>,
}

/// Settles which certificate is used for each of the manifest, and has the CAs issue what is missing.
pub(super) fn issue(draft: &mut Draft, decisions: &Decisions<'_>) {
    for decision in decisions.all() {
        let DesiredCertificate { id, issuer, origin, .. } = decision.certificate;
        match (&decision.supply, origin) {
            (Supply::Have { thumbprint, .. }, _) => draft.choose(id, CertRef::Known(*thumbprint)),
            (Supply::New, Origin::LocalCa { subject, .. }) => {
                let request = request(decision.certificate);
                let action = Action::Issue { issuer: issuer.clone(), request, issued_by: subject.clone() };
                if let Some(step) = draft.push(Some(id), action, decision.reasons.clone(), []) {
                    draft.choose(id, CertRef::FromStep(step));
                }
            }
            // Made on the first server that needs it, in its lane.
            (Supply::New, Origin::SelfSigned) | (Supply::Blocked, _) => {}
        }
    }
}

/// Everything that has to happen on one server.
pub(super) fn server(draft: &mut Draft, desired: &Desired, decisions: &Decisions<'_>, name: &ServerName) {
    let own = &desired.servers[name];
    let before = draft.last_step(name);
    let mut lane = Lane::default();
    for decision in decisions.on(name) {
        arrive(draft, &mut lane, own, decision, name);
    }
    for decision in decisions.on(name) {
        let id = &decision.certificate.id;
        if draft.on_server(name, id).is_some() {
            bind_services(draft, &mut lane, own, decision, name);
            set_internal_transport(draft, &mut lane, own, id, name);
        }
    }
    bind_sites(draft, &mut lane, own, name);
    repoint_receive_connectors(draft, &mut lane, own, name);
    if draft.last_step(name) != before {
        restart(draft, &lane.restart, name, None);
        verify(draft, own, name);
    }
}

/// What belongs to no server: the send connectors, once every source server has the certificate.
pub(super) fn organization(draft: &mut Draft, desired: &Desired) {
    for (name, id) in &desired.send_connectors {
        let connector = ConnectorRef::Send { name: name.clone() };
        let Some(chosen) = draft.chosen(id) else { continue };
        let Fact::Known(connectors) = &draft.world.organization.send_connectors else { continue };
        let Some(settings) = connectors.get(name) else {
            let why = format!("the organization has no send connector {name}");
            draft.push(Some(id), Action::CannotApply { server: None, why }, Vec::new(), []);
            continue;
        };
        let (have, sources) = (settings.tls_certificate_name.clone(), settings.source_servers.clone());
        let lacking: Vec<String> = sources
            .iter()
            .filter(|server| draft.on_server(server, id).is_none())
            .map(ToString::to_string)
            .collect();
        let holder =
            sources.iter().chain(desired.servers.keys()).find_map(|server| draft.on_server(server, id));
        let Some(want) = holder.map(TlsCertificateName::of) else { continue };
        if have.as_ref().is_some_and(|have| have.is_same_as(&want)) {
            continue;
        }
        if !lacking.is_empty() {
            let servers = lacking.join(", ");
            let why = format!("{name} sends from {servers}, where {id} is not; declare it there first");
            draft.push(Some(id), Action::CannotApply { server: None, why }, Vec::new(), []);
            continue;
        }
        let proofs: Vec<StepId> = sources.iter().filter_map(|server| draft.last_step(server)).collect();
        let why = vec![Reason::ConnectorDiffers { connector: connector.clone(), have }];
        let action = Action::Repoint { connector, to: Some(TlsName::Of(chosen)) };
        if let Some(step) = draft.push(Some(id), action, why, proofs) {
            for server in sources.iter().filter(|server| desired.servers.contains_key(*server)) {
                restart(draft, &BTreeSet::from([Restartable::Transport]), server, Some(step));
                verify(draft, &desired.servers[server], server);
            }
        }
    }
}

/// Adds a verification of everything that the server should serve.
pub(super) fn verify(draft: &mut Draft, own: &DesiredServer, name: &ServerName) -> Option<StepId> {
    let expect = {
        let server = draft.server(name)?;
        expect::expectations(own, server, &|id| draft.thumbprint(id), draft.now)
    };
    draft.push(None, Action::Verify { server: name.clone(), expect }, vec![Reason::Proof], [])
}

/// Brings the certificate into the server's store.
fn arrive(
    draft: &mut Draft,
    lane: &mut Lane,
    own: &DesiredServer,
    decision: &Decision<'_>,
    name: &ServerName,
) {
    let certificate = decision.certificate;
    let id = &certificate.id;
    let server = || name.clone();
    let declared = own.services.get(&Service::Smtp).is_some_and(|ids| ids.contains(id));
    let chosen_by =
        draft.arriving(decision).map(|arriving| would_choose(draft, name, arriving)).unwrap_or_default();
    let enable =
        if declared || !chosen_by.is_empty() { Services::from([Service::Smtp]) } else { Services::new() };
    let default_smtp = default_smtp(own, id);
    let import = |certificate_ref, from| Action::Import {
        server: server(),
        certificate: certificate_ref,
        from,
        friendly_name: certificate.friendly_name.clone(),
        exportable: certificate.exportable,
        enable: enable.clone(),
        default_smtp,
    };
    let (action, why) = match (&decision.supply, draft.chosen(id)) {
        (Supply::Have { thumbprint, missing, from: Some(from) }, _) if missing.contains(name) => {
            let why = vec![Reason::NotOnServer { server: server() }];
            (import(CertRef::Known(*thumbprint), BundleSource::Server(from.clone())), why)
        }
        (Supply::New, Some(chosen @ CertRef::FromStep(step))) => {
            let from = match &certificate.origin {
                Origin::LocalCa { .. } => BundleSource::Issued(step),
                Origin::SelfSigned => BundleSource::Server(certificate.servers[0].clone()),
            };
            (import(chosen, from), decision.reasons.clone())
        }
        (Supply::New, None) if certificate.origin.is_self_signed() => {
            let request = request(certificate);
            let action = Action::Create { server: server(), request, enable: enable.clone(), default_smtp };
            (action, decision.reasons.clone())
        }
        (Supply::Have { .. } | Supply::New | Supply::Blocked, _) => return,
    };
    let mut why: Vec<Reason> = why;
    if !declared && !chosen_by.is_empty() {
        why.push(Reason::ChosenBySmtp { server: server(), connectors: chosen_by });
    }
    let creates = matches!(action, Action::Create { .. });
    let after = match draft.chosen(id) {
        Some(CertRef::FromStep(step)) => Some(step),
        Some(CertRef::Known(_)) | None => None,
    };
    let Some(step) = draft.push(Some(id), action, why, after) else { return };
    if creates {
        draft.choose(id, CertRef::FromStep(step));
    }
    lane.arrived.insert(id.clone());
    lane.restart.extend(enable.iter().filter_map(|service| service.restartable()));
}

/// Enables the certificate for the services that should use it and do not.
fn bind_services(
    draft: &mut Draft,
    lane: &mut Lane,
    own: &DesiredServer,
    decision: &Decision<'_>,
    name: &ServerName,
) {
    let id = &decision.certificate.id;
    let arrived = lane.arrived.contains(id);
    let (Some(server), Some(thumbprint), Some(chosen)) =
        (draft.server(name), draft.thumbprint(id), draft.chosen(id))
    else {
        return;
    };
    let (mut needed, mut why) = (Services::new(), Vec::new());
    for service in own.services.iter().filter(|(_, ids)| ids.contains(id)).map(|(service, _)| service) {
        let not_bound = |have| Reason::NotBound { server: name.clone(), service: *service, have };
        let reason = match service {
            Service::Iis => {
                let bindings = server.sites.known().into_iter().flatten();
                let other = bindings
                    .filter(|(binding, hash)| set_by_enable_iis(binding) && **hash != Some(thumbprint))
                    .map(|(_, hash)| *hash)
                    .next();
                other.map(not_bound)
            }
            Service::Pop => mail_reason(&server.pop, MailService::Pop, decision, name),
            Service::Imap => mail_reason(&server.imap, MailService::Imap, decision, name),
            Service::Smtp | Service::Um | Service::UmCallRouter | Service::Federation => {
                let services = server.certificate(thumbprint).and_then(|stored| stored.services.known());
                let lacks = services.is_some_and(|services| !services.contains(service));
                lacks.then(|| {
                    not_bound((*service != Service::Smtp).then(|| um_holder(server, *service)).flatten())
                })
            }
        };
        let by_name = matches!(service, Service::Pop | Service::Imap);
        if reason.is_some() || (arrived && by_name) {
            needed.insert(*service);
        }
        why.extend(reason);
    }
    let failing = failing_connectors(server, thumbprint, draft.now);
    if !failing.is_empty() && needed.insert(Service::Smtp) {
        why.push(Reason::ChosenBySmtp { server: name.clone(), connectors: failing });
    }
    if needed.is_empty() {
        return;
    }
    if why.is_empty() {
        why.clone_from(&decision.reasons);
    }
    lane.restart.extend(needed.iter().filter_map(|service| service.restartable()));
    let default_smtp = default_smtp(own, id);
    let action = Action::Bind { server: name.clone(), certificate: chosen, services: needed, default_smtp };
    draft.push(Some(id), action, why, []);
}

/// The receive connectors that would choose this certificate if it came without SMTP.
fn would_choose(draft: &Draft, name: &ServerName, arriving: Certificate) -> Vec<ConnectorName> {
    let Some(server) = draft.server(name) else { return Vec::new() };
    let thumbprint = arriving.thumbprint;
    let mut server = server.clone();
    let Some(store) = server.certificates.known_mut() else { return Vec::new() };
    store.0.insert(thumbprint, StoredCertificate::without_services(arriving));
    failing_connectors(&server, thumbprint, draft.now)
}

/// The receive connectors that choose this certificate and cannot use it, because SMTP is not enabled for it.
fn failing_connectors(server: &Server, thumbprint: Thumbprint, now: Timestamp) -> Vec<ConnectorName> {
    let failing = Presented::Failing { certificate: thumbprint, why: Failing::NoKeyAccess };
    let connectors =
        presenters(server).into_iter().filter(|presenter| presented(server, presenter, now) == failing);
    connectors
        .filter_map(|presenter| match presenter {
            Presenter::Connector(name) => Some(name),
            Presenter::Site(_) | Presenter::InternalTransport | Presenter::Pop | Presenter::Imap => None,
        })
        .collect()
}

/// Why POP or IMAP would not use the certificate: the name it looks for is not one of the manifest's.
fn mail_reason(
    settings: &Fact<Option<MailAccess>>,
    service: MailService,
    decision: &Decision<'_>,
    name: &ServerName,
) -> Option<Reason> {
    let settings = settings.known()?.as_ref()?;
    let have = settings.x509_certificate_name.clone();
    let covered =
        have.as_ref().is_some_and(|have| decision.certificate.names.iter().any(|name| name.covers(have)));
    let want = decision.certificate.client_name()?.clone();
    (!covered).then(|| Reason::X509CertificateNameDiffers { server: name.clone(), service, have, want })
}

fn um_holder(server: &Server, service: Service) -> Option<Thumbprint> {
    let store = server.certificates.known()?;
    let holder =
        store.0.values().find(|stored| stored.services.known().is_some_and(|had| had.contains(&service)))?;
    Some(holder.certificate.thumbprint)
}

fn set_internal_transport(
    draft: &mut Draft,
    lane: &mut Lane,
    own: &DesiredServer,
    id: &CertificateId,
    name: &ServerName,
) {
    if own.internal_transport.as_ref() != Some(id) {
        return;
    }
    let (Some(thumbprint), Some(chosen)) = (draft.thumbprint(id), draft.chosen(id)) else { return };
    let Some(Fact::Known(have)) = draft.server(name).map(|server| &server.internal_transport) else { return };
    let have = *have;
    if have == Some(thumbprint) {
        return;
    }
    let why = vec![Reason::InternalTransportDiffers { server: name.clone(), have }];
    lane.restart.insert(Restartable::Transport);
    draft.push(Some(id), Action::SetInternalTransport { server: name.clone(), certificate: chosen }, why, []);
}

fn bind_sites(draft: &mut Draft, lane: &mut Lane, own: &DesiredServer, name: &ServerName) {
    for (wanted, id) in &own.sites {
        let (Some(thumbprint), Some(chosen)) = (draft.thumbprint(id), draft.chosen(id)) else { continue };
        let Some(sites) = draft.server(name).and_then(|server| server.sites.known()) else { continue };
        let bindings: Vec<_> = sites
            .iter()
            .filter(|(binding, _)| expect::covers_binding(wanted, binding))
            .map(|(binding, hash)| (binding.clone(), *hash))
            .collect();
        if bindings.is_empty() {
            let why = format!("{name} has no https binding {wanted}");
            draft.push(Some(id), Action::CannotApply { server: Some(name.clone()), why }, Vec::new(), []);
        }
        for (site, have) in bindings.into_iter().filter(|(_, hash)| *hash != Some(thumbprint)) {
            let why = vec![Reason::SiteDiffers { server: name.clone(), site: site.clone(), have }];
            lane.restart.insert(Restartable::Iis);
            draft.push(
                Some(id),
                Action::BindSite { server: name.clone(), site, certificate: chosen },
                why,
                [],
            );
        }
    }
}

fn repoint_receive_connectors(draft: &mut Draft, lane: &mut Lane, own: &DesiredServer, name: &ServerName) {
    for (connector, id) in &own.receive_connectors {
        let (Some(certificate), Some(chosen)) = (draft.on_server(name, id), draft.chosen(id)) else {
            continue;
        };
        let want = TlsCertificateName::of(certificate);
        let Some(Fact::Known(connectors)) = draft.server(name).map(|server| &server.receive_connectors)
        else {
            continue;
        };
        let Some(settings) = connectors.get(connector) else {
            let why = format!("{name} has no receive connector {connector}");
            draft.push(Some(id), Action::CannotApply { server: Some(name.clone()), why }, Vec::new(), []);
            continue;
        };
        let have = settings.tls_certificate_name.clone();
        if have.as_ref().is_some_and(|have| have.is_same_as(&want)) {
            continue;
        }
        let connector = ConnectorRef::Receive { server: name.clone(), name: connector.clone() };
        let why = vec![Reason::ConnectorDiffers { connector: connector.clone(), have }];
        lane.restart.insert(Restartable::Transport);
        draft.push(Some(id), Action::Repoint { connector, to: Some(TlsName::Of(chosen)) }, why, []);
    }
}

fn restart(draft: &mut Draft, what: &BTreeSet<Restartable>, name: &ServerName, after: Option<StepId>) {
    let server = draft.server(name);
    let release = server
        .and_then(|server| server.version.known())
        .map_or(Release::ExchangeSe, |version| version.release());
    let edge = server.is_some_and(Server::is_edge);
    for what in what {
        let services = what.windows_services(release, edge).iter().map(|name| (*name).to_owned()).collect();
        let why = vec![Reason::RestartNeeded { what: *what }];
        let action = Action::Restart { server: name.clone(), what: *what, services };
        draft.push(None, action, why, after);
    }
}

/// Warns where Exchange will present another certificate than the manifest says, although everything is set as it says.
pub(super) fn warn_of_surprises(draft: &mut Draft, desired: &Desired) {
    let mut warnings = Vec::new();
    for (name, own) in &desired.servers {
        let Some(server) = draft.server(name) else { continue };
        for presenter in presenters(server) {
            let Some(wanted) =
                expect::declared(own, &presenter).and_then(|id| Some((id, draft.thumbprint(id)?)))
            else {
                continue;
            };
            match presented(server, &presenter, draft.now) {
                Presented::Certificate(thumbprint) if thumbprint == wanted.1 => {}
                Presented::Unknown(_) => {}
                other => {
                    warnings.push(format!("{presenter} on {name} will present {other}, not {}", wanted.0))
                }
            }
        }
    }
    for warning in warnings {
        draft.warn(warning);
    }
}

fn default_smtp(own: &DesiredServer, id: &CertificateId) -> DefaultSmtp {
    if own.internal_transport.as_ref() == Some(id) { DefaultSmtp::Replace } else { DefaultSmtp::Keep }
}

/// What is asked of the issuer.
pub(super) fn request(certificate: &DesiredCertificate) -> CertificateRequest {
    let DesiredCertificate { subject, names, key, exportable, friendly_name, origin, .. } = certificate;
    CertificateRequest {
        // A CA puts the country first whichever way the subject was typed; a server takes it as it is (facts 1.1, 6.3).
        subject: if origin.is_self_signed() { subject.clone() } else { subject.largest_first() },
        names: names.clone(),
        key: *key,
        exportable: *exportable,
        friendly_name: friendly_name.clone(),
        lifetime: match origin {
            Origin::SelfSigned => None,
            Origin::LocalCa { lifetime, .. } => Some(*lifetime),
        },
    }
}
