//! An organization of the lab in a directory of its own, the program that works on it, and what must always be true of it.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests touch the disk and start programs, and each test file uses a part of this"
)]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use certwright::{
    commands::session::Session,
    drivers::lab::Lab,
    engine::{
        declared::{Declared, declared},
        driver::{Observer, Wanted},
        problem::Problem,
        verify,
    },
    plan,
    probe::Network,
};

/// The example organization, with keys that need no time to be made.
pub struct Organization {
    directory: tempfile::TempDir,
    unmanaged: Vec<String>,
}

impl Organization {
    /// `examples/contoso` with these faults, each a line of `lab.yaml`.
    pub fn contoso(faults: &[String]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut organization = Self { directory: tempfile::tempdir().unwrap(), unmanaged: Vec::new() };
        copy_tree(&root.join("examples/contoso"), organization.path());
        copy_tree(&root.join("tests/keys"), &organization.path().join("lab/keys"));
        let seed = organization.path().join("lab/lab.yaml");
        let mut text = fs::read_to_string(&seed).unwrap();
        text.push_str("\nkeys: keys\n");
        if !faults.is_empty() {
            text.push_str("faults:\n");
            text.extend(faults.iter().map(|fault| format!("  - {fault}\n")));
        }
        fs::write(&seed, text).unwrap();
        for command in ["reset", "set-up"] {
            let output = organization.command(&["lab", command]).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        organization.unmanaged = organization.unmanaged_now();
        organization
    }

    /// Has backups protected by the password in the variable `BACKUP_PASSWORD`, as runs in a bucket need it.
    pub fn with_password(self) -> Self {
        let file = self.path().join("manifest.yaml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text + "\nbackup: { password: { env: BACKUP_PASSWORD } }\n").unwrap();
        self
    }

    pub fn copy(&self) -> Self {
        let copy = Self { directory: tempfile::tempdir().unwrap(), unmanaged: self.unmanaged.clone() };
        copy_tree(self.path(), copy.path());
        copy
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_certwright"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env_clear().env("USER", "anna");
        command
    }

    pub fn duration_of_apply(&self) -> Duration {
        let begun = Instant::now();
        let output = self.command(&["apply", "--auto-approve"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        begun.elapsed()
    }

    fn session(&self) -> Session {
        Session::open(&self.path().join("manifest.yaml")).unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// The lab itself, which has no faults.
    fn lab(&self) -> Lab {
        Lab::open(&self.path().join("lab"), "2026-03-02T09:00:00Z".parse().unwrap()).unwrap()
    }

    /// All that certificates hang on.
    pub fn facts(&self) -> BTreeMap<String, String> {
        let session = self.session();
        let observed = self.lab().observe(Wanted::Of(&session.desired)).unwrap();
        plan::facts(&session.desired, &observed.organization)
    }

    /// Meets every endpoint that the manifest implies: each must present a valid certificate for its name, the old one or
    /// the new one. Returns how many there are.
    pub fn check_endpoints(&self) -> usize {
        let (session, lab) = (self.session(), self.lab());
        let observed = lab.observe(Wanted::Of(&session.desired)).unwrap();
        let Declared { checks, .. } = declared(&session.desired, &observed, lab.now());
        let rows = verify::rows(&checks, &lab, &Network::default());
        for row in &rows {
            let lost = row.problems.iter().find(|problem| {
                matches!(
                    problem,
                    Problem::NotMet { .. }
                        | Problem::NoCertificate
                        | Problem::Expired { .. }
                        | Problem::NoAddress { .. }
                )
            });
            assert!(lost.is_none(), "{} {} is lost: {lost:?}", row.server, row.endpoint);
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
                let mode = fs::metadata(&file).unwrap().permissions().mode();
                assert_eq!(mode & 0o077, 0, "{} can be read by others", file.display());
            }
        }
    }

    pub fn check_output(output: &Output) {
        assert!(!holds_secret(&output.stdout) && !holds_secret(&output.stderr));
    }

    /// It is as the manifest declares, and has exactly what an undisturbed run leaves: nothing was issued twice, nothing
    /// is orphaned, nothing that no manifest names was touched.
    pub fn check_converged(&self) {
        for (command, what) in [("plan", "nothing is left to do"), ("verify", "everything is served")] {
            let mut command = self.command(&[command]);
            if what.starts_with("nothing") {
                command.arg("--detailed-exitcode");
            }
            let output = command.output().unwrap();
            assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stdout));
        }
        let facts = self.facts();
        for server in ["EX01", "EX02"] {
            let own = certificates(&facts, server);
            let of_mail = own.values().filter(|text| text.contains("CN=mail.contoso.com")).count();
            assert_eq!((own.len(), of_mail), (4, 1), "{own:#?}");
        }
        assert_eq!(self.unmanaged_now(), self.unmanaged);
        self.check_nothing_is_left_behind();
    }

    /// It is as it was before, and nothing is left of what was tried.
    pub fn check_taken_back(&self, before: &BTreeMap<String, String>) {
        let after = self.facts();
        let changed = plan::changed_facts(before, &after);
        assert!(changed.is_empty(), "{changed:#?}");
        self.check_nothing_is_left_behind();
    }

    fn check_nothing_is_left_behind(&self) {
        self.check_files();
        let keys = files(&self.path().join(".certwright"))
            .into_iter()
            .filter(|file| holds_secret(&fs::read(file).unwrap()));
        assert_eq!(keys.collect::<Vec<_>>(), Vec::<PathBuf>::new(), "keys are gone when a run is over");
    }

    /// The certificates that setup made, which every server keeps.
    fn unmanaged_now(&self) -> Vec<String> {
        let facts = self.facts();
        let own = |(what, text): (&String, &String)| {
            let named = text.contains("CN=mail.contoso.com");
            (what.contains(" certificate ") && !what.contains("internal") && !named).then(|| what.clone())
        };
        facts.iter().filter_map(own).collect()
    }
}

fn certificates<'a>(facts: &'a BTreeMap<String, String>, server: &str) -> BTreeMap<&'a str, &'a str> {
    let start = format!("{server} certificate ");
    facts
        .iter()
        .filter(|(what, _)| what.starts_with(&start))
        .map(|(what, text)| (what.as_str(), text.as_str()))
        .collect()
}

fn holds_secret(bytes: &[u8]) -> bool {
    [b"PRIVATE KEY".as_slice(), b"correct horse"]
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

/// A number from the environment.
pub fn variable(name: &str, default: u32) -> u32 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Random numbers that can be had again (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        Self(u64::from(variable("CERTWRIGHT_SEED", 20_260_302)) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn part_of(&mut self, whole: Duration) -> Duration {
        let micros = u64::try_from(whole.as_micros()).unwrap();
        Duration::from_micros(self.below(micros + 1))
    }

    /// One to three faults of a lab.
    pub fn faults(&mut self) -> Vec<String> {
        let count = 1 + self.below(3);
        (0..count).map(|_| self.fault()).collect()
    }

    fn fault(&mut self) -> String {
        let verbs = ["import", "export", "bind", "bindSite", "repoint", "restart", "remove", "observe"];
        let hows =
            ["before", "during", "after", "unreachable", "ignored", "late", "killedBefore", "killedAfter"];
        let verb = verbs[usize::try_from(self.below(verbs.len() as u64)).unwrap()];
        let how = match verb {
            "observe" => "unreachable",
            _ => hows[usize::try_from(self.below(hows.len() as u64)).unwrap()],
        };
        let server = ["", "server: EX01, ", "server: EX02, "][usize::try_from(self.below(3)).unwrap()];
        let (after, times) = (self.below(3), 1 + self.below(3));
        format!("{{ verb: {verb}, {server}after: {after}, times: {times}, how: {how} }}")
    }
}
