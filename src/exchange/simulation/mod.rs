//! A plan's steps carried out on paper: what the organization will look like after each of them.

mod arrivals;
mod balancers;
mod edges;
mod holds;
mod trial;

pub use self::arrivals::UNKNOWN_ISSUER;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    binding_points::{binding_points, endpoints},
    edge, hybrid, im,
    refusal::Refusal,
    verbs,
};
use crate::model::{
    action::{
        Action, CertRef, Condition, ConnectorRef, DefaultSmtp, Drain, NamedConnector, SideEffect, StepId,
        StoredOn, TlsName,
    },
    cannot::Cannot,
    certificate::{Certificate, CertificateError},
    dn::TlsCertificateName,
    names::{BalancerName, ServerName},
    organization::Organization,
    service::{Restartable, Service, Services},
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// An organization and the certificates that were issued and are on no server yet.
#[derive(Clone, Debug)]
pub struct SimulatedOrganization {
    /// The organization, as it would be.
    pub organization: Organization,
    issued: BTreeMap<Thumbprint, Certificate>,
    /// Which servers are a side of which Edge subscription.
    edge_sides: edge::SubscriptionSides,
    /// Servers whose default SMTP certificate was replaced since the Edge servers were subscribed.
    replaced: BTreeSet<ServerName>,
    /// Certificates with RSA keys in CNG, when it was observed.
    keys_in_cng: BTreeSet<Thumbprint>,
    now: Timestamp,
}

/// Why a step cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum Impossible {
    /// Exchange would refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It needs a certificate that no earlier step makes and no server has.
    #[error("there is no {0} at this point")]
    NoCertificate(CertRef),
    /// There is no such load balancer.
    #[error("there is no load balancer {0}")]
    NoBalancer(BalancerName),
    /// A backup is not a certificate.
    #[error("the certificate in the plan cannot be read: {0}")]
    BadCertificate(#[from] CertificateError),
    /// The plan itself says so.
    #[error("{0}")]
    CannotApply(Box<Cannot>),
}

impl SimulatedOrganization {
    /// The organization as it was observed, at this time.
    pub fn new(organization: Organization, now: Timestamp) -> Self {
        let edge_sides = edge::SubscriptionSides::of(&organization);
        let keys_in_cng = organization.keys_in_cng();
        let (issued, replaced) = (BTreeMap::new(), BTreeSet::new());
        Self { organization, issued, edge_sides, replaced, keys_in_cng, now }
    }

    /// The time on paper.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Notes a certificate that a step of an earlier run issued and that is kept with its key.
    pub fn know_issued(&mut self, step: StepId, certificate: &Certificate) {
        self.issued.insert(Thumbprint::placeholder(step.0), certificate.clone());
        self.issued.insert(certificate.thumbprint, certificate.clone());
    }

    /// Does a step. Returns what Exchange does on its own along with it.
    pub fn perform(&mut self, id: StepId, action: &Action) -> Result<Vec<SideEffect>, Impossible> {
        let organization = &mut self.organization;
        let done = |()| Vec::new();
        match action {
            Action::Issue { certificate: Some(der), .. } => self.read_from_file(id, der).map(done),
            Action::Issue { issuer, request, issued_by, certificate: None } => {
                self.issue(id, issuer, request, issued_by.as_ref());
                Ok(Vec::new())
            }
            Action::Request { server, request, .. } => self.request(id, server, request).map(done),
            Action::Await { until } => self.await_(id, until).map(done),
            Action::Complete { server, certificate, answer, friendly_name, enable, default_smtp, .. } => {
                let thumbprint = self.complete(server, *certificate, answer.as_ref(), friendly_name)?;
                self.enable(server, thumbprint, enable, *default_smtp)
            }
            Action::RemoveRequest { server, request } => {
                let request = self.thumbprint(*request);
                Ok(verbs::remove_request(&mut self.organization, server, request).map(done)?)
            }
            Action::Create { server, request, enable, default_smtp } => {
                let thumbprint = self.create(id, server, request)?;
                self.enable(server, thumbprint, enable, *default_smtp)
            }
            Action::Import { server, certificate, from, friendly_name, exportable, enable, default_smtp } => {
                let imported = self.bundle(*certificate, from)?;
                let thumbprint = self.import(server, imported, friendly_name, *exportable)?;
                self.enable(server, thumbprint, enable, *default_smtp)
            }
            Action::Bind { server, certificate, services, default_smtp } => {
                self.enable(server, self.thumbprint(*certificate), services, *default_smtp)
            }
            Action::SetInternalTransport { server, certificate } => {
                let smtp = Services::from([Service::Smtp]);
                self.enable(server, self.thumbprint(*certificate), &smtp, DefaultSmtp::Replace)
            }
            Action::BindSite { server, site, certificate } => {
                let thumbprint = self.thumbprint(*certificate);
                let shared = self.shared_with_balancers(server);
                verbs::bind_site(&mut self.organization, server, site, Some(thumbprint))?;
                Ok(self.sign_in_refused(server, shared))
            }
            Action::SetX509CertificateName { server, service, name } => {
                Ok(verbs::set_x509_certificate_name(organization, server, *service, name.as_ref())
                    .map(done)?)
            }
            Action::SetUmStartupMode { server, call_router, mode } => {
                Ok(verbs::set_um_startup_mode(organization, server, *call_router, *mode).map(done)?)
            }
            Action::Repoint { connector, to } => self.repoint(connector, to.as_ref()),
            Action::SetImCertificate { name, certificate, .. } => {
                let thumbprint = self.thumbprint(*certificate);
                Ok(im::set_certificate(&mut self.organization, name, thumbprint).map(done)?)
            }
            Action::Restart { server, service, drain, .. } => self.restart(server, *service, drain.as_ref()),
            Action::StageAuth { certificate, effective } => {
                let (thumbprint, now) = (self.thumbprint(*certificate), self.now);
                Ok(verbs::auth::stage_auth(&mut self.organization, thumbprint, *effective, now).map(done)?)
            }
            Action::PublishAuth { .. } => Ok(verbs::auth::publish_auth(organization).map(done)?),
            Action::ClearPreviousAuth {} => Ok(verbs::auth::clear_previous_auth(organization).map(done)?),
            Action::BackUp { server, certificate, with_key: true } => {
                let thumbprint = self.thumbprint(*certificate);
                Ok(verbs::check_export(&self.organization, server, thumbprint, self.now).map(done)?)
            }
            Action::Remove { server, certificate, .. } => {
                let thumbprint = self.thumbprint(*certificate);
                Ok(verbs::remove(&mut self.organization, server, thumbprint).map(done)?)
            }
            Action::RemoveNamed { certificates, connectors, while_stopped: _ } => {
                self.remove_named(certificates, connectors).map(done)
            }
            Action::Install { balancer, certificate, from } => {
                self.install(balancer, *certificate, from).map(done)
            }
            Action::BackUp { with_key: false, .. }
            | Action::Verify { .. }
            | Action::VerifyBalancer { .. }
            | Action::Gate { .. }
            | Action::Manual {
                until:
                    Condition::Answer { .. }
                    | Condition::Moment { .. }
                    | Condition::EdgeAwaited { .. }
                    | Condition::AuthTold { .. }
                    | Condition::OnlineTold { .. },
                ..
            } => Ok(Vec::new()),
            Action::Manual { until: Condition::Served { server, .. }, .. } => {
                self.load(server, Restartable::Transport);
                Ok(Vec::new())
            }
            Action::Manual { until: Condition::EdgeSubscribed { edge, .. }, .. } => {
                self.subscribe(edge);
                Ok(Vec::new())
            }
            Action::Manual { until: Condition::HybridApplied {}, .. } => {
                hybrid::run_wizard(&mut self.organization);
                Ok(Vec::new())
            }
            Action::CannotApply { why, .. } => Err(Impossible::CannotApply(Box::new(why.clone()))),
        }
    }

    fn restart(
        &mut self,
        server: &ServerName,
        what: Restartable,
        drain: Option<&Drain>,
    ) -> Result<Vec<SideEffect>, Impossible> {
        if let Some(target) = drain.and_then(|drain| drain.redirect_to.as_ref()) {
            verbs::check_drain(&self.organization, server, target)?;
        }
        self.load(server, what);
        Ok(outage(what).into_iter().collect())
    }

    /// What is gone already is left out: the step may have been begun before.
    fn remove_named(
        &mut self,
        certificates: &[StoredOn],
        connectors: &[NamedConnector],
    ) -> Result<(), Impossible> {
        for NamedConnector { connector, .. } in connectors {
            verbs::repoint_send(&mut self.organization, connector, None)?;
        }
        for StoredOn { server, certificate } in certificates {
            let thumbprint = self.thumbprint(*certificate);
            let store = self.organization.servers.get(server);
            if store.is_none_or(|store| store.certificate(thumbprint).is_some()) {
                verbs::remove(&mut self.organization, server, thumbprint)?;
            }
        }
        for NamedConnector { connector, name } in connectors {
            verbs::repoint_send(&mut self.organization, connector, Some(name.clone()))?;
        }
        Ok(())
    }

    /// What was seen in handshakes before a restart says nothing about what is served after it.
    fn load(&mut self, server: &ServerName, what: Restartable) {
        let Some(server) = self.organization.servers.get_mut(server) else { return };
        let loaded =
            binding_points(server).into_iter().filter(|presenter| presenter.loaded_by() == Some(what));
        let gone: Vec<_> = loaded.flat_map(|presenter| endpoints(server, &presenter)).collect();
        server.served.retain(|endpoint, _| !gone.contains(endpoint));
    }

    fn repoint(
        &mut self,
        connector: &ConnectorRef,
        to: Option<&TlsName>,
    ) -> Result<Vec<SideEffect>, Impossible> {
        let name = to.map(|to| self.tls_name(connector, to)).transpose()?;
        let too_long = name.as_ref().and_then(|name| self.too_long_for_edge(connector, name));
        let mut effects: Vec<SideEffect> = too_long.into_iter().collect();
        match connector {
            ConnectorRef::Send { name: connector } => {
                verbs::repoint_send(&mut self.organization, connector, name)?;
                for (edge, by) in edge::carried_by(&self.organization, connector) {
                    let unseen = edge::copies(&self.organization, &edge).is_none();
                    edge::synchronize(&mut self.organization, &edge);
                    effects.push(SideEffect::CarriedToEdge { edge, by, unseen });
                }
            }
            ConnectorRef::Hybrid {} => verbs::repoint_hybrid(&mut self.organization, name)?,
            ConnectorRef::Receive { server, name: connector } => {
                verbs::repoint_receive(&mut self.organization, server, connector, name)?;
            }
        }
        Ok(effects)
    }

    /// The thumbprint of a certificate, or the stand-in for one that does not exist yet.
    pub fn thumbprint(&self, certificate: CertRef) -> Thumbprint {
        match certificate {
            CertRef::Known(thumbprint) => thumbprint,
            CertRef::FromStep(step) => Thumbprint::placeholder(step.0),
        }
    }

    /// A certificate that a step of the plan made or will import.
    pub fn issued(&self, certificate: CertRef) -> Option<&Certificate> {
        self.issued.get(&self.thumbprint(certificate))
    }

    fn enable(
        &mut self,
        server: &ServerName,
        thumbprint: Thumbprint,
        services: &Services,
        default_smtp: DefaultSmtp,
    ) -> Result<Vec<SideEffect>, Impossible> {
        if services.is_empty() {
            return Ok(Vec::new());
        }
        let trusted = self.trusted_edges(server);
        let shared = self.shared_with_balancers(server);
        let mut effects = verbs::enable(&mut self.organization, server, thumbprint, services, default_smtp)?;
        if effects.iter().any(|effect| matches!(effect, SideEffect::DefaultSmtpReplaced { .. })) {
            self.replaced.insert(server.clone());
            effects.extend(self.distrusting(server, trusted));
        }
        effects.extend(self.sign_in_refused(server, shared));
        Ok(effects)
    }

    /// The `TlsCertificateName` of a certificate, found on a server that the connector belongs to.
    fn tls_name(&self, connector: &ConnectorRef, to: &TlsName) -> Result<TlsCertificateName, Impossible> {
        let certificate = match to {
            TlsName::Exactly(name) => return Ok(name.clone()),
            TlsName::Of(certificate) => *certificate,
        };
        let thumbprint = self.thumbprint(certificate);
        let servers: Vec<&ServerName> = match connector {
            ConnectorRef::Receive { server, .. } => vec![server],
            ConnectorRef::Hybrid {} => self.organization.servers.keys().collect(),
            ConnectorRef::Send { name } => {
                let connector =
                    self.organization.send_connectors.known().and_then(|connectors| connectors.get(name));
                let sources = connector.map(|connector| connector.source_servers.iter().collect::<Vec<_>>());
                sources
                    .filter(|sources| !sources.is_empty())
                    .unwrap_or_else(|| self.organization.servers.keys().collect())
            }
        };
        let on_server = servers
            .into_iter()
            .find_map(|server| self.organization.servers.get(server)?.certificate(thumbprint))
            .map(|stored| &stored.certificate);
        let found = on_server.ok_or(Impossible::NoCertificate(certificate))?;
        Ok(TlsCertificateName::of(found))
    }
}

/// Who notices a restart.
fn outage(what: Restartable) -> Option<SideEffect> {
    match what {
        Restartable::Iis => Some(SideEffect::ClientsDrop),
        Restartable::Transport | Restartable::MailboxTransport => Some(SideEffect::MailWaits),
        Restartable::Pop
        | Restartable::Imap
        | Restartable::Um
        | Restartable::UmCallRouter
        | Restartable::ServiceHost
        | Restartable::WebApps => None,
    }
}
