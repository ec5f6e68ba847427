//! The server in Python, and what is needed to talk to it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command as Process, Stdio},
    time::Duration,
};

use certwright::{
    model::secret::Secret,
    remoting::{
        Argument, Command, Credentials, Deadline, Endpoint, HostPolicy, Limits, Output, PsrpSession,
        RemotingError, Trust,
    },
    wire::clixml::Document,
};
use sha2::{Digest, Sha256};

/// The name under which every test server goes.
pub(crate) const HOST: &str = "ex1.corp.example";

/// A running server.
pub(crate) struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
}

/// The Python that has psrpcore. A test that needs it where it is missing is skipped, and says so past the test runner's
/// capture; in CI, where everything has to be there, it fails.
pub(crate) fn python() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/remoting-peer/bin/python");
    let python = std::env::var_os("CERTWRIGHT_REMOTING_PEER").map_or(made, PathBuf::from);
    needed(python.is_file(), "a Python with psrpcore and gssapi (CERTWRIGHT_REMOTING_PEER)").then_some(python)
}

/// Whether something is there that a test needs.
pub(crate) fn needed(found: bool, what: &str) -> bool {
    if !found {
        assert!(
            std::env::var_os("CERTWRIGHT_REQUIRE_TOOLS").is_none(),
            "{what} is missing, and nothing may be skipped"
        );
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        let _ = std::io::stderr().write_all(format!("\nSKIPPED: {name} needs {what}\n").as_bytes());
    }
    found
}

impl Peer {
    pub(crate) fn start(python: &Path, arguments: &[&str]) -> Self {
        Self::start_with(python, arguments, &[])
    }

    pub(crate) fn start_with(python: &Path, arguments: &[&str], environment: &[(&str, &Path)]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/psrp.py");
        let mut child = Process::new(python)
            .arg("-B")
            .arg(script)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the server prints its port");
        let input = child.stdin.take();
        Self { child, input, output, address: (Ipv4Addr::LOCALHOST, port).into() }
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends the server and returns what it said.
    pub(crate) fn end(mut self) -> Vec<String> {
        drop(self.input.take());
        (&mut self.output).lines().map(Result::unwrap).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// A CA, and a PEM file with the key and certificate of a server.
pub(crate) struct Tls {
    pub(crate) authority: Vec<u8>,
    pub(crate) leaf: Vec<u8>,
    pub(crate) key: Vec<u8>,
    directory: tempfile::TempDir,
}

impl Tls {
    pub(crate) fn for_name(name: &str) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Test CA");
        let authority = params.self_signed(&key).unwrap().der().to_vec();
        let issuer = rcgen::Issuer::new(params, key);
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let leaf = params.signed_by(&key, &issuer).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("server.pem"), key.serialize_pem() + &leaf.pem()).unwrap();
        Self { authority, leaf: leaf.der().to_vec(), key: key.serialize_der(), directory }
    }

    pub(crate) fn file(&self) -> String {
        self.directory.path().join("server.pem").to_str().unwrap().to_owned()
    }

    pub(crate) fn trusted(&self) -> Trust {
        Trust::Authorities(vec![self.authority.clone()])
    }
}

pub(crate) fn endpoint(scheme: &str, address: SocketAddr, trust: Trust) -> Endpoint {
    Endpoint::new(&format!("{scheme}://{HOST}/PowerShell/?serializationLevel=Full"), trust)
        .unwrap()
        .at(address)
}

pub(crate) fn basic(password: &str) -> Credentials {
    let user = "CORP\\svc".to_owned();
    Credentials::Basic { user, password: Secret::new(password.as_bytes().to_vec()) }
}

/// Long enough for a machine that is busy; nothing is measured.
pub(crate) fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

pub(crate) fn open(endpoint: &Endpoint, credentials: Credentials) -> Result<PsrpSession, RemotingError> {
    PsrpSession::open(endpoint, credentials, Limits::default(), soon())
}

pub(crate) fn command(cmdlet: &str, parameters: &[(&str, Argument)]) -> Command {
    parameters.iter().fold(Command::new(cmdlet).unwrap(), |command, (name, argument)| {
        command.with(name, argument.clone()).unwrap()
    })
}

pub(crate) fn run(session: &mut PsrpSession, cmdlet: &str, parameters: &[(&str, Argument)]) -> Output {
    session.invoke(&command(cmdlet, parameters), HostPolicy::Nobody, soon()).unwrap()
}

/// The text of each object.
pub(crate) fn texts(output: &Output) -> Vec<&str> {
    output.objects.iter().map(|object| object.text(&object.roots()[0]).unwrap_or("?")).collect()
}

pub(crate) fn property<'a>(object: &'a Document, name: &str) -> Option<&'a str> {
    object.get(&object.roots()[0], name).and_then(|value| object.text(value))
}

/// A conversation that every way of transport has to carry.
pub(crate) fn converse(session: &mut PsrpSession) {
    let certificates = run(session, "Get-ExchangeCertificate", &[]);
    let thumbprints: Vec<_> =
        certificates.objects.iter().map(|object| property(object, "Thumbprint").unwrap()).collect();
    assert_eq!(thumbprints, ["AA", "BB"]);
    let first = &certificates.objects[0];
    let raw = first.bytes(first.get(&first.roots()[0], "RawData").unwrap()).unwrap();
    assert_eq!(raw, (0..=255).collect::<Vec<u8>>());

    let hostile = "'; $(Get-Process) \"`n‘’“😀\0\u{1b} _x0041_ <&>\r\n";
    let pfx: Vec<u8> = (0..100_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
    let password = "Zürich 😀 pässword";
    let echo = run(
        session,
        "Test-Echo",
        &[
            ("FileData", Argument::Bytes(pfx.clone())),
            ("Password", Argument::Secret(Secret::new(password.as_bytes().to_vec()))),
            ("Name", Argument::Text(hostile.to_owned())),
            ("Services", Argument::Texts(vec!["IIS".into(), "SMTP".into()])),
            ("Force", Argument::Boolean(true)),
            ("Count", Argument::Integer(-7)),
            ("Nothing", Argument::Null),
        ],
    );
    let hash: String = Sha256::digest(&pfx).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        texts(&echo),
        [
            &format!("FileData Byte[] 100000 {hash}"),
            &format!("Password SecureString {password}"),
            &format!("Name PSString {hostile}"),
            "Services ArrayList ['IIS', 'SMTP']",
            "Force bool True",
            "Count PSInt -7",
            "Nothing NoneType None",
        ]
    );
    let missing = run(session, "Get-Mailbox", &[]);
    let error = missing.error().unwrap();
    assert_eq!(error.refusal(), Some(certwright::remoting::Refusal::CmdletUnavailable));
    assert_eq!(error.category.name(), "ObjectNotFound");
}
