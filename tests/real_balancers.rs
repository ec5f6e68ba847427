//! Certificates on real load balancers: Debian's HAProxy and nginx on loopback, and commands of the user. Not on Windows:
//! HAProxy does not exist there, and the rest are scripts of a shell; `balancers.rs` is for every system.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk and start programs")]

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use certwright::{
    balancers,
    journal::RunFiles,
    manifest::BalancerSpec,
    model::{
        action::Action, bundle::Bundle, entry::Outcome, key::KeySpec, plan::Undo, secret::Secret,
        thumbprint::Thumbprint, time::Span,
    },
    pki::{
        keys::{Keys, to_pkcs8},
        mint::{self, CertificateContent},
        pem_bundle,
    },
    ports::{
        FoundDrained,
        artifacts::Artifacts,
        balancer::{Balancer, BalancerError},
        driver::Observer,
        prober::{Prober, Target},
    },
    probe::Network,
};
use serde_json::json;
use support::{Rig, has_tool, key_pool};
use tempfile::TempDir;

/// A program that ends with the test.
struct Running(Child);

impl Running {
    fn start(command: &mut Command, port: u16) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let running = Self(child);
        // It listens some time after it was started; nothing else tells.
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return running;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("{command:?} does not listen");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// A port that nobody else listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A self-signed certificate for mail.contoso.com, with the key of this number.
fn bundle(number: usize) -> Bundle {
    let key = Keys::pool(&key_pool(), number).unwrap().make(KeySpec::Rsa(2048)).unwrap();
    let names = ["mail.contoso.com".parse().unwrap()];
    let subject = format!("CN=mail.contoso.com, O=Contoso {number}").parse().unwrap();
    let content = CertificateContent {
        subject: &subject,
        names: &names,
        not_before: "2026-01-01T00:00:00Z".parse().unwrap(),
        not_after: "2036-01-01T00:00:00Z".parse().unwrap(),
    };
    let certificate = mint::self_signed(&content, &key).unwrap();
    Bundle { certificate, chain: Vec::new(), key: Some(to_pkcs8(&key)) }
}

fn thumbprint(bundle: &Bundle) -> Thumbprint {
    bundle.certificate.thumbprint
}

/// A certificate with a key that is not its own.
fn mismatched() -> Bundle {
    Bundle { key: bundle(5).key, ..bundle(6) }
}

fn served(port: u16) -> Thumbprint {
    let target = Target {
        address: format!("127.0.0.1:{port}"),
        protocol: "https".parse().unwrap(),
        name: Some("mail.contoso.com".parse().unwrap()),
        spent: Duration::ZERO,
    };
    Network::default().probe(&target).unwrap().chain[0].thumbprint()
}

/// What is served once processes of before have gone: the same a few times in a row. Reloads end in their own time.
fn served_in_the_end(balancer: &dyn Balancer, port: u16, wanted: Thumbprint) -> Thumbprint {
    let mut in_a_row = 0;
    for _ in 0..100 {
        in_a_row = if served(port) == wanted { in_a_row + 1 } else { 0 };
        if in_a_row == 3 {
            return wanted;
        }
        balancer.pause();
    }
    served(port)
}

fn open(spec: serde_json::Value, base: &Path) -> Box<dyn Balancer> {
    let spec: BalancerSpec = serde_json::from_value(spec).unwrap();
    balancers::open(&spec, base).unwrap()
}

fn observed(balancer: &dyn Balancer) -> Option<Thumbprint> {
    balancer.observe().unwrap().map(|certificate| certificate.thumbprint)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn write_bundle(path: &Path, bundle: &Bundle, mode: u32) {
    fs::write(path, pem_bundle::write(bundle).unwrap().expose()).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

struct Haproxy {
    folder: TempDir,
    port: u16,
    running: Option<Running>,
}

impl Haproxy {
    fn new(first: &Bundle) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        write_bundle(&folder.path().join("mail.pem"), first, 0o640);
        let mut haproxy = Self { folder, port, running: None };
        fs::write(haproxy.path("haproxy.cfg"), haproxy.configuration()).unwrap();
        haproxy.restart();
        haproxy
    }

    fn configuration(&self) -> String {
        let (port, bundle, socket) = (self.port, self.path("mail.pem"), self.path("admin.sock"));
        format!(
            "global\n  stats socket {} mode 600 level admin\n\
             defaults\n  mode http\n  timeout client 10s\n  timeout server 10s\n  timeout connect 10s\n\
             frontend mail\n  bind 127.0.0.1:{port} ssl crt {}\n  http-request return status 200\n",
            socket.display(),
            bundle.display()
        )
    }

    fn restart(&mut self) {
        self.running = None;
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(self.path("haproxy.cfg"));
        self.running = Some(Running::start(&mut command, self.port));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn balancer(&self) -> Box<dyn Balancer> {
        let endpoint = format!("https:{}", self.port);
        let how = json!({ "bundle": "mail.pem", "socket": "admin.sock" });
        open(
            json!({ "certificate": "mail", "address": "127.0.0.1", "endpoints": [endpoint], "haproxy": how }),
            self.folder.path(),
        )
    }
}

#[test]
fn haproxy_takes_a_certificate_while_it_runs_and_keeps_it_after_a_restart() {
    if !has_tool("haproxy") {
        return;
    }
    let (old, new) = (bundle(1), bundle(2));
    let mut haproxy = Haproxy::new(&old);
    let balancer = haproxy.balancer();
    assert_eq!(served(haproxy.port), thumbprint(&old));
    assert_eq!(
        (observed(balancer.as_ref()), balancer.loaded().unwrap()),
        (Some(thumbprint(&old)), Some(thumbprint(&old)))
    );
    let former = balancer.export().unwrap().unwrap();
    assert_eq!((thumbprint(&former), former.key.is_some()), (thumbprint(&old), true));

    balancer.install(&new).unwrap();
    assert_eq!(served(haproxy.port), thumbprint(&new), "without a restart");
    assert_eq!(
        (observed(balancer.as_ref()), balancer.loaded().unwrap()),
        (Some(thumbprint(&new)), Some(thumbprint(&new)))
    );
    assert_eq!(mode(&haproxy.path("mail.pem")), 0o640, "the file keeps its mode");
    haproxy.restart();
    assert_eq!(served(haproxy.port), thumbprint(&new), "after a restart");

    balancer.install(&former).unwrap();
    assert_eq!(served(haproxy.port), thumbprint(&old), "and back again");
    assert_eq!(observed(balancer.as_ref()), Some(thumbprint(&old)));
}

#[test]
fn haproxy_that_refuses_keeps_what_it_has() {
    if !has_tool("haproxy") {
        return;
    }
    let old = bundle(1);
    let haproxy = Haproxy::new(&old);
    let before = fs::read(haproxy.path("mail.pem")).unwrap();
    let error = haproxy.balancer().install(&mismatched()).unwrap_err();
    assert!(matches!(error, BalancerError::Failed { .. }), "{error:?}");
    assert_eq!(fs::read(haproxy.path("mail.pem")).unwrap(), before);
    assert_eq!(served(haproxy.port), thumbprint(&old));
    // The next attempt is not in the way of the one that failed.
    haproxy.balancer().install(&bundle(2)).unwrap();
    assert_eq!(served(haproxy.port), thumbprint(&bundle(2)));
}

#[test]
fn haproxy_whose_file_was_changed_behind_its_back_is_seen() {
    if !has_tool("haproxy") {
        return;
    }
    let (old, new) = (bundle(1), bundle(2));
    let haproxy = Haproxy::new(&old);
    write_bundle(&haproxy.path("mail.pem"), &new, 0o600);
    let balancer = haproxy.balancer();
    assert_eq!(
        (observed(balancer.as_ref()), balancer.loaded().unwrap()),
        (Some(thumbprint(&new)), Some(thumbprint(&old)))
    );
    drop(haproxy.running);
    let error = balancer.loaded().unwrap_err();
    assert!(format!("{error:?}").contains("NoAnswer"), "{error:?}");
}

struct Nginx {
    folder: TempDir,
    port: u16,
    _running: Running,
}

impl Nginx {
    fn new(first: &Bundle) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let at = |name: &str| folder.path().join(name);
        fs::write(at("mail.crt"), pem_bundle::certificates(first)).unwrap();
        fs::write(at("mail.key"), pem_bundle::key(first).unwrap().expose()).unwrap();
        fs::set_permissions(at("mail.key"), fs::Permissions::from_mode(0o600)).unwrap();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("  {kind}_temp_path {};\n", at(kind).display()))
            .concat();
        let configuration = format!(
            "daemon off;\npid {}/nginx.pid;\nerror_log {}/error.log;\nevents {{}}\nhttp {{\n  access_log off;\n{temporary}\
             server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {}; ssl_certificate_key {}; return 200; }}\n}}\n",
            folder.path().display(),
            folder.path().display(),
            at("mail.crt").display(),
            at("mail.key").display()
        );
        fs::write(at("nginx.conf"), configuration).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-c").arg(at("nginx.conf")).arg("-p").arg(folder.path());
        let running = Running::start(&mut command, port);
        Self { folder, port, _running: running }
    }

    fn spec(&self) -> serde_json::Value {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let nginx = |more: &[&str]| {
            let words = ["nginx", "-c", &at("nginx.conf"), "-p", &at("")].map(ToOwned::to_owned).into_iter();
            words.chain(more.iter().map(|word| (*word).to_owned())).collect::<Vec<_>>()
        };
        json!({
            "certificate": "mail", "address": "127.0.0.1", "endpoints": [format!("https:{}", self.port)],
            "nginx": {
                "certificate": at("mail.crt"), "key": at("mail.key"),
                "test": nginx(&["-t"]), "reload": nginx(&["-s", "reload"]),
            }
        })
    }
}

#[test]
fn nginx_takes_a_pair_of_files_and_gives_it_back() {
    if !has_tool("nginx") {
        return;
    }
    let (old, new) = (bundle(3), bundle(4));
    let nginx = Nginx::new(&old);
    let balancer = open(nginx.spec(), Path::new("."));
    assert_eq!((served(nginx.port), observed(balancer.as_ref())), (thumbprint(&old), Some(thumbprint(&old))));
    let former = balancer.export().unwrap().unwrap();
    balancer.install(&new).unwrap();
    assert_eq!(served_in_the_end(balancer.as_ref(), nginx.port, thumbprint(&new)), thumbprint(&new));
    assert_eq!(observed(balancer.as_ref()), Some(thumbprint(&new)));
    assert_eq!((mode(&nginx.folder.path().join("mail.key"))), 0o600);
    balancer.install(&former).unwrap();
    assert_eq!(served_in_the_end(balancer.as_ref(), nginx.port, thumbprint(&old)), thumbprint(&old));
}

#[test]
fn nginx_whose_test_fails_keeps_its_files() {
    if !has_tool("nginx") {
        return;
    }
    let old = bundle(3);
    let nginx = Nginx::new(&old);
    let files = || ["mail.crt", "mail.key"].map(|name| fs::read(nginx.folder.path().join(name)).unwrap());
    let before = files();
    let error = open(nginx.spec(), Path::new(".")).install(&mismatched()).unwrap_err();
    assert!(matches!(error, BalancerError::Failed { .. }), "{error:?}");
    assert!(format!("{error:?}").contains("key values mismatch"), "nginx says why: {error:?}");
    assert_eq!(files(), before);
    assert_eq!(served(nginx.port), thumbprint(&old));
    let left = fs::read_dir(nginx.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("certwright")).collect();
    assert!(left.is_empty(), "nothing lies beside: {left:?}");
}

fn hook(script: &str) -> (TempDir, Box<dyn Balancer>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lb.sh"), format!("#!/bin/sh\nset -eu\n{script}\n")).unwrap();
    fs::set_permissions(folder.path().join("lb.sh"), fs::Permissions::from_mode(0o700)).unwrap();
    let command = json!({ "observe": ["./lb.sh", "observe"], "install": ["./lb.sh", "install"] });
    let spec = json!({ "certificate": "mail", "address": "127.0.0.1", "timeout": "5s", "command": command });
    let balancer = open(spec, folder.path());
    (folder, balancer)
}

#[test]
fn a_command_gets_the_key_on_stdin_and_nowhere_else() {
    let (folder, balancer) = hook(
        "case $1 in\n\
         install) umask 077; cat >input.json; printf '%s\\n' \"$@\" >arguments; env >environment;;\n\
         observe) [ ! -e shown.pem ] || cat shown.pem;;\nesac",
    );
    let new = bundle(7);
    assert_eq!(observed(balancer.as_ref()), None, "it prints nothing yet");
    balancer.install(&new).unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let input: serde_json::Value = serde_json::from_str(&read("input.json")).unwrap();
    assert_eq!(input["thumbprint"], thumbprint(&new).to_string());
    let both = |name: &str| Secret::new(input[name].as_str().unwrap().as_bytes().to_vec());
    let given = pem_bundle::read(&both("certificate"), &both("key")).unwrap();
    assert_eq!((thumbprint(&given), given.key), (thumbprint(&new), new.key.clone()));
    assert_eq!(read("arguments"), "install\n");
    assert!(!read("environment").contains("PRIVATE"), "{}", read("environment"));
    fs::write(folder.path().join("shown.pem"), pem_bundle::certificates(&new)).unwrap();
    assert_eq!(observed(balancer.as_ref()), Some(thumbprint(&new)));
    assert!(balancer.export().unwrap().is_none(), "a command prints no keys");
}

#[test]
fn a_command_that_says_no_is_believed_and_one_that_hangs_is_not() {
    let (_folder, refuses) = hook("cat >/dev/null; echo 'pool is locked' >&2; exit 3");
    let error = refuses.install(&bundle(7)).unwrap_err();
    assert!(matches!(error, BalancerError::Failed { .. }), "{error:?}");
    assert!(format!("{error:?}").contains("pool is locked"), "{error:?}");
    let folder = tempfile::tempdir().unwrap();
    let command = json!({ "observe": ["true"], "install": ["sleep", "600"] });
    let spec = json!({ "certificate": "mail", "address": "127.0.0.1", "timeout": "1s", "command": command });
    let error = open(spec, folder.path()).install(&bundle(7)).unwrap_err();
    assert!(matches!(error, BalancerError::OutcomeUnknown { .. }), "{error:?}");
    let (_folder, babbles) = hook("cat /dev/zero");
    assert!(format!("{:?}", babbles.observe().unwrap_err()).contains("TooMuch"));
}

/// A server is sent no new clients until it is put back; what somebody has put into maintenance stays there.
#[test]
fn haproxy_leaves_a_server_out_until_it_is_put_back() {
    if !has_tool("haproxy") {
        return;
    }
    let mut haproxy = Haproxy::new(&bundle(5));
    let servers = "backend exchange\n  server ex01 127.0.0.1:9\n  server ex02 127.0.0.1:9\n\
                   backend smtp\n  mode tcp\n  server ex01 127.0.0.1:9\n";
    fs::write(haproxy.path("haproxy.cfg"), haproxy.configuration() + servers).unwrap();
    haproxy.restart();
    let how = json!({
        "bundle": "mail.pem", "socket": "admin.sock",
        "servers": { "EX01": ["exchange/ex01", "smtp/ex01"], "EX02": "exchange/ex02", "EX03": "exchange/ex03" },
    });
    let spec = json!({ "certificate": "mail", "address": "127.0.0.1", "haproxy": how });
    let balancer = open(spec, haproxy.folder.path());
    let ask = |command: &str| {
        let mut socket = std::os::unix::net::UnixStream::connect(haproxy.path("admin.sock")).unwrap();
        socket.write_all(format!("{command}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    };
    let state = || {
        let answer = ask("show servers state");
        let rows = answer.lines().filter(|line| line.contains(" ex0"));
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        rows.map(words)
            .map(|words| (words[1].clone() + "/" + &words[3], words[6].clone()))
            .collect::<Vec<_>>()
    };
    let is = |ex01: &str, ex02: &str, smtp: &str| {
        [("exchange/ex01", ex01), ("exchange/ex02", ex02), ("smtp/ex01", smtp)]
            .map(|(name, state)| (name.to_owned(), state.to_owned()))
            .to_vec()
    };
    let [ex01, ex02, ex03, ex04] = ["EX01", "EX02", "EX03", "EX04"].map(|name| name.parse().unwrap());
    balancer.take_out(&ex01, FoundDrained::Foreign).unwrap();
    balancer.take_out(&ex01, FoundDrained::Own).unwrap();
    assert_eq!(state(), is("8", "0", "8"));
    // Whoever has taken it out is at work there: it stays as it is.
    let error = balancer.take_out(&ex01, FoundDrained::Foreign).unwrap_err();
    assert!(format!("{error:?}").contains("Drained"), "{error:?}");
    assert_eq!(state(), is("8", "0", "8"));
    balancer.put_back(&ex01).unwrap();
    balancer.put_back(&ex01).unwrap();
    assert_eq!(state(), is("0", "0", "0"));
    // The second of its names is in maintenance: the first comes back.
    ask("set server smtp/ex01 state maint");
    for found in [FoundDrained::Own, FoundDrained::Foreign] {
        let error = balancer.take_out(&ex01, found).unwrap_err();
        assert!(format!("{error:?}").contains("Maintenance"), "{error:?}");
        assert_eq!(state(), is("0", "0", "1"));
    }
    // The second is drained by somebody else: the first comes back, and the second stays.
    ask("set server smtp/ex01 state drain");
    assert!(balancer.take_out(&ex01, FoundDrained::Foreign).is_err());
    assert_eq!(state(), is("0", "0", "8"));
    ask("set server smtp/ex01 state maint");
    balancer.take_out(&ex02, FoundDrained::Foreign).unwrap();
    assert_eq!(state(), is("0", "8", "1"));
    for (unknown, says) in [(ex03, "show servers state"), (ex04, "is not among its `servers`")] {
        let error = balancer.take_out(&unknown, FoundDrained::Foreign).unwrap_err();
        assert!(format!("{error:?}").contains(says), "{error:?}");
    }
}

/// One plan for two servers, an HAProxy and an nginx, carried out and undone.
#[test]
fn a_renewal_reaches_servers_and_load_balancers_in_one_plan() {
    if !(has_tool("haproxy") && has_tool("nginx")) {
        return;
    }
    let old = bundle(8);
    let (haproxy, nginx) = (Haproxy::new(&old), Nginx::new(&old));
    let at = |name: &str| haproxy.path(name).display().to_string();
    let by_runtime = json!({
        "certificate": "mail", "address": "127.0.0.1", "endpoints": [format!("https:{}", haproxy.port)],
        "haproxy": { "bundle": at("mail.pem"), "socket": at("admin.sock") }
    });
    let manifest = include_str!("scenarios/renew-before-expiry/manifest.yaml").to_owned()
        + &format!("loadBalancers:\n  lb01: {by_runtime}\n  lb02: {}\n", nginx.spec());
    let lab = include_str!("scenarios/renew-before-expiry/lab.yaml").replace("../../keys", "keys");
    let mut rig = Rig::of_texts(&manifest, &lab);
    let plan = rig.plan();
    let report = rig.apply(&plan);
    assert_eq!(report.outcome, Outcome::Converged, "{:#?}", report.steps);
    assert!(rig.plan().is_empty());
    let new = served(haproxy.port);
    let lb02 = rig.session.balancers[&"lb02".parse().unwrap()].as_ref();
    assert_eq!(served_in_the_end(lb02, nginx.port, new), new);
    assert_ne!(new, thumbprint(&old));
    assert!(rig.verify().iter().all(certwright::verify::row::Row::is_good));

    let runs = rig.store().begin(rig.lab.now().plus(Span::days(1))).unwrap();
    let files =
        RunFiles::new(&runs, rig.base.join(".certwright"), Some(Secret::new(b"correct horse".to_vec())));
    let backs = plan.steps.iter().filter_map(|step| match (&step.action, &step.undo) {
        (Action::Install { balancer, .. }, Undo::By(back)) => Some((step.id, balancer, back)),
        _ => None,
    });
    let backs: Vec<_> = backs.collect();
    assert_eq!(backs.len(), 2);
    for (step, balancer, back) in backs {
        assert!(matches!(back.as_slice(), [Action::Install { .. }]), "{back:?}");
        let former = files.backup(Some(&report.run), step).unwrap();
        assert_eq!(thumbprint(&former), thumbprint(&old));
        rig.session.balancers[balancer].install(&former).unwrap();
    }
    let lb02 = rig.session.balancers[&"lb02".parse().unwrap()].as_ref();
    assert_eq!(served(haproxy.port), thumbprint(&old));
    assert_eq!(served_in_the_end(lb02, nginx.port, thumbprint(&old)), thumbprint(&old));
}
