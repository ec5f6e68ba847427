//! An element of a certificate store as Windows serializes it: properties one after the other, and last of all the
//! certificate itself, which counts as one (`CertSerializeCertificateStoreElement`).

use sha1::{Digest, Sha1};

use super::error::CertificateBlobError;
use crate::model::certificate::Der;

/// What an element says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) certificate: Der,
    pub(super) friendly_name: Option<String>,
    /// Whether it says where the private key is.
    pub(super) has_private_key: bool,
    /// The kind of provider that keeps it (`dwProvType`); 0 is a key storage provider of CNG.
    pub(super) provider_type: Option<u32>,
}

/// Reads an element. Properties that are not known are read over: Windows keeps hashes and much else in them.
pub(super) fn read(mut bytes: &[u8]) -> Result<Element, CertificateBlobError> {
    let (mut certificate, mut friendly_name, mut sha1, mut has_private_key) = (None, None, None, false);
    let mut provider_type = None;
    while !bytes.is_empty() {
        let (property, value, rest) =
            property(bytes).ok_or(CertificateBlobError::Store("a property of it was cut"))?;
        match property {
            CERTIFICATE => certificate = Some(Der(value.to_vec())),
            FRIENDLY_NAME => friendly_name = Some(text(value)?),
            KEY_PROVIDER => {
                has_private_key = true;
                provider_type = value.get(PLACE_OF_TYPE..).and_then(number).map(|(number, _)| number);
            }
            SHA1 => sha1 = Some(value),
            _ => {}
        }
        bytes = rest;
    }
    let certificate = certificate.ok_or(CertificateBlobError::Store("it holds no certificate"))?;
    if sha1.is_some_and(|sha1| sha1 != Sha1::digest(&certificate.0).as_slice()) {
        return Err(CertificateBlobError::Store("its certificate is not the one whose thumbprint it gives"));
    }
    Ok(Element { certificate, friendly_name, has_private_key, provider_type })
}

/// Writes an element.
pub(super) fn write(element: &Element) -> Vec<u8> {
    let Element { certificate, friendly_name, has_private_key, provider_type } = element;
    let mut bytes = Vec::new();
    if *has_private_key {
        put(&mut bytes, KEY_PROVIDER, &key_provider("certwright", *provider_type));
    }
    put(&mut bytes, SHA1, &Sha1::digest(&certificate.0));
    if let Some(name) = friendly_name {
        put(&mut bytes, FRIENDLY_NAME, &utf16(name));
    }
    put(&mut bytes, CERTIFICATE, &certificate.0);
    bytes
}

/// The first property: its number, its value, and what follows.
fn property(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (property, rest) = number(bytes)?;
    let (_encoding, rest) = number(rest)?;
    let (length, rest) = number(rest)?;
    let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((property, value, rest))
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

/// UTF-16 up to the first zero, as Windows reads it.
fn text(bytes: &[u8]) -> Result<String, CertificateBlobError> {
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(CertificateBlobError::Store("its friendly name is not UTF-16"));
    }
    let units = pairs.map(|pair| u16::from_le_bytes([pair[0], pair[1]])).take_while(|unit| *unit != 0);
    Ok(char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

fn put(bytes: &mut Vec<u8>, property: u32, value: &[u8]) {
    let length = u32::try_from(value.len()).expect("no property of a certificate has four gigabytes");
    for number in [property, X509_ASN, length] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(value);
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// A `CRYPT_KEY_PROV_INFO` with offsets in place of pointers: container, provider, kind of provider, flags, count and
/// place of parameters, kind of key. Then the texts.
fn key_provider(container: &str, provider_type: Option<u32>) -> Vec<u8> {
    const PLACE_OF_TEXTS: u32 = 28;
    const CRYPT_MACHINE_KEYSET: u32 = 0x20;
    const AT_KEYEXCHANGE: u32 = 1;
    let Some(provider_type) = provider_type else { return Vec::new() };
    let numbers = [PLACE_OF_TEXTS, 0, provider_type, CRYPT_MACHINE_KEYSET, 0, 0, AT_KEYEXCHANGE];
    numbers.into_iter().flat_map(u32::to_le_bytes).chain(utf16(container)).collect()
}

/// Of the kind of provider in a `CRYPT_KEY_PROV_INFO`, behind the places of two texts.
const PLACE_OF_TYPE: usize = 8;
// wincrypt.h
const KEY_PROVIDER: u32 = 2; // CERT_KEY_PROV_INFO_PROP_ID
const SHA1: u32 = 3; // CERT_SHA1_HASH_PROP_ID
const FRIENDLY_NAME: u32 = 11; // CERT_FRIENDLY_NAME_PROP_ID
const CERTIFICATE: u32 = 32; // CERT_CERT_PROP_ID
const X509_ASN: u32 = 1; // X509_ASN_ENCODING

#[cfg(test)]
mod tests {
    use super::*;

    fn element() -> Element {
        Element {
            certificate: Der(vec![0x30, 0]),
            friendly_name: Some("Zürich 😀".into()),
            has_private_key: true,
            provider_type: Some(12),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for provider_type in [Some(12), Some(0), None] {
            let element = Element { provider_type, ..element() };
            assert_eq!(read(&write(&element)), Ok(element));
        }
    }

    #[test]
    fn properties_that_are_not_known_are_read_over() {
        let mut bytes = Vec::new();
        put(&mut bytes, 0x5c, &[0, 8, 0, 0]);
        bytes.extend(write(&element()));
        assert_eq!(read(&bytes), Ok(element()));
    }

    #[test]
    fn what_is_broken_is_an_error() {
        let good = write(&element());
        let mut no_certificate = Vec::new();
        put(&mut no_certificate, KEY_PROVIDER, &[]);
        let mut odd = Vec::new();
        put(&mut odd, FRIENDLY_NAME, b"odd");
        let mut absurd = Vec::new();
        absurd.extend([KEY_PROVIDER, X509_ASN, u32::MAX].into_iter().flat_map(u32::to_le_bytes));
        let mut other = good.clone();
        *other.last_mut().unwrap() = 1;
        for (row, bytes, says) in [
            ("nothing", Vec::new(), "it holds no certificate"),
            ("no certificate", no_certificate, "it holds no certificate"),
            ("an odd number of bytes", odd, "its friendly name is not UTF-16"),
            ("an absurd length", absurd, "a property of it was cut"),
            ("the last byte missing", good[..good.len() - 1].to_vec(), "a property of it was cut"),
            ("another certificate", other, "its certificate is not the one whose thumbprint it gives"),
        ] {
            assert_eq!(read(&bytes), Err(CertificateBlobError::Store(says)), "{row}");
        }
    }
}
