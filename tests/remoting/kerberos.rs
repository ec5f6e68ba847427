//! Kerberos with tickets of a real KDC (MIT), sealed over plain HTTP and inside TLS.

use std::{
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command as Process, Stdio},
    time::{Duration, Instant},
};

use certwright::remoting::{
    Credentials, HostPolicy, PsrpSession, RemotingError, TicketSource, Tickets, Trust,
};

use crate::driver::made;
use crate::peer::{HOST, Peer, Tls, command, converse, endpoint, needed, open, python, soon};

/// The realm that a test runs in.
struct Realm {
    directory: PathBuf,
}

/// A KDC with a user and a service.
struct Kdc {
    directory: tempfile::TempDir,
    child: Child,
}

/// The realm of this test, or nothing where it is not the one to run. The library reads its configuration from the
/// environment, and a process must not change its own; so a test begins a KDC and runs itself again, in its realm.
fn realm(test: &str) -> Option<Realm> {
    if let Some(directory) = std::env::var_os(REALM) {
        return Some(Realm { directory: directory.into() });
    }
    python()?;
    let found = ["krb5kdc", "kadmin.local", "kdb5_util", "kinit"].iter().all(|tool| program(tool).is_some());
    if !needed(found, "the packages krb5-kdc, krb5-admin-server and krb5-user") {
        return None;
    }
    let kdc = Kdc::start();
    let output = Process::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(REALM, kdc.directory.path())
        .envs(kdc.environment())
        .env("KRB5CCNAME", format!("FILE:{}", kdc.directory.path().join("cache").display()))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    None
}

impl Kdc {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().to_owned();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let shown = at.display();
        std::fs::write(
            at.join("krb5.conf"),
            format!(
                "[libdefaults]\n default_realm = CORP.EXAMPLE\n dns_lookup_kdc = false\n dns_lookup_realm = false\n \
                 dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n\
                 [realms]\n CORP.EXAMPLE = {{\n  kdc = 127.0.0.1:{port}\n }}\n\
                 [domain_realm]\n .corp.example = CORP.EXAMPLE\n {HERE} = CORP.EXAMPLE\n"
            ),
        )
        .unwrap();
        std::fs::write(
            at.join("kdc.conf"),
            format!(
                "[kdcdefaults]\n kdc_listen = 127.0.0.1:{port}\n kdc_tcp_listen = 127.0.0.1:{port}\n\
                 [realms]\n CORP.EXAMPLE = {{\n  database_name = {shown}/principal\n  \
                 key_stash_file = {shown}/stash\n  acl_file = {shown}/acl\n }}\n"
            ),
        )
        .unwrap();
        let environment = environment(&at);
        let run = |name: &str, arguments: &[&str]| {
            let output = Process::new(program(name).unwrap())
                .args(arguments)
                .envs(environment.clone())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        };
        run("kdb5_util", &["create", "-s", "-W", "-r", "CORP.EXAMPLE", "-P", "master"]);
        let (service, here) = (format!("HTTP/{HOST}"), format!("HTTP/{HERE}"));
        for (principal, keytab) in
            [("svc", "client.keytab"), (&service, "service.keytab"), (&here, "service.keytab")]
        {
            run("kadmin.local", &["-q", &format!("addprinc -randkey {principal}")]);
            run("kadmin.local", &["-q", &format!("ktadd -k {shown}/{keytab} {principal}")]);
        }
        let child = Process::new(program("krb5kdc").unwrap())
            .arg("-n")
            .envs(environment)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let kdc = Self { directory, child };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the KDC does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        kdc
    }

    fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        environment(self.directory.path())
    }
}

impl Drop for Kdc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Realm {
    fn keytab(&self) -> Credentials {
        let source = TicketSource::Keytab(self.directory.join("client.keytab"));
        Credentials::Kerberos(Tickets { source, principal: None })
    }

    fn peer(&self, arguments: &[&str]) -> Peer {
        let keytab = self.directory.join("service.keytab");
        Peer::start_with(&python().unwrap(), arguments, &[("KRB5_KTNAME", &keytab)])
    }

    /// Tickets in the cache that the environment names.
    fn kinit(&self) {
        let keytab = self.directory.join("client.keytab");
        let status =
            Process::new(program("kinit").unwrap()).arg("-k").arg("-t").arg(keytab).arg("svc").status();
        assert!(status.unwrap().success());
    }
}

fn environment(directory: &Path) -> Vec<(&'static str, PathBuf)> {
    vec![("KRB5_CONFIG", directory.join("krb5.conf")), ("KRB5_KDC_PROFILE", directory.join("kdc.conf"))]
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn http(peer: &Peer) -> certwright::remoting::Endpoint {
    endpoint("http", peer.address, Trust::System)
}

#[test]
fn sealed_over_http_with_a_keytab() {
    let Some(realm) = realm("kerberos::sealed_over_http_with_a_keytab") else { return };
    let peer = realm.peer(&[]);
    let mut session = open(&http(&peer), realm.keytab()).unwrap();
    converse(&mut session);
    drop(session);
    assert_eq!(peer.end(), ["shells 0"]);
    assert!(!realm.directory.join("cache").exists(), "tickets of a keytab stay in memory");
}

#[test]
fn sealed_over_http_with_the_cache_of_the_system() {
    let Some(realm) = realm("kerberos::sealed_over_http_with_the_cache_of_the_system") else { return };
    let peer = realm.peer(&["--chunked", "--fragment", "500"]);
    let system = Credentials::Kerberos(Tickets::default());
    let error = open(&http(&peer), system.clone()).err().expect("there is no ticket");
    assert!(matches!(error, RemotingError::Kerberos { .. }), "{error}");
    realm.kinit();
    converse(&mut open(&http(&peer), system).unwrap());
    let principal = Some("svc@CORP.EXAMPLE".to_owned());
    let source = TicketSource::Cache(format!("FILE:{}", realm.directory.join("cache").display()));
    converse(&mut open(&http(&peer), Credentials::Kerberos(Tickets { source, principal })).unwrap());
    let other = Tickets { principal: Some("somebody@CORP.EXAMPLE".into()), ..Tickets::default() };
    let error =
        open(&http(&peer), Credentials::Kerberos(other)).err().expect("there is no ticket of somebody's");
    assert!(matches!(error, RemotingError::Kerberos { .. }), "{error}");
    assert_eq!(peer.end(), ["shells 0"]);
}

#[test]
fn inside_tls_by_either_scheme_and_however_often_asked() {
    let Some(realm) = realm("kerberos::inside_tls_by_either_scheme_and_however_often_asked") else { return };
    let tls = Tls::for_name(HOST);
    for arguments in [&["--scheme", "Kerberos"][..], &["--scheme", "Negotiate"], &["--forgetful"]] {
        let file = tls.file();
        let peer = realm.peer(&[&["--certificate", &file], arguments].concat());
        let mut session: PsrpSession =
            open(&endpoint("https", peer.address, tls.trusted()), realm.keytab()).unwrap();
        converse(&mut session);
        drop(session);
        assert_eq!(peer.end(), ["shells 0"], "{arguments:?}");
    }
}

#[test]
fn what_is_not_safe_or_not_known_is_refused() {
    let Some(realm) = realm("kerberos::what_is_not_safe_or_not_known_is_refused") else { return };
    let peer = realm.peer(&["--scheme", "Negotiate"]);
    let error = open(&http(&peer), realm.keytab()).err().expect("Negotiate is for TLS");
    assert!(matches!(error, RemotingError::NoCommonAuthentication { .. }), "{error}");
    // A server that the realm does not know by this name.
    let peer = realm.peer(&[]);
    let other =
        certwright::remoting::Endpoint::new("http://ex2.corp.example/PowerShell", Trust::System).unwrap();
    let error = open(&other.at(peer.address), realm.keytab()).err().expect("there is no such service");
    assert!(matches!(error, RemotingError::Kerberos { .. }), "{error}");
    let missing = TicketSource::Keytab(realm.directory.join("missing.keytab"));
    let missing = Credentials::Kerberos(Tickets { source: missing, principal: None });
    assert!(matches!(open(&http(&peer), missing), Err(RemotingError::Kerberos { .. })));
}

#[test]
fn a_sealed_connection_that_breaks_leaves_the_outcome_unknown() {
    let Some(realm) = realm("kerberos::a_sealed_connection_that_breaks_leaves_the_outcome_unknown") else {
        return;
    };
    let peer = realm.peer(&["--cut"]);
    let mut session = open(&http(&peer), realm.keytab()).unwrap();
    let error = session.invoke(&command("Test-Echo", &[]), HostPolicy::Nobody, soon()).unwrap_err();
    assert!(matches!(error, RemotingError::OutcomeUnknown { .. }), "{error}");
}

/// The program itself: its manifest names the keytab, `observe` and `doctor` go to the server with tickets of the real KDC,
/// sealed over plain HTTP; and a keytab that others can read is refused.
#[test]
fn the_program_takes_a_keytab_from_its_manifest() {
    let Some(realm) = realm("kerberos::the_program_takes_a_keytab_from_its_manifest") else { return };
    let folder = tempfile::tempdir().unwrap();
    let first = made("ex1.corp.example");
    std::fs::write(folder.path().join("stored0.der"), &first.certificate.der.0).unwrap();
    let peer = realm.peer(&["--store", folder.path().to_str().unwrap()]);
    let keytab = folder.path().join("client.keytab");
    std::fs::copy(realm.directory.join("client.keytab"), &keytab).unwrap();
    let mode = |bits| std::fs::set_permissions(&keytab, std::fs::Permissions::from_mode(bits)).unwrap();
    let manifest = format!(
        "apiVersion: certwright/v1\norganization: contoso\ndriver:\n  powershell:\n    \
         remoting: {{ port: {}, keytab: client.keytab, principal: svc@CORP.EXAMPLE }}\n\
         issuers: {{ exchange: {{ selfSigned: {{}} }} }}\n\
         certificates:\n  own: {{ issuer: exchange, names: [mail.corp.example] }}\n\
         servers:\n  EX1: {{ fqdn: {HERE}, services: {{ SMTP: own }} }}\n",
        peer.address.port()
    );
    std::fs::write(folder.path().join("manifest.yaml"), manifest).unwrap();
    let run = |arguments: &[&str]| {
        let mut program = Process::new(env!("CARGO_BIN_EXE_certwright"));
        let output =
            program.args(arguments).current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout.clone(), output.stderr].concat();
        (output.status.code(), output.stdout, String::from_utf8_lossy(&said).into_owned())
    };
    mode(0o600);
    let (code, shown, said) = run(&["observe", "--format", "json"]);
    assert_eq!(code, Some(0), "{said}");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert!(shown.contains(&first.certificate.thumbprint.to_string()), "{said}");
    let (_, _, said) = run(&["doctor"]);
    assert!(said.contains(&format!("{HERE} over remoting answers")), "{said}");
    mode(0o644);
    let (code, _, said) = run(&["doctor"]);
    assert!(code != Some(0) && said.contains("chmod 600"), "{said}");
    assert_eq!(peer.end(), ["shells 0"]);
}

/// An address that leads here, as a full name.
const HERE: &str = "127.0.0.1";
/// Names the folder of the realm, in the process that runs in it.
const REALM: &str = "CERTWRIGHT_TEST_REALM";
