//! What CAs send back: a certificate in PEM or DER, or a PKCS#7 file (`.p7b`) with the chain.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    der::{self, DerError},
    pem::{self, PemError},
};
use crate::model::{
    bundle::Answer,
    certificate::{Certificate, CertificateError},
    text::decoded,
};

/// Why a file is no answer of a CA.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// More than any CA sends.
    #[error("{0} bytes are too many for the answer of a CA; the limit is 1 MiB")]
    TooLarge(usize),
    /// Neither certificates nor PKCS#7.
    #[error("it is neither a certificate (PEM or DER) nor a PKCS#7 file")]
    Unknown(#[source] PemError),
    /// PKCS#7 without certificates, or broken.
    #[error("its PKCS#7 cannot be read")]
    Pkcs7(#[from] DerError),
    /// A certificate inside cannot be read.
    #[error("a certificate in it cannot be read")]
    Certificate(#[from] CertificateError),
    /// Only CA certificates.
    #[error("it holds no certificate for a server, only those of CAs")]
    OnlyCas,
}

/// Reads an answer. Whichever order the file has, the server's certificate comes first and the chain nearest first.
pub fn read(bytes: &[u8]) -> Result<Answer, AnswerError> {
    if bytes.len() > LARGEST {
        return Err(AnswerError::TooLarge(bytes.len()));
    }
    let mut certificates = match pkcs7(bytes) {
        Some(pkcs7) => {
            let ders = der::pkcs7_certificates(&pkcs7)?;
            ders.into_iter().map(Certificate::from_der).collect::<Result<Vec<_>, _>>()?
        }
        None => pem::certificates(bytes).map_err(AnswerError::Unknown)?,
    };
    let leaf = certificates.iter().position(|certificate| !certificate.is_ca).ok_or(AnswerError::OnlyCas)?;
    let certificate = certificates.remove(leaf);
    let mut chain = Vec::new();
    let mut issuer = certificate.issuer.clone();
    while let Some(at) = certificates.iter().position(|above| above.subject == issuer) {
        let above = certificates.remove(at);
        issuer = above.issuer.clone();
        chain.push(above.der.clone());
    }
    Ok(Answer { certificate, chain })
}

/// An answer as one PKCS#7 file, in DER: the certificate, and the chain above it.
pub fn to_pkcs7(answer: &Answer) -> Result<Vec<u8>, DerError> {
    let chain = answer.chain.iter().map(|above| above.0.as_slice());
    let all: Vec<&[u8]> = std::iter::once(answer.certificate.der.0.as_slice()).chain(chain).collect();
    der::pkcs7_of(&all)
}

/// The DER of PKCS#7: as it is, in PEM, or in bare base64 as `certreq` writes it.
fn pkcs7(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.first() == Some(&0x30) {
        return der::is_pkcs7(bytes).then(|| bytes.to_vec());
    }
    let text = decoded(bytes)?;
    let text = text.trim();
    let inside = text.split_once("-----BEGIN PKCS7-----").map(|(_, rest)| rest.split("-----END").next());
    let body = inside.flatten().or_else(|| (!text.contains("-----")).then_some(text))?;
    let body: String = body.split_whitespace().collect();
    BASE64_STANDARD.decode(body).ok().filter(|der| der::is_pkcs7(der))
}

/// A chain with every certificate as large as they get stays below it.
const LARGEST: usize = 1024 * 1024;
