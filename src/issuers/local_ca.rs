//! A CA whose key certwright can use.

use crate::{
    model::{
        action::CertificateRequest,
        bundle::Bundle,
        certificate::Certificate,
        names::IssuerName,
        time::{Span, Timestamp},
    },
    pki::{
        keys::{self, Keys},
        mint::{Authority, CertificateContent},
    },
    ports::{
        BoxError,
        issuer::{Issuer, IssuerError},
    },
};

/// Signs with a key of its own.
pub struct LocalCa {
    name: IssuerName,
    authority: Authority,
    lifetime: Span,
    keys: Keys,
}

impl LocalCa {
    /// A CA that makes keys from this source and certificates that live this long.
    pub fn new(name: IssuerName, authority: Authority, lifetime: Span, keys: Keys) -> Self {
        Self { name, authority, lifetime, keys }
    }
}

impl Issuer for LocalCa {
    /// Certificates end with the CA at the latest: beyond that nobody would trust them.
    fn issue(&self, request: &CertificateRequest, now: Timestamp) -> Result<Bundle, IssuerError> {
        let failed = |source: BoxError| IssuerError::Failed { issuer: self.name.clone(), source };
        let ca = &self.authority.certificate;
        if !ca.is_valid_at(now) {
            let why =
                format!("the CA's own certificate is valid from {} to {} only", ca.not_before, ca.not_after);
            return Err(failed(why.into()));
        }
        let key = self.keys.make(request.key).map_err(|error| failed(error.into()))?;
        let lifetime = request.lifetime.unwrap_or(self.lifetime);
        let content = CertificateContent {
            subject: &request.subject,
            names: &request.names,
            // For clients and servers whose clocks are a little behind.
            not_before: now.minus(Certificate::CLOCK_SKEW).max(ca.not_before),
            not_after: now.plus(lifetime).min(ca.not_after),
        };
        let certificate = self.authority.sign(&content, &key).map_err(|error| failed(error.into()))?;
        // A server sends what it has between its certificate and the root; the root is the client's to have.
        let above = std::iter::once(ca).chain(&self.authority.chain);
        let chain = above
            .filter(|certificate| !certificate.is_self_signed())
            .map(|certificate| certificate.der.clone());
        Ok(Bundle { certificate, chain: chain.collect(), key: Some(keys::to_pkcs8(&key)) })
    }
}
