//! Load balancers that need no program of the system: those of a lab, and commands, which are this test binary run again.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk and start programs")]

mod support;

use std::{
    fs,
    io::Read,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use certwright::{
    balancers,
    manifest::BalancerSpec,
    model::{bundle::Bundle, key::KeySpec, secret::Secret, thumbprint::Thumbprint},
    pki::{
        keys::{Keys, to_pkcs8},
        mint::{self, CertificateContent},
        pem_bundle,
    },
    ports::balancer::{Balancer, BalancerError},
};
use serde_json::json;
use support::{Rig, certwright, key_pool};

fn observed(balancer: &dyn Balancer) -> Option<Thumbprint> {
    balancer.observe().unwrap().map(|certificate| certificate.thumbprint)
}

/// A self-signed certificate for mail.contoso.com.
fn bundle() -> Bundle {
    let key = Keys::pool(&key_pool(), 1).unwrap().make(KeySpec::Rsa(2048)).unwrap();
    let content = CertificateContent {
        subject: &"CN=mail.contoso.com".parse().unwrap(),
        names: &["mail.contoso.com".parse().unwrap()],
        not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
        not_after: "2036-01-01T00:00:00Z".parse().unwrap(),
    };
    let certificate = mint::self_signed(&content, &key).unwrap();
    Bundle { certificate, chain: Vec::new(), key: Some(to_pkcs8(&key)) }
}

/// A load balancer whose commands are the test of this name. The runner passes over the word behind `--skip`, and it tells
/// which command it is.
fn by_command(timeout: &str, folder: &Path) -> Box<dyn Balancer> {
    let program = std::env::current_exe().unwrap();
    let words = |word: &str| {
        let words = ["as_the_command", "--exact", "--ignored", "--nocapture", "--skip", word];
        [program.to_str().unwrap()].into_iter().chain(words).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let command = json!({ "observe": words("observe"), "install": words("install") });
    let spec =
        json!({ "certificate": "mail", "address": "127.0.0.1", "timeout": timeout, "command": command });
    let spec: BalancerSpec = serde_json::from_value(spec).unwrap();
    balancers::open(&spec, folder).unwrap()
}

/// This binary, run again, is the command of the others. It works in the directory that it is started in.
#[test]
#[ignore = "the command of the other tests"]
fn as_the_command() {
    match std::env::args().next_back().unwrap().as_str() {
        "install" if Path::new("slow").exists() => {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["as_the_command", "--exact", "--ignored", "--nocapture", "--skip", "left-behind"]);
            let mut child = child.spawn().unwrap();
            child.wait().unwrap();
        }
        "left-behind" => {
            fs::write("begun", "").unwrap();
            thread::sleep(Duration::from_secs(3));
            fs::write("left-behind", "alive").unwrap();
        }
        "install" => {
            let mut input = String::new();
            std::io::stdin().read_to_string(&mut input).unwrap();
            fs::write("input.json", input).unwrap();
            let words: Vec<String> = std::env::args().skip(1).collect();
            fs::write("arguments", words.join(" ")).unwrap();
            let names: Vec<String> =
                std::env::vars().map(|(name, value)| format!("{name}={value}\n")).collect();
            fs::write("environment", names.concat()).unwrap();
        }
        "observe" => {
            let shown = fs::read_to_string("shown.pem").unwrap_or_default();
            println_plain(&shown);
        }
        _ => {}
    }
}

/// Past the test runner, which would keep it to itself.
fn println_plain(text: &str) {
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()).unwrap();
}

#[test]
fn a_command_gets_the_key_on_stdin_and_little_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let balancer = by_command("60s", folder.path());
    let new = bundle();
    balancer.install(&new).unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let input: serde_json::Value = serde_json::from_str(&read("input.json")).unwrap();
    let both = |name: &str| Secret::new(input[name].as_str().unwrap().as_bytes().to_vec());
    let given = pem_bundle::read(&both("certificate"), &both("key")).unwrap();
    assert_eq!((given.certificate.thumbprint, given.key), (new.certificate.thumbprint, new.key.clone()));
    assert_eq!(read("arguments"), "as_the_command --exact --ignored --nocapture --skip install");
    let environment = read("environment");
    assert!(!environment.contains("PRIVATE") && !environment.contains("CARGO_PKG_NAME"), "{environment}");
    let wanted: &[&str] = if cfg!(windows) { &["PATH", "SystemRoot", "TEMP", "PATHEXT"] } else { &["PATH"] };
    let ours = |name: &&&str| std::env::var_os(name).is_some();
    for name in wanted.iter().filter(ours) {
        let named = format!("{}=", name.to_lowercase());
        assert!(
            environment.lines().any(|line| line.to_lowercase().starts_with(&named)),
            "{name}: {environment}"
        );
    }
    fs::write(folder.path().join("shown.pem"), pem_bundle::certificates(&new)).unwrap();
    assert_eq!(observed(balancer.as_ref()), Some(new.certificate.thumbprint));
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("slow"), "").unwrap();
    let balancer = by_command("2s", folder.path());
    // What it starts may take its time to begin on a busy machine; then it is ended before, and the next one tells.
    let begun = Instant::now();
    while !folder.path().join("begun").exists() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it never begins");
        let error = balancer.install(&bundle()).unwrap_err();
        assert!(matches!(error, BalancerError::OutcomeUnknown { .. }), "{error:?}");
    }
    thread::sleep(Duration::from_secs(4));
    assert!(!folder.path().join("left-behind").exists());
}

/// A run is taken back whole: the load balancer has what it had before, and was met by handshake.
#[test]
fn a_load_balancer_is_taken_back_with_the_run() {
    let rig = Rig::of_folder(Path::new("tests/scenarios/load-balancer-after-the-servers"));
    let lb01 = || observed(rig.session.balancers[&"lb01".parse().unwrap()].as_ref()).unwrap();
    let before = lb01();
    let run = |command: &str, path: &[&str]| {
        let arguments = [&[command, "--auto-approve"], path].concat();
        let output = certwright(&arguments, &rig.base).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    run("apply", &["manifest.yaml"]);
    assert_ne!(lb01(), before);
    let shown = run("rollback", &["--manifest", "manifest.yaml"]);
    assert_eq!(lb01(), before);
    let installed = shown.find("on load balancer lb01").unwrap();
    assert!(shown[installed..].contains("load balancer lb01 by handshake"), "{shown}");
}
