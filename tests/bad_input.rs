//! What happens when something is wrong outside of the manifest: one diagnostic, the right exit code, nothing lost.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk and start programs")]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use certwright::journal::{LockOptions, Store};
use support::{certwright, example};

/// Every file below a directory, with its bytes.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

fn refused(output: &Output, exit: i32, says: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{text}");
    let diagnostics = text.lines().filter(|line| line.starts_with("error")).count();
    assert_eq!(diagnostics, 1, "one diagnostic: {text}");
    assert!(!text.contains("panicked"), "{text}");
    let unwrapped = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in says {
        assert!(unwrapped.contains(words), "`{words}` is missing in: {text}");
    }
}

#[test]
fn the_key_of_another_ca() {
    let directory = example("contoso");
    let base = directory.path();
    certwright(&["lab", "set-up"], base).output().unwrap();
    let key = base.join("lab/state/authorities/corp-ca.key");
    fs::copy(support::key_pool().join("01.pem"), &key).unwrap();
    let before = contents(&base.join("lab"));
    let output = certwright(&["apply", "--auto-approve"], base).output().unwrap();
    refused(
        &output,
        1,
        &["issuer corp-ca cannot be used", "does not match its certificate", "one and the same CA"],
    );
    assert_eq!(contents(&base.join("lab")), before);
}

#[test]
fn a_key_that_cannot_be_read_and_one_that_is_none() {
    let directory = example("contoso");
    let base = directory.path();
    certwright(&["lab", "set-up"], base).output().unwrap();
    let before = contents(&base.join("lab/state/servers"));
    let key = base.join("lab/state/authorities/corp-ca.key");
    fs::write(&key, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0IHdvcmRz\n-----END PRIVATE KEY-----\n").unwrap();
    let output = certwright(&["apply", "--auto-approve"], base).output().unwrap();
    refused(&output, 1, &["issuer corp-ca cannot be used", "is not a private key"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("c2VjcmV0"), "no part of a secret is shown");
    fs::remove_file(&key).unwrap();
    let output = certwright(&["apply", "--auto-approve"], base).output().unwrap();
    refused(&output, 1, &["the key of issuer corp-ca cannot be read from file lab/state", NO_FILE]);
    assert_eq!(contents(&base.join("lab/state/servers")), before);
}

#[test]
fn a_ca_certificate_that_is_none() {
    let directory = example("contoso");
    let base = directory.path();
    certwright(&["lab", "set-up"], base).output().unwrap();
    fs::write(base.join("lab/state/authorities/corp-ca.crt"), "nothing").unwrap();
    let output = certwright(&["plan"], base).output().unwrap();
    refused(&output, 1, &["the certificate of issuer corp-ca", "cannot be used", "BEGIN CERTIFICATE"]);
}

#[test]
fn two_applies_at_once() {
    let directory = example("contoso");
    let base = directory.path();
    certwright(&["lab", "set-up"], base).output().unwrap();
    let holder =
        certwright::model::entry::Holder { user: "anna".into(), host: "mgmt01".into(), process: 4711 };
    let store = Store::new(base.join(".certwright"));
    let lock = store.lock(&holder, "2026-03-02T09:14:00Z".parse().unwrap(), &LockOptions::default()).unwrap();
    let before = contents(&base.join("lab"));
    let output = certwright(&["apply", "--auto-approve"], base).output().unwrap();
    refused(
        &output,
        8,
        &["another run is going on", "anna on mgmt01 (process 4711)", "since 2026-03-02T09:14:00Z"],
    );
    assert_eq!(contents(&base.join("lab")), before);
    drop(lock);
    assert!(certwright(&["apply", "--auto-approve"], base).output().unwrap().status.success());
}

#[test]
fn nobody_to_ask() {
    let directory = example("contoso");
    let output = certwright(&["apply"], directory.path()).output().unwrap();
    refused(&output, 64, &["needs confirmation", "--auto-approve"]);
    assert!(!directory.path().join(".certwright/runs").exists());
}

/// How the operating system says that there is no such file. Windows speaks the language of the machine.
const NO_FILE: &str = "no such file";

/// Other users and limits of processes: Windows has both, but no program of the system that starts another one with them.
#[cfg(unix)]
mod on_unix {
    use std::{os::unix::fs::PermissionsExt, process::Command};

    use super::*;
    use support::has_tool;

    /// Runs the program as nobody, for whom permissions count: they do not for root.
    fn as_nobody(arguments: &[&str], directory: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command
            .arg(env!("CARGO_BIN_EXE_certwright"))
            .args(arguments)
            .current_dir(directory)
            .env("COLUMNS", "80");
        command
    }

    #[test]
    fn directories_that_cannot_be_written() {
        if !has_tool("setpriv") {
            return;
        }
        let directory = example("contoso");
        let base = directory.path();
        certwright(&["lab", "set-up"], base).output().unwrap();
        // Everything may be read, and only one place for runs may be written.
        open(base, 0o755, 0o644);
        let runs = base.join("runs");
        fs::create_dir(&runs).unwrap();
        fs::set_permissions(&runs, fs::Permissions::from_mode(0o777)).unwrap();
        let before = contents(&base.join("lab"));

        let output = as_nobody(&["apply", "--auto-approve"], base).output().unwrap();
        if String::from_utf8_lossy(&output.stderr).contains("setpriv:") {
            // Only root can become somebody else.
            return;
        }
        refused(&output, 1, &["the run cannot be written down", "permission denied"]);
        assert_eq!(contents(&base.join("lab")), before);

        let output = as_nobody(&["apply", "--auto-approve", "--state", "runs"], base).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{text}");
        assert!(text.contains("cannot be written") && text.contains("permission denied"), "{text}");
        assert_eq!(contents(&base.join("lab")), before);
    }

    fn open(folder: &Path, directories: u32, files: u32) {
        fs::set_permissions(folder, fs::Permissions::from_mode(directories)).unwrap();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open(&path, directories, files);
            } else {
                fs::set_permissions(&path, fs::Permissions::from_mode(files)).unwrap();
            }
        }
    }

    /// A limit on the size of files stands for a full disk: the write that crosses it fails half-way.
    #[test]
    fn a_disk_that_is_full() {
        let directory = example("contoso");
        let base = directory.path();
        certwright(&["lab", "set-up"], base).output().unwrap();
        let mut states = vec![contents(&base.join("lab/state/servers"))];
        for blocks in [0, 1, 8, 16, 32, 64] {
            let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" apply --auto-approve");
            let output = Command::new("bash")
                .args(["-c", &script, env!("CARGO_BIN_EXE_certwright")])
                .current_dir(base)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(matches!(output.status.code(), Some(0 | 1 | 6)), "{blocks}: {:?} {text}", output.status);
            assert!(!text.contains("panicked"), "{text}");
            // Whatever happened, the lab can be read, and every endpoint that is served is served rightly.
            let output = certwright(&["observe"], base).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            states.push(contents(&base.join("lab/state/servers")));
        }
        assert_eq!(states[0], states[1], "a disk that takes nothing changes nothing");
        let output = certwright(&["apply", "--auto-approve"], base).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(certwright(&["verify"], base).output().unwrap().status.success());
    }
}
