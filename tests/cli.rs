//! Each folder of `tests/cmd` is a session at a terminal: `commands` are typed one after the other in a copy of the
//! folder, and what is seen is the snapshot: the steps of plans in a line for each place, because the scenarios show them, and
//! everything else as it is printed. A line is a command of certwright, or one of a few words for what happens around it (see
//! `type_line`). A new case is a new folder.
//!
//! `README.md` is such a session too: its blocks are run, so that it stays true.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

#[path = "support/condensed.rs"]
mod condensed;
mod support;

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use certwright::model::shown::ShowPath;
use condensed::condensed;
use support::{copy_files, folders};

#[test]
fn sessions() {
    folders::each("cmd", "commands", |folder| {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_snapshot_suffix("");
        settings.set_omit_expression(true);
        settings.remove_input_file();
        let transcript = Session::new(folder).run(&fs::read_to_string(folder.join("commands")).unwrap());
        settings.bind(|| insta::assert_snapshot!("seen", transcript));
    });
}

/// A directory of its own, with copies of the case's files, the examples and the keys of tests.
struct Session {
    directory: tempfile::TempDir,
}

impl Session {
    fn new(folder: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        copy_tree(folder, directory.path());
        copy_tree(&root.join("examples"), &directory.path().join("examples"));
        copy_files(&support::key_pool(), &directory.path().join("keys"));
        Self { directory }
    }

    fn run(&self, commands: &str) -> String {
        let mut seen = String::new();
        for line in commands.lines().filter(|line| !line.trim().is_empty()) {
            if line.starts_with('#') {
                writeln!(seen, "{line}").unwrap();
            } else {
                self.type_line(line, &mut seen);
            }
            seen.push('\n');
        }
        normalize(&seen, self.directory.path())
    }

    fn type_line(&self, line: &str, seen: &mut String) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["certwright", arguments @ ..] => self.call(arguments, &condensed, seen),
            // The same, with every line that is printed.
            ["wholly", "certwright", arguments @ ..] => self.call(arguments, &str::to_owned, seen),
            // Puts a file of the case in the place of another.
            ["use", from, "as", to] => {
                fs::copy(self.path(from), self.path(to)).unwrap();
                writeln!(seen, "# {from} takes the place of {to}").unwrap();
            }
            // Changes a text in a file.
            ["replace", old, "by", new, "in", file] => {
                let text = fs::read_to_string(self.path(file)).unwrap();
                assert!(text.contains(old), "{file} does not contain {old}");
                fs::write(self.path(file), text.replace(old, new)).unwrap();
                writeln!(seen, "# {old} becomes {new} in {file}").unwrap();
            }
            ["show", file] => {
                writeln!(seen, "# {file}:").unwrap();
                seen.push_str(&fs::read_to_string(self.path(file)).unwrap());
            }
            ["list", directory] => {
                let mut names: Vec<_> = fs::read_dir(self.path(directory))
                    .map(|entries| {
                        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
                    })
                    .unwrap_or_default();
                names.sort();
                writeln!(seen, "# in {directory}: {}", names.join(", ")).unwrap();
            }
            ["write", file, "bytes", bytes] => {
                let bytes: Vec<u8> =
                    bytes.split(',').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
                fs::write(self.path(file), bytes).unwrap();
            }
            // Somebody tidies up.
            ["lose", end, "below", folder] => {
                let lost = lose(&self.path(folder), end);
                writeln!(seen, "# {lost} files that end in {end} are lost").unwrap();
            }
            _ => panic!("`{line}` is not a command of a session"),
        }
    }

    fn call(&self, arguments: &[&str], told: &dyn Fn(&str) -> String, seen: &mut String) {
        writeln!(seen, "$ certwright {}", arguments.join(" ")).unwrap();
        let (arguments, input) = match arguments {
            [arguments @ .., "<", file] => (arguments, fs::File::open(self.path(file)).unwrap().into()),
            arguments => (arguments, Stdio::null()),
        };
        let output = self.command(arguments).stdin(input).output().unwrap();
        seen.push_str(&told(&String::from_utf8_lossy(&output.stdout)));
        if !output.stderr.is_empty() {
            writeln!(seen, "------- stderr").unwrap();
            seen.push_str(&told(&String::from_utf8_lossy(&output.stderr)));
        }
        writeln!(seen, "------- exit {}", output.status.code().unwrap()).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_certwright"));
        command.args(arguments).current_dir(self.directory.path()).stdin(Stdio::null());
        // A screen of eighty columns: without it, what goes into a pipe is not broken.
        command.env_clear().env("USER", "anna").env("COLUMNS", "80");
        // Without it, Windows has no sockets.
        command.envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)));
        command
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }
}

/// Removes the files below a folder whose names end so, and tells how many they were.
fn lose(folder: &Path, end: &str) -> usize {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            if path.is_dir() {
                return lose(&path, end);
            }
            let is_lost = path.to_str().unwrap().ends_with(end);
            if is_lost {
                fs::remove_file(&path).unwrap();
            }
            usize::from(is_lost)
        })
        .sum()
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        match name {
            // What a run by hand left behind, and the snapshots themselves.
            "state" | ".certwright" => {}
            _ if path.extension().is_some_and(|extension| extension == "snap" || extension == "new") => {}
            _ if path.is_dir() => copy_tree(&path, &to.join(name)),
            _ => drop(fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}

/// Gives every certificate a name by the order in which they are seen, since keys are fresh each time.
fn normalize(text: &str, directory: &Path) -> String {
    let directory = directory.shown().to_string();
    let text = text.replace(&format!("{directory}/"), "").replace(&directory, ".");
    // How often a run says that it is still at work depends on the machine.
    let text: String =
        text.split_inclusive('\n').filter(|line| !line.contains("\"event\":\"heartbeat\"")).collect();
    let text = without_process(&text.replace(&*gethostname::gethostname().to_string_lossy(), "<host>"));
    let text = without_digests(&text);
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut result = String::new();
    let mut rest = text.as_str();
    while let Some((before, digits, length)) = next_thumbprint(rest) {
        result.push_str(&rest[..before]);
        let count = names.len() + 1;
        let number = *names.entry(digits).or_insert(count);
        write!(
            result,
            "{}",
            if length == 40 { format!("<thumbprint {number}>") } else { format!("<cert {number}>") }
        )
        .unwrap();
        rest = &rest[before + length..];
    }
    result.push_str(rest);
    result
}

/// The numbers of processes.
fn without_process(text: &str) -> String {
    let mut parts = text.split("process ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let number = if rest.len() < part.len() { "<pid>" } else { "" };
        format!("{text}process {number}{rest}")
    })
}

/// Digests of files that are encrypted anew each time.
fn without_digests(text: &str) -> String {
    let is_digest = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_inclusive(['"', '\n', ' '])
        .map(|part| {
            let word = part.trim_end_matches(['"', '\n', ' ']);
            if is_digest(word) { format!("<sha256>{}", &part[word.len()..]) } else { part.to_owned() }
        })
        .collect()
}

/// The next `7F3A91…C210` or 40 digits: where, which, how many bytes.
fn next_thumbprint(text: &str) -> Option<(usize, String, usize)> {
    let hex = |text: &str| {
        text.bytes().take_while(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte)).count()
    };
    let mut at = 0;
    while at < text.len() {
        let here = &text[at..];
        let run = hex(here);
        if run == 40 {
            return Some((at, format!("{}{}", &here[..6], &here[36..40]), 40));
        }
        if run == 6 && here[6..].starts_with('…') && hex(&here[9..]) == 4 {
            return Some((at, format!("{}{}", &here[..6], &here[9..13]), 13));
        }
        at += run.max(here.chars().next().map_or(1, char::len_utf8));
    }
    None
}

#[test]
fn the_readme_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert_eq!(
        blocks(&readme, "sh"),
        ["cargo run --release -- apply examples/contoso --auto-approve\n", "cargo test\n"],
        "exactly two commands set up"
    );
    let manifest = fs::read_to_string(root.join("examples/contoso/manifest.yaml")).unwrap();
    assert!(blocks(&readme, "yaml").contains(&manifest), "the manifest is that of examples/contoso");
    let session = Session::new(&root.join("examples/contoso"));
    for block in blocks(&readme, "console") {
        let mut seen = String::new();
        let commands = block.lines().filter_map(|line| line.strip_prefix("$ certwright "));
        for command in commands {
            let words: Vec<&str> = command.split_whitespace().collect();
            let output = session.command(&words).output().unwrap();
            assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
            writeln!(seen, "$ certwright {command}").unwrap();
            seen.push_str(&String::from_utf8_lossy(&output.stdout));
        }
        assert_eq!(normalize(&seen, session.directory.path()), normalize(&block, session.directory.path()));
    }
    let output = session.command(&["apply", "examples/contoso", "--auto-approve"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = session.command(&["plan", "examples/contoso", "--detailed-exitcode"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

/// The two jobs of the README: one that reaches the servers, and one that has neither servers nor keys.
#[test]
fn the_pull_request_of_the_readme_is_planned_without_servers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let [observing, planning] = blocks(&readme, "bash").try_into().unwrap();
    let session = Session::new(&root.join("examples/contoso"));
    let repository = session.path("examples/contoso");
    let run = |block: &str| {
        let mut seen = Vec::new();
        for line in block.lines() {
            let words: Vec<&str> = line.strip_prefix("certwright ").unwrap().split_whitespace().collect();
            let output = session.command(&words).current_dir(&repository).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            seen.push((output.status.code().unwrap(), text, said));
        }
        seen
    };
    assert_eq!(run(&observing)[0].0, 0);

    // Of the lab nothing is left but the certificate of its CA, which a repository would hold.
    let ca = fs::read(repository.join("lab/state/authorities/corp-ca.crt")).unwrap();
    fs::remove_dir_all(repository.join("lab")).unwrap();
    fs::create_dir_all(repository.join("lab/state/authorities")).unwrap();
    fs::write(repository.join("lab/state/authorities/corp-ca.crt"), ca).unwrap();
    let [check, plan, rehearsal] = run(&planning).try_into().unwrap();
    assert_eq!(check.0, 0, "{}", check.2);
    assert_eq!(plan.0, 2, "{}", plan.2);
    assert!(plan.1.contains("± mail") && plan.1.contains(" days ago"), "{}", plan.1);
    assert_eq!(rehearsal.0, 0, "{}{}", rehearsal.1, rehearsal.2);
    assert!(rehearsal.1.contains("Planned again: nothing was left to do."), "{}", rehearsal.1);

    // Nobody plans from what was long ago, once the manifest says so.
    fs::write(repository.join("limits.yaml"), "limits: { captureAge: 24h }\n").unwrap();
    let refused = run("certwright plan . --capture capture");
    assert_eq!(refused[0].0, 9);
    assert!(refused[0].2.contains("the capture is too old to plan from"), "{}", refused[0].2);
}

/// The fenced blocks of a language in a Markdown text.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}
