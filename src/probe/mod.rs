//! Meeting endpoints over the network: TLS at once, or after the words that SMTP, POP3 and IMAP4 have for it.
#![expect(clippy::disallowed_methods, reason = "the network is here")]

mod deadline;
mod starttls;

use std::{
    io,
    net::{TcpStream, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use self::deadline::Deadline;
use crate::{
    engine::prober::{ProbeError, Prober, Served, Target},
    model::{certificate::Certificate, endpoint::Protocol},
};

/// Meets endpoints over TCP.
#[derive(Debug)]
pub struct Network {
    /// How long one meeting may take, from the connection to the end of the handshake.
    pub patience: Duration,
}

impl Prober for Network {
    fn probe(&self, target: &Target) -> Result<Served, ProbeError> {
        let mut stream = Deadline::new(connect(&target.address, self.patience)?, self.patience);
        starttls::ask_for_tls(&mut stream, target.protocol)?;
        handshake(stream, target)
    }
}

impl Default for Network {
    fn default() -> Self {
        Self { patience: Duration::from_secs(10) }
    }
}

fn connect(address: &str, patience: Duration) -> Result<TcpStream, ProbeError> {
    let no_connection = |error: io::Error| ProbeError::NoConnection(format!("{address}: {error}"));
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs().map_err(no_connection)? {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(no_connection(last))
}

fn handshake(mut stream: Deadline, target: &Target) -> Result<Served, ProbeError> {
    let failed = |error: &dyn std::fmt::Display| ProbeError::Handshake(error.to_string());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Looker(provider)))
        .with_no_client_auth();
    config.enable_sni = target.name.is_some();
    // A wildcard is no name that a client could ask for; without a name there is no SNI, and any will do.
    let name = target
        .name
        .as_ref()
        .filter(|name| !name.is_wildcard())
        .map_or("localhost".into(), ToString::to_string);
    let name = ServerName::try_from(name).map_err(|error| failed(&error))?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| failed(&error))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(|error| deadline::explain(&error, "handshake"))?;
    }
    let served = served(&connection).map_err(|error| failed(&error))?;
    connection.send_close_notify();
    // The certificate was seen; whether the peer hears the goodbye changes nothing.
    let _ = connection.complete_io(&mut stream);
    Ok(served)
}

fn served(connection: &ClientConnection) -> Result<Served, crate::model::certificate::CertificateError> {
    let chain = connection.peer_certificates().unwrap_or_default();
    Ok(Served {
        chain: chain.iter().map(|der| Certificate::from_der(der)).collect::<Result<_, _>>()?,
        version: connection
            .protocol_version()
            .and_then(|version| version.as_str())
            .unwrap_or("unknown")
            .into(),
        cipher: connection
            .negotiated_cipher_suite()
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or("unknown")
            .into(),
    })
}

/// Accepts every certificate, since the point is to see what is presented, but not a peer that does not hold its key.
#[derive(Debug)]
struct Looker(Arc<CryptoProvider>);

impl ServerCertVerifier for Looker {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether TLS begins with the first byte.
const fn is_implicit(protocol: Protocol) -> bool {
    match protocol {
        Protocol::Https | Protocol::Smtps | Protocol::Pops | Protocol::Imaps | Protocol::Ldaps => true,
        Protocol::Smtp | Protocol::SmtpAnonymousTls | Protocol::Pop | Protocol::Imap => false,
    }
}
