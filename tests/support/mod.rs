//! A manifest and its lab in a directory of their own, driven through the library.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests touch the disk, and each test file uses a part of this"
)]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use certwright::{
    checks,
    drivers::lab::Lab,
    engine::{
        apply::{self, Ports, Report},
        driver::{Driver, Observer, Wanted},
        issuer::Issuers,
        verify::{self, Check, Row},
    },
    issuers::local_ca::LocalCa,
    journal::{RunFiles, Store},
    model::{
        action::CertRef,
        desired::{CaSubjects, CertificateId, Desired},
        entry::Holder,
        finding::{Finding, Severity},
        manifest::{DriverSpec, IssuerSpec, Manifest, yaml},
        organization::Observed,
        plan::Plan,
        secret::Secret,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    pki::{keys::Keys, mint::Authority, pem},
    plan::{self, Supply, expect, lint},
    probe::Network,
};

/// A manifest with its lab, in a temporary copy.
pub struct Rig {
    pub directory: tempfile::TempDir,
    pub base: PathBuf,
    pub manifest: Manifest,
    pub desired: Desired,
    pub lab: Lab,
    pub cas: CaSubjects,
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
        let (manifest, cas, desired, lab) = load(&base);
        Self { directory, base, manifest, desired, lab, cas }
    }

    /// Puts another manifest in place of the present one.
    pub fn change_manifest(&mut self, text: &str) {
        fs::write(self.base.join("manifest.yaml"), text).unwrap();
        let (manifest, cas, desired, lab) = load(&self.base);
        (self.manifest, self.cas, self.desired, self.lab) = (manifest, cas, desired, lab);
    }

    pub fn observe(&self) -> Observed {
        self.lab.observe(Wanted::Of(&self.desired)).unwrap()
    }

    /// A plan, proved on paper.
    pub fn plan(&self) -> Plan {
        let observed = self.observe();
        let plan = plan::plan(&self.desired, &observed, self.lab.now());
        let problems = lint::lint(&plan, &self.desired, &observed, self.lab.now());
        assert!(problems.is_empty(), "{problems:#?}\n{plan:#?}");
        plan
    }

    pub fn apply(&self, plan: &Plan) -> Report {
        self.apply_with(plan, &self.lab)
    }

    pub fn apply_with(&self, plan: &Plan, driver: &dyn Driver) -> Report {
        let run = self.store().begin(self.lab.now()).unwrap();
        let files = RunFiles::new(&run, Some(Secret::new(b"correct horse".to_vec())));
        let issuers = self.issuers();
        let ports = Ports {
            driver,
            issuers: &issuers,
            journal: &run,
            artifacts: &files,
            prober: &Network::default(),
            clock: &|| self.lab.now(),
            by: holder(),
        };
        apply::apply(plan, &self.desired, &ports, &|_| {}).unwrap()
    }

    pub fn store(&self) -> Store {
        Store::new(self.base.join(".certwright"))
    }

    pub fn issuers(&self) -> Issuers {
        let mut issuers = Issuers::new();
        for (name, spec) in &self.manifest.issuers {
            if let IssuerSpec::LocalCa(ca) = spec {
                let certificates =
                    pem::certificates(&fs::read(self.base.join(&ca.certificate)).unwrap()).unwrap();
                let certwright::model::secret::SecretRef::File(key) = &ca.key else { panic!("a file") };
                let key = pem::key(&Secret::new(fs::read(self.base.join(key)).unwrap()), "test").unwrap();
                let authority = Authority::new(certificates[0].clone(), Vec::new(), key).unwrap();
                let issuer = LocalCa::new(name.clone(), authority, ca.lifetime, Keys::Fresh);
                issuers.insert(name.clone(), Box::new(issuer));
            }
        }
        issuers
    }

    /// What every endpoint that the manifest implies serves.
    pub fn verify(&self) -> Vec<Row> {
        let (observed, now) = (self.observe(), self.lab.now());
        let chosen = |id: &CertificateId| self.standing(&observed, id);
        let mut checks = Vec::new();
        for (name, own) in &self.desired.servers {
            let server = &observed.organization.servers[name];
            for expectation in expect::expectations(own, server, &chosen, now) {
                let CertRef::Known(expected) = expectation.certificate else { continue };
                checks.push(Check {
                    server: name.clone(),
                    fqdn: own.fqdn.clone(),
                    endpoint: expectation.endpoint,
                    name: expectation.name,
                    expected,
                });
            }
        }
        verify::rows(&checks, &self.lab, &Network::default())
    }

    fn standing(&self, observed: &Observed, id: &CertificateId) -> Option<Thumbprint> {
        let decision = plan::plan_certificate(id, &self.desired, observed, self.lab.now())?;
        match decision.supply {
            Supply::Have { thumbprint, .. } => Some(thumbprint),
            Supply::New | Supply::Blocked => decision.incumbent,
        }
    }
}

fn load(base: &Path) -> (Manifest, CaSubjects, Desired, Lab) {
    let file = base.join("manifest.yaml");
    let source = yaml::Source { file: file.display().to_string(), bytes: fs::read(&file).unwrap() };
    let (manifest, _) = yaml::manifest(&[source]).unwrap();
    let DriverSpec::Lab(spec) = &manifest.driver;
    let lab =
        Lab::open(&base.join(&spec.directory), wall_clock()).unwrap_or_else(|error| panic!("{error:?}"));
    let mut cas = CaSubjects::new();
    for (name, spec) in &manifest.issuers {
        if let IssuerSpec::LocalCa(ca) = spec {
            let certificates = pem::certificates(&fs::read(base.join(&ca.certificate)).unwrap()).unwrap();
            cas.insert(name.clone(), certificates[0].subject.clone());
        }
    }
    let (findings, desired) = checks::check(&manifest, &cas);
    let errors: Vec<&Finding> =
        findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    (manifest, cas, desired.unwrap(), lab)
}

pub fn holder() -> Holder {
    Holder { user: "test".into(), host: "localhost".into(), process: std::process::id() }
}

/// Whether a program is there. A test that needs one that is missing is skipped, and says so past the test runner's
/// capture; in CI, where everything has to be there, it fails.
pub fn has_tool(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(program).is_file()));
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

/// The program under test.
pub fn certwright(arguments: &[&str], directory: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_certwright"));
    command.args(arguments).current_dir(directory).stdin(std::process::Stdio::null());
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
