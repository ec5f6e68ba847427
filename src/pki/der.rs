//! The few pieces of DER that certwright takes apart and writes itself: distinguished names in certificates and requests,
//! and the certificates in PKCS#7.
//!
//! rcgen keeps one value for each kind of attribute; names of real CAs have several (`DC=contoso, DC=com`), and an issuer
//! has to be repeated byte for byte (RFC 5280 section 6.1.3). Types such as those of `x509-cert` and `cms` would read the
//! whole of a certificate and write it again in their own way; a thumbprint is that of the bytes which the CA sent.

use ::der::{
    AnyRef, Decode, Encode, Reader, SliceReader, Tag, TagNumber,
    asn1::{BitStringRef, ObjectIdentifier},
};
use rcgen::SigningKey;

use crate::model::dn::{Attribute, COUNTRY, DOMAIN_COMPONENT, DistinguishedName, EMAIL, Rdn};

/// Why bytes could not be taken apart, or put together again.
#[derive(Debug, thiserror::Error)]
pub enum DerError {
    /// No DER.
    #[error("its DER is malformed")]
    Malformed(#[from] ::der::Error),
    /// Something is not there.
    #[error("its DER has no {0} where one belongs")]
    Missing(&'static str),
    /// The kind of an attribute is none.
    #[error("`{0}` is not an object identifier")]
    Identifier(String),
    /// The key does not sign.
    #[error("signing failed")]
    Sign(#[from] rcgen::Error),
}

/// A name in DER. Strings are UTF-8 but for the attributes whose definition wants otherwise (RFC 5280 appendix A).
pub(super) fn name(name: &DistinguishedName) -> Result<Vec<u8>, DerError> {
    let rdns = name.rdns().iter().map(|Rdn(attributes)| {
        let mut attributes = attributes.iter().map(attribute).collect::<Result<Vec<_>, _>>()?;
        // A set in DER is sorted by the bytes of its members.
        attributes.sort();
        value(Tag::Set, &attributes.concat())
    });
    value(Tag::Sequence, &rdns.collect::<Result<Vec<_>, DerError>>()?.concat())
}

fn attribute(Attribute { oid, value: text }: &Attribute) -> Result<Vec<u8>, DerError> {
    let tag = match &**oid {
        COUNTRY => Tag::PrintableString,
        DOMAIN_COMPONENT | EMAIL => Tag::Ia5String,
        _ => Tag::Utf8String,
    };
    let kind = ObjectIdentifier::new(oid).map_err(|_| DerError::Identifier(oid.to_string()))?;
    value(Tag::Sequence, &[kind.to_der()?, value(tag, text.as_bytes())?].concat())
}

/// The certificate with other names in it, signed again.
pub(super) fn with_names(
    certificate: &[u8],
    issuer: &[u8],
    subject: &[u8],
    signer: &impl SigningKey,
) -> Result<Vec<u8>, DerError> {
    let (tbs, algorithm) = content_and_algorithm(certificate)?;
    let mut fields = parts(contents(tbs)?)?;
    let first = first_field(&fields);
    *fields.get_mut(first + ISSUER).ok_or(DerError::Missing("issuer"))? = issuer;
    *fields.get_mut(first + SUBJECT).ok_or(DerError::Missing("subject"))? = subject;
    signed(&fields, algorithm, signer)
}

/// The request (PKCS#10, RFC 2986) with another subject in it, signed again.
pub(super) fn request_with_name(
    request: &[u8],
    subject: &[u8],
    signer: &impl SigningKey,
) -> Result<Vec<u8>, DerError> {
    let (info, algorithm) = content_and_algorithm(request)?;
    let mut fields = parts(contents(info)?)?;
    *fields.get_mut(REQUEST_SUBJECT).ok_or(DerError::Missing("subject"))? = subject;
    signed(&fields, algorithm, signer)
}

/// The subject of a request, byte for byte.
pub(super) fn request_subject(request: &[u8]) -> Result<&[u8], DerError> {
    let (info, _) = content_and_algorithm(request)?;
    parts(contents(info)?)?.get(REQUEST_SUBJECT).copied().ok_or(DerError::Missing("subject"))
}

/// The subject of a certificate, byte for byte.
pub(super) fn subject(certificate: &[u8]) -> Result<&[u8], DerError> {
    let (tbs, _) = content_and_algorithm(certificate)?;
    let fields = parts(contents(tbs)?)?;
    fields.get(first_field(&fields) + SUBJECT).copied().ok_or(DerError::Missing("subject"))
}

/// Whether these bytes begin as PKCS#7 with signed data does (RFC 2315).
pub(super) fn is_pkcs7(bytes: &[u8]) -> bool {
    let kind = contents(bytes).and_then(|contents| Ok(ObjectIdentifier::decode(&mut reader(contents)?)?));
    kind.is_ok_and(|kind| kind == SIGNED_DATA)
}

/// The certificates in PKCS#7 signed data, in their order.
pub(super) fn pkcs7_certificates(bytes: &[u8]) -> Result<Vec<&[u8]>, DerError> {
    let content_info = parts(contents(bytes)?)?;
    let content = content_info.get(1).ok_or(DerError::Missing("content"))?;
    // version, digest algorithms, content, [0] certificates, …
    let fields = parts(contents(contents(content)?)?)?;
    let certificates = fields.iter().skip(3).find(|field| has_tag(field, IN_BRACKETS_0));
    parts(contents(certificates.ok_or(DerError::Missing("certificate"))?)?)
}

/// PKCS#7 signed data that nobody signed: certificates alone (RFC 2315 section 9.1).
pub(super) fn pkcs7_of(certificates: &[&[u8]]) -> Result<Vec<u8>, DerError> {
    let empty = value(Tag::Set, &[])?;
    let content = [
        value(Tag::Integer, &[1])?, // the version
        empty.clone(),
        value(Tag::Sequence, &DATA.to_der()?)?,
        value(IN_BRACKETS_0, &certificates.concat())?,
        empty,
    ];
    let explicit = value(IN_BRACKETS_0, &value(Tag::Sequence, &content.concat())?)?;
    value(Tag::Sequence, &[SIGNED_DATA.to_der()?, explicit].concat())
}

/// What certificates and requests begin with: what is signed, and how.
fn content_and_algorithm(signed: &[u8]) -> Result<(&[u8], &[u8]), DerError> {
    match parts(contents(signed)?)?.as_slice() {
        [content, algorithm, _signature] => Ok((content, algorithm)),
        _ => Err(DerError::Missing("signature")),
    }
}

/// Where the serial number of a certificate stands: behind the version, which old ones do not have.
fn first_field(fields: &[&[u8]]) -> usize {
    usize::from(fields.first().is_some_and(|field| has_tag(field, IN_BRACKETS_0)))
}

fn signed(fields: &[&[u8]], algorithm: &[u8], signer: &impl SigningKey) -> Result<Vec<u8>, DerError> {
    let content = value(Tag::Sequence, &fields.concat())?;
    let signature = signer.sign(&content)?;
    let signature = BitStringRef::from_bytes(&signature)?.to_der()?;
    value(Tag::Sequence, &[&content, algorithm, &signature].concat())
}

pub(super) fn value(tag: Tag, contents: &[u8]) -> Result<Vec<u8>, DerError> {
    Ok(AnyRef::new(tag, contents)?.to_der()?)
}

/// The contents of the value at the start.
pub(super) fn contents(bytes: &[u8]) -> Result<&[u8], DerError> {
    Ok(AnyRef::decode(&mut reader(bytes)?)?.value())
}

/// The values that follow each other, with their tags and lengths.
pub(super) fn parts(bytes: &[u8]) -> Result<Vec<&[u8]>, DerError> {
    let mut reader = reader(bytes)?;
    let mut parts = Vec::new();
    while !reader.is_finished() {
        parts.push(reader.tlv_bytes()?);
    }
    Ok(parts)
}

/// The numbers that follow an octet string, anywhere in DER and in the DER within octet strings: the rounds of hashing that
/// a PFX asks for come after their salt (RFC 8018 appendix A, RFC 7292 section 4).
pub(super) fn rounds(bytes: &[u8]) -> Vec<u64> {
    let mut found = Vec::new();
    rounds_below(bytes, 0, &mut found);
    found
}

fn rounds_below(bytes: &[u8], depth: usize, found: &mut Vec<u64>) {
    // What is not DER on this level is none for the reader of the PFX either.
    let parts = parts(bytes).unwrap_or_default();
    let mut after_salt = false;
    for part in parts {
        let Ok(value) = contents(part) else { return };
        if after_salt && has_tag(part, Tag::Integer) {
            let wide = value.len() > size_of::<u64>();
            let number = value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
            found.push(if wide { u64::MAX } else { number });
        }
        after_salt = has_tag(part, Tag::OctetString);
        let is_constructed = part.first().is_some_and(|byte| byte & CONSTRUCTED != 0);
        if (after_salt || is_constructed) && depth < DEEPEST {
            rounds_below(value, depth + 1, found);
        }
    }
}

fn has_tag(value: &[u8], tag: Tag) -> bool {
    reader(value).and_then(|reader| Ok(Tag::peek(&reader)?)).is_ok_and(|found| found == tag)
}

/// The bit of a tag that says that values are inside (X.690 section 8.1.2.5).
const CONSTRUCTED: u8 = 0x20;
/// How far into each other the values of a PFX are; no file has as many.
const DEEPEST: usize = 32;
/// `[0]`: the version of a certificate, the certificates of signed data.
const IN_BRACKETS_0: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
/// Where the names stand in a certificate: serial number, signature algorithm, issuer, validity, subject, …
const ISSUER: usize = 2;
const SUBJECT: usize = 4;
/// And in a request: version, subject, public key, attributes.
const REQUEST_SUBJECT: usize = 1;
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");

fn reader(bytes: &[u8]) -> Result<SliceReader<'_>, DerError> {
    Ok(SliceReader::new(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_x_509_wants_them() {
        let written = name(&"CN=\u{fc}, DC=contoso, C=NL".parse().unwrap()).unwrap();
        let attributes: [&[u8]; 3] = [
            b"\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02NL",
            b"\x31\x17\x30\x15\x06\x0a\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19\x16\x07contoso",
            b"\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\xc3\xbc",
        ];
        assert_eq!(written, [b"\x30\x33".as_slice(), &attributes.concat()].concat());
        let beyond = Attribute { oid: "9.9.9".into(), value: "x".into() };
        let beyond = DistinguishedName::new(vec![Rdn(vec![beyond])]);
        assert!(matches!(name(&beyond), Err(DerError::Identifier(oid)) if oid == "9.9.9"));
    }

    #[test]
    fn what_is_no_der_is_an_error() {
        for bytes in
            [&[][..], &[0x30], &[0x30, 5, 0], &[0x30, 0x80], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x30, 0x82, 1]]
        {
            assert!(contents(bytes).is_err() && parts(&[0x30, 0, 0x30]).is_err(), "{bytes:?}");
            assert!(!is_pkcs7(bytes) && pkcs7_certificates(bytes).is_err() && subject(bytes).is_err());
        }
    }
}
