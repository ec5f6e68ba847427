//! A plan's steps carried out on paper: what the organization will look like after each of them.

use std::collections::BTreeMap;

use super::{refusal::Refusal, verbs};
use crate::model::{
    action::{
        Action, BundleSource, CertRef, CertificateRequest, ConnectorRef, DefaultSmtp, MailService,
        SideEffect, StepId, TlsName,
    },
    certificate::{Certificate, CertificateError},
    dn::{DistinguishedName, TlsCertificateName},
    fact::Fact,
    names::ServerName,
    organization::Organization,
    server::{RootType, StoredCertificate},
    service::{Restartable, Service, Services},
    thumbprint::Thumbprint,
    time::{Span, Timestamp},
    version::Release,
};

/// An organization and the certificates that were issued and are on no server yet.
#[derive(Clone, Debug)]
pub struct World {
    /// The organization, as it would be.
    pub organization: Organization,
    issued: BTreeMap<Thumbprint, Certificate>,
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
    /// A backup is not a certificate.
    #[error("the backup holds no certificate that can be read: {0}")]
    BadBackup(#[from] CertificateError),
    /// The plan itself says so.
    #[error("{0}")]
    CannotApply(String),
}

impl World {
    /// The organization as it was observed, at this time.
    pub fn new(organization: Organization, now: Timestamp) -> Self {
        Self { organization, issued: BTreeMap::new(), now }
    }

    /// Does a step. Returns what Exchange does on its own along with it.
    pub fn perform(&mut self, id: StepId, action: &Action) -> Result<Vec<SideEffect>, Impossible> {
        match action {
            Action::Issue { issuer, request, issued_by } => {
                let unnamed = DistinguishedName::common_name_only(issuer.as_str());
                let issuer = issued_by.as_ref().unwrap_or(&unnamed);
                let lifetime = request.lifetime.unwrap_or(Span::days(90));
                let certificate = request.foreseen(id, issuer, self.now, lifetime);
                self.issued.insert(certificate.thumbprint, certificate);
                Ok(Vec::new())
            }
            Action::Create { server, request, enable, default_smtp } => {
                let years = self.release(server).self_signed_years();
                let lifetime = self.now.plus_years(years).since(self.now);
                let certificate = request.foreseen(id, &request.subject, self.now, lifetime);
                let thumbprint = certificate.thumbprint;
                verbs::store(&mut self.organization, server, fresh(certificate, request))?;
                self.enable(server, thumbprint, enable, *default_smtp)
            }
            Action::Import { server, certificate, from, friendly_name, exportable, enable, default_smtp } => {
                let imported = self.bundle(*certificate, from)?;
                let thumbprint = imported.thumbprint;
                let stored = StoredCertificate {
                    friendly_name: Fact::Known(friendly_name.to_string()),
                    exportable: Fact::Known(*exportable),
                    ..StoredCertificate::without_services(imported)
                };
                verbs::store(&mut self.organization, server, stored)?;
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
                verbs::bind_site(&mut self.organization, server, site, Some(thumbprint))?;
                Ok(Vec::new())
            }
            Action::SetX509CertificateName { server, service, name } => {
                verbs::set_x509_certificate_name(&mut self.organization, server, *service, name.as_ref())?;
                Ok(Vec::new())
            }
            Action::Repoint { connector, to } => {
                let name = to.as_ref().map(|to| self.tls_name(connector, to)).transpose()?;
                match connector {
                    ConnectorRef::Send { name: connector } => {
                        verbs::repoint_send(&mut self.organization, connector, name)?
                    }
                    ConnectorRef::Receive { server, name: connector } => {
                        verbs::repoint_receive(&mut self.organization, server, connector, name)?;
                    }
                }
                Ok(Vec::new())
            }
            Action::Restart { what, .. } => Ok(match what {
                Restartable::Iis => vec![SideEffect::ClientsDrop],
                Restartable::Transport => vec![SideEffect::MailWaits],
                Restartable::Pop
                | Restartable::Imap
                | Restartable::Um
                | Restartable::UmCallRouter
                | Restartable::ServiceHost => Vec::new(),
            }),
            Action::BackUp { server, certificate, with_key } => {
                if *with_key {
                    verbs::check_export(&self.organization, server, *certificate, self.now)?;
                }
                Ok(Vec::new())
            }
            Action::Remove { server, certificate } => {
                let thumbprint = self.thumbprint(*certificate);
                verbs::remove(&mut self.organization, server, thumbprint)?;
                Ok(Vec::new())
            }
            Action::Verify { .. } => Ok(Vec::new()),
            Action::CannotApply { why, .. } => Err(Impossible::CannotApply(why.clone())),
        }
    }

    /// Whether what the action would bring about is there already. An action that leaves no trace never is.
    pub fn holds(&self, action: &Action) -> bool {
        let server = |name: &ServerName| self.organization.servers.get(name);
        let known = |certificate: &CertRef| Some(self.thumbprint(*certificate));
        match action {
            Action::Import { server: name, certificate, enable, .. } => {
                let stored =
                    server(name).and_then(|server| server.certificate(self.thumbprint(*certificate)));
                stored.is_some_and(|stored| stored.services.known().is_some_and(|had| enable.is_subset(had)))
            }
            Action::Remove { server: name, certificate } => server(name).is_some_and(|server| {
                server.certificates.known().is_some()
                    && server.certificate(self.thumbprint(*certificate)).is_none()
            }),
            Action::Bind { server: name, certificate, services, .. } => {
                let stored =
                    server(name).and_then(|server| server.certificate(self.thumbprint(*certificate)));
                stored
                    .is_some_and(|stored| stored.services.known().is_some_and(|had| services.is_subset(had)))
            }
            Action::BindSite { server: name, site, certificate } => {
                let sites = server(name).and_then(|server| server.sites.known());
                sites.is_some_and(|sites| sites.get(site) == Some(&known(certificate)))
            }
            Action::SetX509CertificateName { server: name, service, name: wanted } => {
                let settings = server(name).and_then(|server| match service {
                    MailService::Pop => server.pop.known()?.as_ref(),
                    MailService::Imap => server.imap.known()?.as_ref(),
                });
                settings.is_some_and(|settings| settings.x509_certificate_name == *wanted)
            }
            Action::SetInternalTransport { server: name, certificate } => server(name)
                .is_some_and(|server| server.internal_transport == Fact::Known(known(certificate))),
            Action::Repoint { connector, to } => {
                let Ok(wanted) = to.as_ref().map(|to| self.tls_name(connector, to)).transpose() else {
                    return false;
                };
                let have = match connector {
                    ConnectorRef::Send { name } => {
                        let connectors = self.organization.send_connectors.known();
                        connectors
                            .and_then(|connectors| connectors.get(name))
                            .map(|found| &found.tls_certificate_name)
                    }
                    ConnectorRef::Receive { server: on, name } => {
                        let connectors = server(on).and_then(|server| server.receive_connectors.known());
                        connectors
                            .and_then(|connectors| connectors.get(name))
                            .map(|found| &found.tls_certificate_name)
                    }
                };
                have.is_some_and(|have| match (have, &wanted) {
                    (Some(have), Some(wanted)) => have.is_same_as(wanted),
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                })
            }
            Action::Issue { .. }
            | Action::Create { .. }
            | Action::Restart { .. }
            | Action::Verify { .. }
            | Action::BackUp { .. }
            | Action::CannotApply { .. } => false,
        }
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
        Ok(verbs::enable(&mut self.organization, server, thumbprint, services, default_smtp)?)
    }

    fn bundle(&self, certificate: CertRef, from: &BundleSource) -> Result<Certificate, Impossible> {
        let missing = || Impossible::NoCertificate(certificate);
        match from {
            BundleSource::Issued(step) => {
                self.issued.get(&Thumbprint::placeholder(step.0)).cloned().ok_or_else(missing)
            }
            BundleSource::Server(server) => {
                let thumbprint = self.thumbprint(certificate);
                verbs::check_export(&self.organization, server, thumbprint, self.now)?;
                let stored =
                    self.organization.servers.get(server).and_then(|server| server.certificate(thumbprint));
                Ok(stored.ok_or_else(missing)?.certificate.clone())
            }
            BundleSource::Backup { der, .. } => Ok(Certificate::from_der(&der.0)?),
        }
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

    fn release(&self, server: &ServerName) -> Release {
        let version = self.organization.servers.get(server).and_then(|server| server.version.known());
        version.map_or(Release::ExchangeSe, |version| version.release())
    }
}

/// A certificate that the server has just made for this request.
fn fresh(certificate: Certificate, request: &CertificateRequest) -> StoredCertificate {
    StoredCertificate {
        exportable: Fact::Known(request.exportable),
        friendly_name: Fact::Known(request.friendly_name.to_string()),
        // New-ExchangeCertificate, unlike setup, puts nothing into the root store (facts 4.1).
        root_type: Fact::Known(RootType::None),
        ..StoredCertificate::without_services(certificate)
    }
}
