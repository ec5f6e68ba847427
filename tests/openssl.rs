//! What OpenSSL says of what certwright made and serves: an opinion that is not our own.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk and start programs")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use support::{certwright, example, has_tool};

/// `certwright lab serve`, ended with the test.
struct Serving {
    process: Child,
    addresses: Vec<(String, String, String)>,
}

impl Serving {
    fn start(directory: &Path) -> Self {
        let mut process = certwright(&["lab", "serve", "--seconds", "120"], directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.as_mut().unwrap()).lines();
        // 2 servers with 14 endpoints each.
        let addresses = lines.take(28).map(|line| {
            let line = line.unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            (words[0].to_owned(), words[1].to_owned(), words[2].to_owned())
        });
        let addresses = addresses.collect();
        Self { process, addresses }
    }

    fn address(&self, server: &str, endpoint: &str) -> &str {
        let found = self.addresses.iter().find(|(on, at, _)| on == server && at == endpoint);
        &found.unwrap_or_else(|| panic!("{server} {endpoint} is not served: {:?}", self.addresses)).2
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(directory: &Path, arguments: &[&str]) -> String {
    let output = certwright(arguments, directory).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn openssl(arguments: &[&str], input: &[u8]) -> (bool, String) {
    let mut process = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(input).unwrap();
    let output = process.wait_with_output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

/// The SHA-1 fingerprint of the certificate that a TLS client gets.
fn served(address: &str, starttls: Option<&str>) -> Option<String> {
    let mut arguments = vec!["s_client", "-connect", address, "-servername", "mail.contoso.com"];
    if let Some(protocol) = starttls {
        arguments.extend(["-starttls", protocol]);
    }
    let (_, text) = openssl(&arguments, b"");
    let begin = text.find("-----BEGIN CERTIFICATE-----")?;
    let (good, text) = openssl(&["x509", "-noout", "-fingerprint", "-sha1"], &text.as_bytes()[begin..]);
    assert!(good, "{text}");
    Some(text.split('=').nth(1).unwrap().trim().replace(':', ""))
}

const CLIENTS: [(&str, Option<&str>); 8] = [
    ("https:443", None),
    ("smtp:25", Some("smtp")),
    ("smtp:587", Some("smtp")),
    ("pop:110", Some("pop3")),
    ("pops:995", None),
    ("imap:143", Some("imap")),
    ("imaps:993", None),
    ("https:444", None),
];

fn declared(verdict: &serde_json::Value, server: &str, endpoint: &str) -> String {
    let rows = verdict["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["server"] == server && row["endpoint"] == endpoint).unwrap();
    row["declared"].as_str().unwrap().to_owned()
}

#[test]
fn clients_get_the_new_certificate_from_a_lab_that_is_served_all_the_while() {
    if !has_tool("openssl") {
        return;
    }
    let directory = example("contoso");
    run(directory.path(), &["lab", "set-up"]);
    let serving = Serving::start(directory.path());
    let before: serde_json::Value =
        serde_json::from_str(&run(directory.path(), &["verify", "--format", "json"])).unwrap();
    for (endpoint, starttls) in CLIENTS {
        let served = served(serving.address("EX01", endpoint), starttls);
        assert_eq!(served, Some(declared(&before, "EX01", endpoint)), "before, {endpoint}");
    }
    run(directory.path(), &["apply", "--auto-approve"]);
    let after: serde_json::Value =
        serde_json::from_str(&run(directory.path(), &["verify", "--format", "json"])).unwrap();
    assert_ne!(declared(&before, "EX01", "https:443"), declared(&after, "EX01", "https:443"));
    for server in ["EX01", "EX02"] {
        for (endpoint, starttls) in CLIENTS {
            let served = served(serving.address(server, endpoint), starttls);
            assert_eq!(served, Some(declared(&after, server, endpoint)), "after, {server} {endpoint}");
        }
    }
}

#[test]
fn chain_names_and_backup_hold_for_openssl() {
    if !has_tool("openssl") {
        return;
    }
    let directory = example("contoso");
    let base = directory.path();
    run(base, &["lab", "set-up"]);
    fs::write(base.join("password"), "correct horse\n").unwrap();
    let manifest = base.join("manifest.yaml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text + "\nbackup: { password: { file: password } }\n").unwrap();
    run(base, &["apply", "--auto-approve"]);

    let observed: serde_json::Value =
        serde_json::from_str(&run(base, &["observe", "--format", "json"])).unwrap();
    let server = &observed["organization"]["servers"]["EX01"];
    let mail = server["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .find(|stored| stored["friendlyName"] == "mail")
        .unwrap();
    let der = mail["certificate"]["der"].as_str().unwrap();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", wrap(der));
    let leaf = base.join("leaf.pem");
    fs::write(&leaf, pem).unwrap();
    let ca = base.join("lab/state/authorities/corp-ca.crt");
    // The lab's clock stands still in March 2026.
    let at = "1775000000";
    let (good, text) = openssl(
        &[
            "verify",
            "-attime",
            at,
            "-purpose",
            "sslserver",
            "-verify_hostname",
            "autodiscover.contoso.com",
            "-CAfile",
            path(&ca),
            path(&leaf),
        ],
        b"",
    );
    assert!(good, "{text}");
    let (good, _) = openssl(
        &[
            "verify",
            "-attime",
            at,
            "-verify_hostname",
            "other.contoso.com",
            "-CAfile",
            path(&ca),
            path(&leaf),
        ],
        b"",
    );
    assert!(!good, "a name that is not in the certificate");

    let backup = backups(&base.join(".certwright/runs")).pop().expect("a backup");
    let (good, text) =
        openssl(&["pkcs12", "-in", path(&backup), "-passin", "pass:correct horse", "-noenc"], b"");
    assert!(good && text.contains("BEGIN PRIVATE KEY") && text.contains("CN = mail.contoso.com"), "{text}");
    let (good, _) = openssl(&["pkcs12", "-in", path(&backup), "-passin", "pass:wrong", "-noenc"], b"");
    assert!(!good, "the password counts");
}

#[test]
fn files_with_keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = example("contoso");
    run(directory.path(), &["apply", "--auto-approve"]);
    let mut keys = 0;
    for file in all_files(directory.path()) {
        let bytes = fs::read(&file).unwrap();
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let holds_key =
            matches!(extension, "key" | "pfx") || bytes.windows(11).any(|window| window == b"PRIVATE KEY");
        if holds_key {
            keys += 1;
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
        }
        if extension == "jsonl" {
            assert!(!String::from_utf8(bytes).unwrap().contains("PRIVATE"), "{}", file.display());
        }
    }
    assert!(keys > 6);
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

fn backups(runs: &Path) -> Vec<PathBuf> {
    all_files(runs)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "pfx"))
        .collect()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn wrap(base64: &str) -> String {
    base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n")
}
