//! Certificates and keys in PEM.

use std::borrow::Cow;

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
    /// No request.
    #[error("there is no `-----BEGIN CERTIFICATE REQUEST-----` in it")]
    NoRequest,
    /// A block without an end, or with other characters than base64.
    #[error("block {0} in it is not base64")]
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
    let text = text_of(bytes).ok_or(PemError::NotText)?;
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

/// A request in PEM or DER; Exchange's title and the usual one both count.
pub fn request(bytes: &[u8]) -> Result<Vec<u8>, PemError> {
    if bytes.first() == Some(&0x30) {
        return Ok(bytes.to_vec());
    }
    let text = text_of(bytes).ok_or(PemError::NotText)?;
    let body = text
        .split_once("CERTIFICATE REQUEST-----")
        .and_then(|(_, rest)| Some(rest.split_once("-----END")?.0));
    let body: String = body.ok_or(PemError::NoRequest)?.split_whitespace().collect();
    BASE64_STANDARD.decode(body).map_err(|_| PemError::NotBase64(1))
}

/// The text in a file: UTF-8, or UTF-16 as Windows PowerShell writes it.
pub(super) fn text_of(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let Some(units) = bytes.strip_prefix(&[0xff, 0xfe]) else {
        return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    };
    let units = units.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<String, _>>().ok().map(Cow::Owned)
}

/// A certificate in PEM.
pub fn of_certificate(der: &[u8]) -> String {
    block("CERTIFICATE", der)
}

/// A request for a certificate in PEM, under the title that Exchange gives it (facts 1.1).
pub fn of_request(der: &[u8]) -> String {
    block("NEW CERTIFICATE REQUEST", der)
}

fn block(title: &str, der: &[u8]) -> String {
    let encoded = BASE64_STANDARD.encode(der);
    let lines = encoded.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("base64 is ASCII"));
    let lines: Vec<&str> = lines.collect();
    format!("-----BEGIN {title}-----\n{}\n-----END {title}-----\n", lines.join("\n"))
}

/// A private key from PEM. `what` names it in the error, which never shows any of it.
pub fn key(secret: &Secret, what: &str) -> Result<KeyPair, KeyError> {
    let text = secret.expose_text().unwrap_or_default();
    KeyPair::from_pem(text).map_err(|error| KeyError::NotAKey(what.into(), error))
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
