//! A manifest and its lab in a directory of their own, driven through the library.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests touch the disk, and each test file uses a part of this"
)]

pub mod folders;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use certwright::{
    apply::{executor, ports::Ports, report::Report},
    commands::session::Session,
    drivers::lab::Lab,
    journal::{Run, RunFiles, Store},
    manifest::DriverSpec,
    model::{
        action::StepId,
        certificate::Certificate,
        entry::{Entry, Holder},
        names::DnsName,
        organization::Observed,
        plan::Plan,
        secret::Secret,
        time::Timestamp,
    },
    plan::{self, Narrowing, PassReport, lint},
    ports::{
        driver::{Driver, Observer},
        journal::{Journal, JournalError},
    },
    probe::Network,
    verify::{
        expectations::{Declared, declared},
        live_certificates::see_served,
        peers::Peers,
        row::Row,
        run,
    },
};

/// A manifest with its lab, in a temporary copy.
pub struct Rig {
    pub directory: tempfile::TempDir,
    pub base: PathBuf,
    pub session: Session,
    pub lab: Lab,
    /// What plans are narrowed to.
    pub narrowing: Narrowing,
    /// Whether services are met before a plan is made.
    pub handshakes: bool,
}

/// The keys that labs of tests take.
pub fn key_pool() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys")
}

/// A moment that no lab of a test follows: they have clocks of their own.
pub fn wall_clock() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

/// Copies the files of a folder, without those of folders below.
pub fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

impl Rig {
    /// A copy of a scenario's folder: `manifest.yaml` and `lab.yaml`.
    pub fn of_folder(folder: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().join("scenarios").join(folder.file_name().unwrap());
        copy_files(folder, &base);
        copy_files(&key_pool(), &directory.path().join("keys"));
        Self::open(directory, base)
    }

    /// These two texts. `keys: keys` in the lab's takes the keys of tests.
    pub fn of_texts(manifest: &str, lab: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().join("rig");
        fs::create_dir_all(&base).unwrap();
        fs::write(base.join("manifest.yaml"), manifest).unwrap();
        fs::write(base.join("lab.yaml"), lab).unwrap();
        copy_files(&key_pool(), &base.join("keys"));
        Self::open(directory, base)
    }

    fn open(directory: tempfile::TempDir, base: PathBuf) -> Self {
        let (session, lab) = load(&base);
        Self { directory, base, session, lab, narrowing: Narrowing::default(), handshakes: false }
    }

    /// Opens the manifest and the lab again, after files have changed.
    pub fn reopen(&mut self) {
        (self.session, self.lab) = load(&self.base);
    }

    /// Puts another manifest in place of the present one.
    pub fn change_manifest(&mut self, text: &str) {
        fs::write(self.base.join("manifest.yaml"), text).unwrap();
        self.reopen();
    }

    pub fn observe(&mut self) -> Observed {
        let mut observed = self.session.observe().unwrap();
        self.session.remember(&mut observed, &self.store()).unwrap();
        observed
    }

    /// A plan, proved on paper.
    pub fn plan(&mut self) -> Plan {
        let mut observed = self.observe();
        let desired = &self.session.desired;
        if self.handshakes {
            see_served(&mut observed, desired, None, &self.lab, &Network::default());
        }
        let plan = plan::plan_only(&self.narrowing, desired, &observed, self.lab.now());
        let problems = lint::lint(&plan, desired, &observed, self.lab.now());
        assert!(problems.is_empty(), "{problems:#?}\n{plan:#?}");
        plan
    }

    /// Which pass of the planner adds which part of a plan as it is now, without what handshakes tell.
    pub fn passes(&mut self) -> (Plan, Vec<PassReport>) {
        let observed = self.observe();
        plan::plan_by_passes(&self.narrowing, &self.session.desired, &observed, self.lab.now())
    }

    pub fn apply(&self, plan: &Plan) -> Report {
        self.apply_with(plan, &self.lab)
    }

    pub fn apply_with(&self, plan: &Plan, driver: &dyn Driver) -> Report {
        self.apply_telling(plan, driver, &|_| {})
    }

    /// The same. `begins` is told each step before the driver is called for it.
    pub fn apply_telling(
        &self,
        plan: &Plan,
        driver: &dyn Driver,
        begins: &(dyn Fn(StepId) + Sync),
    ) -> Report {
        let run = self.store().begin(self.lab.now()).unwrap();
        let files =
            RunFiles::new(&run, self.base.join(".certwright"), Some(Secret::new(b"correct horse".to_vec())));
        let ports = Ports {
            driver,
            balancers: &self.session.balancers,
            issuers: &self.session.issuers().unwrap(),
            requests: &self.session.requests(),
            journal: &Telling { run: &run, begins },
            artifacts: &files,
            prober: &Network::default(),
            roots: Some(&self.session.trusted_by_clients().unwrap()),
            clock: &|| self.lab.now(),
            by: holder(),
            go_on: &|| Ok(()),
            pause: &|_| {},
        };
        executor::apply(plan, &self.session.desired, (&self.session.desired.limits).into(), &ports, &|_| {})
            .unwrap()
    }

    pub fn store(&self) -> Store {
        self.session.store(None).unwrap()
    }

    /// What every endpoint that the manifest implies serves.
    pub fn verify(&mut self) -> Vec<Row> {
        let observed = self.observe();
        let Declared { checks, .. } = declared(&self.session.desired, &observed, self.lab.now());
        let peers = Peers::new(&self.lab, &self.session.balancers);
        run::rows(&checks, &peers, &Network::default())
    }
}

/// A journal that tells which step begins.
struct Telling<'a> {
    run: &'a Run,
    begins: &'a (dyn Fn(StepId) + Sync),
}

impl Journal for Telling<'_> {
    fn open(&self, at: Timestamp, by: &Holder, plan: &Plan) -> Result<(), JournalError> {
        self.run.open(at, by, plan)
    }

    fn append(&self, entry: &Entry) -> Result<(), JournalError> {
        self.run.append(entry)?;
        if let Entry::Started { step, .. } = entry {
            (self.begins)(*step);
        }
        Ok(())
    }

    fn run(&self) -> &str {
        self.run.run()
    }
}

fn load(base: &Path) -> (Session, Lab) {
    let session = Session::open(&base.join("manifest.yaml")).unwrap_or_else(|error| panic!("{error:?}"));
    let DriverSpec::Lab(spec) = &session.manifest.driver else { panic!("a rig has a lab") };
    let lab =
        Lab::open(&base.join(&spec.directory), wall_clock()).unwrap_or_else(|error| panic!("{error:?}"));
    (session, lab)
}

/// An answer as a CA gives it that leaves out some of the names.
pub fn without_names(answer: &Certificate, request: &[u8], without: &[DnsName]) -> Certificate {
    with_other_names(answer, request, without, &[])
}

/// An answer as a CA gives it that leaves out some of the names, or adds addresses. Who signs it does not matter here: nobody checks.
pub fn with_other_names(
    answer: &Certificate,
    request: &[u8],
    without: &[DnsName],
    with: &[std::net::IpAddr],
) -> Certificate {
    let mut asked = rcgen::CertificateSigningRequestParams::from_der(&request.into()).unwrap();
    let left_out = |name: &rcgen::SanType| matches!(name, rcgen::SanType::DnsName(name) if without.iter().any(|out| out.to_string() == name.as_str()));
    asked.params.subject_alt_names.retain(|name| !left_out(name));
    asked.params.subject_alt_names.extend(with.iter().copied().map(rcgen::SanType::IpAddress));
    asked.params.not_before = answer.not_before.offset();
    asked.params.not_after = answer.not_after.offset();
    asked.params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    // The same one each time, so that thumbprints in snapshots stay.
    let key = rcgen::KeyPair::from_pem(include_str!("../keys/01.pem")).unwrap();
    let issuer = rcgen::Issuer::new(rcgen::CertificateParams::default(), key);
    Certificate::from_der(asked.signed_by(&issuer).unwrap().der()).unwrap()
}

pub fn holder() -> Holder {
    Holder { user: "test".into(), host: "localhost".into(), process: std::process::id() }
}

/// Whether a program is there. A test that needs one that is missing is skipped, and says so past the test runner's
/// capture; in CI, where everything has to be there, it fails.
pub fn has_tool(program: &str) -> bool {
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(&file).is_file()));
    if !found {
        assert!(
            std::env::var_os("CERTWRIGHT_REQUIRE_TOOLS").is_none(),
            "{program} is missing, and nothing may be skipped"
        );
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        let _ = std::io::stderr()
            .write_all(format!("\nSKIPPED: {name} needs `{program}`, which is not installed\n").as_bytes());
    }
    found
}

/// The engine of PowerShell that is on PATH. Without one a test is skipped, and says so.
pub fn powershell() -> Option<&'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let found = ["pwsh", "powershell.exe"].into_iter().find(is_there);
    if found.is_none() {
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        let text = format!("\nSKIPPED: {name} needs PowerShell (pwsh or powershell.exe) on PATH\n");
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
    found
}

/// The program under test.
pub fn certwright(arguments: &[&str], directory: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_certwright"));
    command.args(arguments).current_dir(directory).env("COLUMNS", "80").stdin(std::process::Stdio::null());
    command
}

/// A copy of an example in a directory of its own.
pub fn example(name: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    copy_files(&from, directory.path());
    copy_files(&from.join("lab"), &directory.path().join("lab"));
    directory
}

/// A file that a variable names, such as a tool that `.ci/run` installs. Without it a test is skipped, and says so past the
/// test runner's capture; in CI it fails.
pub fn named_file(variable: &str) -> Option<PathBuf> {
    let file = std::env::var_os(variable).map(PathBuf::from).filter(|file| file.is_file());
    if file.is_none() {
        assert!(
            std::env::var_os("CERTWRIGHT_REQUIRE_TOOLS").is_none(),
            "{variable} names no file, and nothing may be skipped"
        );
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        let _ = std::io::stderr()
            .write_all(format!("\nSKIPPED: {name} needs the file that {variable} names\n").as_bytes());
    }
    file
}
