//! What an X.509 certificate says, read from its DER. The only file that names x509-parser.

use std::net::Ipv4Addr;

use data_encoding::HEXUPPER;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate, X509Name};

use super::facts::{CertificateError, CertificateFacts, Der};
use crate::model::{
    dn::{Attribute, DistinguishedName, Rdn},
    key::{PublicKey, Signature},
    names::DnsName,
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// What a certificate says.
pub(super) fn facts(der: &[u8]) -> Result<CertificateFacts, CertificateError> {
    if der.len() > LARGEST {
        return Err(CertificateError::TooLarge(der.len()));
    }
    let not_x509 = |reason: String| CertificateError::NotX509 { length: der.len(), reason };
    let (rest, parsed) = X509Certificate::from_der(der).map_err(|error| not_x509(error.to_string()))?;
    if !rest.is_empty() {
        return Err(CertificateError::TrailingBytes(rest.len()));
    }
    let subject = distinguished_name(parsed.subject());
    let (names, only_in_subject) = domains(&parsed, &subject);
    Ok(CertificateFacts {
        thumbprint: Thumbprint::of(der),
        issuer: distinguished_name(parsed.issuer()),
        serial: serial(parsed.raw_serial()),
        names,
        only_in_subject,
        not_before: Timestamp::from_unix(parsed.validity().not_before.timestamp()),
        not_after: Timestamp::from_unix(parsed.validity().not_after.timestamp()),
        key: public_key(&parsed),
        public_key: HEXUPPER.encode(&Sha256::digest(parsed.public_key().raw)),
        signature: signature(&parsed.signature_algorithm.algorithm.to_id_string()),
        usages: usages(&parsed),
        subject_key_id: subject_key_id(&parsed),
        is_ca: parsed.is_ca(),
        subject,
        der: Der(der.to_vec()),
    })
}

fn distinguished_name(name: &X509Name<'_>) -> DistinguishedName {
    let rdns = name.iter_rdn().map(|rdn| {
        Rdn(rdn
            .iter()
            .map(|attribute| {
                Attribute::new(&attribute.attr_type().to_id_string(), text_of(attribute.attr_value()))
            })
            .collect())
    });
    DistinguishedName::new(rdns.collect())
}

/// The value of an attribute as text. BMP strings are UTF-16; what is no string at all is shown in hexadecimal.
fn text_of(value: &x509_parser::der_parser::asn1_rs::Any<'_>) -> String {
    const BMP_STRING: u32 = 30;
    if value.tag().0 == BMP_STRING {
        let units = value.data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        return char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    }
    match std::str::from_utf8(value.data) {
        Ok(text) => text.to_owned(),
        // Teletex strings of old CAs are Latin-1 in practice.
        Err(_) if value.tag().0 == 20 => value.data.iter().map(|byte| char::from(*byte)).collect(),
        Err(_) => format!("#{}", HEXUPPER.encode(value.data)),
    }
}

/// All names, and the one that is in the subject only.
fn domains(parsed: &X509Certificate<'_>, subject: &DistinguishedName) -> (Vec<DnsName>, Option<DnsName>) {
    let alternative = parsed.subject_alternative_name().ok().flatten();
    let alternative_names = alternative.iter().flat_map(|extension| &extension.value.general_names);
    let dns_names = alternative_names.filter_map(|name| match name {
        // Clients refuse an address that is written as a name (facts 1.9).
        GeneralName::DNSName(text) => text.parse().ok().filter(|name: &DnsName| !name.is_address()),
        GeneralName::IPAddress(bytes) => {
            let octets: [u8; 4] = (*bytes).try_into().ok()?;
            Ipv4Addr::from(octets).to_string().parse().ok()
        }
        _ => None,
    });
    // A common name with blanks, like the Auth certificate's, does not parse as a DNS name and is left out (sample S1).
    let common_name = subject.common_name().and_then(|text| text.parse::<DnsName>().ok());
    let common_name = common_name.filter(|name| !name.is_address());
    let mut names: Vec<DnsName> = Vec::new();
    for name in dns_names {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let Some(common_name) = common_name.filter(|name| !names.contains(name)) else { return (names, None) };
    let is_left_out =
        names.iter().any(|name| !name.is_address()) && !names.iter().any(|name| name.covers(&common_name));
    names.push(common_name.clone());
    (names, is_left_out.then_some(common_name))
}

fn public_key(parsed: &X509Certificate<'_>) -> PublicKey {
    let info = parsed.public_key();
    let oid = info.algorithm.algorithm.to_id_string();
    match oid.as_str() {
        "1.2.840.113549.1.1.1" => match info.parsed() {
            Ok(x509_parser::public_key::PublicKey::RSA(key)) => {
                PublicKey::Rsa(u32::try_from(modulus_bits(key.modulus)).unwrap_or(u32::MAX))
            }
            _ => PublicKey::Other(oid),
        },
        "1.2.840.10045.2.1" => {
            let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
            PublicKey::Ec(match curve.map(|curve| curve.to_id_string()).as_deref() {
                Some("1.2.840.10045.3.1.7") => PublicKey::P256.into(),
                Some("1.3.132.0.34") => "P-384".into(),
                Some("1.3.132.0.35") => "P-521".into(),
                Some(other) => other.into(),
                None => "unnamed curve".into(),
            })
        }
        _ => PublicKey::Other(oid),
    }
}

fn modulus_bits(modulus: &[u8]) -> usize {
    let significant = &modulus[modulus.iter().take_while(|byte| **byte == 0).count()..];
    significant.first().map_or(0, |first| significant.len() * 8 - first.leading_zeros() as usize)
}

/// By the signature's object identifier, as HealthChecker judges it (facts 14).
fn signature(oid: &str) -> Signature {
    let strong = |name: &str| Signature::Strong(name.into());
    let weak = |name: &str| Signature::Weak(name.into());
    match oid {
        "1.2.840.113549.1.1.11" => strong("sha256RSA"),
        "1.2.840.113549.1.1.12" => strong("sha384RSA"),
        "1.2.840.113549.1.1.13" => strong("sha512RSA"),
        "1.2.840.113549.1.1.10" => strong("RSASSA-PSS"),
        "1.2.840.10045.4.3.2" => strong("sha256ECDSA"),
        "1.2.840.10045.4.3.3" => strong("sha384ECDSA"),
        "1.2.840.10045.4.3.4" => strong("sha512ECDSA"),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => weak("sha1RSA"),
        "1.2.840.113549.1.1.4" => weak("md5RSA"),
        "1.2.840.113549.1.1.2" => weak("md2RSA"),
        "1.2.840.10045.4.1" => weak("sha1ECDSA"),
        other => Signature::Other(other.into()),
    }
}

fn usages(parsed: &X509Certificate<'_>) -> Option<Vec<String>> {
    let usage = parsed.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::ExtendedKeyUsage(usage) => Some(usage),
        _ => None,
    })?;
    let named = [
        (usage.any, "any"),
        (usage.server_auth, "serverAuth"),
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "ocspSigning"),
    ];
    let known = named.iter().filter(|(has, _)| *has).map(|(_, name)| (*name).to_owned());
    Some(known.chain(usage.other.iter().map(x509_parser::der_parser::Oid::to_id_string)).collect())
}

fn subject_key_id(parsed: &X509Certificate<'_>) -> Option<String> {
    parsed.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(HEXUPPER.encode(id.0)),
        _ => None,
    })
}

/// A serial number. DER puts a zero byte before one whose first bit is set; Windows does not show it.
fn serial(bytes: &[u8]) -> String {
    HEXUPPER.encode(if bytes.len() > 1 && bytes[0] == 0 { &bytes[1..] } else { bytes })
}

/// Certificates are a few kilobytes; the bound keeps foreign bytes from becoming our problem.
const LARGEST: usize = 64 * 1024;
