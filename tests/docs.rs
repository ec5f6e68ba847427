//! What the documents tell a reader to type: every command of certwright in them is one that certwright knows, and every link
//! between them leads somewhere. (`tests/cli.rs` runs the README's blocks and compares what is seen.)
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

#[test]
fn the_readme_is_read_in_one_sitting() {
    let bytes = fs::metadata(root().join("README.md")).unwrap().len();
    assert!(bytes <= 15 * 1024, "README.md has {bytes} bytes");
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
