//! What certwright says of servers of the distribution, with certificates that are right, and wrong in every way that
//! administrators know; and whether OpenSSL was shown the same and comes to the same conclusion.
//! Not on Windows: Postfix, Dovecot, Exim, nginx and HAProxy of Debian.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start servers and touch the disk")]

#[path = "real_servers/daemons.rs"]
mod daemons;
#[path = "real_servers/pki.rs"]
mod pki;
mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::SystemTime,
};

use certwright::{
    model::{
        certificate::Certificate,
        endpoint::{Endpoint, Protocol},
        handshake::{
            endpoint_finding::{EndpointFinding, EndpointSeverity},
            tls::TlsVersion,
        },
        names::{DnsName, ServerName},
        organization::Observed,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    ports::driver::{DriverError, Observer, Wanted},
    probe::{Network, roots},
    verify::{
        check::{Check, Peer, Settings, TrustedBy},
        health,
        peers::Peers,
        row::Row,
        run,
    },
};
use daemons::{Door, doors, open_directory};
use pki::{Case, Identity, NAME, identities};
use support::has_tool;

#[test]
fn nginx() {
    if !(has_tool("nginx") && has_tool("openssl")) {
        return;
    }
    let directory = open_directory();
    let identities = identities(directory.path());
    let doors = doors(&identities, &[Protocol::Https]);
    let _nginx = daemons::nginx(directory.path(), &doors, "");
    judge(directory.path(), &doors);
}

#[test]
fn haproxy() {
    if !(has_tool("haproxy") && has_tool("openssl")) {
        return;
    }
    let directory = open_directory();
    let identities = identities(directory.path());
    let doors = doors(&identities, &[Protocol::Https]);
    let _haproxy = daemons::haproxy(directory.path(), &doors);
    judge(directory.path(), &doors);
}

#[test]
fn postfix() {
    if !(has_tool("postfix") && has_tool("openssl") && is_root("postfix")) {
        return;
    }
    let directory = open_directory();
    let identities = identities(directory.path());
    let doors = doors(&identities, &[Protocol::Smtp, Protocol::Smtps]);
    let _postfix = daemons::postfix(directory.path(), &doors);
    judge(directory.path(), &doors);
}

/// Exim's package excludes Postfix's, so that `.ci/run` unpacks it into `target/exim4` instead of installing it.
#[test]
fn exim() {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/exim4/usr/sbin/exim4");
    let program = if unpacked.is_file() { unpacked } else { PathBuf::from("/usr/sbin/exim4") };
    if !((program.is_file() || has_tool("exim4")) && has_tool("openssl") && is_root("exim4")) {
        return;
    }
    let directory = open_directory();
    let mut identities = identities(directory.path());
    // GnuTLS cannot sign a handshake of TLS 1.3 with a key of 1024 bits, and ends it.
    identities.retain(|identity| identity.case != Case::WeakKey);
    let doors = doors(&identities, &[Protocol::Smtp, Protocol::Smtps]);
    let _exim = daemons::exim(&program, directory.path(), &doors);
    judge(directory.path(), &doors);
}

#[test]
fn dovecot() {
    if !(has_tool("dovecot") && has_tool("openssl") && is_root("dovecot")) {
        return;
    }
    let directory = open_directory();
    let identities = identities(directory.path());
    let protocols = [Protocol::Imap, Protocol::Imaps, Protocol::Pop, Protocol::Pops];
    for one in identities.chunks(1) {
        let here = open_directory();
        for file in ["root.pem", "crl.pem", "root-and-crl.pem"] {
            fs::copy(directory.path().join(file), here.path().join(file)).unwrap();
        }
        let doors = doors(one, &protocols);
        let _dovecot = daemons::dovecot(here.path(), &doors);
        judge(here.path(), &doors);
    }
}

#[test]
fn a_server_is_asked_by_the_name_that_is_forced_upon_it() {
    if !(has_tool("nginx") && has_tool("openssl")) {
        return;
    }
    let directory = open_directory();
    let identities = identities(directory.path());
    let find = |case| identities.iter().find(|identity| identity.case == case).unwrap();
    let (right, other) = (find(Case::Right), find(Case::WrongName));
    let doors = doors(std::slice::from_ref(right), &[Protocol::Https]);
    let port = doors[0].endpoint.port;
    let server = |name: &str, identity: &Identity| {
        let (chain, key) = (identity.chain.display(), identity.key.display());
        format!(
            "server {{ listen 127.0.0.1:{port} ssl; server_name {name}; ssl_certificate {chain}; ssl_certificate_key {key}; }}\n"
        )
    };
    let servers = server("other.contoso.test", other) + &server(NAME, right);
    let _nginx = daemons::nginx_of(directory.path(), &doors, &servers);
    for (name, identity) in [(NAME, right), ("other.contoso.test", other)] {
        let row = meet(directory.path(), doors[0].endpoint, Some(name));
        assert_eq!(row.served, Some(identity.thumbprints[0]), "{name}");
        assert!(row.is_good(), "{:?}", row.problems);
    }
    // Without a name the first server answers, and nobody expects a name of it.
    let row = meet(directory.path(), doors[0].endpoint, None);
    assert_eq!(row.served, Some(other.thumbprints[0]));
}

#[test]
fn pages_behind_https_say_how_the_services_are() {
    if !(has_tool("nginx") && has_tool("openssl")) {
        return;
    }
    let directory = open_directory();
    let identities = identities(directory.path());
    let doors = doors(&identities[..1], &[Protocol::Https]);
    let pages = "location / { return 404; }\nlocation = /owa/healthcheck.htm { return 200 \"200 OK<br/>EX01\"; }\n\
                 location = /ecp/healthcheck.htm { return 503; }\nlocation = /EWS/healthcheck.htm { return 302 /elsewhere; }\n\
                 location = /PowerShell { return 401; }\nadd_header X-FEServer EX01 always;";
    let _nginx = daemons::nginx(directory.path(), &doors, pages);
    let mut check = check(doors[0].endpoint, Some(NAME));
    check.expected = Some(identities[0].thumbprints[0]);
    let rows =
        health::rows(&[check.clone()], &Peers::servers(&Now), &Network::default(), &Settings::default());
    let found = |page: &str| rows.iter().find(|row| row.page == page).unwrap();
    for (page, healthy, status) in [
        ("/owa/healthcheck.htm", true, 200),
        ("/ecp/healthcheck.htm", false, 503),
        ("/EWS/healthcheck.htm", false, 302),
        ("/mapi/healthcheck.htm", false, 404),
        ("/PowerShell", true, 401),
    ] {
        let row = found(page);
        assert_eq!((row.healthy, row.status), (healthy, Some(status)), "{row:?}");
        assert_eq!(row.front_end.as_deref(), Some("EX01"));
        assert_eq!(row.certificate, check.expected);
    }
    assert!(found("/ecp/healthcheck.htm").problem.as_ref().unwrap().contains("application pool"));
    // Behind another certificate than the declared one, nothing is well.
    check.expected = Some(identities[1].thumbprints[0]);
    let rows = health::rows(&[check], &Peers::servers(&Now), &Network::default(), &Settings::default());
    assert!(rows.iter().all(|row| !row.healthy));
}

#[test]
fn servers_of_yesterday_are_seen_and_called_by_their_name() {
    if !(has_tool("nginx") && has_tool("openssl")) {
        return;
    }
    for (protocol, version) in [("TLSv1", TlsVersion::Tls10), ("TLSv1.1", TlsVersion::Tls11)] {
        let directory = open_directory();
        let identities = identities(directory.path());
        let doors = doors(&identities[..1], &[Protocol::Https]);
        let _nginx = daemons::nginx(directory.path(), &doors, &format!("ssl_protocols {protocol};"));
        let row = meet(directory.path(), doors[0].endpoint, Some(NAME));
        assert_eq!((row.version, row.served), (Some(version), Some(identities[0].thumbprints[0])));
        assert_eq!(row.chain, identities[0].thumbprints, "the certificate is seen in the clear");
        let words = words(&row, EndpointSeverity::Wrong);
        assert!(words.contains(&format!("{version} only")), "{words:?}");
    }
}

#[test]
fn old_ciphers_and_key_exchanges_are_called_so() {
    if !(has_tool("nginx") && has_tool("openssl")) {
        return;
    }
    for (cipher, warning) in [("AES128-SHA", "old cipher"), ("ECDHE-RSA-AES256-SHA384", "old cipher")] {
        let directory = open_directory();
        let identities = identities(directory.path());
        let doors = doors(&identities[..1], &[Protocol::Https]);
        let lines = format!("ssl_protocols TLSv1.2; ssl_ciphers {cipher}:@SECLEVEL=0;");
        let _nginx = daemons::nginx(directory.path(), &doors, &lines);
        let row = meet(directory.path(), doors[0].endpoint, Some(NAME));
        assert_eq!(row.served, Some(identities[0].thumbprints[0]), "{cipher}: {:?}", row.problems);
        assert!(
            words(&row, EndpointSeverity::Warning).contains(&warning.to_owned()),
            "{cipher}: {:?}",
            row.problems
        );
    }
}

/// Every door: what it serves is what it was given, the words are those of the case, and OpenSSL agrees.
fn judge(directory: &Path, doors: &[Door<'_>]) {
    for door in doors {
        let Door { identity, endpoint } = door;
        let row = meet(directory, *endpoint, Some(NAME));
        let what = format!("{:?} at {endpoint}: {:?}", identity.case, row.problems);
        assert_eq!(row.chain, identity.thumbprints, "{what}");
        let (wrong, warnings) = identity.case.words();
        assert_eq!(words(&row, EndpointSeverity::Wrong), wrong, "{what}");
        assert_eq!(words(&row, EndpointSeverity::Warning), warnings, "{what}");
        let seen = openssl(directory, *endpoint);
        assert_eq!(seen.chain, row.chain, "{what}, OpenSSL: {}", seen.says);
        assert_eq!(seen.verified, row.is_good(), "{what}, OpenSSL: {}", seen.says);
    }
}

fn words(row: &Row, severity: EndpointSeverity) -> Vec<String> {
    row.problems.iter().filter(|problem| problem.severity() == severity).map(EndpointFinding::word).collect()
}

fn check(endpoint: Endpoint, name: Option<&str>) -> Check {
    Check {
        peer: Peer::Host("127.0.0.1".into()),
        endpoint,
        name: name.map(|name| name.parse().unwrap()),
        expected: None,
        trusted_by: TrustedBy::Roots,
        presenter: None,
    }
}

fn meet(directory: &Path, endpoint: Endpoint, name: Option<&str>) -> Row {
    let check = check(endpoint, name);
    let roots = roots::bundle(&directory.join("root.pem")).unwrap();
    let roots = roots::with_revocations(roots, &directory.join("crl.pem")).unwrap();
    let settings = Settings { roots: Some(roots), ..Settings::default() };
    run::rows_with(&[check], &Peers::servers(&Now), &Network::default(), &settings, &|_| {}).remove(0)
}

struct Now;

impl Observer for Now {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap())
    }

    fn observe(&self, _: Wanted<'_>) -> Result<Observed, DriverError> {
        Err(DriverError::failed("observing", "there is nothing to see"))
    }

    fn address(&self, _: &ServerName, _: &DnsName, _: Endpoint) -> Result<String, DriverError> {
        Err(DriverError::failed("looking", "there is no organization"))
    }
}

/// What OpenSSL was shown, and what it thinks of it.
struct Seen {
    chain: Vec<Thumbprint>,
    verified: bool,
    says: String,
}

fn openssl(directory: &Path, endpoint: Endpoint) -> Seen {
    let start: &[&str] = match endpoint.protocol {
        Protocol::Smtp => &["-starttls", "smtp"],
        Protocol::Pop => &["-starttls", "pop3"],
        Protocol::Imap => &["-starttls", "imap"],
        _ => &[],
    };
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{}", endpoint.port), "-showcerts"])
        .args([
            "-servername",
            NAME,
            "-verify_hostname",
            NAME,
            "-CAfile",
            "root-and-crl.pem",
            "-crl_check_all",
            "-no-CApath",
            "-no-CAstore",
        ])
        .args(start)
        .env("OPENSSL_CONF", daemons::openssl_conf(directory))
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    // With TLS 1.3 it is said again for each ticket.
    let says =
        text.lines().find(|line| line.contains("Verify return code")).unwrap_or("nothing").trim().to_owned();
    let chain = certwright::pki::pem::certificates(text.as_bytes()).unwrap();
    let chain = distinct(&chain);
    Seen { chain, verified: says.contains("code: 0 "), says }
}

/// The server's own certificate is shown once more at the end.
fn distinct(certificates: &[Certificate]) -> Vec<Thumbprint> {
    let mut chain: Vec<Thumbprint> = Vec::new();
    for certificate in certificates {
        if !chain.contains(&certificate.thumbprint) {
            chain.push(certificate.thumbprint);
        }
    }
    chain
}

/// Servers that change their user can be started by root only.
fn is_root(program: &str) -> bool {
    use std::os::unix::fs::MetadataExt;
    let root = fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    if !root {
        assert!(
            std::env::var_os("CERTWRIGHT_REQUIRE_TOOLS").is_none(),
            "{program} is started by root only, and nothing may be skipped"
        );
        let words = format!("\nSKIPPED: {program} is started by root only\n");
        let _ = std::io::Write::write_all(&mut std::io::stderr(), words.as_bytes());
    }
    root
}
