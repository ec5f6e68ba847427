//! TLS to a server that is trusted, and what binds an authentication to it.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_parser::{
    oid_registry::{
        OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA384,
        OID_SIG_ECDSA_WITH_SHA512,
    },
    parse_x509_certificate,
};

use super::{endpoint::Trust, error::RemotingError};

/// The settings for connections to a server.
pub(super) fn config(trust: &Trust) -> Result<ClientConfig, RemotingError> {
    let unusable = |error: &dyn std::fmt::Display| RemotingError::Tls(error.to_string());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::Fingerprint(fingerprint) => {
            Arc::new(Pinned { fingerprint: *fingerprint, algorithms: algorithms(&provider) })
        }
        Trust::System | Trust::Authorities(_) => {
            let roots = Arc::new(roots(trust)?);
            let builder = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
            builder.build().map_err(|error| unusable(&error))?
        }
    };
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| unusable(&error))?;
    let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    // A resumed session would show no certificate to bind an authentication to.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

fn roots(trust: &Trust) -> Result<RootCertStore, RemotingError> {
    let mut roots = RootCertStore::empty();
    let refused = match trust {
        Trust::System => {
            let found = rustls_native_certs::load_native_certs();
            // Systems carry a few certificates that are of no use to TLS; clients leave them out too.
            roots.add_parsable_certificates(found.certs);
            0
        }
        Trust::Authorities(authorities) => {
            roots.add_parsable_certificates(authorities.iter().map(|der| der.clone().into())).1
        }
        Trust::Fingerprint(_) => 0,
    };
    if refused > 0 || roots.is_empty() {
        let what = if refused > 0 { "a certificate cannot be a root" } else { "there are no trusted roots" };
        return Err(RemotingError::Tls(what.to_owned()));
    }
    Ok(roots)
}

fn algorithms(provider: &CryptoProvider) -> WebPkiSupportedAlgorithms {
    provider.signature_verification_algorithms
}

/// Takes one certificate only. That the server holds its key is proved by the handshake, as ever.
#[derive(Debug)]
struct Pinned {
    fingerprint: [u8; 32],
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found: [u8; 32] = Sha256::digest(leaf).into();
        if found == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The channel binding `tls-server-end-point` (RFC 5929 section 4.1): a hash of the server's certificate, by the hash
/// that it is signed with, but never a weaker one than SHA-256. What Windows calls Extended Protection wants it.
pub(super) fn end_point_binding(certificate: &CertificateDer<'_>) -> Vec<u8> {
    let signed_with = parse_x509_certificate(certificate);
    let hash = match signed_with.map(|(_, certificate)| certificate.signature_algorithm.algorithm) {
        Ok(oid) if oid == OID_PKCS1_SHA384WITHRSA || oid == OID_SIG_ECDSA_WITH_SHA384 => {
            Sha384::digest(certificate).to_vec()
        }
        Ok(oid) if oid == OID_PKCS1_SHA512WITHRSA || oid == OID_SIG_ECDSA_WITH_SHA512 => {
            Sha512::digest(certificate).to_vec()
        }
        Ok(_) | Err(_) => Sha256::digest(certificate).to_vec(),
    };
    [b"tls-server-end-point:", hash.as_slice()].concat()
}
