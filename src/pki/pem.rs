//! Certificates and keys in PEM.

use base64::{Engine, prelude::BASE64_STANDARD};
use rcgen::KeyPair;

use super::keys::KeyError;
use crate::model::{
    certificate::{Certificate, CertificateError},
    secret::Secret,
};

/// Why a text holds no certificates.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// No block of the kind.
    #[error("there is no `-----BEGIN CERTIFICATE-----` in it")]
    NoCertificate,
    /// A block without an end, or with other characters than base64.
    #[error("certificate {0} in it is not base64")]
    NotBase64(usize),
    /// A block that is no certificate.
    #[error("certificate {0} in it cannot be read")]
    NotACertificate(usize, #[source] CertificateError),
    /// Not text.
    #[error("it is not text")]
    NotText,
}

/// The certificates in a PEM text, in their order. Bytes that are DER are taken as one certificate.
pub fn certificates(bytes: &[u8]) -> Result<Vec<Certificate>, PemError> {
    if bytes.first() == Some(&0x30) {
        return Ok(vec![Certificate::from_der(bytes).map_err(|error| PemError::NotACertificate(1, error))?]);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| PemError::NotText)?;
    let mut certificates = Vec::new();
    for (index, block) in text.split(BEGIN).skip(1).enumerate() {
        let (body, _) = block.split_once(END).ok_or(PemError::NotBase64(index + 1))?;
        let body: String = body.split_whitespace().collect();
        let der = BASE64_STANDARD.decode(body).map_err(|_| PemError::NotBase64(index + 1))?;
        certificates
            .push(Certificate::from_der(&der).map_err(|error| PemError::NotACertificate(index + 1, error))?);
    }
    if certificates.is_empty() { Err(PemError::NoCertificate) } else { Ok(certificates) }
}

/// A certificate in PEM.
pub fn of_certificate(der: &[u8]) -> String {
    let encoded = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = encoded
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
        .collect();
    format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
}

/// A private key from PEM. `what` names it in the error, which never shows any of it.
pub fn key(secret: &Secret, what: &str) -> Result<KeyPair, KeyError> {
    let text = secret.expose_text().unwrap_or_default();
    KeyPair::from_pem(text).map_err(|error| KeyError::NotAKey(what.into(), error))
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
