//! An organization of the lab in a directory of its own, the program that works on it, and what must always be true of it.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests touch the disk and start programs, and each test file uses a part of this"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use certwright::{
    commands::session::Session,
    drivers::lab::Lab,
    journal::Store,
    model::{
        endpoint::Endpoint,
        entry::{Entry, RecordedPlan},
        fact_key::{FactKey, ServerPart},
        handshake::endpoint_finding::EndpointFinding,
        names::DnsName,
        plan::LeftBecause,
        time::Span,
    },
    plan,
    ports::driver::{Observer, Wanted},
    probe::Network,
    verify::{
        expectations::{Declared, declared},
        peers::Peers,
        row::Row,
        run,
    },
};
use certwright_access::others_can_read;

/// An organization with keys that need no time to be made.
pub struct Organization {
    directory: tempfile::TempDir,
    /// Its lab, below its directory.
    lab: PathBuf,
    /// Certificates that no manifest names, as they were.
    unmanaged: plan::Facts,
    /// Endpoints that had a valid certificate.
    good: BTreeSet<(String, Endpoint)>,
    /// Endpoints whose certificate was good for the name that clients ask for.
    named: BTreeSet<(String, Endpoint, DnsName)>,
}

/// What a run that nothing disturbs comes to.
#[derive(Clone, Debug, Default)]
pub struct Undisturbed {
    pub takes: Duration,
    /// How many certificates of each subject there are on each server.
    pub certificates: BTreeMap<(String, String), usize>,
}

/// The directory of an organization with which a test failed stays, to be looked at.
impl Drop for Organization {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.directory.disable_cleanup(true);
            eprintln!("the organization is kept in {}", self.path().display());
        }
    }
}

impl Organization {
    /// `examples/contoso` with these faults, each a line of `lab.yaml`.
    pub fn contoso(faults: &[String]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let organization = Self::empty("lab");
        copy_tree(&root.join("examples/contoso"), organization.path());
        let seed = organization.lab_path().join("lab.yaml");
        let text = fs::read_to_string(&seed).unwrap();
        fs::write(&seed, text + "\nkeys: keys\n").unwrap();
        organization.set_up().with_faults(faults)
    }

    /// This manifest and this lab, which comes into a folder of its own.
    pub fn of_texts(manifest: &str, lab: &str) -> Self {
        let organization = Self::empty("lab");
        let manifest = manifest.replace("directory: .", "directory: lab").replace("state/", "lab/state/");
        fs::create_dir_all(organization.lab_path()).unwrap();
        fs::write(organization.path().join("manifest.yaml"), manifest).unwrap();
        fs::write(organization.lab_path().join("lab.yaml"), lab).unwrap();
        organization.set_up()
    }

    fn empty(lab: &str) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            lab: PathBuf::from(lab),
            unmanaged: BTreeMap::new(),
            good: BTreeSet::new(),
            named: BTreeSet::new(),
        }
    }

    fn set_up(mut self) -> Self {
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
        copy_tree(&keys, &self.lab_path().join("keys"));
        let manifest = self.path().join("manifest.yaml");
        let text = fs::read_to_string(&manifest).unwrap();
        if !text.contains("\nbackup:") {
            fs::write(&manifest, text + "\nbackup: { password: { env: BACKUP_PASSWORD } }\n").unwrap();
        }
        let output = self.command(&["lab", "reset"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let (mut session, lab) = (self.session(), self.lab());
        let observed = session.observe().unwrap();
        let facts = self.facts();
        for left in plan::plan(&session.desired, &observed, lab.now()).left_alone {
            if matches!(left.why, LeftBecause::Unmanaged | LeftBecause::Protected { .. }) {
                let part = ServerPart::Certificate(left.certificate);
                let key = FactKey::Server(left.server.clone(), part);
                // While Exchange tells no details, the facts of a plan leave some out.
                self.unmanaged.extend(facts.get(&key).map(|fact| (key, fact.clone())));
            }
        }
        let rows = self.rows();
        let good = rows.iter().filter(|row| !is_lost(row));
        self.good = good.clone().map(|row| (row.server.clone(), row.endpoint)).collect();
        let named = good.filter(|row| !is_not_covered(row));
        self.named =
            named.filter_map(|row| Some((row.server.clone(), row.endpoint, row.name.clone()?))).collect();
        self
    }

    /// The same, with these faults in its `lab.yaml`.
    pub fn with_faults(self, faults: &[String]) -> Self {
        if !faults.is_empty() {
            let seed = self.lab_path().join("lab.yaml");
            let lines: String = faults.iter().map(|fault| format!("  - {fault}\n")).collect();
            let text = fs::read_to_string(&seed).unwrap();
            fs::write(&seed, format!("{text}\nfaults:\n{lines}")).unwrap();
        }
        self
    }

    /// A second passes: no CA issues two certificates at the same moment, and of two such nobody could say which one
    /// Exchange chooses.
    pub fn pass_time(&self) {
        let mut lab = self.lab();
        let now = Observer::now(&lab);
        lab.set_clock(now.plus(Span::seconds(1))).unwrap();
    }

    /// Faults that it has not met yet do not come any more.
    fn calm(&self) {
        let seed = self.lab_path().join("lab.yaml");
        let text = fs::read_to_string(&seed).unwrap();
        fs::write(&seed, text.split("\nfaults:\n").next().unwrap()).unwrap();
    }

    pub fn copy(&self) -> Self {
        let copy = Self {
            directory: tempfile::tempdir().unwrap(),
            lab: self.lab.clone(),
            unmanaged: self.unmanaged.clone(),
            good: self.good.clone(),
            named: self.named.clone(),
        };
        copy_tree(self.path(), copy.path());
        copy
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    fn lab_path(&self) -> PathBuf {
        self.path().join(&self.lab)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_certwright"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env_clear().env("USER", "anna").env("COLUMNS", "80").env("BACKUP_PASSWORD", PASSWORD);
        command.env("CERTWRIGHT_BACKUPS", PASSWORD);
        // Without it, Windows has no sockets.
        command.envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)));
        command
    }

    /// A file for what a command says on standard error.
    pub fn ear(&self) -> fs::File {
        fs::File::create(self.path().join("said")).unwrap()
    }

    /// What the last command said.
    pub fn said(&self) -> String {
        fs::read_to_string(self.path().join("said")).unwrap_or_default()
    }

    /// Applies the manifest to a copy in which nothing goes wrong.
    pub fn undisturbed(&self) -> Undisturbed {
        let copy = self.copy();
        let begun = Instant::now();
        let output = copy.command(&["apply", "--auto-approve"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Undisturbed { takes: begun.elapsed(), certificates: copy.certificate_counts() }
    }

    fn session(&self) -> Session {
        Session::open(&self.path().join("manifest.yaml")).unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// The lab itself, which has no faults.
    fn lab(&self) -> Lab {
        Lab::open(&self.lab_path(), "2026-03-02T09:00:00Z".parse().unwrap()).unwrap()
    }

    fn store(&self) -> Store {
        Store::new(self.path().join(".certwright"))
    }

    /// All that certificates hang on.
    pub fn facts(&self) -> plan::Facts {
        let session = self.session();
        let observed = self.lab().observe(Wanted::Of(&session.desired)).unwrap();
        plan::facts(&session.desired, &observed.organization)
    }

    pub fn certificate_counts(&self) -> BTreeMap<(String, String), usize> {
        let mut counted = BTreeMap::new();
        for (what, how) in self.facts() {
            if let FactKey::Server(server, ServerPart::Certificate(_)) = what {
                let subject = how.split(", until ").next().unwrap().to_owned();
                *counted.entry((server.to_string(), subject)).or_default() += 1;
            }
        }
        counted
    }

    fn rows(&self) -> Vec<Row> {
        let (session, lab) = (self.session(), self.lab());
        let observed = lab.observe(Wanted::Of(&session.desired)).unwrap();
        let declared = declared(&session.desired, &observed, lab.now());
        let Declared { checks, .. } = declared.with_undeclared(&session.desired, &observed);
        run::rows(&checks, &Peers::servers(&lab), &Network::default())
    }

    /// Meets every endpoint of every server: each that had a valid certificate presents one still, the old one or the new
    /// one, and for the same name. Returns how many there are.
    pub fn check_endpoints(&self) -> usize {
        let rows = self.rows();
        let place = |row: &Row| (row.server.clone(), row.endpoint);
        let met: BTreeSet<_> = rows.iter().map(place).collect();
        assert!(self.good.is_subset(&met), "an endpoint is not there any more");
        for row in rows.iter().filter(|row| self.good.contains(&place(row))) {
            assert!(!is_lost(row), "{} {} is lost: {:?}", row.server, row.endpoint, row.problems);
            let named = row.name.clone().map(|name| (row.server.clone(), row.endpoint, name));
            if named.is_some_and(|named| self.named.contains(&named)) {
                assert!(!is_not_covered(row), "{} {}: {:?}", row.server, row.endpoint, row.problems);
            }
        }
        rows.len()
    }

    /// No key is where it does not belong: on their way they are in files of their owner only.
    pub fn check_files(&self) {
        let runs = self.path().join(".certwright");
        for file in files(&runs) {
            let bytes = fs::read(&file).unwrap();
            if holds_secret(&bytes) {
                let on_its_way = file.parent().is_some_and(|folder| folder.ends_with("issued"));
                assert!(on_its_way, "{} holds a key", file.display());
                assert!(!others_can_read(&file).unwrap(), "{} can be read by others", file.display());
            }
        }
    }

    pub fn check_output(output: &Output) {
        assert!(!holds_secret(&output.stdout) && !holds_secret(&output.stderr));
    }

    /// It is as the manifest declares, and has exactly what an undisturbed run leaves: nothing was issued twice, nothing
    /// is orphaned, nothing that no manifest names was touched.
    pub fn check_converged(&self, undisturbed: &Undisturbed) {
        self.calm();
        for (command, what) in [("plan", "nothing is left to do"), ("verify", "everything is served")] {
            let mut command = self.command(&[command]);
            if what.starts_with("nothing") {
                command.arg("--detailed-exitcode");
            }
            let output = command.output().unwrap();
            assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stdout));
        }
        assert_eq!(self.certificate_counts(), undisturbed.certificates);
        self.check_unmanaged();
        self.check_nothing_is_left_behind();
    }

    /// It is as it was before, and nothing is left of what was tried. Where that was said beforehand to be impossible,
    /// nothing is lost all the same. Whether all could be taken back.
    pub fn check_taken_back(&self, before: &plan::Facts) -> bool {
        self.check_unmanaged();
        self.check_nothing_is_left_behind();
        let whole = self.can_be_taken_back();
        if whole {
            let changed = plan::changed_facts(before, &self.facts());
            assert!(changed.is_empty(), "{changed:#?}");
        }
        whole
    }

    /// Whether no run has said that something cannot be undone, or has to stay.
    fn can_be_taken_back(&self) -> bool {
        let store = self.store();
        let entries = store.runs().unwrap().into_iter().flat_map(|run| store.read(&run).unwrap());
        let plans = entries.filter_map(|entry| match entry {
            Entry::Opened { plan: RecordedPlan::Whole(plan), .. } => Some(plan),
            _ => None,
        });
        plans.into_iter().all(|plan| {
            let stays = plan.rolls_back.is_some() && !plan.left_alone.is_empty();
            !stays && plan.steps.iter().all(|step| step.undo.is_whole())
        })
    }

    /// Whether a run was begun.
    pub fn has_runs(&self) -> bool {
        let store = self.store();
        store.runs().unwrap().iter().any(|run| !store.read(run).unwrap().is_empty())
    }

    fn check_unmanaged(&self) {
        let facts = self.facts();
        for (what, how) in &self.unmanaged {
            assert_eq!(facts.get(what), Some(how), "{what} is not the manifest's");
        }
    }

    fn check_nothing_is_left_behind(&self) {
        self.check_files();
        let keys = files(&self.path().join(".certwright"))
            .into_iter()
            .filter(|file| holds_secret(&fs::read(file).unwrap()));
        assert_eq!(keys.collect::<Vec<_>>(), Vec::<PathBuf>::new(), "keys are gone when a run is over");
    }
}

/// The command lines of a process and of what it has started, as anybody on the machine can read them, hold no secret. Where
/// the system has no `/proc`, nothing is looked at.
pub fn check_command_lines(process: u32) {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let children = children.split_whitespace().map(|child| child.parse().unwrap());
    for process in children.chain([process]) {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        assert!(!holds_secret(&line), "{}", String::from_utf8_lossy(&line));
    }
}

fn is_lost(row: &Row) -> bool {
    row.problems.iter().any(|problem| {
        matches!(
            problem,
            EndpointFinding::NotMet { .. }
                | EndpointFinding::NoCertificate
                | EndpointFinding::Expired { .. }
                | EndpointFinding::NoAddress { .. }
        )
    })
}

fn is_not_covered(row: &Row) -> bool {
    row.problems.iter().any(|problem| matches!(problem, EndpointFinding::NotCovered { .. }))
}

fn holds_secret(bytes: &[u8]) -> bool {
    [b"PRIVATE KEY".as_slice(), PASSWORD.as_bytes()]
        .iter()
        .any(|secret| bytes.windows(secret.len()).any(|window| window == *secret))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() {
            copy_tree(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

const PASSWORD: &str = "correct horse";
