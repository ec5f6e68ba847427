//! What OpenSSL says of what certwright made and serves: an opinion that is not our own.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk and start programs")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use certwright::{
    model::certificate::Certificate,
    pki::{answer, pem},
};
use support::{certwright, copy_files, example, has_tool};

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
        // 2 servers with 15 endpoints each.
        let addresses = lines.take(30).map(|line| {
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
    // A send connector names the old certificate too; it is removed all the same, after its backup.
    let text =
        text.replace("retire: { after: 0d, backup: true }", "retire: { after: 0d, stopTransport: true }");
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
            assert!(!certwright_access::others_can_read(&file).unwrap(), "{}", file.display());
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

/// A CA of OpenSSL's making, which signs what it is asked for.
struct Ca<'a>(&'a Path);

impl Ca<'_> {
    fn make(&self) {
        self.run("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 30 -subj /O=Outside/CN=Outside-CA");
    }

    fn run(&self, arguments: &str) {
        let words = arguments.split_whitespace();
        let output = Command::new("openssl").args(words).current_dir(self.0).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Signs the request with its own extensions, and writes the answer as PKCS#7 with the chain.
    fn answer(&self, request: &Path) {
        fs::copy(request, self.0.join("mail.csr")).unwrap();
        self.run(
            "x509 -req -in mail.csr -CA ca.crt -CAkey ca.key -days 20 -copy_extensions copy -out mail.crt",
        );
        self.run("crl2pkcs7 -nocrl -certfile ca.crt -certfile mail.crt -outform DER -out mail.der.p7b");
        self.run("crl2pkcs7 -nocrl -certfile ca.crt -certfile mail.crt -out mail.pem.p7b");
    }

    fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.0.join(file)).unwrap()
    }
}

#[test]
fn a_request_goes_to_another_ca_and_its_answer_comes_back() {
    if !has_tool("openssl") {
        return;
    }
    let (directory, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let base = directory.path().join("scenarios/request-answered-later");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    copy_files(&tests.join("scenarios/request-answered-later"), &base);
    copy_files(&tests.join("keys"), &directory.path().join("keys"));
    // OpenSSL knows no other time than the machine's, so the lab has to follow it too.
    let lab = fs::read_to_string(base.join("lab.yaml")).unwrap();
    let lab = lab.replace("clock: 2026-03-02T09:00:00Z\n", "").replace("2025-03-20T00:00:00Z", "-348d");
    fs::write(base.join("lab.yaml"), lab.replace("2026-03-19T00:00:00Z", "+17d")).unwrap();
    let apply = || certwright(&["apply", "--auto-approve", "manifest.yaml"], &base).output().unwrap();

    assert_eq!(apply().status.code(), Some(7), "the run waits for the CA");
    let request = base.join("requests/mail.csr");
    let (good, text) = openssl(&["req", "-verify", "-noout", "-text"], &fs::read(&request).unwrap());
    assert!(good && text.contains("verify OK"), "{text}");
    assert!(text.contains("DNS:mail.contoso.com, DNS:autodiscover.contoso.com"), "{text}");
    assert!(
        text.contains("Subject: C = NL, O = Contoso, CN = mail.contoso.com")
            || text.contains("Subject: C=NL, O=Contoso, CN=mail.contoso.com"),
        "{text}"
    );
    assert_eq!(apply().status.code(), Some(7), "and waits on");

    let ca = Ca(outside.path());
    ca.make();
    ca.answer(&request);
    // 20 days would be renewed at once by `renewBefore: 30d` if that did not shrink with the lifetime.
    fs::write(base.join("requests/mail.p7b"), ca.read("mail.der.p7b")).unwrap();
    // Nobody knows this CA: no server gets its certificate, until clients are told of it.
    let stopped = apply();
    let said = String::from_utf8_lossy(&stopped.stderr);
    assert_eq!(stopped.status.code(), Some(10), "{said}");
    assert!(said.contains("it ends at CN=Outside-CA, O=Outside, which is no trusted root"), "{said}");
    let manifest = fs::read_to_string(base.join("manifest.yaml")).unwrap();
    let trusting = format!("{manifest}\nverify: {{ roots: [outside.crt], systemRoots: false }}\n");
    fs::write(base.join("outside.crt"), ca.read("ca.crt")).unwrap();
    fs::write(base.join("manifest.yaml"), trusting).unwrap();
    let applied = apply();
    assert_eq!(applied.status.code(), Some(0), "{}", String::from_utf8_lossy(&applied.stderr));
    fs::write(base.join("manifest.yaml"), manifest).unwrap();
    let unknown = certwright(&["verify", "manifest.yaml"], &base).output().unwrap();
    assert_eq!(unknown.status.code(), Some(4));
    let root = outside.path().join("ca.crt");
    let arguments = ["verify", "--format", "json", "--roots", root.to_str().unwrap(), "manifest.yaml"];
    let verdict: serde_json::Value = serde_json::from_str(&run(&base, &arguments)).unwrap();
    let (_, text) = openssl(&["x509", "-noout", "-fingerprint", "-sha1"], &ca.read("mail.crt"));
    let fingerprint = text.split('=').nth(1).unwrap().trim().replace(':', "");
    for server in ["EX01", "EX02"] {
        assert_eq!(declared(&verdict, server, "https:443"), fingerprint);
    }
}

#[test]
fn answers_are_read_in_every_form_that_cas_send() {
    if !has_tool("openssl") {
        return;
    }
    let outside = tempfile::tempdir().unwrap();
    let ca = Ca(outside.path());
    ca.make();
    ca.run("req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null -out asked.csr -subj /CN=mail.contoso.com -addext subjectAltName=DNS:mail.contoso.com -addext basicConstraints=critical,CA:FALSE");
    ca.answer(&outside.path().join("asked.csr"));
    ca.run("x509 -in mail.crt -outform DER -out mail.der");
    let base64 = String::from_utf8(ca.read("mail.pem.p7b"))
        .unwrap()
        .replace("-----BEGIN PKCS7-----", "")
        .replace("-----END PKCS7-----", "");
    let pem = String::from_utf8(ca.read("mail.crt")).unwrap();
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(pem.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let root = Certificate::from_der(&pem::certificates(&ca.read("ca.crt")).unwrap()[0].der.0).unwrap();
    for (form, bytes, with_chain) in [
        ("PEM", pem.clone().into_bytes(), false),
        ("DER", ca.read("mail.der"), false),
        ("UTF-16", utf16, false),
        ("PEM with chain", [ca.read("ca.crt"), pem.into_bytes()].concat(), true),
        ("PKCS#7", ca.read("mail.der.p7b"), true),
        ("PKCS#7 in PEM", ca.read("mail.pem.p7b"), true),
        ("PKCS#7 in base64", base64.into_bytes(), true),
    ] {
        let answer = answer::read(&bytes).unwrap_or_else(|error| panic!("{form}: {error:?}"));
        assert_eq!(answer.certificate.subject.to_string(), "CN=mail.contoso.com", "{form}");
        let chain: Vec<_> = with_chain.then(|| root.der.clone()).into_iter().collect();
        assert_eq!(answer.chain, chain, "{form}");
    }
    assert!(answer::read(&ca.read("ca.crt")).is_err(), "a CA's own certificate is no answer");
    for bytes in [&b""[..], b"\x30", b"\x30\x82\xff\xff", b"not a certificate", &[0xff, 0xfe, 0x41]] {
        assert!(answer::read(bytes).is_err());
    }
}
