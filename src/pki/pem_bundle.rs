//! A certificate, its chain and its key as PEM: what load balancers read.

use super::{
    keys::{self, KeyError},
    pem::{self, PemError},
};
use crate::model::{bundle::Bundle, secret::Secret};

/// Why a PEM file is no certificate with its key.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Its certificates cannot be read.
    #[error(transparent)]
    Certificates(#[from] PemError),
    /// Its key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It has no key.
    #[error("there is no private key in it")]
    NoKey,
}

/// The certificate and its chain, the certificate first.
pub fn certificates(bundle: &Bundle) -> String {
    let all = std::iter::once(&bundle.certificate.der).chain(&bundle.chain);
    all.map(|der| pem::of_certificate(&der.0)).collect()
}

/// The private key, as PKCS#8.
pub fn key(bundle: &Bundle) -> Result<Secret, BundleError> {
    let key = keys::from_pkcs8(bundle.key.as_ref().ok_or(BundleError::NoKey)?)?;
    Ok(keys::to_pem(&key))
}

/// Certificate, chain and key, in this order, without an empty line between them.
pub fn write(bundle: &Bundle) -> Result<Secret, BundleError> {
    let mut text = certificates(bundle).into_bytes();
    text.extend_from_slice(key(bundle)?.expose());
    let lines: Vec<&[u8]> =
        text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let mut lines = lines.join(&b'\n');
    lines.push(b'\n');
    Ok(Secret::new(lines))
}

/// The certificate, its chain and its key, from the text of one file or of several.
pub fn read(certificates: &Secret, key: &Secret) -> Result<Bundle, BundleError> {
    let mut chain = pem::certificates(certificates.expose())?.into_iter();
    let certificate = chain.next().ok_or(PemError::NoCertificate)?;
    let key = keys::find_in_pem(key, "the private key in it")?.ok_or(BundleError::NoKey)?;
    let chain = chain.map(|certificate| certificate.der.clone()).collect();
    Ok(Bundle { certificate, chain, key: Some(keys::to_pkcs8(&key)) })
}
