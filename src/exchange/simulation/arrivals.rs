//! How certificates come into being and into stores, on paper.

use super::{Impossible, SimulatedOrganization};
use crate::{
    exchange::verbs,
    model::{
        action::{BundleSource, CertRef, CertificateRequest, Condition, StepId},
        certificate::{Certificate, Der},
        dn::DistinguishedName,
        fact::Fact,
        names::{FriendlyName, IssuerName, ServerName},
        server::{KeyProvider, PendingRequest, RootType, StoredCertificate},
        thumbprint::Thumbprint,
        time::Span,
        version::Release,
    },
};

impl SimulatedOrganization {
    pub(super) fn issue(
        &mut self,
        id: StepId,
        issuer: &IssuerName,
        request: &CertificateRequest,
        issued_by: Option<&DistinguishedName>,
    ) {
        let unnamed = DistinguishedName::common_name_only(issuer.as_str());
        let lifetime = request.lifetime.unwrap_or(UNKNOWN_LIFETIME);
        let certificate = request.foreseen(id, issued_by.unwrap_or(&unnamed), self.now, lifetime);
        self.issued.insert(certificate.thumbprint, certificate);
    }

    /// The certificate in a file: all of it is known, and it goes by its step like one that is still to be made.
    pub(super) fn read_from_file(&mut self, id: StepId, der: &Der) -> Result<(), Impossible> {
        let thumbprint = Thumbprint::placeholder(id.0);
        let mut certificate = Certificate::from_der(&der.0)?;
        certificate.thumbprint = thumbprint;
        self.issued.insert(thumbprint, certificate);
        Ok(())
    }

    pub(super) fn request(
        &mut self,
        id: StepId,
        server: &ServerName,
        request: &CertificateRequest,
    ) -> Result<(), Impossible> {
        let pending = PendingRequest {
            certificate: request.foreseen(id, &request.subject, self.now, Span::days(365)),
            friendly_name: Fact::Known(request.friendly_name.to_string()),
            exportable: Fact::Known(request.exportable),
        };
        Ok(verbs::request(&mut self.organization, server, pending)?)
    }

    pub(super) fn await_(&mut self, id: StepId, until: &Condition) -> Result<(), Impossible> {
        if let Condition::Answer { server, request, added, .. } = until {
            let mut answer = self.foreseen_answer(id, server, *request)?;
            answer.names.extend(added.iter().cloned());
            self.issued.insert(answer.thumbprint, answer);
        }
        Ok(())
    }

    pub(super) fn complete(
        &mut self,
        server: &ServerName,
        certificate: CertRef,
        answer: Option<&Der>,
        friendly_name: &FriendlyName,
    ) -> Result<Thumbprint, Impossible> {
        let completed = match answer {
            Some(der) => Certificate::from_der(&der.0)?,
            None => self.issued(certificate).cloned().ok_or(Impossible::NoCertificate(certificate))?,
        };
        let thumbprint = completed.thumbprint;
        verbs::complete(&mut self.organization, server, completed, friendly_name)?;
        Ok(thumbprint)
    }

    pub(super) fn create(
        &mut self,
        id: StepId,
        server: &ServerName,
        request: &CertificateRequest,
    ) -> Result<Thumbprint, Impossible> {
        let version = self.organization.servers.get(server).and_then(|server| server.version.known());
        let years = version.map_or(Release::ExchangeSe, |version| version.release()).self_signed_years();
        let lifetime = self.now.plus_years(years).since(self.now);
        let certificate = request.foreseen(id, &request.subject, self.now, lifetime);
        let thumbprint = certificate.thumbprint;
        let stored = StoredCertificate {
            exportable: Fact::Known(request.exportable),
            friendly_name: Fact::Known(request.friendly_name.to_string()),
            // New-ExchangeCertificate, unlike setup, puts nothing into the root store (facts 4.1).
            root_type: Fact::Known(RootType::None),
            ..StoredCertificate::without_services(certificate)
        };
        verbs::store(&mut self.organization, server, stored)?;
        Ok(thumbprint)
    }

    pub(super) fn import(
        &mut self,
        server: &ServerName,
        imported: Certificate,
        friendly_name: &FriendlyName,
        exportable: bool,
    ) -> Result<Thumbprint, Impossible> {
        let thumbprint = imported.thumbprint;
        // A PFX tells the provider of its key, and the cmdlet lets nobody choose another (facts 8.5).
        let provider =
            if self.keys_in_cng.contains(&thumbprint) { KeyProvider::Ksp } else { KeyProvider::Csp };
        let stored = StoredCertificate {
            key_provider: Fact::Known(provider),
            friendly_name: Fact::Known(friendly_name.to_string()),
            exportable: Fact::Known(exportable),
            ..StoredCertificate::without_services(imported)
        };
        verbs::store(&mut self.organization, server, stored)?;
        Ok(thumbprint)
    }

    pub(super) fn bundle(
        &self,
        certificate: CertRef,
        from: &BundleSource,
    ) -> Result<Certificate, Impossible> {
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

    /// The certificate that will answer a request, as far as it can be foreseen: who signs it is not known.
    fn foreseen_answer(
        &self,
        id: StepId,
        server: &ServerName,
        request: CertRef,
    ) -> Result<Certificate, Impossible> {
        let thumbprint = self.thumbprint(request);
        let requests = self.organization.servers.get(server).and_then(|server| server.requests.known());
        let pending = requests.and_then(|requests| {
            requests.iter().find(|pending| pending.certificate.thumbprint == thumbprint)
        });
        let stand_in = &pending.ok_or(Impossible::NoCertificate(request))?.certificate;
        let mut answer = stand_in.clone();
        answer.thumbprint = Thumbprint::placeholder(id.0);
        answer.issuer = DistinguishedName::common_name_only(UNKNOWN_ISSUER);
        answer.not_before = self.now;
        answer.not_after = self.now.plus(UNKNOWN_LIFETIME);
        answer.usages = Some(vec!["serverAuth".into(), "clientAuth".into()]);
        Ok(answer)
    }
}

/// Who issues a certificate when only the answer to a request will tell.
pub const UNKNOWN_ISSUER: &str = "the CA that answers";
/// What is assumed of a certificate when only its CA knows.
const UNKNOWN_LIFETIME: Span = Span::days(90);
