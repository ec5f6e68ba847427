//! Saved plans travel: to other directories, under other names; and a change of the manifest is compared with a revision of
//! Git.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn run(directory: &Path, arguments: &[&str]) -> Output {
    support::certwright(arguments, directory).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_plan_is_applied_where_its_directory_is_now() {
    let first = support::example("contoso");
    assert_eq!(code(&run(first.path(), &["plan", ".", "--out", "tfplan"])), 0);
    let saved: Value = serde_json::from_slice(&fs::read(first.path().join("tfplan")).unwrap()).unwrap();
    assert_eq!(saved["manifest"], ".");
    let here = first.path().to_string_lossy().into_owned();
    assert!(!fs::read_to_string(first.path().join("tfplan")).unwrap().contains(&here));
    let parent = tempfile::tempdir().unwrap();
    let second = parent.path().join("elsewhere");
    fs::rename(first.keep(), &second).unwrap();
    let output = run(&second, &["apply", "tfplan", "--auto-approve"]);
    assert_eq!(code(&output), 0, "{}", told(&output));
}

#[test]
fn a_plan_alone_is_told_where_its_manifest_is() {
    let manifest = support::example("contoso");
    let place = manifest.path().to_str().unwrap();
    assert_eq!(code(&run(manifest.path(), &["plan", ".", "--out", "plan.json"])), 0);
    let elsewhere = tempfile::tempdir().unwrap();
    fs::copy(manifest.path().join("plan.json"), elsewhere.path().join("plan.json")).unwrap();
    fs::remove_file(manifest.path().join("plan.json")).unwrap();
    let output = run(elsewhere.path(), &["apply", "plan.json", "--manifest", "nowhere", "--auto-approve"]);
    assert_eq!(code(&output), 1, "{}", told(&output));
    let output = run(elsewhere.path(), &["apply", "plan.json", "--manifest", place, "--auto-approve"]);
    assert_eq!(code(&output), 0, "{}", told(&output));
    let output = run(elsewhere.path(), &["apply", place, "--manifest", place, "--auto-approve"]);
    assert_eq!(code(&output), 64, "{}", told(&output));
}

#[test]
fn nothing_in_a_plan_is_edited_unseen() {
    let directory = support::example("contoso");
    assert_eq!(code(&run(directory.path(), &["plan", ".", "--out", "plan.json"])), 0);
    let text = fs::read_to_string(directory.path().join("plan.json")).unwrap();
    let original: Value = serde_json::from_str(&text).unwrap();
    for field in ["manifest", "organization"] {
        let mut edited = original.clone();
        let place =
            if field == "manifest" { &mut edited["manifest"] } else { &mut edited["plan"]["organization"] };
        *place = "./".into();
        fs::write(directory.path().join("edited.json"), edited.to_string()).unwrap();
        let output = run(directory.path(), &["apply", "edited.json", "--auto-approve"]);
        assert_eq!(code(&output), 1, "{field}: {}", told(&output));
        let shown = run(directory.path(), &["show", "edited.json"]);
        assert_eq!(code(&shown), 0, "{}", told(&shown));
        assert!(told(&shown).contains("was changed after certwright wrote it"), "{}", told(&shown));
    }
    // A newer format is shown as far as it goes.
    let mut newer = original.clone();
    newer["version"] = 9.into();
    newer["plan"]["version"] = 9.into();
    newer["plan"]["unheardOf"] = true.into();
    fs::write(directory.path().join("newer.json"), newer.to_string()).unwrap();
    let shown = run(directory.path(), &["show", "newer.json"]);
    assert_eq!(code(&shown), 0, "{}", told(&shown));
    // One that holds nothing unknown is told to be newer all the same, however quiet it should be.
    let mut like_ours = original.clone();
    like_ours["version"] = 9.into();
    fs::write(directory.path().join("like-ours.json"), like_ours.to_string()).unwrap();
    let quiet = run(directory.path(), &["show", "like-ours.json", "--quiet"]);
    assert_eq!(code(&quiet), 0, "{}", told(&quiet));
    assert!(stdout(&quiet).contains("its format is 9"), "{}", told(&quiet));
    assert!(told(&shown).contains("contoso") && told(&shown).contains("restart EX01"), "{}", told(&shown));
}

#[test]
fn equal_inputs_give_equal_bytes() {
    let directory = support::example("contoso");
    for format in ["markdown", "json", "sarif"] {
        let first = run(directory.path(), &["plan", ".", "--format", format]);
        assert_eq!(code(&first), 0, "{}", told(&first));
        assert_eq!(
            first.stdout,
            run(directory.path(), &["plan", ".", "--format", format]).stdout,
            "{format}"
        );
    }
}

#[test]
fn markdown_keeps_within_its_budget() {
    let directory = support::example("contoso");
    let whole = run(directory.path(), &["plan", ".", "--format", "markdown"]).stdout;
    for budget in [1_000, 1_500, 2_000, 3_000, 5_000, 8_000, 65_535] {
        let bytes = budget.to_string();
        let told =
            run(directory.path(), &["plan", ".", "--format", "markdown", "--max-bytes", &bytes]).stdout;
        assert!(told.len() <= budget, "{budget}: {}", told.len());
        let text = String::from_utf8(told.clone()).unwrap();
        assert!(text.starts_with("<!-- certwright plan contoso -->\n## Plan for contoso\n"), "{text}");
        if told != whole {
            assert!(text.contains("**Shortened to") || text.contains("**The rest did not fit.**"), "{text}");
        }
    }
}

/// What is counted in the table is counted above the lists too, and what is equal on servers stands in one line of them.
#[test]
fn markdown_counts_alike_and_groups_equal_servers() {
    let directory = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/waiting-run");
    support::copy_files(&from, directory.path());
    support::copy_files(&from.join("lab"), &directory.path().join("lab"));
    support::copy_files(&support::key_pool(), &directory.path().join("keys"));
    let plan = |budget: &str| {
        let arguments = ["plan", "manifest.yaml", "--format", "markdown", "--max-bytes", budget];
        String::from_utf8(run(directory.path(), &arguments).stdout).unwrap()
    };
    for budget in ["1000", "1400", "2000", "3000", "65535"] {
        let text = plan(budget);
        let table = text.lines().find(|line| line.starts_with("| 2 |")).unwrap();
        let counts: Vec<&str> = table.trim_matches('|').split('|').map(str::trim).collect();
        for (title, count) in
            [("Removals", counts[1]), ("Restarts", counts[2]), ("Cannot be undone", counts[4])]
        {
            for line in text.lines().filter(|line| line.starts_with(&format!("### {title}"))) {
                assert_eq!(line, format!("### {title} ({count})"), "{budget}");
            }
        }
        let removals: Vec<&str> =
            text.lines().filter(|line| line.starts_with("- ") && line.contains(": remove ")).collect();
        assert!(
            removals.iter().all(|line| line.starts_with("- EX01, EX02: remove ")),
            "{budget}: {removals:?}"
        );
    }
    assert!(plan("65535").contains("### Removals (2)\n\n- EX01, EX02: remove "), "{}", plan("65535"));
}

#[test]
fn a_manifest_is_compared_with_a_revision() {
    if !support::has_tool("git") {
        return;
    }
    let directory = support::example("contoso");
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
        let mut command = Command::new("git");
        let output = command.args(identity).args(arguments).current_dir(directory.path()).output().unwrap();
        assert!(output.status.success(), "{}", told(&output));
    };
    fs::write(directory.path().join(".gitlab-ci.yml"), "stages: [check]\n").unwrap();
    git(&["init", "-q"]);
    git(&["add", "manifest.yaml", "lab/lab.yaml", ".gitlab-ci.yml"]);
    git(&["commit", "-q", "-m", "first"]);
    let same = run(directory.path(), &["plan", ".", "--against", "HEAD"]);
    assert_eq!(code(&same), 0, "{}", told(&same));
    assert!(told(&same).contains("changes nothing in the plan"), "{}", told(&same));
    // A hook of Git in another place of the repository says so by variables, which are not about this directory.
    let mut hook = support::certwright(&["plan", ".", "--against", "HEAD"], directory.path());
    let elsewhere = directory.path().join("lab");
    let hook = hook.env("GIT_DIR", elsewhere.join(".git")).env("GIT_PREFIX", "lab/").output().unwrap();
    assert!(told(&hook).contains("changes nothing in the plan"), "{}", told(&hook));
    let manifest = directory.path().join("manifest.yaml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("sendConnectors: { \"To Fabrikam\": mail }\n", "")).unwrap();
    let changed = run(directory.path(), &["plan", ".", "--against", "HEAD", "--format", "json"]);
    assert_eq!(code(&changed), 0, "{}", told(&changed));
    let value: Value = serde_json::from_slice(&changed.stdout).unwrap();
    let lines = value["against"]["lines"].as_array().unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line["in"] == "other" && line["text"].as_str().unwrap().contains("To Fabrikam")),
        "{value:#}"
    );
    // What mends a broken revision is planned all the same.
    let good = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, good.replace("IIS: mail", "IIS: male")).unwrap();
    git(&["commit", "-q", "-a", "-m", "broken"]);
    fs::write(&manifest, &good).unwrap();
    let mended = run(directory.path(), &["plan", ".", "--against", "HEAD", "--format", "markdown"]);
    assert_eq!(code(&mended), 0, "{}", told(&mended));
    assert!(stdout(&mended).contains("Nothing is compared"), "{}", told(&mended));
    for format in ["human", "html"] {
        let mended = run(directory.path(), &["plan", ".", "--against", "HEAD", "--format", format]);
        assert!(stdout(&mended).contains("Nothing is compared"), "{}", told(&mended));
    }
    git(&["checkout", "-q", "HEAD~", "--", "manifest.yaml"]);
    fs::write(&manifest, &good).unwrap();
    // An organization that moved, or is new: the revision has nothing there, and all of the plan is what the change means.
    let moved = directory.path().join("moved");
    fs::create_dir(&moved).unwrap();
    fs::copy(&manifest, moved.join("manifest.yaml")).unwrap();
    fs::rename(directory.path().join("lab"), moved.join("lab")).unwrap();
    let new = run(directory.path(), &["plan", "moved", "--against", "HEAD", "--format", "json"]);
    assert_eq!(code(&new), 0, "{}", told(&new));
    let value: Value = serde_json::from_slice(&new.stdout).unwrap();
    let lines = value["against"]["lines"].as_array().unwrap();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["in"] != "other"), "{value:#}");
    assert_eq!(value["against"]["without"], "noManifest", "{value:#}");
    let new = run(directory.path(), &["plan", "moved", "--against", "HEAD", "--format", "markdown"]);
    assert!(
        stdout(&new).contains("### Compared with `HEAD`\n\nThere is no manifest there"),
        "{}",
        told(&new)
    );
    // So it is of a file with another name than at the revision.
    fs::rename(moved.join("manifest.yaml"), directory.path().join("renamed.yaml")).unwrap();
    fs::rename(moved.join("lab"), directory.path().join("lab")).unwrap();
    let renamed = run(directory.path(), &["plan", "renamed.yaml", "--against", "HEAD", "--format", "json"]);
    assert_eq!(code(&renamed), 0, "{}", told(&renamed));
    let value: Value = serde_json::from_slice(&renamed.stdout).unwrap();
    assert_eq!(value["against"]["without"], "noManifest", "{value:#}");
    // A revision may be searched for.
    let searched = run(directory.path(), &["plan", "manifest.yaml", "--against", ":/first"]);
    assert_eq!(code(&searched), 0, "{}", told(&searched));
    assert!(told(&searched).contains("Compared with :/first"), "{}", told(&searched));
    for unknown in ["nowhere", "--upload-pack=x", ":/no such message"] {
        let refused = run(directory.path(), &["plan", "manifest.yaml", &format!("--against={unknown}")]);
        assert_eq!(code(&refused), 1, "{}", told(&refused));
    }
}

/// A plan that `apply` refuses says so in whatever it is shown, not beside it.
#[test]
fn a_plan_that_was_changed_says_so_in_every_format() {
    let directory = support::example("contoso");
    assert_eq!(code(&run(directory.path(), &["plan", ".", "--out", "plan.json"])), 0);
    let text = fs::read_to_string(directory.path().join("plan.json")).unwrap();
    let edited = text.replacen("mail.contoso.com", "evil.contoso.com", 1);
    fs::write(directory.path().join("edited.json"), edited).unwrap();
    let printed = run(directory.path(), &["plan", ".", "--format", "json"]);
    fs::write(directory.path().join("printed.json"), &printed.stdout).unwrap();
    for (file, words, code) in [
        ("edited.json", "it was changed after certwright wrote it", "changed"),
        ("printed.json", "it has no digest", "noDigest"),
    ] {
        for format in ["human", "markdown", "html"] {
            let shown = run(directory.path(), &["show", file, "--format", format]);
            assert!(stdout(&shown).contains(words), "{file} as {format}: {}", told(&shown));
        }
        let shown = run(directory.path(), &["show", file, "--format", "json"]);
        let value: Value = serde_json::from_slice(&shown.stdout).unwrap();
        assert_eq!(value["refused"]["because"], code, "{value:#}");
        assert_eq!(run(directory.path(), &["apply", file, "--auto-approve"]).status.code(), Some(1));
    }
    let shown = run(directory.path(), &["show", "plan.json"]);
    assert!(!stdout(&shown).contains("Not to be applied"), "{}", told(&shown));
}

/// What was cut off is called so, whatever the file's name, and is taken for no manifest.
#[test]
fn a_damaged_plan_is_called_one() {
    let directory = support::example("contoso");
    assert_eq!(code(&run(directory.path(), &["plan", ".", "--out", "plan.json"])), 0);
    let text = fs::read_to_string(directory.path().join("plan.json")).unwrap();
    for (length, name) in [(20, "tfplan"), (900, "tfplan"), (900, "cut.json"), (text.len() - 3, "tfplan")] {
        fs::write(directory.path().join(name), &text[..length]).unwrap();
        for command in [&["apply", name, "--auto-approve"][..], &["show", name]] {
            let output = run(directory.path(), command);
            assert_eq!(code(&output), 1, "{}", told(&output));
            let told = told(&output);
            assert!(told.contains(&format!("{name} is a damaged plan")), "{told}");
            assert!(!told.to_lowercase().contains("yaml") && told.contains("--out plan.json"), "{told}");
        }
    }
}

#[test]
fn a_plan_of_another_organization_is_not_called_stale() {
    let directory = support::example("contoso");
    assert_eq!(code(&run(directory.path(), &["plan", ".", "--out", "plan.json"])), 0);
    let manifest = directory.path().join("manifest.yaml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("organization: contoso", "organization: fabrikam")).unwrap();
    let output = run(directory.path(), &["apply", "plan.json", "--auto-approve"]);
    assert_eq!(code(&output), 5, "{}", told(&output));
    let told = told(&output);
    assert!(told.contains("plan.json is a plan of contoso, and the manifest is of fabrikam"), "{told}");
    assert!(!told.contains("stale"), "{told}");
}

/// A plan of a format that is not known is shown in each format that `show` has.
#[test]
fn a_newer_plan_is_shown_in_each_format() {
    let directory = support::example("contoso");
    assert_eq!(code(&run(directory.path(), &["plan", ".", "--out", "plan.json"])), 0);
    let text = fs::read_to_string(directory.path().join("plan.json")).unwrap();
    let mut newer: Value = serde_json::from_str(&text).unwrap();
    (newer["version"], newer["plan"]["version"]) = (9.into(), 9.into());
    newer["plan"]["steps"][3]["action"]["do"] = "<b>poke</b>".into();
    fs::write(directory.path().join("newer.json"), newer.to_string()).unwrap();
    let shown = |format: &str| {
        let reports = format!("{format}=report");
        let output = run(directory.path(), &["show", "newer.json", "--format", format, "--report", &reports]);
        assert_eq!(code(&output), 0, "{}", told(&output));
        assert_eq!(fs::read(directory.path().join("report")).unwrap(), output.stdout, "{format}");
        String::from_utf8(output.stdout).unwrap()
    };
    let value: Value = serde_json::from_str(&shown("json")).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/planned.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!((&value["format"], &value["organization"]), (&9.into(), &"contoso".into()));
    assert!(
        value["steps"].as_array().unwrap().iter().any(|step| step["what"] == "<b>poke</b> EX01 transport")
    );
    let page = shown("html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("&lt;b&gt;poke&lt;/b&gt; EX01"), "{page}");
    let markdown = shown("markdown");
    assert!(markdown.starts_with("## Plan for contoso") && markdown.contains("&lt;b&gt;poke"), "{markdown}");
    let human = shown("human");
    assert!(human.starts_with("Its format is 9") && human.contains("\norganization: contoso\n"), "{human}");
}
