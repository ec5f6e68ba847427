//! A look at a peer that rustls cannot speak with: a hello of TLS 1.2 as a client of 2008 said it. Servers before TLS 1.2
//! answer it with what they speak, and up to TLS 1.2 they send their certificate in the clear (RFC 5246 section 7.3).
//! Where they sign their part of the key exchange, that proves their key; nothing further is said.

use std::{
    io::{self, Read, Write},
    time::Instant,
};

use rustls::{NamedGroup, SignatureScheme, crypto::aws_lc_rs};

use self::wire::Wire;
use super::{
    door::{Door, Limits},
    possession,
};
use crate::{
    model::handshake::{
        probe_error::{ProbeError, Unproved},
        tls::TlsVersion,
    },
    ports::prober::{Possession, Sent, Served, Target, Took, Unfinished},
};

mod wire;

/// Looks again at a peer with which the handshake failed, and tells what that shows: the certificate of a peer that
/// speaks TLS 1.2 with cipher suites of its time, or what an older one speaks. When it shows nothing, the first error
/// stands.
pub(super) fn look(target: &Target, limits: Limits, first: ProbeError) -> Result<Served, Unfinished> {
    let Ok((flight, took)) = glimpse(target, limits) else { return Err(first.into()) };
    let Some(version) = flight.version else { return Err(first.into()) };
    let seen = flight.served(version, took);
    if version.is_legacy() {
        return Err(Unfinished { seen: seen.map(Box::new), ..ProbeError::LegacyOnly { version }.into() });
    }
    match (first, seen) {
        (ProbeError::NothingInCommon { .. } | ProbeError::Closed { .. }, Some(seen)) => Ok(seen),
        // Clients of today fail as rustls did.
        (error, seen) => Err(Unfinished { seen: seen.map(Box::new), ..error.into() }),
    }
}

fn glimpse(target: &Target, limits: Limits) -> Result<(Flight, Took), ProbeError> {
    let Door { mut stream, took } = Door::open(target, limits)?;
    stream.begin(limits.patience.handshake);
    let begun = Instant::now();
    let local = |_| ProbeError::Local { why: "no randomness".into() };
    let mut random = [0; 32];
    aws_lc_rs::default_provider().secure_random.fill(&mut random).map_err(local)?;
    let mut flight = Flight { client_random: random, ..Flight::default() };
    // Whatever ends the conversation, what came before it was seen.
    let _ = stream.write_all(&hello(target, &random)).and_then(|()| flight.read(&mut stream));
    Ok((flight, Took { handshake: begun.elapsed(), ..took }))
}

/// A ClientHello in a record (RFC 5246 section 7.4.1.2).
fn hello(target: &Target, random: &[u8; 32]) -> Vec<u8> {
    let numbers =
        |numbers: &mut dyn Iterator<Item = u16>| numbers.flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let extension = |kind: u16, body: &[u8]| [&kind.to_be_bytes(), wire::vector16(body).as_slice()].concat();
    let mut extensions = Vec::new();
    if let Some(name) = target.name.as_ref().filter(|name| !name.is_wildcard()) {
        let host = [&[0], wire::vector16(name.as_str().as_bytes()).as_slice()].concat();
        extensions.extend(extension(SERVER_NAME, &wire::vector16(&host)));
    }
    let schemes = possession::schemes();
    let schemes = numbers(&mut schemes.iter().map(|scheme| u16::from(*scheme)));
    extensions.extend(extension(SUPPORTED_GROUPS, &wire::vector16(&numbers(&mut GROUPS.into_iter()))));
    extensions.extend(extension(EC_POINT_FORMATS, &[1, 0]));
    extensions.extend(extension(SIGNATURE_ALGORITHMS, &wire::vector16(&schemes)));
    let suites = numbers(&mut SUITES.iter().map(|(suite, _)| *suite).chain([RENEGOTIATION_INFO]));
    let no_session: &[u8] = &[0];
    let no_compression: &[u8] = &[1, 0];
    let body = [
        &[3, 3],
        random.as_slice(),
        no_session,
        &wire::vector16(&suites),
        no_compression,
        &wire::vector16(&extensions),
    ]
    .concat();
    let length = u32::try_from(body.len()).expect("a hello is short").to_be_bytes();
    let message = [&[CLIENT_HELLO], &length[1..], &body].concat();
    // The record says TLS 1.0, which servers of all ages take (RFC 5246 appendix E.1).
    [&[HANDSHAKE, 3, 1], wire::vector16(&message).as_slice()].concat()
}

/// The first flight of a server.
#[derive(Default)]
struct Flight {
    client_random: [u8; 32],
    server_random: [u8; 32],
    version: Option<TlsVersion>,
    suite: u16,
    chain: Vec<Vec<u8>>,
    key_exchange: Vec<u8>,
    asks_for_client_certificate: bool,
}

impl Flight {
    /// Reads until the server has said its part.
    fn read(&mut self, stream: &mut impl Read) -> io::Result<()> {
        let (mut messages, mut total) = (Vec::new(), 0);
        while total < MOST_BYTES {
            let mut header = [0; 5];
            stream.read_exact(&mut header)?;
            let length = u16::from_be_bytes([header[3], header[4]]);
            if header[0] != HANDSHAKE || length > LONGEST_RECORD {
                return Ok(());
            }
            total += header.len() + usize::from(length);
            stream.take(length.into()).read_to_end(&mut messages)?;
            let mut wire = Wire(&messages);
            while let Some((kind, body)) = wire.message() {
                if self.note(kind, body).is_none() || kind == SERVER_HELLO_DONE {
                    return Ok(());
                }
            }
            let unread = wire.0.len();
            messages.drain(..messages.len() - unread);
        }
        Ok(())
    }

    /// Takes note of a message. None when it is malformed.
    fn note(&mut self, kind: u8, body: &[u8]) -> Option<()> {
        let mut wire = Wire(body);
        match kind {
            SERVER_HELLO => {
                self.version = Some(TlsVersion::from_wire(wire.number16()?)?);
                self.server_random = wire.take(32)?.try_into().ok()?;
                wire.vector8()?;
                self.suite = wire.number16()?;
            }
            CERTIFICATE => {
                let mut list = Wire(wire.vector24()?);
                while !list.0.is_empty() {
                    self.chain.push(list.vector24()?.to_vec());
                }
            }
            SERVER_KEY_EXCHANGE => body.clone_into(&mut self.key_exchange),
            CERTIFICATE_REQUEST => self.asks_for_client_certificate = true,
            _ => {}
        }
        Some(())
    }

    fn served(self, version: TlsVersion, took: Took) -> Option<Served> {
        let leaf = self.chain.first()?;
        let cipher = SUITES.iter().find(|(suite, _)| *suite == self.suite);
        let exchange = self.exchange(cipher.map_or("", |(_, name)| name));
        let possession = match exchange {
            // Before TLS 1.2 the signature is over MD5 and SHA-1 together, which no library checks any more.
            Some(exchange) if version == TlsVersion::Tls12 => {
                let message = [&self.client_random, &self.server_random, exchange.parameters].concat();
                possession::check(exchange.scheme, leaf, &message, exchange.signature)
            }
            _ => Possession::Unproved(Unproved::NotSigned),
        };
        Some(Served {
            version,
            cipher: cipher.map_or_else(|| format!("0x{:04x}", self.suite), |(_, name)| (*name).into()),
            group: self.group(),
            possession,
            asks_for_client_certificate: self.asks_for_client_certificate,
            took,
            chain: self.chain.into_iter().map(Sent::new).collect(),
        })
    }

    /// The parts of a signed key exchange of TLS 1.2 (RFC 8422 section 5.4, RFC 5246 section 7.4.3).
    fn exchange(&self, cipher: &str) -> Option<Exchange<'_>> {
        let mut wire = Wire(&self.key_exchange);
        if cipher.contains("_ECDHE_") {
            wire.take(3)?;
            wire.vector8()?;
        } else {
            for _ in ["prime", "generator", "public key"] {
                wire.vector16()?;
            }
        }
        let parameters = &self.key_exchange[..self.key_exchange.len() - wire.0.len()];
        Some(Exchange { parameters, scheme: wire.number16()?.into(), signature: wire.vector16()? })
    }

    /// The named curve of an exchange on elliptic curves.
    fn group(&self) -> Option<String> {
        let [NAMED_CURVE, high, low, ..] = self.key_exchange[..] else { return None };
        NamedGroup::from(u16::from_be_bytes([high, low])).as_str().map(ToOwned::to_owned)
    }
}

struct Exchange<'a> {
    parameters: &'a [u8],
    scheme: SignatureScheme,
    signature: &'a [u8],
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const EC_POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;
const NAMED_CURVE: u8 = 3;
/// The suite that is none: it says that renegotiation is safe, without an extension (RFC 5746 section 3.3).
const RENEGOTIATION_INFO: u16 = 0x00ff;
/// X25519, P-256, P-384, P-521.
const GROUPS: [u16; 4] = [29, 23, 24, 25];
const LONGEST_RECORD: u16 = 18_432; // 2^14 + 2048, RFC 5246 section 6.2.3
const MOST_BYTES: usize = 128 * 1024;

/// The cipher suites that servers of 2000 to 2016 speak, those with signed key exchanges first.
const SUITES: [(u16, &str); 28] = [
    (0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    (0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    (0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    (0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    (0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    (0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
    (0x0004, "TLS_RSA_WITH_RC4_128_MD5"),
];
