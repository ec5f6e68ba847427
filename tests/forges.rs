//! What forges are told: files as they are seen from the root of the repository, what was not read, and reports as files.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{fs, path::Path};

use serde_json::Value;

/// A manifest with a warning, in a folder of this directory.
fn organization(directory: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/reports/contoso");
    support::copy_files(&from, &directory.join("deep/contoso"));
}

fn run(directory: &Path, arguments: &[&str]) -> (String, String) {
    let output = support::certwright(arguments, directory).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn validates(kind: &str, value: &Value) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{kind}.schema.json"));
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn files_are_seen_from_the_root_of_the_repository() {
    let directory = tempfile::tempdir().unwrap();
    organization(directory.path());
    let (deep, file) = (directory.path().join("deep"), "deep/contoso/manifest.yaml");
    let whole = directory.path().join("deep/contoso").to_string_lossy().into_owned();
    let told = |here: &Path, path: &str, format: &str| run(here, &["check", path, "--format", format]).0;
    // Outside of a repository files are named as on the command line.
    assert!(told(&deep, "contoso", "github").contains("file=contoso/manifest.yaml,"));
    assert!(!told(&deep, "contoso", "sarif").contains("originalUriBaseIds"));
    // In a worktree of Git it is a file.
    fs::write(directory.path().join(".git"), "gitdir: elsewhere\n").unwrap();
    for (format, words) in [
        ("github", format!("file={file},")),
        ("azure", format!("sourcepath={file};")),
        ("gitlab", format!("\"path\": \"{file}\"")),
        ("junit", format!("{file}:")),
        ("sarif", format!("\"uri\": \"{file}\"")),
    ] {
        let from_root = told(directory.path(), "deep/contoso", format);
        assert!(from_root.contains(&words), "{format}: {from_root}");
        for (here, path) in [
            (&deep, "contoso"),
            (&deep, "./contoso/"),
            (&deep.join("contoso"), "."),
            (&deep.join("contoso"), "../contoso"),
            (&deep, whole.as_str()),
        ] {
            assert_eq!(told(here, path, format), from_root, "{format} of {path}");
        }
    }
    let log: Value = serde_json::from_str(&told(&deep, "contoso", "sarif")).unwrap();
    let run_of = &log["runs"][0];
    let root = run_of["originalUriBaseIds"]["%SRCROOT%"]["uri"].as_str().unwrap();
    assert!(root.starts_with("file:///") && root.ends_with('/'), "{root}");
    let place = &run_of["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(place["uriBaseId"], "%SRCROOT%");
    // What lies outside of the repository has its whole path, which no root goes before.
    let elsewhere = tempfile::tempdir().unwrap();
    organization(elsewhere.path());
    let other = elsewhere.path().join("deep/contoso").to_string_lossy().into_owned();
    let log: Value = serde_json::from_str(&told(&deep, &other, "sarif")).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert!(
        place["uri"].as_str().unwrap().starts_with("file://") && place.get("uriBaseId").is_none(),
        "{place}"
    );
}

#[test]
fn what_is_no_manifest_is_skipped_and_said() {
    let directory = tempfile::tempdir().unwrap();
    organization(directory.path());
    let here = directory.path().join("deep/contoso");
    let others = [
        (".hidden.yaml", "organization: x\n", "it is hidden"),
        ("LOUD.YAML", "organization: x\n", "its name does not end in small letters"),
        ("empty.yml", "", "it is empty"),
        ("notes.yaml", "only words\n", "it is a text and no mapping"),
        ("playbook.yaml", "- hosts: all\n", "it is a list"),
    ];
    for (name, text, _) in others {
        fs::write(here.join(name), text).unwrap();
    }
    let (json, said) = run(&here, &["check", "--format", "json"]);
    let value: Value = serde_json::from_str(&json).unwrap();
    validates("check", &value);
    assert_eq!((&value["files"], value["findings"].as_array().unwrap().len()), (&1.into(), 1), "{value}");
    let skipped = value["skipped"].as_array().unwrap();
    for (name, _, why) in others {
        assert!(
            skipped.iter().any(|file| file["file"] == format!("./{name}") && file["why"] == why),
            "{value}"
        );
        assert!(said.contains(&format!("./{name} is skipped: {why}\n")), "{said}");
    }
    let log: Value = serde_json::from_str(&run(&here, &["check", "--format", "sarif"]).0).unwrap();
    let told = log["runs"][0]["invocations"][0]["toolConfigurationNotifications"].as_array().unwrap();
    assert_eq!(told.len(), skipped.len());
    let uri = |told: &Value| told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone();
    assert!(told.iter().any(|told| uri(told) == "playbook.yaml"), "{log:#}");
    assert!(run(&here, &["check", "--format", "junit"]).0.contains("it is a list"));
    // A plan reads the same files, and says so too.
    let (_, said) = run(&here, &["plan"]);
    assert!(said.contains("./empty.yml, 2 more are skipped; `certwright check` says why"), "{said}");
}

#[test]
fn what_is_accepted_is_a_finding_too() {
    let directory = tempfile::tempdir().unwrap();
    organization(directory.path());
    let here = directory.path().join("deep");
    run(&here, &["check", "contoso", "--write-baseline", "baseline.json"]);
    let printed = |more: &[&str]| -> Value {
        let arguments = [&["check", "contoso", "--format", "json"], more].concat();
        serde_json::from_str(&run(&here, &arguments).0).unwrap()
    };
    let accepted = printed(&["--baseline", "baseline.json"]);
    validates("check", &accepted);
    let mut finding = accepted["accepted"][0].clone();
    assert!(finding.as_object_mut().unwrap().remove("because").is_some());
    assert_eq!(finding, printed(&[])["findings"][0]);
}

#[test]
fn a_report_in_a_file_is_like_a_pipe() {
    let directory = support::example("contoso");
    for command in ["plan", "status", "calendar"] {
        let arguments: &[&str] = &[command, ".", "--report", "human=report.txt"];
        let arguments =
            if command == "plan" { arguments } else { &[command, "--report", "human=report.txt"] };
        let mut piped = support::certwright(arguments, directory.path());
        let piped = piped.env_remove("COLUMNS").output().unwrap();
        assert!(piped.status.success(), "{}", String::from_utf8_lossy(&piped.stderr));
        let written = fs::read(directory.path().join("report.txt")).unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            String::from_utf8(piped.stdout).unwrap(),
            "{command}"
        );
    }
}

#[test]
fn help_and_mistakes_obey_color() {
    let directory = tempfile::tempdir().unwrap();
    let told = |arguments: &[&str]| {
        let (out, err) = run(directory.path(), arguments);
        out + &err
    };
    for words in
        [&["--help"][..], &["plan", "--help"], &["help", "check"], &["plan", "--nothing"], &["nothing"]]
    {
        for always in [&["--color", "always"][..], &["--color=always"]] {
            assert!(told(&[always, words].concat()).contains("\u{1b}["), "{always:?} {words:?}");
        }
        let never = [&["--color", "never"], words].concat();
        let mut forced = support::certwright(&never, directory.path());
        let output = forced.env("CLICOLOR_FORCE", "1").output().unwrap();
        assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{words:?}");
        assert!(!told(words).contains("\u{1b}["), "a pipe: {words:?}");
    }
}
