//! What the program is compared with: the work that its libraries cannot be spared, and nothing else.
//! `cargo bench --bench yardstick -- WHAT …`; each run is a process of its own, so that its CPU time and memory can be taken
//! beside those of `certwright`. `benches/compare` does that.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own that reads files, listens and prints"
)]

#[path = "yardstick/endpoints.rs"]
mod endpoints;

use std::{borrow::Cow, collections::HashMap, env, fs, hint::black_box, process::ExitCode, thread};

use base64::{Engine, prelude::BASE64_STANDARD};
use certwright::{
    model::{dn::DistinguishedName, key::KeySpec},
    pki::{
        keys::Keys,
        mint::{CertificateContent, self_signed},
    },
};
use quick_xml::{Reader, events::Event};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};
use serde::Deserialize;
use x509_parser::{parse_x509_certificate, prelude::GeneralName};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["plan", manifest, observed] => plan(manifest, observed),
        ["check", files @ ..] => check(files),
        ["json", file] => drop(certificates(&fs::read(file).unwrap())),
        ["clixml", files @ ..] => {
            println!("{} certificates", files.iter().map(|file| clixml(file)).sum::<usize>())
        }
        ["keys", kind, count, threads] => keys(kind, count.parse().unwrap(), threads.parse().unwrap(), false),
        ["own-keys", kind, count, threads] => {
            keys(kind, count.parse().unwrap(), threads.parse().unwrap(), true)
        }
        ["serve", count, milliseconds, dead] => {
            endpoints::serve(count.parse().unwrap(), milliseconds.parse().unwrap(), dead.parse().unwrap());
        }
        ["probe", at_once, file] => {
            endpoints::probe(&fs::read_to_string(file).unwrap(), at_once.parse().unwrap())
        }
        _ => {
            eprintln!(
                "yardstick check FILE... | plan MANIFEST OBSERVED | json FILE | clixml FILE... | keys rsa|p256 COUNT THREADS\n  \
                 | own-keys rsa|p256 COUNT THREADS | serve COUNT MILLISECONDS DEAD | probe AT-ONCE FILE"
            );
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Each file parsed, and its values held against the schema of manifests.
fn check(files: &[&str]) {
    let schema: serde_json::Value = serde_json::from_str(&certwright::schemas::MANIFEST.json()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let mistakes = |file: &&str| {
        let value: serde_json::Value = serde_yaml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        schema.iter_errors(&value).count()
    };
    println!("{} mistakes in {} files", files.iter().map(mistakes).sum::<usize>(), files.len());
}

/// Of an observation the certificates alone.
#[derive(Deserialize)]
struct Observed<'a> {
    #[serde(borrow)]
    organization: Organization<'a>,
}

#[derive(Deserialize)]
struct Organization<'a> {
    #[serde(borrow)]
    servers: HashMap<Cow<'a, str>, Server<'a>>,
}

#[derive(Deserialize)]
struct Server<'a> {
    #[serde(borrow)]
    certificates: Vec<Stored<'a>>,
}

#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    certificate: Written<'a>,
}

#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    der: Cow<'a, str>,
}

/// The certificates of a saved observation, each with its server: JSON parsed, DER parsed, the names taken out.
fn certificates(bytes: &[u8]) -> Vec<(String, Vec<String>)> {
    let observed: Observed<'_> = serde_json::from_slice(bytes).unwrap();
    let mut found = Vec::new();
    for (name, server) in &observed.organization.servers {
        for stored in &server.certificates {
            let der = BASE64_STANDARD.decode(stored.certificate.der.as_bytes()).unwrap();
            found.push((name.to_string(), names(&der)));
        }
    }
    println!("{} certificates", found.len());
    found
}

fn names(der: &[u8]) -> Vec<String> {
    let (_, parsed) = parse_x509_certificate(der).unwrap();
    let alternative = parsed.subject_alternative_name().unwrap();
    let names = alternative.iter().flat_map(|found| &found.value.general_names);
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(text) => Some((*text).to_owned()),
            _ => None,
        })
        .collect()
}

/// The manifest parsed, the observation parsed, its certificates parsed, and each server of the manifest looked up.
fn plan(manifest: &str, observed: &str) {
    let manifest: serde_yaml::Value = serde_yaml::from_str(&fs::read_to_string(manifest).unwrap()).unwrap();
    let bytes = fs::read(observed).unwrap();
    let mut by_server: HashMap<String, Vec<Vec<String>>> = HashMap::new();
    for (server, names) in certificates(&bytes) {
        by_server.entry(server).or_default().push(names);
    }
    let servers = manifest["servers"].as_mapping().unwrap();
    let found = servers.keys().filter(|name| by_server.contains_key(name.as_str().unwrap()));
    println!("{} servers", found.count());
}

/// Every event of the XML is read, every text kept until its element ends, and what is certificates parsed.
fn clixml(file: &str) -> usize {
    let bytes = fs::read_to_string(file).unwrap();
    let mut reader = Reader::from_str(bytes.trim_start_matches('\u{feff}'));
    let (mut text, mut raw, mut count) = (String::new(), false, 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                text.clear();
                raw = start.attributes().any(|attribute| &*attribute.unwrap().value == "RawData");
            }
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::End(_) if raw => {
                black_box(names(&BASE64_STANDARD.decode(&text).unwrap()));
                (raw, count) = (false, count + 1);
            }
            Event::Eof => return count,
            _ => {}
        }
    }
}

/// Keys with a certificate each, by rcgen alone or as certwright makes them.
fn keys(kind: &str, count: usize, threads: usize, own: bool) {
    let spec = if kind == "rsa" { KeySpec::Rsa(2048) } else { KeySpec::EcP256 };
    let make = || if own { made(spec) } else { bare(spec) };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..count / threads).for_each(|_| drop(black_box(make()))));
        }
    });
}

fn bare(spec: KeySpec) -> Vec<u8> {
    let key = match spec {
        KeySpec::EcP256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        KeySpec::Rsa(_) => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
    };
    let params = CertificateParams::new(vec!["mail.contoso.com".to_owned()]).unwrap();
    params.self_signed(&key.unwrap()).unwrap().der().to_vec()
}

fn made(spec: KeySpec) -> Vec<u8> {
    let key = Keys::Fresh.make(spec).unwrap();
    let content = CertificateContent {
        subject: &DistinguishedName::common_name_only("mail.contoso.com"),
        names: &["mail.contoso.com".parse().unwrap()],
        not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
        not_after: "2026-07-01T00:00:00Z".parse().unwrap(),
    };
    self_signed(&content, &key).unwrap().der.0.clone()
}
