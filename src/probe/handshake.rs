//! The handshake with a peer of today: TLS 1.2 and 1.3, by rustls.

use std::{io, sync::Arc, time::Instant};

use rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, client::Resumption, crypto::aws_lc_rs,
    pki_types::ServerName,
};

use super::{
    deadline::{Deadline, explain},
    door::Door,
    recording_verifier::{NoCertificate, RecordingVerifier},
    shown::shown,
    starttls,
};
use crate::{
    model::{
        endpoint::Protocol,
        handshake::{
            probe_error::{Phase, ProbeError},
            tls::{Alert, TlsVersion},
        },
    },
    ports::prober::{Sent, Served, Target, Took, Unfinished},
};

/// A connection after the handshake.
pub(super) struct Meeting {
    pub(super) connection: ClientConnection,
    pub(super) stream: Deadline,
    pub(super) served: Served,
}

/// Makes the handshake. An error brings along what was seen before it.
pub(super) fn shake_hands(door: Door, target: &Target) -> Result<Meeting, Unfinished> {
    let Door { mut stream, took } = door;
    let verifier = Arc::new(RecordingVerifier::default());
    let mut connection = client(&verifier, target)?;
    let begun = Instant::now();
    let mut result = Ok(());
    while connection.is_handshaking() && result.is_ok() {
        result = connection.complete_io(&mut stream).map(drop);
    }
    let served = served(&connection, &verifier, Took { handshake: begun.elapsed(), ..took });
    match (result, served) {
        (Ok(()), Some(served)) => Ok(Meeting { connection, stream, served }),
        (Ok(()), None) => Err(ProbeError::Violation { why: "it sends no certificate".into() }.into()),
        (Err(error), None) => Err(failed(&error, &stream).into()),
        (Err(error), Some(served)) => {
            let error = fault(&error, stream.heard(), Phase::Handshake);
            Err(Unfinished { seen: Some(Box::new(served)), ..error.into() })
        }
    }
}

impl Meeting {
    /// Ends the conversation.
    pub(super) fn leave(mut self, protocol: Protocol) -> Served {
        // The certificate was seen; whether the peer hears the goodbye changes nothing.
        let _ = io::Write::write_all(&mut self.connection.writer(), starttls::goodbye(protocol).as_bytes());
        self.connection.send_close_notify();
        while self.connection.wants_write() && self.connection.write_tls(&mut self.stream).is_ok() {}
        self.served
    }
}

/// What went wrong when something is not as TLS has it.
pub(super) fn fault(error: &io::Error, heard: &[u8], phase: Phase) -> ProbeError {
    let violation = |error: &rustls::Error| {
        not_tls(heard).unwrap_or_else(|| ProbeError::Violation { why: shown(&error.to_string()) })
    };
    match error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(alert)) => ProbeError::Alert { alert: Alert((*alert).into()) },
        Some(rustls::Error::PeerIncompatible(what)) => {
            ProbeError::NothingInCommon { why: format!("{what:?}") }
        }
        Some(rustls::Error::NoCertificatesPresented) => {
            ProbeError::Violation { why: "it sends no certificate".into() }
        }
        Some(rustls::Error::FailedToGetRandomBytes) => ProbeError::Local { why: "no randomness".into() },
        Some(error) => violation(error),
        None => match explain(error, phase) {
            closed @ ProbeError::Closed { .. } => not_tls(heard).unwrap_or(closed),
            error => error,
        },
    }
}

/// What it means that a handshake failed before a certificate came.
fn failed(error: &io::Error, stream: &Deadline) -> ProbeError {
    let heard = stream.heard();
    match fault(error, heard, Phase::Handshake) {
        ProbeError::Alert { alert: alert @ (Alert::HANDSHAKE_FAILURE | Alert::INSUFFICIENT_SECURITY) } => {
            ProbeError::NothingInCommon { why: format!("the server says {alert}") }
        }
        // Both versions of today were offered. The record around the alert is of a version that the server speaks.
        ProbeError::Alert { alert: alert @ Alert::PROTOCOL_VERSION } => match record_version(heard) {
            Some(version) if version.is_legacy() => ProbeError::LegacyOnly { version },
            _ => ProbeError::Alert { alert },
        },
        error => error,
    }
}

fn client(verifier: &Arc<RecordingVerifier>, target: &Target) -> Result<ClientConnection, ProbeError> {
    let local = |error: rustls::Error| ProbeError::Local { why: error.to_string() };
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(local)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(verifier) as _)
        .with_client_cert_resolver(Arc::new(NoCertificate(Arc::clone(verifier))));
    // Who resumes a session gets no certificate.
    config.resumption = Resumption::disabled();
    let name = target.name.as_ref().filter(|name| !name.is_wildcard());
    let name = name.and_then(|name| ServerName::try_from(name.to_string()).ok());
    config.enable_sni = name.is_some();
    // Without SNI the name is not looked at.
    let name = name.unwrap_or(ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()));
    ClientConnection::new(Arc::new(config), name).map_err(local)
}

/// What was presented, when there was a certificate.
fn served(connection: &ClientConnection, verifier: &RecordingVerifier, took: Took) -> Option<Served> {
    let recording = verifier.recording();
    if recording.chain.is_empty() {
        return None;
    }
    let group = connection.negotiated_key_exchange_group().and_then(|group| group.name().as_str());
    let cipher = connection.negotiated_cipher_suite().map(|suite| suite.suite());
    Some(Served {
        chain: recording.chain.into_iter().map(Sent::new).collect(),
        version: if connection.protocol_version() == Some(ProtocolVersion::TLSv1_3) {
            TlsVersion::Tls13
        } else {
            TlsVersion::Tls12
        },
        cipher: cipher.and_then(|cipher| cipher.as_str()).unwrap_or("unknown").replace("TLS13_", "TLS_"),
        group: group.map(ToOwned::to_owned),
        possession: recording.possession,
        asks_for_client_certificate: recording.asks_for_client_certificate,
        took,
    })
}

/// When the first bytes are no record of TLS: what they say.
fn not_tls(heard: &[u8]) -> Option<ProbeError> {
    // Records are of the types 20 to 24, and their versions begin with 3 (RFC 8446 section 5.1).
    let is_record = matches!(heard, [20..=24] | [20..=24, 3, ..]);
    let starts = || shown(String::from_utf8_lossy(heard).lines().next().unwrap_or_default());
    (!heard.is_empty() && !is_record).then(|| ProbeError::NotTls { starts: starts() })
}

fn record_version(heard: &[u8]) -> Option<TlsVersion> {
    TlsVersion::from_wire(u16::from_be_bytes([*heard.get(1)?, *heard.get(2)?]))
}
