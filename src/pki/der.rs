//! The few pieces of DER that certwright writes itself: distinguished names, and putting them into a certificate.
//! rcgen keeps one value for each kind of attribute; names of real CAs have several (`DC=contoso, DC=com`), and an
//! issuer has to be repeated byte for byte (RFC 5280 section 6.1.3).

use rcgen::SigningKey;

use crate::model::dn::{COUNTRY, DOMAIN_COMPONENT, DistinguishedName, EMAIL};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const BIT_STRING: u8 = 0x03;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;
const EXPLICIT_VERSION: u8 = 0xa0;
const IMPLICIT_CERTIFICATES: u8 = 0xa0;
/// The object identifier 1.2.840.113549.1.7.2.
const SIGNED_DATA: &[u8] = &[OBJECT_IDENTIFIER, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];

/// Bytes that could not be taken apart.
#[derive(Debug, thiserror::Error)]
#[error("its DER has not the form it should have")]
pub struct Malformed;

/// A name in DER. Strings are UTF-8 but for the attributes whose definition wants otherwise (RFC 5280 appendix A).
pub(super) fn name(name: &DistinguishedName) -> Vec<u8> {
    let rdns = name.rdns().iter().map(|rdn| {
        let mut attributes: Vec<Vec<u8>> = rdn
            .0
            .iter()
            .map(|attribute| {
                let tag = match attribute.oid.as_str() {
                    COUNTRY => PRINTABLE_STRING,
                    DOMAIN_COMPONENT | EMAIL => IA5_STRING,
                    _ => UTF8_STRING,
                };
                let value = value(tag, attribute.value.as_bytes());
                value_of(SEQUENCE, &[object_identifier(&attribute.oid), value])
            })
            .collect();
        // A set in DER is sorted by the bytes of its members.
        attributes.sort();
        value_of(SET, &attributes)
    });
    value_of(SEQUENCE, &rdns.collect::<Vec<_>>())
}

/// The certificate with other names in it, signed again.
pub(super) fn with_names(
    certificate: &[u8],
    issuer: &[u8],
    subject: &[u8],
    signer: &impl SigningKey,
) -> Result<Vec<u8>, WithNamesError> {
    let [tbs, algorithm, _signature] = parts(contents(certificate)?)?.try_into().map_err(|_| Malformed)?;
    let mut fields = parts(contents(tbs)?)?;
    // version, serial number, signature algorithm, issuer, validity, subject, …
    let first = usize::from(fields.first().is_some_and(|field| field[0] == EXPLICIT_VERSION));
    *fields.get_mut(first + 2).ok_or(Malformed)? = issuer;
    *fields.get_mut(first + 4).ok_or(Malformed)? = subject;
    signed(&value_of(SEQUENCE, &fields), algorithm, signer)
}

/// The request (PKCS#10, RFC 2986) with another subject in it, signed again.
pub(super) fn request_with_name(
    request: &[u8],
    subject: &[u8],
    signer: &impl SigningKey,
) -> Result<Vec<u8>, WithNamesError> {
    let [info, algorithm, _signature] = parts(contents(request)?)?.try_into().map_err(|_| Malformed)?;
    // version, subject, public key, attributes
    let mut fields = parts(contents(info)?)?;
    *fields.get_mut(1).ok_or(Malformed)? = subject;
    signed(&value_of(SEQUENCE, &fields), algorithm, signer)
}

/// The subject of a request, byte for byte.
pub(super) fn request_subject(request: &[u8]) -> Result<&[u8], Malformed> {
    let info = *parts(contents(request)?)?.first().ok_or(Malformed)?;
    parts(contents(info)?)?.get(1).copied().ok_or(Malformed)
}

/// Whether these bytes begin as PKCS#7 with signed data does (RFC 2315).
pub(super) fn is_pkcs7(bytes: &[u8]) -> bool {
    let fields = contents(bytes).and_then(parts);
    fields.is_ok_and(|fields| fields.first().is_some_and(|oid| *oid == SIGNED_DATA))
}

/// The certificates in PKCS#7 signed data, in their order.
pub(super) fn pkcs7_certificates(bytes: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let wrapped = *parts(contents(bytes)?)?.get(1).ok_or(Malformed)?;
    let fields = parts(contents(contents(wrapped)?)?)?;
    // version, digest algorithms, content, [0] certificates, …
    let certificates =
        fields.iter().skip(3).find(|field| field[0] == IMPLICIT_CERTIFICATES).ok_or(Malformed)?;
    parts(contents(certificates)?)
}

fn signed(content: &[u8], algorithm: &[u8], signer: &impl SigningKey) -> Result<Vec<u8>, WithNamesError> {
    let mut signature = vec![0]; // no unused bits
    signature.extend(signer.sign(content)?);
    Ok(value_of(SEQUENCE, &[content, algorithm, &value(BIT_STRING, &signature)]))
}

/// The subject of a certificate, byte for byte.
pub(super) fn subject(certificate: &[u8]) -> Result<&[u8], Malformed> {
    let tbs = *parts(contents(certificate)?)?.first().ok_or(Malformed)?;
    let fields = parts(contents(tbs)?)?;
    let first = usize::from(fields.first().is_some_and(|field| field[0] == EXPLICIT_VERSION));
    fields.get(first + 4).copied().ok_or(Malformed)
}

/// Why a certificate could not be given other names.
#[derive(Debug, thiserror::Error)]
pub(super) enum WithNamesError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("signing failed")]
    Sign(#[from] rcgen::Error),
}

fn object_identifier(dotted: &str) -> Vec<u8> {
    let mut numbers = dotted.split('.').map(|number| number.parse::<u64>().unwrap_or_default());
    let (first, second) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let mut bytes = Vec::new();
    for number in std::iter::once(first * 40 + second).chain(numbers) {
        let groups = (64 - number.leading_zeros()).div_ceil(7).max(1);
        for group in (0..groups).rev() {
            let more = if group == 0 { 0 } else { 0x80 };
            bytes.push(u8::try_from(number >> (7 * group) & 0x7f).expect("seven bits") | more);
        }
    }
    value(OBJECT_IDENTIFIER, &bytes)
}

fn value_of<T: AsRef<[u8]>>(tag: u8, parts: &[T]) -> Vec<u8> {
    value(tag, &parts.iter().flat_map(|part| part.as_ref().iter().copied()).collect::<Vec<_>>())
}

fn value(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    if let Ok(short @ 0..0x80) = u8::try_from(contents.len()) {
        bytes.push(short);
    } else {
        let length = contents.len().to_be_bytes();
        let significant = &length[length.iter().take_while(|byte| **byte == 0).count()..];
        bytes.push(0x80 | u8::try_from(significant.len()).expect("at most eight"));
        bytes.extend(significant);
    }
    bytes.extend(contents);
    bytes
}

/// The contents of the value at the start.
fn contents(bytes: &[u8]) -> Result<&[u8], Malformed> {
    let (header, length) = header(bytes)?;
    bytes.get(header..header + length).ok_or(Malformed)
}

/// The values that follow each other.
fn parts(mut bytes: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let (header, length) = header(bytes)?;
        let (part, rest) = bytes.split_at_checked(header + length).ok_or(Malformed)?;
        parts.push(part);
        bytes = rest;
    }
    Ok(parts)
}

/// How long the tag and length of the value are, and its contents.
fn header(bytes: &[u8]) -> Result<(usize, usize), Malformed> {
    match *bytes.get(1).ok_or(Malformed)? {
        short @ 0..0x80 => Ok((2, short.into())),
        long => {
            let count = usize::from(long & 0x7f);
            let digits = bytes.get(2..2 + count).filter(|_| (1..=4).contains(&count)).ok_or(Malformed)?;
            Ok((2 + count, digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_identifiers_are_encoded_in_base_128() {
        for (dotted, bytes) in [
            ("2.5.4.3", &[6, 3, 0x55, 4, 3][..]),
            ("1.2.840.113549.1.9.1", &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1]),
            ("0.9.2342.19200300.100.1.25", &[6, 10, 9, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 0x19]),
        ] {
            assert_eq!(object_identifier(dotted), bytes, "{dotted}");
        }
    }

    #[test]
    fn lengths_beyond_127_take_more_bytes() {
        assert_eq!(value(4, &[0; 127])[..2], [4, 127]);
        assert_eq!(value(4, &[0; 128])[..3], [4, 0x81, 128]);
        assert_eq!(value(4, &[0; 300])[..4], [4, 0x82, 1, 44]);
        assert_eq!(contents(&value(4, &[7; 300])).unwrap(), [7; 300]);
        for bytes in [&[][..], &[4], &[4, 5, 0], &[4, 0x80], &[4, 0x85, 1, 1, 1, 1, 1], &[4, 0x82, 1]] {
            assert!(contents(bytes).is_err(), "{bytes:?}");
        }
    }
}
