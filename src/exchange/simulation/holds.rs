//! Whether what a step would bring about is there already.

use super::SimulatedOrganization;
use crate::model::{
    action::{Action, CertRef, ConnectorRef},
    fact::Fact,
    names::ServerName,
    organization::AuthConfig,
    service::MailService,
};

impl SimulatedOrganization {
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
            Action::Remove { server: name, certificate, .. } => server(name).is_some_and(|server| {
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
                    ConnectorRef::Hybrid {} => {
                        let hybrid = self.organization.hybrid.known().and_then(Option::as_ref);
                        hybrid.map(|hybrid| &hybrid.tls_certificate_name)
                    }
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
            Action::SetUmStartupMode { server: name, call_router, mode } => {
                let um = server(name).and_then(|server| server.um.known()?.as_ref());
                um.is_some_and(|um| if *call_router { um.call_router } else { um.service } == Some(*mode))
            }
            Action::SetImCertificate { name, certificate, servers: _ } => {
                let setting = self.organization.im_overrides.known().and_then(|all| all.get(name));
                setting.is_some_and(|setting| setting.certificate == known(certificate))
            }
            Action::Complete { server: name, certificate, .. } => {
                server(name).is_some_and(|server| server.certificate(self.thumbprint(*certificate)).is_some())
            }
            Action::RemoveRequest { server: name, request } => {
                let thumbprint = self.thumbprint(*request);
                let requests = server(name).and_then(|server| server.requests.known());
                requests.is_some_and(|requests| {
                    requests.iter().all(|pending| pending.certificate.thumbprint != thumbprint)
                })
            }
            Action::StageAuth { certificate, effective } => self.auth().is_some_and(|auth| {
                let dated = effective.is_none() || auth.next_effective == *effective;
                auth.next == known(certificate) && dated
            }),
            Action::PublishAuth { certificate } => {
                self.auth().is_some_and(|auth| auth.current == known(certificate))
            }
            Action::ClearPreviousAuth {} => self.auth().is_some_and(|auth| auth.previous.is_none()),
            Action::Install { balancer, certificate, .. } => self.has_installed(balancer, *certificate),
            Action::Issue { .. }
            | Action::VerifyBalancer { .. }
            | Action::Create { .. }
            | Action::Request { .. }
            | Action::Await { .. }
            | Action::Manual { .. }
            | Action::Restart { .. }
            | Action::Verify { .. }
            | Action::BackUp { .. }
            // What it stopped may stand still.
            | Action::RemoveNamed { .. }
            | Action::Gate { .. }
            | Action::CannotApply { .. } => false,
        }
    }

    fn auth(&self) -> Option<&AuthConfig> {
        self.organization.auth.known()?.as_ref()
    }
}
