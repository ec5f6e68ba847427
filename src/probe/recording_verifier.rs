//! A certificate verifier that accepts every certificate, since the point is to see what is presented, and records it even
//! when the handshake does not come to its end.

use std::sync::{Arc, Mutex, MutexGuard};

use rustls::{
    DigitallySignedStruct, SignatureScheme,
    client::{
        ResolvesClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    sign::CertifiedKey,
};

use super::possession;
use crate::{model::handshake::probe_error::Unproved, ports::prober::Possession};

/// Accepts every certificate, and records what it is given.
#[derive(Debug, Default)]
pub(super) struct RecordingVerifier(Mutex<Recording>);

/// What a server has presented.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) possession: Possession,
    pub(super) asks_for_client_certificate: bool,
}

impl RecordingVerifier {
    /// What was presented so far.
    pub(super) fn recording(&self) -> Recording {
        self.note().clone()
    }

    fn note(&self) -> MutexGuard<'_, Recording> {
        self.0.lock().expect("no panic holds it")
    }

    fn signed(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> HandshakeSignatureValid {
        self.note().possession = possession::check(signed.scheme, leaf, message, signed.signature());
        HandshakeSignatureValid::assertion()
    }
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            chain: Vec::new(),
            possession: Possession::Unproved(Unproved::NotSigned),
            asks_for_client_certificate: false,
        }
    }
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.note().chain = std::iter::once(leaf).chain(others).map(|der| der.to_vec()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(self.signed(message, leaf, signed))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(self.signed(message, leaf, signed))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        possession::schemes()
    }
}

/// Has no certificate to offer, and notes that one was asked for.
#[derive(Debug)]
pub(super) struct NoCertificate(pub(super) Arc<RecordingVerifier>);

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.note().asks_for_client_certificate = true;
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
