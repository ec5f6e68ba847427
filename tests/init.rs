//! `certwright init`: what it writes passes `check` and `fmt --check`, can be tried on a lab, and nothing is overwritten.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{fs, path::Path, process::Command};

fn run(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let output = support::certwright(arguments, directory).output().unwrap();
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), told)
}

const CONTOSO: [&str; 8] = [
    "--organization",
    "contoso",
    "--server",
    "ex01.contoso.com",
    "--server",
    "EX02=ex02.contoso.com",
    "--name",
    "mail.contoso.com",
];

fn init(directory: &Path, more: &[&str]) -> (i32, String) {
    run(directory, &[&["init", "contoso"], &CONTOSO[..], more].concat())
}

#[test]
fn a_first_manifest_passes_and_can_be_tried() {
    let directory = tempfile::tempdir().unwrap();
    for (place, more) in [("a", vec![]), ("b", vec!["--issuer", "private-ca", "--driver", "powershell"])] {
        let directory = directory.path().join(place);
        fs::create_dir(&directory).unwrap();
        let (code, told) = init(&directory, &more);
        assert_eq!(code, 0, "{told}");
        for command in [&["check", "contoso", "--warnings-as-errors"][..], &["fmt", "--check", "contoso"]] {
            let (code, told) = run(&directory, command);
            assert_eq!(code, 0, "{command:?}: {told}");
        }
        assert!(fs::read_to_string(directory.join("contoso/.gitignore")).unwrap().contains(".certwright/"));
    }
    let (code, told) = init(directory.path(), &["--driver", "lab"]);
    assert_eq!(code, 0, "{told}");
    let (code, told) = run(directory.path(), &["plan", "contoso"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("requests/mail.csr"), "{told}");
    let way: [(i32, &[&str]); 4] = [
        (7, &["apply", "contoso", "--auto-approve"]),
        (0, &["lab", "answer", "contoso"]),
        (0, &["apply", "contoso", "--auto-approve"]),
        (0, &["verify", "contoso"]),
    ];
    for (wanted, words) in way {
        let (code, told) = run(directory.path(), words);
        assert_eq!(code, wanted, "{words:?}: {told}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("contoso")).unwrap();
    fs::write(directory.path().join("contoso/.gitignore"), "mine\n").unwrap();
    fs::write(directory.path().join("contoso/manifest.schema.json"), "mine\n").unwrap();
    let (code, told) = init(directory.path(), &[]);
    assert!(code == 1 && told.contains("manifest.schema.json is there already"), "{told}");
    assert!(!directory.path().join("contoso/manifest.yaml").exists());
    fs::remove_file(directory.path().join("contoso/manifest.schema.json")).unwrap();
    // Most repositories have one of these.
    let (code, told) = init(directory.path(), &[]);
    assert!(code == 0 && told.contains(".gitignore is there and stays") && told.contains("*.pfx"), "{told}");
    assert_eq!(fs::read_to_string(directory.path().join("contoso/.gitignore")).unwrap(), "mine\n");
    assert!(directory.path().join("contoso/manifest.yaml").exists());
}

#[test]
fn what_is_missing_is_named_where_nobody_can_be_asked() {
    let directory = tempfile::tempdir().unwrap();
    let (code, told) = run(directory.path(), &["init"]);
    assert!(code == 64 && told.contains("--organization"), "{told}");
    let (code, told) = run(directory.path(), &["init", "--server", "ex01"]);
    assert!(code == 64 && told.contains("full name"), "{told}");
}

#[test]
fn each_pipeline_is_what_its_forge_takes() {
    let Some(tool) = support::named_file("CERTWRIGHT_CHECK_JSONSCHEMA") else { return };
    for (forge, file, schema) in [
        ("github", ".github/workflows/certwright.yml", "vendor.github-workflows"),
        ("gitlab", ".gitlab-ci.yml", "vendor.gitlab-ci"),
        ("azure", "azure-pipelines.yml", "vendor.azure-pipelines"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let (code, told) = init(directory.path(), &["--pipeline", forge]);
        assert_eq!(code, 0, "{told}");
        let (code, told) = run(directory.path(), &["check", "contoso"]);
        assert_eq!(code, 0, "{forge}: {told}");
        let output = Command::new(&tool)
            .args(["--regex-variant", "nonunicode", "--builtin-schema", schema])
            .arg(directory.path().join("contoso").join(file))
            .output()
            .unwrap();
        assert!(output.status.success(), "{forge}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn a_manifest_of_another_name_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let contoso = directory.path().join("contoso");
    fs::create_dir(&contoso).unwrap();
    fs::write(contoso.join("organization.yml"), "apiVersion: certwright/v1\norganization: contoso\n")
        .unwrap();
    fs::write(contoso.join("docker-compose.yml"), "services: {}\n").unwrap();
    let (code, told) = init(directory.path(), &[]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("contoso/organization.yml is a manifest already"), "{told}");
    assert!(!told.contains("docker-compose") && !contoso.join("manifest.yaml").exists(), "{told}");
    // What is somebody else's is not in the way.
    fs::remove_file(contoso.join("organization.yml")).unwrap();
    assert_eq!(init(directory.path(), &[]).0, 0);
}

fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git").args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn put(directory: &Path, file: &str, content: &str) {
    let file = directory.join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
}

/// What `check` says of secrets in Git.
fn in_git(directory: &Path) -> Vec<(String, String)> {
    let output = support::certwright(&["check", "contoso", "--format", "json"], directory).output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let of_git =
        found["findings"].as_array().unwrap().iter().filter(|finding| finding["id"] == "secret-in-git");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    of_git.map(|finding| (text(&finding["message"]), text(&finding["hint"]))).collect()
}

#[test]
fn keys_that_git_tracks_are_found_in_the_whole_repository() {
    if !support::has_tool("git") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let (code, told) = init(directory, &[]);
    assert_eq!(code, 0, "{told}");
    git(directory, &["init", "-q"]);
    let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    for public in ["contoso/mail.cer", "contoso/notes.txt", "tests/keys/one.pem"] {
        put(
            directory,
            public,
            if public.starts_with("tests") { key } else { "-----BEGIN CERTIFICATE-----\n" },
        );
    }
    git(directory, &["add", "-f", "."]);
    assert_eq!(in_git(directory), []);
    // One at a time: each is found, wherever it is, and named as one types it.
    for (file, content, seen) in [
        ("contoso/mail.key", "der", "mail.key"),
        ("contoso/MAIL2.KEY", "der", "MAIL2.KEY"),
        ("contoso/bundle.pem", key, "bundle.pem"),
        ("contoso/server.crt", key, "server.crt"),
        ("contoso/key.txt", key, "key.txt"),
        ("contoso/requests/mail.key", "der", "requests/mail.key"),
        ("contoso/lab/state/keys/1.key", "der", "lab/state/keys/1.key"),
        ("contoso/krb.keytab", "\u{5}\u{2}", "krb.keytab"),
        ("k.key", "der", "../k.key"),
        ("other/b.pfx", "der", "../other/b.pfx"),
    ] {
        put(directory, file, content);
        git(directory, &["add", "-f", file]);
        let found = in_git(directory);
        let [(what, hint)] = found.as_slice() else { panic!("{file}: {found:?}") };
        assert_eq!(what, &format!("Git tracks {seen}"));
        assert!(hint.contains(&format!("`git rm --cached {seen}`")), "{hint}");
        git(directory, &["rm", "-q", "-f", "--cached", file]);
    }
    put(directory, "contoso/.certwright/runs/1.jsonl", "{}");
    put(directory, "contoso/.certwright/backup/a.pfx", "der");
    git(directory, &["add", "-f", "contoso/.certwright/runs", "contoso/.certwright/backup"]);
    let found = in_git(directory);
    let [(what, hint)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(what, "Git tracks .certwright, the state of runs with backup/a.pfx");
    assert!(hint.contains("`git rm -r --cached .certwright`"), "{hint}");
    // A file that the manifest names for its secret is told once, at its place.
    git(directory, &["rm", "-r", "-q", "--cached", "contoso/.certwright"]);
    let manifest = fs::read_to_string(directory.join("contoso/manifest.yaml")).unwrap();
    let with_pfx = manifest
        .replace("issuers:\n", "issuers:\n  own: { pfx: { file: own.pfx, password: { file: own.txt } } }\n");
    put(directory, "contoso/manifest.yaml", &with_pfx);
    put(directory, "contoso/own.pfx", "der");
    put(directory, "contoso/own.txt", "word");
    git(directory, &["add", "-f", "contoso/own.pfx", "contoso/own.txt"]);
    let told: Vec<String> = in_git(directory).into_iter().map(|(what, _)| what).collect();
    assert_eq!(
        told,
        ["Git tracks own.pfx, which holds a secret", "Git tracks own.txt, which holds a secret"]
    );
}
