//! Organizations of any size: a manifest in three ways of writing it, the lab that it is about, and what a driver sees of
//! it. Equal fleets give equal bytes.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "each benchmark uses a part of this, and files are written"
)]

pub mod observed;

use std::{fmt::Write, fs, path::Path};

/// An organization: each server has three certificates of its own, which five services and four connectors use, and those of
/// setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// How many servers it has.
    pub servers: usize,
    /// Whether its certificates are due.
    pub due: Due,
    /// Fleets of another number have other keys.
    pub seed: usize,
}

/// How a manifest is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Every server with all its certificates, services, bindings and connectors.
    SpelledOut,
    /// One profile, and a line for each server.
    Profile,
    /// As spelled out, each server in a file of its own.
    Files,
}

/// Whether the certificates of the lab are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Every one is: everything has to be done.
    All,
    /// None is: there is nothing to do.
    None,
}

const HEAD: &str = "\
apiVersion: certwright/v1
organization: contoso
driver: { lab: { directory: lab } }
issuers:
  corp-ca:
    localCa:
      certificate: lab/state/authorities/corp-ca.crt
      key: { file: lab/state/authorities/corp-ca.key }
";

const PROFILE: &str = "\
certificates:
  web:
    issuer: corp-ca
    scope: server
    names: [\"mail-${server.name}.contoso.com\", \"autodiscover-${server.name}.contoso.com\"]
    renewBefore: 30d
    retire: { after: 0d }
  mail:
    issuer: corp-ca
    scope: server
    names: [\"smtp-${server.name}.contoso.com\"]
    renewBefore: 30d
    retire: { after: 0d }
  access:
    issuer: corp-ca
    scope: server
    names: [\"imap-${server.name}.contoso.com\"]
    renewBefore: 30d
    retire: { after: 0d }
profiles:
  mailbox:
    services: { IIS: web, POP: access, IMAP: access, SMTP: mail }
    internalTransport: mail
    receiveConnectors:
      \"Default Frontend ${server.name}\": mail
      \"Client Frontend ${server.name}\": mail
      \"Outbound Proxy Frontend ${server.name}\": mail
      \"Client Proxy ${server.name}\": mail
";

/// The name of the server of this number, from 1.
pub fn name(number: usize) -> String {
    format!("EX{number:05}")
}

/// The files of a manifest: name and text.
pub fn manifest(servers: usize, layout: Layout) -> Vec<(String, String)> {
    match layout {
        Layout::Profile => {
            let mut text = String::from(HEAD) + PROFILE + "servers:\n";
            for number in 1..=servers {
                let name = name(number);
                let lower = name.to_lowercase();
                let _ = writeln!(text, "  {name}: {{ fqdn: {lower}.contoso.com, profile: mailbox }}");
            }
            vec![("manifest.yaml".to_owned(), text)]
        }
        Layout::SpelledOut => {
            let certificates: String = (1..=servers).map(certificates).collect();
            let entries: String = (1..=servers).map(server).collect();
            vec![(
                "manifest.yaml".to_owned(),
                format!("{HEAD}certificates:\n{certificates}servers:\n{entries}"),
            )]
        }
        Layout::Files => {
            let head = [("manifest.yaml".to_owned(), HEAD.to_owned())];
            let of = |number| {
                let (certificates, server) = (certificates(number), server(number));
                let text =
                    format!("apiVersion: certwright/v1\ncertificates:\n{certificates}servers:\n{server}");
                (format!("{}.yaml", name(number)), text)
            };
            head.into_iter().chain((1..=servers).map(of)).collect()
        }
    }
}

fn certificates(number: usize) -> String {
    let name = name(number);
    let lower = name.to_lowercase();
    let names = [
        ("web", format!("mail-{lower}.contoso.com, autodiscover-{lower}.contoso.com")),
        ("mail", format!("smtp-{lower}.contoso.com")),
        ("access", format!("imap-{lower}.contoso.com")),
    ];
    let one = |(kind, names): &(&str, String)| {
        format!(
            "  {kind}-{lower}:\n    issuer: corp-ca\n    names: [{names}]\n    key: {{ algorithm: rsa, size: 2048, \
             exportable: true }}\n    renewBefore: 30d\n    retire: {{ after: 0d }}\n"
        )
    };
    names.iter().map(one).collect()
}

fn server(number: usize) -> String {
    let name = name(number);
    let lower = name.to_lowercase();
    format!(
        "  {name}:
    fqdn: {lower}.contoso.com
    version: 2019 CU14
    services:
      IIS: web-{lower}
      POP: access-{lower}
      IMAP: access-{lower}
      SMTP: mail-{lower}
    internalTransport: mail-{lower}
    receiveConnectors:
      \"Default Frontend {name}\": mail-{lower}
      \"Client Frontend {name}\": mail-{lower}
      \"Outbound Proxy Frontend {name}\": mail-{lower}
      \"Client Proxy {name}\": mail-{lower}
"
    )
}

/// The lab that the manifest of so many servers is about.
pub fn lab(servers: usize, due: Due) -> String {
    let (from, until) = match due {
        Due::All => ("2025-03-19T08:00:00Z", "2026-03-19T08:00:00Z"),
        Due::None => ("2025-12-19T08:00:00Z", "2026-12-19T08:00:00Z"),
    };
    let mut text = String::from(
        "apiVersion: certwright.lab/v1\nclock: 2026-03-02T09:14:07Z\nkeys: keys\nauthorities:\n  corp-ca: { subject: \
         \"CN=Contoso Issuing CA\" }\nacceptedDomains: [contoso.com]\nservers:\n",
    );
    for number in 1..=servers {
        let name = name(number);
        let lower = name.to_lowercase();
        let _ = writeln!(
            text,
            "  {name}: {{ fqdn: {lower}.contoso.com, version: 2019 CU14, installed: 2024-05-06T10:00:00Z }}"
        );
    }
    text += "certificates:\n";
    for number in 1..=servers {
        let name = name(number);
        let lower = name.to_lowercase();
        let held = [
            ("web", format!("mail-{lower}.contoso.com, autodiscover-{lower}.contoso.com"), "services: [IIS]"),
            ("access", format!("imap-{lower}.contoso.com"), "services: [POP, IMAP]"),
            (
                "mail",
                format!("smtp-{lower}.contoso.com"),
                "services: [SMTP], internalTransport: true, receiveConnectors: [\"Default Frontend ${server.name}\", \"Client Frontend \
                 ${server.name}\", \"Outbound Proxy Frontend ${server.name}\", \"Client Proxy ${server.name}\"]",
            ),
        ];
        for (kind, names, uses) in held {
            let _ = writeln!(
                text,
                "  {kind}-{lower}: {{ authority: corp-ca, names: [{names}], notBefore: {from}, notAfter: {until}, on: \
                 [{name}], {uses} }}"
            );
        }
    }
    text
}

/// Writes the lab of a fleet, with the keys that it takes. The first key is the CA's.
pub fn write_lab(fleet: &Fleet, folder: &Path) {
    fs::create_dir_all(folder.join("keys")).unwrap();
    fs::write(folder.join("lab.yaml"), lab(fleet.servers, fleet.due)).unwrap();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    let mut files: Vec<_> = fs::read_dir(keys).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "pem"));
    files.sort();
    let first = fleet.seed % files.len();
    files.rotate_left(first);
    for (index, file) in files.iter().enumerate() {
        fs::copy(file, folder.join(format!("keys/{index:02}.pem"))).unwrap();
    }
}
