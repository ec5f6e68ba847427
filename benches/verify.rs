//! How long `verify` takes for a thousand endpoints on loopback: `cargo bench --bench verify`. It prints figures and
//! asserts none, since they depend on the machine; that every row is good is asserted.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program of its own that listens, measures and prints"
)]

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use certwright::{
    model::{
        dn::DistinguishedName,
        endpoint::{Endpoint, Protocol},
        key::KeySpec,
        names::{DnsName, ServerName},
        organization::Observed,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    pki::{
        keys::{Keys, to_pkcs8},
        mint::{CertificateContent, self_signed},
    },
    ports::driver::{DriverError, Observer, Wanted},
    probe::Network,
    verify::{
        check::{Check, Peer, Settings, TrustedBy},
        peers::Peers,
        row::Row,
        run,
    },
};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};

const ENDPOINTS: usize = 1000;
const ENDPOINTS_OF_A_SERVER: usize = 10;
const LISTENERS: usize = 4;

fn main() {
    for key in [KeySpec::EcP256, KeySpec::Rsa(2048)] {
        let (config, thumbprint) = identity(key);
        let organization = Organization::listen(&config);
        let checks = checks(thumbprint);
        for (at_once, per_server) in [(1, 1), (4, 4), (16, 4), (64, 8)] {
            let settings = Settings { at_once, per_server, ..Settings::default() };
            let begun = Instant::now();
            let rows = run::rows_with(
                &checks,
                &Peers::servers(&organization),
                &Network::default(),
                &settings,
                &|_| {},
            );
            let took = begun.elapsed();
            assert!(rows.iter().all(Row::is_good), "{:#?}", rows.iter().find(|row| !row.is_good()));
            print(key, &settings, took);
        }
    }
}

fn print(key: KeySpec, settings: &Settings, took: Duration) {
    let each = took.as_secs_f64() * 1000.0 / f64::from(u32::try_from(ENDPOINTS).unwrap());
    println!(
        "{ENDPOINTS} endpoints, {key}, {} at once, {} per server: {:.2} s, {each:.2} ms each",
        settings.at_once,
        settings.per_server,
        took.as_secs_f64()
    );
}

/// Half of the endpoints speak HTTPS, half SMTP with STARTTLS.
fn checks(expected: Thumbprint) -> Vec<Check> {
    let check = |index: usize| {
        let server = format!("EX{:03}", index / ENDPOINTS_OF_A_SERVER);
        let port = u16::try_from(1000 + index).unwrap();
        let protocol = if index.is_multiple_of(2) { Protocol::Https } else { Protocol::Smtp };
        Check {
            peer: Peer::Server {
                fqdn: format!("{server}.contoso.com").parse().unwrap(),
                name: server.parse().unwrap(),
            },
            endpoint: Endpoint::new(protocol, port),
            name: Some("mail.contoso.com".parse().unwrap()),
            expected: Some(expected),
            trusted_by: TrustedBy::Unchecked,
            presenter: None,
        }
    };
    (0..ENDPOINTS).map(check).collect()
}

/// Says where endpoints are: on few listeners, in turn.
struct Organization {
    https: Vec<SocketAddr>,
    smtp: Vec<SocketAddr>,
}

impl Organization {
    fn listen(config: &Arc<ServerConfig>) -> Self {
        let open = |greets: bool| (0..LISTENERS / 2).map(|_| listen(config, greets)).collect();
        Self { https: open(false), smtp: open(true) }
    }
}

impl Observer for Organization {
    fn now(&self) -> Timestamp {
        "2026-03-02T09:00:00Z".parse().unwrap()
    }

    fn observe(&self, _: Wanted<'_>) -> Result<Observed, DriverError> {
        Err(DriverError::failed("observing", "there is nothing to see"))
    }

    fn address(&self, _: &ServerName, _: &DnsName, endpoint: Endpoint) -> Result<String, DriverError> {
        let addresses = if endpoint.protocol == Protocol::Https { &self.https } else { &self.smtp };
        Ok(addresses[usize::from(endpoint.port) / 2 % addresses.len()].to_string())
    }
}

fn identity(key: KeySpec) -> (Arc<ServerConfig>, Thumbprint) {
    let key = Keys::Fresh.make(key).unwrap();
    let subject = DistinguishedName::common_name_only("mail.contoso.com");
    let content = CertificateContent {
        subject: &subject,
        names: &["mail.contoso.com".parse().unwrap()],
        not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
        not_after: "2026-07-01T00:00:00Z".parse().unwrap(),
    };
    let certificate = self_signed(&content, &key).unwrap();
    let chain = vec![CertificateDer::from(certificate.der.0.clone())];
    let key = PrivatePkcs8KeyDer::from(to_pkcs8(&key).expose().to_vec());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key.into())
        .unwrap();
    (Arc::new(config), certificate.thumbprint)
}

fn listen(config: &Arc<ServerConfig>, greets: bool) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let config = Arc::clone(config);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let config = Arc::clone(&config);
            thread::spawn(move || serve(stream.unwrap(), config, greets));
        }
    });
    address
}

/// Serves one client. It may leave as it likes.
fn serve(mut stream: TcpStream, config: Arc<ServerConfig>, greets: bool) -> Option<()> {
    if greets {
        stream.write_all(b"220 mail ESMTP\r\n").ok()?;
        hear(&mut stream)?;
        stream.write_all(b"250-mail\r\n250 STARTTLS\r\n").ok()?;
        hear(&mut stream)?;
        stream.write_all(b"220 go ahead\r\n").ok()?;
    }
    let mut tls = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    hear(&mut tls)
}

fn hear(stream: &mut impl std::io::Read) -> Option<()> {
    let count = stream.read(&mut [0; 1024]).ok()?;
    (count > 0).then_some(())
}
