//! What is published: the archive is the same each time, and the packages of the sources are whole.
//! Not on Windows: a script of Unix publishes.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk and start programs")]

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Makes a release of the program under test, as if it were that of the target. A program with all that helps to debug it takes
/// long to pack, so a small one stands for it and starts it.
fn release(out: &Path, target: &str) -> PathBuf {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("certwright");
    fs::write(&binary, format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_certwright"))).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(root().join(".ci/release"))
        .arg(out)
        .args(["--target", target, "--url", "https://example.com/v", "--binary"])
        .arg(&binary)
        .env("SOURCE_DATE_EPOCH", "1772442847")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

fn told(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn two_releases_of_the_same_are_the_same_bytes() {
    if !["python3", "tar", "gzip", "sha256sum", "git"].into_iter().all(support::has_tool) {
        return;
    }
    let host = told("rustc", &["-vV"]);
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    for target in [host, "x86_64-pc-windows-msvc"] {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (first, second) = (release(one.path(), target), release(other.path(), target));
        let bytes = fs::read(&first).unwrap();
        assert!(bytes == fs::read(&second).unwrap(), "{target}");
        let sum = fs::read_to_string(first.with_file_name(format!("{}.sha256", name(&first)))).unwrap();
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
        assert_eq!(sum, format!("{digest}  {}\n", name(&first)));
        if target == host {
            is_whole(&first);
        } else {
            are_filled(one.path(), &digest);
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn is_kind(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// The archive has what it should, in order, and nothing of this machine.
fn is_whole(archive: &Path) {
    let archive = archive.to_str().unwrap();
    let listed = told("tar", &["-tvzf", archive, "--numeric-owner", "--utc", "--full-time"]);
    for line in listed.lines() {
        assert!(line.contains(" 0/0 ") && line.contains(" 2026-03-02 09:14:07 "), "{line}");
    }
    let names = told("tar", &["-tzf", archive]);
    let mut sorted: Vec<&str> = names.lines().collect();
    sorted.sort_unstable();
    assert_eq!(names.lines().collect::<Vec<_>>(), sorted);
    for wanted in [
        "/certwright",
        "/LICENSE",
        "/THIRD-PARTY.txt",
        "/man/certwright-plan.1",
        "/completions/certwright.bash",
        "/schemas/plan.schema.json",
        "/docs/operations.md",
    ] {
        assert!(names.lines().any(|name| name.ends_with(wanted)), "{wanted}: {names}");
    }
    // The container is made of the unpacked archive.
    let container = fs::read_to_string(root().join("packaging/Containerfile")).unwrap();
    let copied: Vec<&str> =
        container.lines().find_map(|line| line.strip_prefix("COPY ")).unwrap().split(' ').collect();
    for wanted in &copied[..copied.len() - 1] {
        assert!(
            names.lines().any(|name| name.split_once('/').is_some_and(|(_, name)| name == *wanted)),
            "{wanted}"
        );
    }
    assert!(!names.contains("/state/") && !names.contains(".certwright"), "{names}");
    let licences = told("tar", &["-xOzf", archive, "--wildcards", "*/THIRD-PARTY.txt"]);
    for wanted in ["aws-lc-sys ", "rustls ", "serde ", "MIT License", "Apache License"] {
        assert!(licences.contains(wanted), "{wanted}");
    }
    // Not in the binary: only tests need them.
    for unwanted in ["\ninsta ", "\njsonschema ", "\nproptest "] {
        assert!(!licences.contains(unwanted), "{unwanted}");
    }
}

/// Nothing is left of the templates for package managers.
fn are_filled(out: &Path, digest: &str) {
    let files: Vec<PathBuf> = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path()).collect();
    let manifests: Vec<&PathBuf> =
        files.iter().filter(|path| ["json", "yaml"].iter().any(|kind| is_kind(path, kind))).collect();
    assert_eq!(manifests.len(), 4, "{files:?}");
    for manifest in manifests {
        let text = fs::read_to_string(manifest).unwrap();
        assert!(!text.contains('@') && text.contains(env!("CARGO_PKG_VERSION")), "{text}");
        if is_kind(manifest, "json") {
            let scoop: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(scoop["architecture"]["64bit"]["hash"], digest);
            // What Scoop's schema asks for.
            for field in ["version", "description", "homepage", "license"] {
                assert!(scoop[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {text}");
            }
        }
        if name(manifest).contains("installer") {
            assert!(
                text.contains(&digest.to_uppercase()) && text.contains("https://example.com/v/"),
                "{text}"
            );
        }
    }
}

#[test]
fn the_packages_of_the_sources_are_made_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["package", "--workspace", "--no-verify", "--allow-dirty", "--offline", "--locked"])
        .arg("--target-dir")
        .arg(folder.path())
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("warning"), "{said}");
    let package = folder.path().join(format!("package/certwright-{}.crate", env!("CARGO_PKG_VERSION")));
    let names = told("tar", &["-tzf", package.to_str().unwrap()]);
    for unwanted in ["/fuzz/", "/.github/", "/lab/state/", "/.certwright", "/target/"] {
        assert!(!names.contains(unwanted), "{unwanted}");
    }
    for wanted in ["/LICENSE", "/README.md", "/schemas/plan.schema.json", "/build.rs"] {
        assert!(names.contains(wanted), "{wanted}");
    }
}

#[test]
fn a_version_says_what_was_built() {
    let told = told(env!("CARGO_BIN_EXE_certwright"), &["--version"]);
    for fact in [env!("CARGO_PKG_VERSION"), "commit: ", "target: ", "built with: rustc "] {
        assert!(told.contains(fact), "{told}");
    }
    assert_eq!(
        Command::new(env!("CARGO_BIN_EXE_certwright")).arg("-V").output().unwrap().stdout,
        format!("certwright {}\n", env!("CARGO_PKG_VERSION")).into_bytes()
    );
}
