//! Endpoints on loopback to be met, and a bare client that meets them.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, ServerConfig, ServerConnection, SignatureScheme,
    StreamOwned,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime},
};

const KINDS: [&str; 4] = ["https", "smtp", "imap", "pop"];

/// Serves so many endpoints of the four kinds in turn, each address its own, each greeting or handshake so late; the last ones
/// take connections and say nothing. Their URLs are printed, and an empty line when all are there.
pub(crate) fn serve(count: usize, milliseconds: u64, dead: usize) {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let params = CertificateParams::new(vec!["mail.contoso.com".to_owned()]).unwrap();
    let chain = vec![CertificateDer::from(params.self_signed(&key).unwrap().der().to_vec())];
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key.into())
        .unwrap();
    let config = Arc::new(config);
    for index in 0..count {
        let kind = KINDS[index % KINDS.len()];
        // Each is another host, as servers are.
        let host = Ipv4Addr::from(0x7f01_0000 + u32::try_from(index).unwrap() + 1);
        let listener = TcpListener::bind((host, 0)).unwrap();
        println!("{kind}://{}", listener.local_addr().unwrap());
        let (config, late) = (Arc::clone(&config), Duration::from_millis(milliseconds));
        let is_dead = index + dead >= count;
        thread::Builder::new()
            .stack_size(128 << 10)
            .spawn(move || {
                let mut kept = Vec::new();
                for stream in listener.incoming() {
                    if is_dead {
                        kept.push(stream);
                        continue;
                    }
                    let config = Arc::clone(&config);
                    let answer = move || answer(stream.unwrap(), config, kind, late);
                    thread::Builder::new().stack_size(256 << 10).spawn(answer).unwrap();
                }
            })
            .unwrap();
    }
    println!();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn answer(mut stream: TcpStream, config: Arc<ServerConfig>, kind: &str, late: Duration) -> Option<()> {
    thread::sleep(late);
    let (greeting, ready) = words(kind);
    if !greeting.is_empty() {
        stream.write_all(greeting.as_bytes()).ok()?;
        let mut heard = hear(&mut stream)?;
        if !heard.to_uppercase().contains("STARTTLS") && !heard.to_uppercase().contains("STLS") {
            stream.write_all(capabilities(kind).as_bytes()).ok()?;
            heard = hear(&mut stream)?;
        }
        let tag = if kind == "imap" { heard.split(' ').next()?.to_owned() + " " } else { String::new() };
        stream.write_all(format!("{tag}{ready}").as_bytes()).ok()?;
    }
    let mut tls = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    hear(&mut tls).map(drop)
}

fn words(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "smtp" => ("220 mail ESMTP\r\n", "220 go ahead\r\n"),
        "imap" => ("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n", "OK begin\r\n"),
        "pop" => ("+OK ready\r\n", "+OK begin\r\n"),
        _ => ("", ""),
    }
}

fn capabilities(kind: &str) -> &'static str {
    match kind {
        "smtp" => "250-mail\r\n250 STARTTLS\r\n",
        "pop" => "+OK\r\nSTLS\r\n.\r\n",
        _ => "",
    }
}

fn hear(stream: &mut impl Read) -> Option<String> {
    let mut buffer = [0; 1024];
    let count = stream.read(&mut buffer).ok()?;
    (count > 0).then(|| String::from_utf8_lossy(&buffer[..count]).into_owned())
}

/// Meets each of these URLs once with rustls and nothing around it.
pub(crate) fn probe(urls: &str, at_once: usize) {
    let urls: Vec<&str> = urls.lines().filter(|line| !line.is_empty()).collect();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let seen = Arc::new(Seen {
        certificates: Mutex::default(),
        schemes: provider.signature_verification_algorithms,
    });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&seen) as _)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    let (config, next) = (Arc::new(config), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(url) = urls.get(next.fetch_add(1, Ordering::SeqCst)) {
                    meet(url, &config);
                }
            });
        }
    });
    println!("{} met", seen.certificates.lock().unwrap().len());
}

fn meet(url: &str, config: &Arc<ClientConfig>) {
    let (kind, address) = url.split_once("://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let commands: &[&str] = match kind {
        "smtp" => &["EHLO me\r\n", "STARTTLS\r\n"],
        "imap" => &["a STARTTLS\r\n"],
        "pop" => &["STLS\r\n"],
        _ => &[],
    };
    if !commands.is_empty() {
        hear(&mut stream).unwrap();
    }
    for command in commands {
        stream.write_all(command.as_bytes()).unwrap();
        hear(&mut stream).unwrap();
    }
    let name = ServerName::try_from("mail.contoso.com").unwrap();
    let mut connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).unwrap();
    }
    connection.send_close_notify();
    let _ = connection.complete_io(&mut stream);
}

/// Takes every certificate whose key signs the handshake.
#[derive(Debug)]
struct Seen {
    certificates: Mutex<Vec<CertificateDer<'static>>>,
    schemes: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.certificates.lock().unwrap().push(end_entity.clone().into_owned());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.schemes)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.schemes)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.supported_schemes()
    }
}
