//! `examples/gitops`: every command line of its pipelines is run, in the order of a change's way, and each pipeline is what its
//! forge takes.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use certwright::manifest::yaml::{self, Source};
use serde_json::Value;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gitops")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.file_name().unwrap().to_str().unwrap() {
            "state" | ".certwright" => {}
            _ if path.is_symlink() => link(&path, &target),
            _ if path.is_dir() => copy(&path, &target),
            _ => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}

/// Links stay links, as Git keeps them.
#[cfg(unix)]
fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(fs::read_link(from).unwrap(), to).unwrap();
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

/// Every text in a pipeline that begins with the program's name, one for each command.
fn commands(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            found.extend(
                text.lines()
                    .map(str::trim)
                    .filter(|line| line.starts_with("certwright "))
                    .map(ToOwned::to_owned),
            );
        }
        Value::Array(items) => items.iter().for_each(|item| commands(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| commands(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn commands_of(file: &str) -> Vec<String> {
    let path = example().join("pipelines").join(file);
    let source = Source { file: file.to_owned(), bytes: fs::read(path).unwrap() };
    let (value, _) =
        yaml::document::<Value>(source, yaml::DocumentKind::ANY).unwrap_or_else(|error| panic!("{error:?}"));
    let mut found = Vec::new();
    commands(&value, &mut found);
    assert!(!found.is_empty(), "{file}");
    found
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(identity).args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_of_the_pipelines_runs() {
    // The jobs are written for a shell of Unix, on every forge.
    if cfg!(windows) || !support::has_tool("git") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    copy(&example(), directory.path());
    git(directory.path(), &["init", "-q"]);
    git(directory.path(), &["add", "."]);
    git(directory.path(), &["commit", "-q", "-m", "first"]);
    git(directory.path(), &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let bin = Path::new(env!("CARGO_BIN_EXE_certwright")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let state = tempfile::tempdir().unwrap();
    // The scheduled job first: it makes the captures that plans of pull requests are made from.
    for file in [
        "github/schedule.yml",
        "github/pull-request.yml",
        "pre-commit-config.yml",
        "github/apply.yml",
        "gitlab/gitlab-ci.yml",
        "azure/azure-pipelines.yml",
    ] {
        for command in commands_of(file) {
            // Names of hooks; and to an entry pre-commit adds the names of files.
            if command.split(' ').count() == 2 {
                continue;
            }
            for organization in ["contoso", "fabrikam"] {
                let place = directory.path().to_str().unwrap();
                let script = command.replace("$PIPELINE_WORKSPACE/$ORGANIZATION", place);
                let output = Command::new("sh")
                    .args(["-c", &script])
                    .current_dir(directory.path())
                    .env("PATH", &path)
                    .env("ORGANIZATION", organization)
                    .env("STATE", state.path())
                    .output()
                    .unwrap();
                let code = output.status.code().unwrap();
                let words: Vec<&str> = command.split(' ').collect();
                let expected: &[i32] = match words[1] {
                    // 2: what is different is told so.
                    "drift" => &[0, 2],
                    // 4: nothing was applied yet.
                    "verify" => &[0, 4],
                    // 5: the pipeline of another forge was there first.
                    "apply" => &[0, 5],
                    _ => &[0],
                };
                let told = String::from_utf8_lossy(&output.stderr);
                assert!(expected.contains(&code), "{file}: {command} ({organization}): {code}\n{told}");
                if !command.contains("$ORGANIZATION") {
                    break;
                }
            }
        }
    }
    let comment = fs::read_to_string(directory.path().join("comment.md")).unwrap();
    assert!(comment.starts_with("<!-- certwright plan "), "{comment}");
    // What forges clean away before a job holds nothing that a run still needs, and Git is offered no key.
    let cleaned = git(directory.path(), &["clean", "-ffdxn"]);
    assert!(!cleaned.contains(".certwright"), "{cleaned}");
    assert!(state.path().join("contoso/runs").is_dir());
    let offered = git(directory.path(), &["status", "--porcelain", "--untracked-files=all"]);
    let secret = |line: &&str| [".key", ".pfx", "/state/"].iter().any(|part| line.contains(part));
    assert_eq!(offered.lines().find(secret), None);
}

/// A run that waits for a CA ends the pipeline; when the answer is committed, the same two commands go on with it.
#[test]
fn a_waiting_run_goes_on_by_the_same_pipeline() {
    if cfg!(windows) || !support::has_tool("git") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    copy(&example(), directory.path());
    let base = directory.path();
    let manifest = base.join("organizations/contoso/manifest.yaml");
    let text = fs::read_to_string(&manifest).unwrap();
    let start = text.find("  corp-ca:").unwrap();
    let end = text.find("  exchange: {").unwrap();
    let text =
        format!("{}  corp-ca: {{ csr: {{ publiclyTrusted: false }} }}\n{}", &text[..start], &text[end..]);
    fs::write(&manifest, text).unwrap();
    let state = tempfile::tempdir().unwrap();
    let state = state.path().to_str().unwrap();
    let pipeline = |expected: (i32, i32)| {
        let run = |arguments: &[&str]| {
            let output =
                support::certwright(&[arguments, &["--state", state]].concat(), base).output().unwrap();
            (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let (code, told) = run(&["plan", "organizations/contoso", "--out", "contoso.plan"]);
        assert_eq!(code, expected.0, "{told}");
        let (code, told) =
            run(&["apply", "contoso.plan", "--manifest", "organizations/contoso", "--auto-approve"]);
        assert_eq!(code, expected.1, "{told}");
    };
    pipeline((0, 7));
    assert!(base.join("organizations/contoso/requests/mail.csr").is_file());
    pipeline((0, 7));
    let answered = support::certwright(&["lab", "answer", "organizations/contoso"], base).output().unwrap();
    assert!(answered.status.success(), "{}", String::from_utf8_lossy(&answered.stderr));
    pipeline((0, 0));
    pipeline((0, 0));
}

/// The scripts of a pipeline, each as one text.
#[cfg(unix)]
fn scripts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                match (key.as_str(), field) {
                    ("script" | "run", Value::String(text)) => found.push(text.clone()),
                    ("script", Value::Array(lines)) => {
                        let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
                        found.push(lines.join("\n"));
                    }
                    _ => scripts(field, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| scripts(item, found)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A folder of programs of which the one that is called as the `FAILING`th fails, and the others do not.
#[cfg(unix)]
fn programs(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    // That something is different is an answer of Git's, and no failure.
    let script = "#!/bin/sh\n\
                  [ \"$2\" = --cached ] && exit 1\n\
                  read -r calls < \"$CALLS\"\n\
                  calls=$((calls + 1))\n\
                  echo \"$calls\" > \"$CALLS\"\n\
                  [ \"$calls\" != \"$FAILING\" ]\n";
    for program in
        ["certwright", "curl", "sha256sum", "mkdir", "tar", "rm", "git", "gh", "head", "cat", "python3"]
    {
        let file = folder.join(program);
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// An archive whose checksum is wrong is not unpacked, and nothing is applied that could not be shown: whichever command of a script
/// fails, the step is red, by the shell that the forge starts.
#[cfg(unix)]
#[test]
fn no_failure_within_a_script_goes_unseen() {
    if !support::has_tool("bash") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (bin, work) = (directory.path().join("bin"), directory.path().join("work"));
    for folder in [&bin, &work.join("captures/contoso"), &work.join("capture")] {
        fs::create_dir_all(folder).unwrap();
    }
    programs(&bin);
    fs::write(work.join("captures/contoso/observed.json"), "{}\n").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (example, init) = (root.join("examples/gitops/pipelines"), root.join("src/commands/init"));
    // https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax, `shell`;
    // https://learn.microsoft.com/azure/devops/pipelines/tasks/reference/cmd-line-v2; GitLab's runner, shells/bash.go.
    let (github, gitlab, azure): (&[&str], &[&str], &[&str]) = (&["-e"], &["-eo", "pipefail"], &[]);
    let mut tried = 0;
    for (file, shell) in [
        (example.join("github/pull-request.yml"), github),
        (example.join("github/apply.yml"), github),
        (example.join("github/schedule.yml"), github),
        (example.join("gitlab/gitlab-ci.yml"), gitlab),
        (example.join("azure/azure-pipelines.yml"), azure),
        (init.join("github.yml"), github),
        (init.join("gitlab.yml"), gitlab),
        (init.join("azure.yml"), azure),
    ] {
        let source = Source { file: file.display().to_string(), bytes: fs::read(&file).unwrap() };
        let (value, _) = yaml::document::<Value>(source, yaml::DocumentKind::ANY).unwrap();
        let mut found = Vec::new();
        scripts(&value, &mut found);
        assert!(!found.is_empty(), "{}", file.display());
        for script in found {
            // What the forge puts in before the shell starts.
            let script = script.replace("$(CERTWRIGHT_URL)", "URL").replace("$(CERTWRIGHT_SHA256)", "SHA256");
            let script = script.replace("${{ github.base_ref }}", "main");
            let calls = directory.path().join("calls");
            let run = |failing: usize| {
                fs::write(&calls, "0\n").unwrap();
                fs::write(directory.path().join("script"), &script).unwrap();
                let status = Command::new("/bin/bash")
                    .args(["--noprofile", "--norc"])
                    .args(shell)
                    .arg("../script")
                    .current_dir(&work)
                    .env_clear()
                    .envs([("ORGANIZATION", "contoso"), ("STATE", "state"), ("NUMBER", "1")])
                    .envs([
                        ("AGENT_TEMPDIRECTORY", "tmp"),
                        ("RUNNER_TEMP", "tmp"),
                        ("PIPELINE_WORKSPACE", "w"),
                    ])
                    .envs([
                        ("CERTWRIGHT_URL", "URL"),
                        ("CERTWRIGHT_SHA256", "SHA256"),
                        ("CAPTURE_TOKEN", "t"),
                    ])
                    .envs([("CI_SERVER_HOST", "h"), ("CI_PROJECT_PATH", "p"), ("GITHUB_REPOSITORY", "r")])
                    .envs([("GITHUB_PATH", "path"), ("GITHUB_STEP_SUMMARY", "summary")])
                    .env("PATH", &bin)
                    .env("CALLS", &calls)
                    .env("FAILING", failing.to_string())
                    .output()
                    .unwrap()
                    .status;
                let called: usize = fs::read_to_string(&calls).unwrap().trim().parse().unwrap();
                (status.success(), called)
            };
            let (succeeds, called) = run(0);
            assert!(succeeds, "{}: {script}", file.display());
            for failing in 1..=called {
                assert!(
                    !run(failing).0,
                    "{}: failure {failing} of {called} is lost in {script}",
                    file.display()
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 60, "{tried}");
}

/// A job that only looks takes no place from one that waits for an approval: the forge keeps one waiting run of a group.
#[test]
fn what_looks_every_night_replaces_no_waiting_change() {
    let group = |file: &str| {
        let source = Source {
            file: file.to_owned(),
            bytes: fs::read(example().join("pipelines").join(file)).unwrap(),
        };
        let (value, _) = yaml::document::<Value>(source, yaml::DocumentKind::ANY).unwrap();
        value["concurrency"].as_str().map(ToOwned::to_owned)
    };
    let (apply, schedule) = (group("github/apply.yml"), group("github/schedule.yml"));
    assert!(apply.is_some() && schedule.is_some() && apply != schedule, "{apply:?} {schedule:?}");
}

/// Two jobs that begin at the same commit both get their capture into the branch.
#[test]
fn each_job_of_the_matrix_pushes_its_capture() {
    if cfg!(windows) || !support::has_tool("git") {
        return;
    }
    let source = Source {
        file: "schedule.yml".into(),
        bytes: fs::read(example().join("pipelines/github/schedule.yml")).unwrap(),
    };
    let (value, _) = yaml::document::<Value>(source, yaml::DocumentKind::ANY).unwrap();
    let steps = value["jobs"]["watch"]["steps"].as_array().unwrap();
    let commit = steps.iter().find(|step| step["name"] == "Commit").unwrap()["run"].as_str().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (origin, first) = (directory.path().join("origin.git"), directory.path().join("first"));
    git(directory.path(), &["init", "-q", "--bare", "-b", "main", "origin.git"]);
    fs::create_dir_all(first.join("captures")).unwrap();
    git(&first, &["init", "-q", "-b", "main"]);
    fs::write(first.join("README.md"), "captures\n").unwrap();
    git(&first, &["add", "."]);
    git(&first, &["commit", "-q", "-m", "first"]);
    git(&first, &["remote", "add", "origin", origin.to_str().unwrap()]);
    git(&first, &["push", "-q", "origin", "main"]);
    let jobs = ["contoso", "fabrikam"];
    for organization in jobs {
        git(directory.path(), &["clone", "-q", "origin.git", organization]);
    }
    for organization in jobs {
        let work = directory.path().join(organization);
        let capture = work.join("captures").join(organization);
        fs::create_dir_all(&capture).unwrap();
        fs::write(capture.join("observed.json"), "{}\n").unwrap();
        let output = Command::new("sh")
            .args(["-e", "-c", commit])
            .current_dir(&work)
            .env("ORGANIZATION", organization)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "{organization}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let there = git(&origin, &["ls-tree", "-r", "--name-only", "main"]);
    let expected = "README.md\ncaptures/contoso/observed.json\ncaptures/fabrikam/observed.json\n";
    assert_eq!(there, expected);
}

#[test]
fn each_pipeline_is_what_its_forge_takes() {
    let Some(tool) = support::named_file("CERTWRIGHT_CHECK_JSONSCHEMA") else { return };
    for (file, schema) in [
        ("github/pull-request.yml", "vendor.github-workflows"),
        ("github/apply.yml", "vendor.github-workflows"),
        ("github/schedule.yml", "vendor.github-workflows"),
        ("gitlab/gitlab-ci.yml", "vendor.gitlab-ci"),
        ("azure/azure-pipelines.yml", "vendor.azure-pipelines"),
    ] {
        let output = Command::new(&tool)
            .args(["--regex-variant", "nonunicode", "--builtin-schema", schema])
            .arg(example().join("pipelines").join(file))
            .output()
            .unwrap();
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

/// An engine of Rego decides about real plans by the policy, as conftest does.
#[test]
fn the_policy_decides_about_plans() {
    let Some(python) = support::named_file("CERTWRIGHT_FORMATS_PYTHON") else { return };
    let directory = support::example("contoso");
    let made = support::certwright(&["plan", "--out", "plan.json"], directory.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let file = directory.path().join("plan.json");
    let mut plan: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let script = "import json, sys, regopy\n\
                  rego = regopy.Interpreter()\n\
                  rego.add_module('policy', open(sys.argv[1]).read())\n\
                  rego.set_input(json.load(open(sys.argv[2])))\n\
                  for rule in ['deny', 'warn']:\n    \
                      print(rule, sorted(json.loads(str(rego.query('data.main.' + rule)))['expressions'][0]))";
    let decided = || {
        let policy = example().join("policy/plan.rego");
        let output = Command::new(&python).args(["-c", script]).args([&policy, &file]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(decided(), "deny []\nwarn []\n");
    let steps = plan["plan"]["steps"].as_array_mut().unwrap();
    steps[0]["action"] = serde_json::json!({ "do": "cannotApply" });
    steps[1]["undo"] = serde_json::json!({ "irreversible": {} });
    for step in &mut steps[2..11] {
        step["action"] = serde_json::json!({ "do": "remove" });
    }
    let on = |server: &str| serde_json::json!({ "server": server, "certificate": 1 });
    steps[11]["action"] =
        serde_json::json!({ "do": "removeNamed", "certificates": [on("EX01"), on("EX02")] });
    fs::write(&file, plan.to_string()).unwrap();
    assert_eq!(
        decided(),
        "deny ['step 1 cannot be done', 'the plan removes 11 certificates; a person should look']\n\
         warn ['step 2 cannot be undone']\n"
    );
}

/// The policy speaks of fields that plans have.
#[test]
fn the_policy_names_fields_of_plans() {
    let policy = fs::read_to_string(example().join("policy/plan.rego")).unwrap();
    let schema: Value = serde_json::from_str(
        &fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/plan.schema.json")).unwrap(),
    )
    .unwrap();
    let text = schema.to_string();
    for word in
        ["remove", "removeNamed", "certificates", "cannotApply", "irreversible", "steps", "action", "undo"]
    {
        assert!(policy.contains(word) && text.contains(&format!("\"{word}\"")), "{word}");
    }
}
