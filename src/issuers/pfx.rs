//! A PFX file that somebody got elsewhere.

use crate::{
    model::{
        action::CertificateRequest,
        bundle::Bundle,
        fact::Fact,
        names::{DnsName, IssuerName},
        time::Timestamp,
    },
    ports::issuer::{Issuer, IssuerError},
};

/// Hands out the certificate and key of its file.
pub struct PfxFile {
    name: IssuerName,
    holds: Fact<Bundle>,
}

impl PfxFile {
    /// What the file holds, or why it could not be read: that is an error only when it is needed.
    pub fn new(name: IssuerName, holds: Fact<Bundle>) -> Self {
        Self { name, holds }
    }
}

impl Issuer for PfxFile {
    /// What is in the file, if it has the names that are asked for and is valid: it may have been put there after the plan.
    fn issue(&self, request: &CertificateRequest, now: Timestamp) -> Result<Bundle, IssuerError> {
        let failed = |why: String| IssuerError::Failed { issuer: self.name.clone(), source: why.into() };
        let bundle = match &self.holds {
            Fact::Known(bundle) => bundle,
            Fact::Unknown(unknown) => return Err(failed(unknown.why.clone())),
        };
        let certificate = &bundle.certificate;
        let missing: Vec<&str> =
            request.names.iter().filter(|name| !certificate.covers(name)).map(DnsName::as_str).collect();
        if !missing.is_empty() {
            return Err(failed(format!("the certificate in its file lacks {}", missing.join(", "))));
        }
        if !certificate.is_valid_at(now) {
            let (from, to) = (certificate.not_before, certificate.not_after);
            return Err(failed(format!("the certificate in its file is valid from {from} to {to} only")));
        }
        Ok(bundle.clone())
    }
}
