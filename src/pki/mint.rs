//! Making certificates: self-signed as Exchange makes them, and signed by a CA.

mod like;

use std::net::IpAddr;

use data_encoding::HEXLOWER_PERMISSIVE;
use rcgen::{
    Certificate as Minted, CertificateParams, CertificateSigningRequestParams, CustomExtension,
    DistinguishedName as RcgenName, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm, SigningKey,
};
use sha2::{Digest, Sha256};

pub use self::like::like;
use super::der::{self, DerError};
use crate::model::{
    certificate::{Certificate, CertificateError},
    dn::DistinguishedName,
    names::DnsName,
    time::Timestamp,
};

/// What a certificate should say.
#[derive(Clone, Debug)]
pub struct CertificateContent<'a> {
    /// Whom it names.
    pub subject: &'a DistinguishedName,
    /// The DNS names; none leaves the extension out, as for the Auth certificate (facts 1.1).
    pub names: &'a [DnsName],
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
}

/// A CA: its certificate, the chain above it, and its key.
pub struct Authority {
    /// Its certificate.
    pub certificate: Certificate,
    /// The certificates above it, nearest first.
    pub chain: Vec<Certificate>,
    key: KeyPair,
}

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// rcgen refuses.
    #[error("making a certificate for {subject} failed")]
    Make {
        /// For whom.
        subject: String,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
    /// A request that cannot be read, or whose signature is not its key's.
    #[error("the request cannot be answered")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A name is not one that X.509 can hold.
    #[error("`{0}` cannot stand in a certificate")]
    Name(DnsName, #[source] rcgen::Error),
    /// The names could not be put in.
    #[error("putting the names of {subject} into the certificate failed")]
    PutNames {
        /// For whom.
        subject: String,
        /// Why.
        #[source]
        source: DerError,
    },
    /// What was made cannot be read back.
    #[error("the certificate that was made cannot be read")]
    ReadBack(#[from] CertificateError),
    /// The key does not belong to the certificate.
    #[error(
        "the CA's key does not match its certificate {subject}: certificates it signs would not be trusted"
    )]
    KeyMismatch {
        /// The CA.
        subject: String,
    },
    /// The certificate is none of a CA.
    #[error("{subject} is not the certificate of a CA: its basic constraints do not allow it to sign others")]
    NotACa {
        /// The certificate.
        subject: String,
    },
}

impl Authority {
    /// A CA of this certificate and key, after a look at whether they belong together.
    pub fn new(certificate: Certificate, chain: Vec<Certificate>, key: KeyPair) -> Result<Self, MintError> {
        let subject = certificate.subject.to_string();
        if !certificate.is_ca {
            return Err(MintError::NotACa { subject });
        }
        // The key stands in the certificate as it is: RSAPublicKey in DER, or the uncompressed point.
        let public = key.der_bytes();
        if !certificate.der.0.windows(public.len()).any(|window| window == public) {
            return Err(MintError::KeyMismatch { subject });
        }
        Ok(Self { certificate, chain, key })
    }

    /// A new CA that signs itself.
    pub fn make(content: &CertificateContent<'_>, key: KeyPair) -> Result<Self, MintError> {
        let mut params = params(content, &key)?;
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let minted = params.self_signed(&Unsigned(&key)).map_err(|source| make_error(content, source))?;
        let subject = name(content.subject)?;
        let certificate = named(&minted, &subject, &subject, &key, content)?;
        Ok(Self { certificate, chain: Vec::new(), key })
    }

    /// Its private key, to be written to a file.
    pub fn key(&self) -> &KeyPair {
        &self.key
    }

    /// Signs what a request (PKCS#10 in DER) asks for, as public CAs do: its key, its subject and its DNS names, and
    /// nothing else of it.
    pub fn answer(
        &self,
        request: &[u8],
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<Certificate, MintError> {
        let wrong = |source: rcgen::Error| MintError::Request(source.into());
        let parsed = CertificateSigningRequestParams::from_der(&request.into()).map_err(wrong)?;
        let subject = der::request_subject(request).map_err(|error| MintError::Request(error.into()))?;
        let names = parsed.params.subject_alt_names.iter().filter_map(|name| match name {
            SanType::DnsName(name) => name.as_str().parse().ok(),
            SanType::IpAddress(IpAddr::V4(address)) => address.to_string().parse().ok(),
            _ => None,
        });
        let names: Vec<DnsName> = names.collect();
        let unnamed = DistinguishedName::common_name_only("the subject of the request");
        let content = CertificateContent { subject: &unnamed, names: &names, not_before, not_after };
        self.sign_as(&content, subject, &parsed.public_key)
    }

    /// Signs a certificate for TLS servers, which may also prove themselves as clients: connectors do.
    pub fn sign(
        &self,
        content: &CertificateContent<'_>,
        key: &impl PublicKeyData,
    ) -> Result<Certificate, MintError> {
        self.sign_as(content, &name(content.subject)?, key)
    }

    fn sign_as(
        &self,
        content: &CertificateContent<'_>,
        subject: &[u8],
        key: &impl PublicKeyData,
    ) -> Result<Certificate, MintError> {
        let mut params = server_params(content, key)?;
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = self.certificate.subject_key_id.is_some();
        let minted =
            params.signed_by(key, &self.as_issuer()).map_err(|source| make_error(content, source))?;
        let issuer =
            der::subject(&self.certificate.der.0).map_err(|error| put_names(content.subject, error))?;
        named(&minted, issuer, subject, &self.key, content)
    }
}

impl Authority {
    /// The CA in the terms of rcgen. Names are put in afterwards.
    fn as_issuer(&self) -> Issuer<'_, Unsigned<'_>> {
        let mut issuer = CertificateParams::default();
        issuer.distinguished_name = RcgenName::new();
        if let Some(id) = &self.certificate.subject_key_id
            && let Ok(id) = HEXLOWER_PERMISSIVE.decode(id.as_bytes())
        {
            issuer.key_identifier_method = KeyIdMethod::PreSpecified(id);
        }
        Issuer::new(issuer, Unsigned(&self.key))
    }
}

/// A key that signs nothing: what rcgen makes is signed when the names are in it.
struct Unsigned<'a>(&'a KeyPair);

impl PublicKeyData for Unsigned<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl SigningKey for Unsigned<'_> {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(Vec::new())
    }
}

/// A request for a certificate (PKCS#10), in DER.
pub fn request(subject: &DistinguishedName, names: &[DnsName], key: &KeyPair) -> Result<Vec<u8>, MintError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = RcgenName::new();
    params.subject_alt_names = alternative_names(names)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    let make = |source| MintError::Make { subject: subject.to_string(), source };
    let made = params.serialize_request(&Unsigned(key)).map_err(make)?;
    der::request_with_name(made.der(), &name(subject)?, key).map_err(|error| put_names(subject, error))
}

/// A certificate that signs itself, in the shape that `New-ExchangeCertificate` gives it: for TLS servers, key usage and
/// basic constraints critical, no key identifiers (facts 1.1).
pub fn self_signed(content: &CertificateContent<'_>, key: &KeyPair) -> Result<Certificate, MintError> {
    let minted = server_params(content, key)?
        .self_signed(&Unsigned(key))
        .map_err(|source| make_error(content, source))?;
    let subject = name(content.subject)?;
    named(&minted, &subject, &subject, key, content)
}

fn server_params(
    content: &CertificateContent<'_>,
    key: &impl PublicKeyData,
) -> Result<CertificateParams, MintError> {
    let mut params = params(content, key)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // `CA:FALSE` written out and critical; rcgen would add a key identifier to it, which Exchange does not.
    let mut not_a_ca = CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x30, 0]);
    not_a_ca.set_criticality(true);
    params.custom_extensions = vec![not_a_ca];
    Ok(params)
}

fn params(
    content: &CertificateContent<'_>,
    key: &impl PublicKeyData,
) -> Result<CertificateParams, MintError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = RcgenName::new();
    params.not_before = content.not_before.offset();
    params.not_after = content.not_after.offset();
    params.serial_number = Some(serial(content, key));
    params.subject_alt_names = alternative_names(content.names)?;
    Ok(params)
}

fn alternative_names(names: &[DnsName]) -> Result<Vec<SanType>, MintError> {
    let name = |name: &DnsName| {
        if name.is_address()
            && let Ok(address) = name.as_str().parse()
        {
            return Ok(SanType::IpAddress(IpAddr::V4(address)));
        }
        let text = name.to_string().try_into().map_err(|error| MintError::Name(name.clone(), error))?;
        Ok(SanType::DnsName(text))
    };
    names.iter().map(name).collect()
}

/// 16 bytes, as Windows makes them. They come from the key, which is as random as anything here, so that the same key
/// and content give the same certificate.
fn serial(content: &CertificateContent<'_>, key: &impl PublicKeyData) -> SerialNumber {
    let mut digest = Sha256::new();
    digest.update(key.der_bytes());
    digest.update(content.subject.to_string());
    digest.update(content.not_before.unix().to_be_bytes());
    digest.update(content.not_after.unix().to_be_bytes());
    let mut bytes = digest.finalize()[..16].to_vec();
    bytes[0] = bytes[0] & 0x7f | 0x40; // positive, and 16 bytes long for sure
    SerialNumber::from_slice(&bytes)
}

fn named(
    minted: &Minted,
    issuer: &[u8],
    subject: &[u8],
    signer: &KeyPair,
    content: &CertificateContent<'_>,
) -> Result<Certificate, MintError> {
    let bytes = der::with_names(minted.der(), issuer, subject, signer)
        .map_err(|error| put_names(content.subject, error))?;
    Ok(Certificate::from_der(&bytes)?)
}

fn make_error(content: &CertificateContent<'_>, source: rcgen::Error) -> MintError {
    MintError::Make { subject: content.subject.to_string(), source }
}

fn name(subject: &DistinguishedName) -> Result<Vec<u8>, MintError> {
    der::name(subject).map_err(|error| put_names(subject, error))
}

fn put_names(subject: &DistinguishedName, source: DerError) -> MintError {
    MintError::PutNames { subject: subject.to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::key::KeySpec, pki::keys::Keys};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn key() -> KeyPair {
        Keys::Fresh.make(KeySpec::EcP256).unwrap()
    }

    fn content<'a>(subject: &'a DistinguishedName, names: &'a [DnsName]) -> CertificateContent<'a> {
        CertificateContent {
            subject,
            names,
            not_before: at("2026-03-02T09:14:07Z"),
            not_after: at("2026-09-18T09:14:07Z"),
        }
    }

    #[test]
    fn a_certificate_says_what_was_asked_of_it() {
        let ca_name: DistinguishedName =
            "CN=Contoso Issuing CA, OU=b, OU=a, DC=corp, DC=contoso, DC=com".parse().unwrap();
        let ca = Authority::make(&content(&ca_name, &[]), key()).unwrap();
        assert_eq!(ca.certificate.subject.to_string(), ca_name.to_string());
        assert!(ca.certificate.is_ca);

        let subject: DistinguishedName = r#"CN=mail.contoso.com, O="Contoso, Inc.", C=NL"#.parse().unwrap();
        let names = ["mail.contoso.com".parse().unwrap(), "*.contoso.com".parse().unwrap()];
        let leaf = ca.sign(&content(&subject, &names), &key()).unwrap();
        assert_eq!(leaf.issuer, ca.certificate.subject);
        assert_eq!(leaf.subject, subject);
        assert_eq!(leaf.names, names);
        assert_eq!(leaf.not_after, at("2026-09-18T09:14:07Z"));
        assert!(!leaf.is_ca && leaf.is_for_servers() && leaf.is_for_clients());
        assert_eq!(leaf.serial.len(), 32);
        let issuer_bytes = der::subject(&ca.certificate.der.0).unwrap();
        assert!(leaf.der.0.windows(issuer_bytes.len()).any(|window| window == issuer_bytes));
    }

    #[test]
    fn self_signed_ones_have_the_shape_of_exchange() {
        let subject = DistinguishedName::common_name_only("EX01");
        let certificate = self_signed(&content(&subject, &["EX01".parse().unwrap()]), &key()).unwrap();
        assert!(
            certificate.is_self_signed() && certificate.is_for_servers() && !certificate.is_for_clients()
        );
        assert_eq!(certificate.subject_key_id, None);
    }

    #[test]
    fn a_key_that_belongs_to_another_ca_is_refused() {
        let name = DistinguishedName::common_name_only("CA");
        let ca = Authority::make(&content(&name, &[]), key()).unwrap();
        let refused = Authority::new(ca.certificate.clone(), Vec::new(), key());
        assert!(matches!(refused, Err(MintError::KeyMismatch { .. })));
        let leaf = ca.sign(&content(&name, &[]), &key()).unwrap();
        assert!(matches!(Authority::new(leaf, Vec::new(), key()), Err(MintError::NotACa { .. })));
    }
}
