//! What the documents tell a reader to type: every command of certwright in them is one that certwright knows, what they show as
//! printed is what is printed, their manifests are read, and every link between them leads somewhere. (`tests/cli.rs` runs the
//! README's blocks and compares what is seen.)
//!
//! `INSTA_UPDATE=always cargo test --test docs` writes the transcripts of `docs/tutorial.md` anew where more than thumbprints differs.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests touch the disk and start the program"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use certwright::{
    drivers::powershell::{AnswerKind, PowerShellError},
    remoting::RemotingError,
};
use strum::VariantNames;

#[test]
fn every_command_is_one_of_certwright() {
    let mut commands = BTreeSet::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        commands
            .extend(inline(&text).into_iter().chain(in_blocks(&text)).map(|command| (command, page.clone())));
    }
    assert!(commands.len() > 40, "{} commands", commands.len());
    let mut wrong = Vec::new();
    for (command, page) in commands {
        let words = words(&command);
        // With `--help` at its end, everything before it is read, and nothing is done.
        let output = Command::new(env!("CARGO_BIN_EXE_certwright"))
            .args(&words)
            .arg("--help")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        // A paragraph may name an option without the value that it takes.
        let named = words.last().is_some_and(|word| word.starts_with("--"))
            && String::from_utf8_lossy(&output.stderr).contains("a value is required for");
        if !output.status.success() && !named {
            let error = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned();
            wrong.push(format!("{}: certwright {command}: {error}", page.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut wrong = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap();
            let outside = target.contains("://") || target.starts_with("mailto:") || file.is_empty();
            if !outside && !page.parent().unwrap().join(file).exists() {
                wrong.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Section 7 of `docs/connectivity.md` names every kind of error that the code has, and no other.
#[test]
fn kinds_of_errors_are_those_of_the_code() {
    let text = fs::read_to_string(root().join("docs/connectivity.md")).unwrap();
    let section = text.split("\n## 7. ").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(2);
    let mut named: Vec<String> = rows
        .flat_map(|row| row.split(" | ").nth(1).unwrap().split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    named.sort();
    let code = [PowerShellError::VARIANTS, RemotingError::VARIANTS, AnswerKind::VARIANTS].concat();
    let code: BTreeSet<&str> = code.into_iter().collect();
    assert_eq!(named, code.into_iter().collect::<Vec<_>>());
}

/// What texts said once is nowhere: neither in documents nor in the source nor in what commands print. `tests/wording.md` has the list,
/// with what they say now.
#[test]
fn no_text_has_its_old_wording() {
    let table = fs::read_to_string(root().join("tests/wording.md")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| It was "));
    let old: Vec<String> = rows.map(|row| in_one_line(row[2..].split(" | ").next().unwrap())).collect();
    assert!(old.len() >= 60, "{} rows", old.len());
    let mut texts = pages();
    for (folder, endings) in [("src", &["rs", "md", "ps1"][..]), ("tests", &["snap"])] {
        below(&root().join(folder), endings, &mut texts);
    }
    let mut wrong = Vec::new();
    for file in texts {
        let text = in_one_line(&fs::read_to_string(&file).unwrap().replace("//!", "").replace("///", ""));
        let found = old.iter().filter(|old| text.contains(old.as_str()));
        wrong.extend(found.map(|old| format!("{}: {old}", file.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The files below a folder that end so.
fn below(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, endings, found);
        } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| *wanted == ending)) {
            found.push(path);
        }
    }
}

#[test]
fn the_readme_is_read_in_one_sitting() {
    let bytes = fs::metadata(root().join("README.md")).unwrap().len();
    assert!(bytes <= 15 * 1024, "README.md has {bytes} bytes");
}

/// The first hour, from the first look to the way back: one session, as it is typed.
#[test]
fn the_tutorial_is_true() {
    let page = root().join("docs/tutorial.md");
    let text = fs::read_to_string(&page).unwrap();
    let session = Example::new();
    let mut written = String::new();
    let mut parts = text.split("```console\n");
    written.push_str(parts.next().unwrap());
    for part in parts {
        let (block, rest) = part.split_once("```").unwrap();
        let mut seen = String::new();
        for command in block.lines().filter_map(|line| line.strip_prefix("$ certwright ")) {
            let words: Vec<&str> = command.split_whitespace().collect();
            let (code, printed) = session.run(&words);
            assert!(matches!(code, Some(0 | 2)), "{command}: {code:?}\n{printed}");
            seen.push_str(&format!("$ certwright {command}\n{printed}"));
        }
        let told = if alike(block) == alike(&seen) { block } else { &seen };
        written.push_str(&format!("```console\n{told}```{rest}"));
    }
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&page, &written).unwrap();
    } else {
        assert_eq!(written, text, "INSTA_UPDATE=always cargo test --test docs");
    }
}

/// The way through `docs/own-servers.md`, on the servers of the example. Where it would ask, it does not.
#[test]
fn the_commands_for_own_servers_work_one_after_the_other() {
    let text = fs::read_to_string(root().join("docs/own-servers.md")).unwrap();
    let session = Example::new();
    let mut commands = 0;
    for block in blocks(&text, "sh") {
        for line in block.lines() {
            let line = line.split(['#', '>']).next().unwrap().trim();
            let mut words: Vec<&str> = line.strip_prefix("certwright ").unwrap().split_whitespace().collect();
            if matches!(words[0], "apply" | "rollback") {
                words.push("--auto-approve");
            }
            if words[0] == "verify" {
                words.push("--no-system-roots");
            }
            let (code, printed) = session.run_in("examples/contoso", &words);
            // What is imported stands beside the manifest and is another one: a reader puts it elsewhere.
            let imported = session.directory.path().join("examples/contoso/contoso.yaml");
            if imported.exists() {
                fs::remove_file(imported).unwrap();
            }
            assert!(matches!(code, Some(0 | 2)), "{line}: {code:?}\n{printed}");
            commands += 1;
        }
    }
    assert!(commands >= 8, "{commands} commands");
}

/// Every manifest in the documents, whole or a part, is one that `check` reads.
#[test]
fn every_manifest_in_the_documents_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for (number, block) in blocks(&text, "yaml").into_iter().enumerate() {
            // A lab is no manifest.
            if block.contains("certwright.lab/v1") {
                continue;
            }
            let file = folder.path().join("manifest.yaml");
            fs::write(&file, completed(&block)).unwrap();
            let output = program().arg("check").arg(&file).output().unwrap();
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
                wrong.push(format!("{}, block {}: {said}", page.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A part of a manifest with what else a manifest needs.
fn completed(part: &str) -> String {
    let sections = [
        "apiVersion: certwright/v1\n",
        "organization: contoso\n",
        "driver: { lab: {} }\n",
        "issuers: { exchange: { selfSigned: {} }, public-ca: { csr: {} } }\n",
        "certificates:\n  mail: { issuer: public-ca, names: [mail.contoso.com] }\n  transport: { issuer: exchange, scope: server, names: [\"${server.fqdn}\"] }\n",
        "servers: { EX01: { fqdn: ex01.contoso.com, services: { IIS: mail, SMTP: transport } } }\n",
    ];
    let edge = "servers:\n  EX01: { fqdn: ex01.contoso.com, services: { SMTP: transport } }\n  EDGE01: { fqdn: edge01.contoso.com, edge: true, services: { SMTP: transport } }\n";
    let sections = sections.map(|section| {
        let wants_edge = section.starts_with("servers:") && part.contains("EDGE01");
        if wants_edge { edge } else { section }
    });
    let has = |section: &str| {
        let key = section.split(':').next().unwrap();
        part.lines().any(|line| line.starts_with(&format!("{key}:")))
    };
    let rest: String = sections.into_iter().filter(|section| !has(section)).collect();
    format!("{}\n{rest}", part.trim_end())
}

/// A copy of the example.
struct Example {
    directory: tempfile::TempDir,
}

impl Example {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        copy_tree(&root().join("examples/contoso"), &directory.path().join("examples/contoso"));
        Self { directory }
    }

    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        self.run_in(".", words)
    }

    /// The exit code, and what is seen on a terminal but for the host's name.
    fn run_in(&self, folder: &str, words: &[&str]) -> (Option<i32>, String) {
        let mut command = program();
        command.args(words).current_dir(self.directory.path().join(folder));
        command.env_clear().env("USER", "anna");
        let output = command.output().unwrap();
        // What it says meanwhile is shown only where that is all it says.
        let (shown, said) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let seen = if shown.is_empty() || !output.status.success() {
            format!("{shown}{said}")
        } else {
            shown.into_owned()
        };
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        (output.status.code(), seen.replace(&format!(" on {host}"), " on mgmt01"))
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_certwright"));
    command.stdin(Stdio::null());
    command
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        match name {
            "state" | ".certwright" => {}
            _ if path.is_dir() => copy_tree(&path, &to.join(name)),
            _ => drop(fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}

/// A text without what differs from run to run: digits of thumbprints, numbers of processes, sizes of files.
fn alike(text: &str) -> String {
    let masked: String = text
        .split_inclusive(|char: char| !char.is_ascii_hexdigit() && char != '…')
        .map(|word| {
            let digits =
                word.chars().filter(|char| char.is_ascii_digit() || ('A'..='F').contains(char)).count();
            let is_thumbprint = (word.contains('…') && digits >= 10) || digits >= 40;
            if is_thumbprint { "<thumbprint> ".to_owned() } else { word.to_owned() }
        })
        .collect();
    let mut parts = masked.split("process ");
    let first = parts.next().unwrap_or_default().to_owned();
    let masked = parts.fold(first, |text, part| {
        format!("{text}process {}", part.trim_start_matches(|digit: char| digit.is_ascii_digit()))
    });
    masked.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md"].iter().map(|page| root().join(page)).collect();
    for folder in ["docs", "src/explain"] {
        let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        pages.extend(files.filter(|file| is_markdown(file)));
    }
    pages.sort();
    pages
}

fn is_markdown(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "md")
}

/// Commands between backticks, in any paragraph.
fn inline(text: &str) -> Vec<String> {
    let joined = text.replace("\r\n", "\n").replace('\n', " ");
    joined
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.strip_prefix("certwright "))
        .map(str::to_owned)
        .collect()
}

/// Commands in blocks: lines that begin with the program, or with a prompt and the program.
fn in_blocks(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside {
            let line = line.trim_start().trim_start_matches("$ ");
            let line =
                line.strip_prefix("cargo run --release -- ").map_or(line.strip_prefix("certwright "), Some);
            commands.extend(line.map(str::to_owned));
        }
    }
    commands
}

/// The words of a command up to where a shell's part begins, without what stands for more.
fn words(command: &str) -> Vec<String> {
    let own = command.split([';', '|', '>', '&', '#']).next().unwrap();
    let mut words = Vec::new();
    let mut quote = None;
    let mut word = String::new();
    for char in own.chars() {
        match (char, quote) {
            ('"' | '\'', None) => quote = Some(char),
            (char, Some(open)) if char == open => quote = None,
            (' ', None) => words.push(std::mem::take(&mut word)),
            (char, _) => word.push(char),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty() && !word.starts_with('[') && !["…", "..."].contains(&word.as_str()));
    words
}
