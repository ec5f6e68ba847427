//! The program itself with a manifest of real servers: an endpoint of WS-Management for Exchange's cmdlets, and a real sshd
//! for Windows.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Output, sync::Arc};

use certwright::pki::pem;
use serde_json::Value as Json;

use super::{
    peers::{
        cmdlets,
        lab_driver::{LabEndpoint, PASSWORD},
        script::{self, Part},
        sshd::Sshd,
    },
    support::{certwright, copy_files, key_pool},
};

const HOST: &str = "127.0.0.1";
const LAB: &str = "apiVersion: certwright.lab/v1\nkeys: keys\nacceptedDomains: [contoso.com]\n\
    servers:\n  EX01: { fqdn: 127.0.0.1, version: 2019 CU14, installed: -400d, stopped: [IMAP] }\n";

/// A manifest whose server is reached at its full name, which is an address: no name but `localhost` leads here everywhere.
struct Place {
    directory: tempfile::TempDir,
    /// They end with the test.
    _endpoint: Arc<LabEndpoint>,
    _sshd: Option<Sshd>,
}

impl Place {
    /// None where a tool is missing, which is said. With `windows` there is a second channel.
    fn new(windows: bool) -> Option<Self> {
        Self::with(windows, LAB, "")
    }

    /// The same with another lab, whose Windows has this fault.
    fn with(windows: bool, lab_text: &str, fault: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path();
        let lab = base.join("lab");
        copy_files(&key_pool(), &lab.join("keys"));
        fs::write(lab.join("lab.yaml"), lab_text).unwrap();
        let part = Part { lab: Some(lab), present: true, fault: fault.into(), ..Part::default() };
        let endpoint = LabEndpoint::named(&part, HOST)?;
        fs::write(base.join("ca.pem"), pem::of_certificate(&endpoint.tls.authority)).unwrap();
        let sshd = if windows { Some(Self::sshd(base, &part)?) } else { None };
        let second = sshd.as_ref().map_or_else(String::new, |sshd| {
            format!(
                "    windows: {{ ssh: {{ host: 127.0.0.1, port: {}, identityFile: {}, knownHosts: {} }} }}\n",
                sshd.port,
                sshd.at("user").display(),
                sshd.at("known").display()
            )
        });
        let manifest = format!(
            "apiVersion: certwright/v1\norganization: contoso\ndriver:\n  powershell:\n    \
             remoting: {{ port: {}, authentication: basic, tls: {{ ca: ca.pem }} }}\n    \
             account: {{ user: 'CORP\\svc', password: {{ env: CERTWRIGHT_PASSWORD }} }}\n{second}\
             issuers: {{ exchange: {{ selfSigned: {{}} }} }}\n\
             certificates:\n  own: {{ issuer: exchange, names: [mail.contoso.com] }}\n\
             servers:\n  EX01: {{ fqdn: 127.0.0.1, services: {{ SMTP: own }}, iis: {{ \"Exchange Back End:444\": own }} }}\n",
            endpoint.address().port()
        );
        fs::write(base.join("manifest.yaml"), manifest).unwrap();
        Some(Self { directory, _endpoint: endpoint, _sshd: sshd })
    }

    /// An sshd that runs the peer, whatever it is asked to run: the word is `powershell.exe`, as on Windows.
    fn sshd(base: &Path, part: &Part) -> Option<Sshd> {
        let (program, words) = (std::env::current_exe().unwrap(), script::words().join(" "));
        let program = program.display();
        let text = format!(
            "#!/bin/sh\ncase \"$SSH_ORIGINAL_COMMAND\" in powershell.exe\\ *) ;; *) exit 1 ;; esac\n\
             export {}='{}'\nexec '{program}' {words}\n",
            cmdlets::PART,
            part.text()
        );
        let file = base.join("peer.sh");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        Sshd::start_with(&format!("ForceCommand {}", file.display()))
    }

    fn run(&self, arguments: &[&str], password: &str) -> (Output, String) {
        let mut command = certwright(arguments, self.directory.path());
        let output = command.env("CERTWRIGHT_PASSWORD", password).output().unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!said.contains("ss word") && !said.contains("hunter"), "a secret: {said}");
        (output, said)
    }

    /// The examinations of the only server.
    fn diagnosed(&self, password: &str) -> (Option<i32>, Json) {
        let (output, said) = self.run(&["doctor", "--format", "json"], password);
        let json: Json =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
        (output.status.code(), json)
    }
}

fn result<'a>(diagnosis: &'a Json, examination: &str) -> &'a Json {
    let examined = diagnosis["servers"][0]["examined"].as_array().unwrap();
    examined
        .iter()
        .find(|one| one["examination"] == examination)
        .unwrap_or_else(|| panic!("{examination} is not in {diagnosis:#}"))
}

#[test]
fn doctor_tells_people_and_programs_what_works() {
    let Some(place) = Place::new(true) else { return };
    let (code, diagnosis) = place.diagnosed(PASSWORD);
    assert_eq!((code, &diagnosis["healthy"]), (Some(0), &Json::Bool(true)), "{diagnosis:#}");
    assert_eq!(diagnosis["driver"], "powershell");
    for good in ["reachability", "exchange-session", "exchange-version", "roles", "iis", "services", "clock"]
    {
        assert_eq!(result(&diagnosis, good)["result"], "good", "{diagnosis:#}");
    }
    let (output, said) = place.run(&["doctor"], PASSWORD);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("EX01") && said.contains("127.0.0.1 over remoting"), "{said}");
}

#[test]
fn doctor_tells_what_does_not_work_and_what_to_do() {
    let Some(place) = Place::new(false) else { return };
    let (code, diagnosis) = place.diagnosed("hunter2");
    assert_eq!((code, &diagnosis["healthy"]), (Some(1), &Json::Bool(false)), "{diagnosis:#}");
    let reached = result(&diagnosis, "reachability");
    assert_eq!(reached["result"], "bad");
    assert!(!reached["advice"].as_array().unwrap().is_empty(), "{diagnosis:#}");
    let (output, said) = place.run(&["doctor"], "hunter2");
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("does not accept these credentials"), "{said}");
    // Windows has no way, which is a warning: cmdlets of Exchange alone do what they can.
    let (code, diagnosis) = place.diagnosed(PASSWORD);
    assert_eq!(code, Some(0), "{diagnosis:#}");
    assert_eq!(result(&diagnosis, "iis")["result"], "warning", "{diagnosis:#}");
}

/// A plan that needs Windows is refused where there is no way to it, by `plan` and by `apply`, before anything is done.
#[test]
fn a_plan_that_needs_windows_is_refused_without_a_way_to_it() {
    let Some(place) = Place::new(false) else { return };
    for command in [&["plan"][..], &["apply", "--auto-approve"]] {
        let (output, said) = place.run(command, PASSWORD);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("the plan needs more than the ways to its servers can do"), "{said}");
        assert!(said.contains("windows: { ssh: {} }") && said.contains("certwright doctor"), "{said}");
    }
    assert!(!place.directory.path().join(".certwright/runs").exists(), "no run was begun");
    let (output, said) = place.run(&["observe", "--format", "json"], PASSWORD);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let observed: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert!(observed["organization"]["servers"]["EX01"]["certificates"].is_array(), "{observed:#}");
}

/// The same where the way is there, and Windows lets nobody in.
#[test]
fn a_plan_that_needs_windows_is_refused_where_windows_refuses() {
    let Some(place) = Place::with(true, LAB, "windows refused") else { return };
    for command in [&["plan"][..], &["apply", "--auto-approve"]] {
        let (output, said) = place.run(command, PASSWORD);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("the plan needs more than the ways to its servers can do"), "{said}");
        let one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(one_line.contains("New-PSSession: Access is denied."), "{said}");
        assert!(one_line.contains("local administrator") && !said.contains("windows: { ssh"), "{said}");
    }
    assert!(!place.directory.path().join(".certwright/runs").exists(), "no run was begun");
}

/// The address leads to another server than the manifest says.
#[test]
fn doctor_tells_a_server_by_its_full_name() {
    let lab = LAB.replace("fqdn: 127.0.0.1", "fqdn: ex09.contoso.com");
    let Some(place) = Place::with(false, &lab, "") else { return };
    let (code, diagnosis) = place.diagnosed(PASSWORD);
    assert_eq!(code, Some(1), "{diagnosis:#}");
    let identity = result(&diagnosis, "identity");
    assert_eq!(identity["result"], "bad", "{diagnosis:#}");
    assert!(identity["found"].as_str().unwrap().contains("ex09.contoso.com"), "{diagnosis:#}");
}

#[test]
fn the_same_plan_is_made_where_windows_has_a_channel_of_its_own() {
    let Some(place) = Place::new(true) else { return };
    let (output, said) = place.run(&["plan"], PASSWORD);
    assert!([Some(0), Some(2)].contains(&output.status.code()), "{said}");
    assert!(said.contains("Exchange Back End"), "{said}");
}

/// What is wrong with the way to one server is said of that server, and the others are examined.
#[test]
fn one_server_without_a_way_hides_no_other() {
    let Some(place) = Place::new(false) else { return };
    let file = place.directory.path().join("manifest.yaml");
    let manifest = fs::read_to_string(&file).unwrap();
    let other = "    servers: { EX02: { account: { user: 'CORP\\svc', password: { env: CERTWRIGHT_NOT_SET } } } }\nissuers:";
    let manifest = manifest.replacen("issuers:", other, 1);
    let manifest = format!("{manifest}  EX02: {{ fqdn: ex02.contoso.com }}\n");
    fs::write(&file, manifest).unwrap();
    let (code, diagnosis) = place.diagnosed(PASSWORD);
    assert_eq!(code, Some(1), "{diagnosis:#}");
    assert_eq!(result(&diagnosis, "reachability")["result"], "good", "{diagnosis:#}");
    let bad = &diagnosis["servers"][1]["examined"][0];
    assert_eq!(bad["result"], "bad", "{diagnosis:#}");
    assert!(bad["found"].as_str().unwrap().contains("CERTWRIGHT_NOT_SET"), "{diagnosis:#}");
    assert!(!bad["advice"].as_array().unwrap().is_empty(), "{diagnosis:#}");
    // Whoever changes something wants all of it to be there first.
    let (output, said) = place.run(&["plan"], PASSWORD);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("CERTWRIGHT_NOT_SET"), "{said}");
}

/// As Windows writes passwords into files, and with the modes that files have by themselves.
#[test]
fn a_password_in_a_file_is_the_owners_and_is_text() {
    let Some(place) = Place::new(false) else { return };
    let base = place.directory.path();
    let (file, password) = (base.join("manifest.yaml"), base.join("password"));
    let manifest = fs::read_to_string(&file).unwrap();
    fs::write(&file, manifest.replace("{ env: CERTWRIGHT_PASSWORD }", "{ file: password }")).unwrap();
    let observed = |bytes: &[u8], mode: u32| {
        fs::write(&password, bytes).unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(mode)).unwrap();
        let (output, said) = place.run(&["observe", "--format", "json"], PASSWORD);
        (output.status.code(), said)
    };
    let (code, said) = observed(PASSWORD.as_bytes(), 0o644);
    assert!(code == Some(1) && said.contains("others can read it"), "{said}");
    let marked = [&[0xef, 0xbb, 0xbf], PASSWORD.as_bytes(), b"\r\n"].concat();
    let (code, said) = observed(&marked, 0o600);
    assert_eq!(code, Some(0), "{said}");
    let wide: Vec<u8> =
        [0xfeff].into_iter().chain(PASSWORD.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let (code, said) = observed(&wide, 0o600);
    assert!(code == Some(1) && said.contains("UTF-16"), "{said}");
    let (code, said) = observed(b"h\xfcnter", 0o600);
    assert!(code == Some(1) && said.contains("not UTF-8"), "{said}");
}
