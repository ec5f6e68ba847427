//! A manifest is read in two ways: ordinary ones straight into types, everything else by the reader that knows what is wrong and
//! where. Both read the same, and what the second complains of the first never takes.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests read the tree, and the numbers are for people too"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use certwright::manifest::yaml::{self, Source};

fn source(file: &str, text: &str) -> Source {
    Source { file: file.to_owned(), bytes: text.as_bytes().to_vec() }
}

/// Whether the files were read straight into types, and as the other reader reads them.
fn read_alike(sources: &[Source]) -> bool {
    let Some(direct) = yaml::without_mistakes(sources) else { return false };
    let reading = yaml::manifest_with_places(sources.to_vec());
    let text = || sources.iter().map(|source| String::from_utf8_lossy(&source.bytes)).collect::<Vec<_>>();
    assert_eq!(reading.findings, [], "{:#?}", text());
    assert!(reading.left_out.is_empty());
    assert_eq!(reading.value.as_ref(), Some(&direct), "{:#?}", text());
    // Keys keep their order too.
    assert_eq!(serde_json::to_string(&reading.value).unwrap(), serde_json::to_string(&direct).unwrap());
    true
}

/// Every YAML file of the tree that says it is a manifest.
fn manifests() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ["examples", "tests"]
        .iter()
        .map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml")
                && let Ok(text) = fs::read_to_string(&path)
                && text.contains("certwright/v1")
            {
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_manifests_of_the_tree_are_read_alike_and_nearly_all_straight() {
    let manifests = manifests();
    let is_sound = |text: &str| {
        let reading = yaml::manifest_with_places(vec![source("manifest.yaml", text)]);
        reading.findings.is_empty()
    };
    let (mut sound, mut straight) = (0, 0);
    for (path, text) in &manifests {
        let is_straight = read_alike(&[source("manifest.yaml", text)]);
        let is_sound = is_straight || is_sound(text);
        if is_sound && !is_straight {
            println!("read with places: {}", path.display());
        }
        sound += usize::from(is_sound);
        straight += usize::from(is_straight);
    }
    println!("{sound} manifests, {straight} of them read straight");
    assert!(sound > 100 && straight * 100 >= sound * 95, "{straight} of {sound}");
}

#[test]
fn mistakes_are_never_read_straight() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes/manifests.txt"));
    for case in text.unwrap().split("\n### ") {
        let (_, lines) = case.split_once('\n').unwrap_or((case, ""));
        read_alike(&[source("manifest.yaml", lines)]);
        read_alike(&[source("manifest.yaml", &format!("{HEAD}{lines}\n"))]);
        read_alike(&[source("head.yaml", HEAD), source("manifest.yaml", lines)]);
    }
}

const HEAD: &str = "apiVersion: certwright/v1\norganization: contoso\ndriver: { lab: {} }\n";

/// What somebody may write in the place of any value.
const VALUES: [&str; 16] = [
    "",
    "null",
    "true",
    "0",
    "-1",
    "1",
    "70000",
    "99999999999",
    "x",
    "\"\"",
    "\"1\"",
    "[]",
    "[x]",
    "{}",
    "{ x: y }",
    "{ env: X }",
];

/// In each manifest one value after the other is another one: of another kind, too large, nothing.
#[test]
fn a_value_of_another_kind_is_taken_by_both_or_none() {
    let mut turn = 0;
    let mut straight = 0;
    for (_, text) in manifests().iter().step_by(EVERY).chain(&[(PathBuf::new(), WIDE.to_owned())]) {
        let lines: Vec<&str> = text.lines().collect();
        let is_wide = text == WIDE;
        for (at, line) in lines.iter().enumerate() {
            let Some((key, _)) = line.split_once(": ") else { continue };
            let values: Vec<&str> = if is_wide {
                VALUES.to_vec()
            } else {
                turn += 1;
                vec![VALUES[turn % VALUES.len()]]
            };
            for value in values {
                let mut changed = lines.clone();
                let line = format!("{key}: {value}");
                changed[at] = &line;
                straight += usize::from(read_alike(&[source("manifest.yaml", &(changed.join("\n") + "\n"))]));
            }
        }
    }
    println!("{straight} were read straight");
    assert!(straight > 50);
}

/// Not every manifest of the tree is changed everywhere.
const EVERY: usize = 7;

/// A manifest with every field that numbers, switches and words can be wrong in.
const WIDE: &str = r"apiVersion: certwright/v1
organization: contoso
driver:
  powershell:
    account:
      user: contoso\svc
      password: { env: P }
issuers:
  ca:
    localCa:
      certificate: ca.crt
      key: { file: ca.key }
      lifetime: 365d
  public:
    csr:
      directory: requests
      publiclyTrusted: true
certificates:
  mail:
    issuer: ca
    subject: CN=mail.contoso.com
    names: [mail.contoso.com]
    includeAcceptedDomains: true
    friendlyName: Mail
    key:
      algorithm: rsa
      size: 2048
      exportable: true
    scope: organization
    renewBefore: 30d
    retire:
      after: 7d
    extraServices: keep
profiles:
  all:
    services:
      IIS: mail
      SMTP: [mail]
    internalTransport: mail
    iis:
      Exchange Back End:444: mail
    receiveConnectors:
      FrontendTransport:25: mail
    x509CertificateName:
      POP: mail.contoso.com
    umStartupMode: TLS
servers:
  EX01:
    fqdn: ex01.contoso.com
    version: 2019 CU14
    edge: false
    leftOut: mainboard
    profile: all
sendConnectors:
  Outbound: mail
authCertificate:
  renewBefore: 60d
hybrid: mail
protect:
  - friendlyName: Mine
restarts:
  iis: never
limits:
  serversAtOnce: 2
  captureAge: 1d
expiryWarning: 21d
verify:
  systemRoots: true
backup:
  password: { env: B }
  issued: true
";

#[test]
fn files_are_joined_alike() {
    let ca = "issuers:\n  ca: { selfSigned: {} }\n";
    for (files, straight) in [
        (vec![HEAD, ca], true),
        (vec![HEAD, "apiVersion: certwright/v1\nissuers: { other: { selfSigned: {} } }\n", ca], true),
        (vec![HEAD, "apiVersion: certwright/v2\n"], false),
        (vec![HEAD, "organization: contoso\n"], false),
        (vec![HEAD, ca, ca], false),
        (vec![HEAD, ca, "issuers: {}\n"], true),
        (vec![HEAD, "limits: { serversAtOnce: 2 }\n", "limits: { captureAge: 1d }\n"], true),
        (vec![HEAD, "limits: { serversAtOnce: 2 }\n", "limits: { serversAtOnce: 2 }\n"], false),
        (vec![HEAD, "servers:\n  EX01: { fqdn: a.b }\n", "servers:\n  ex01: { fqdn: c.b }\n"], false),
        (vec![HEAD, ca, "# nothing\n"], false),
        (vec![HEAD, ca, "a: [\n"], false),
    ] {
        let sources: Vec<Source> =
            files.iter().enumerate().map(|(at, text)| source(&format!("{at}.yaml"), text)).collect();
        assert_eq!(read_alike(&sources), straight, "{files:#?}");
    }
}
