//! Certificates, requests and keys in PEM (RFC 7468).

use ::der::pem::{LineEnding, encode_string};
use rustls_pki_types::{
    CertificateDer, CertificateSigningRequestDer, PrivateKeyDer,
    pem::{self, PemObject},
};

use crate::model::{
    certificate::{Certificate, CertificateError},
    secret::Secret,
    text::decoded,
};

/// Why a text does not hold what it should.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// No block of the kind.
    #[error("there is no `-----BEGIN CERTIFICATE-----` in it")]
    NoCertificate,
    /// No request.
    #[error("there is no `-----BEGIN CERTIFICATE REQUEST-----` in it")]
    NoRequest,
    /// No key, or an encrypted one.
    #[error("there is no `-----BEGIN PRIVATE KEY-----` in it")]
    NoKey,
    /// A block with other characters than base64.
    #[error("block {0} in it is not base64")]
    NotBase64(usize),
    /// A block without an end.
    #[error("block {0} in it has no end; the file may have been cut off")]
    NoEnd(usize),
    /// A block that is no certificate.
    #[error("certificate {0} in it cannot be read")]
    NotACertificate(usize, #[source] CertificateError),
    /// Not text.
    #[error("it is not text")]
    NotText,
}

/// The certificates in a PEM text, in their order. Bytes that are DER are taken as one certificate.
pub fn certificates(bytes: &[u8]) -> Result<Vec<Certificate>, PemError> {
    if is_der(bytes) {
        return Ok(vec![Certificate::from_der(bytes).map_err(|error| PemError::NotACertificate(1, error))?]);
    }
    let text = decoded(bytes).ok_or(PemError::NotText)?;
    let certificate = |(block, der): (usize, CertificateDer<'_>)| {
        Certificate::from_der(&der).map_err(|error| PemError::NotACertificate(block, error))
    };
    let certificates: Vec<Certificate> =
        blocks(&text).map(|block| certificate(block?)).collect::<Result<_, _>>()?;
    if certificates.is_empty() { Err(PemError::NoCertificate) } else { Ok(certificates) }
}

/// A request in PEM or DER; Exchange's title and the usual one both count.
pub fn request(bytes: &[u8]) -> Result<Vec<u8>, PemError> {
    if is_der(bytes) {
        return Ok(bytes.to_vec());
    }
    let text = decoded(bytes).ok_or(PemError::NotText)?.replace(EXCHANGES_REQUEST, REQUEST);
    let (_, request): (_, CertificateSigningRequestDer<'_>) =
        blocks(&text).next().ok_or(PemError::NoRequest)??;
    Ok(request.to_vec())
}

/// The first private key, whatever stands around it: PKCS#8, or one of the older forms of RSA and EC keys.
pub(super) fn private_key(text: &Secret) -> Result<PrivateKeyDer<'static>, PemError> {
    let text = text.expose_text().ok_or(PemError::NotText)?;
    blocks(text).next().ok_or(PemError::NoKey)?.map(|(_, key)| key)
}

/// The blocks of a kind with their numbers, counted from 1. Errors show nothing of what stands in them.
fn blocks<T: PemObject>(text: &str) -> impl Iterator<Item = Result<(usize, T), PemError>> {
    T::pem_slice_iter(text.as_bytes()).zip(1..).map(|(block, number)| match block {
        Ok(block) => Ok((number, block)),
        Err(pem::Error::MissingSectionEnd { .. }) => Err(PemError::NoEnd(number)),
        Err(_) => Err(PemError::NotBase64(number)),
    })
}

fn is_der(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30)
}

/// A certificate in PEM.
pub fn of_certificate(der: &[u8]) -> String {
    block("CERTIFICATE", der)
}

/// A request for a certificate in PEM, under the title that Exchange gives it (facts 1.1).
pub fn of_request(der: &[u8]) -> String {
    block(EXCHANGES_REQUEST, der)
}

/// A private key in PEM, from PKCS#8 in DER.
pub(super) fn of_key(pkcs8: &Secret) -> Secret {
    Secret::new(block("PRIVATE KEY", pkcs8.expose()).into_bytes())
}

fn block(title: &str, der: &[u8]) -> String {
    encode_string(title, LineEnding::LF, der).expect("the title is one, and no file is as large as memory")
}

const REQUEST: &str = "CERTIFICATE REQUEST";
const EXCHANGES_REQUEST: &str = "NEW CERTIFICATE REQUEST";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{dn::DistinguishedName, key::KeySpec},
        pki::{keys, mint},
    };

    #[test]
    fn what_is_written_is_read_whatever_windows_and_people_do_to_it() {
        let key = keys::Keys::Fresh.make(KeySpec::EcP256).unwrap();
        let subject = DistinguishedName::common_name_only("mail.contoso.com");
        let request_der = mint::request(&subject, &[], &key).unwrap();
        let content = mint::CertificateContent {
            subject: &subject,
            names: &[],
            not_before: "2026-03-02T09:14:07Z".parse().unwrap(),
            not_after: "2026-09-18T09:14:07Z".parse().unwrap(),
        };
        let certificate = mint::self_signed(&content, &key).unwrap();
        let written = of_certificate(&certificate.der.0);
        assert!(
            written.lines().all(|line| line.len() <= 64) && written.ends_with("-----END CERTIFICATE-----\n")
        );
        let utf16 = |text: &str| {
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            [0xff, 0xfe].into_iter().chain(units).collect::<Vec<u8>>()
        };
        let key_block = keys::to_pem(&key);
        for (what, bytes) in [
            ("as it is", written.clone().into_bytes()),
            ("DER", certificate.der.0.clone()),
            ("with the line ends of Windows", written.replace('\n', "\r\n").into_bytes()),
            ("with Notepad's mark", format!("\u{feff}{written}").into_bytes()),
            ("of PowerShell", utf16(&written)),
            ("with words around it", format!("subject=CN = x\n{written}\nbye").into_bytes()),
            ("with blanks at the ends of lines", written.replace('\n', " \n").into_bytes()),
            ("with its key", [key_block.expose(), written.as_bytes()].concat()),
            (
                "in long lines",
                written
                    .replace('\n', "")
                    .replace("-----M", "-----\nM")
                    .replace("-----END", "\n-----END")
                    .into_bytes(),
            ),
        ] {
            let read = certificates(&bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(read, *std::slice::from_ref(&certificate), "{what}");
        }
        for text in [of_request(&request_der), of_request(&request_der).replace("NEW ", "")] {
            assert_eq!(request(text.as_bytes()).unwrap(), request_der);
        }
    }

    #[test]
    fn what_is_not_there_or_broken_is_said_and_not_shown() {
        let begin = "-----BEGIN CERTIFICATE-----";
        let end = "-----END CERTIFICATE-----";
        for (text, error) in [
            (String::new(), "there is no `-----BEGIN CERTIFICATE-----` in it"),
            (format!("{begin}\nMIIB\n"), "block 1 in it has no end; the file may have been cut off"),
            (format!("{begin}\nM*IB\n{end}\n"), "block 1 in it is not base64"),
            (format!("{begin}\nMIIB\n{end}\n"), "certificate 1 in it cannot be read"),
        ] {
            assert_eq!(certificates(text.as_bytes()).unwrap_err().to_string(), error);
        }
        let secret = Secret::new(b"-----BEGIN PRIVATE KEY-----\nhunter2\n".to_vec());
        let error = private_key(&secret).unwrap_err();
        assert!(
            matches!(error, PemError::NoEnd(1)) && !format!("{error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
}
