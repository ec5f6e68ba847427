//! What certwright needs from a CA.

use std::collections::BTreeMap;

use super::BoxError;
use crate::model::{action::CertificateRequest, bundle::Bundle, names::IssuerName, time::Timestamp};

/// Makes certificates with keys that certwright brings to the servers.
pub trait Issuer: Send + Sync {
    /// Makes a key and a certificate for it.
    fn issue(&self, request: &CertificateRequest, now: Timestamp) -> Result<Bundle, IssuerError>;
}

/// The issuers of a manifest that certwright itself speaks with, by name.
pub type Issuers = BTreeMap<IssuerName, Box<dyn Issuer>>;

/// Why a CA did not issue a certificate.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The request cannot be met.
    #[error("issuer {issuer} could not make the certificate")]
    Failed {
        /// The issuer.
        issuer: IssuerName,
        /// Why not.
        #[source]
        source: BoxError,
    },
}
