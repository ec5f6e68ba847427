//! The formats of CI systems, read by others: by the schema of SARIF, by a parser of JUnit reports, by their documented shapes.
//! `.ci/run` names the tools in variables; without them a test says that it was skipped.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

fn folder() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/reports");
    for organization in ["contoso", "fabrikam"] {
        support::copy_files(&from.join(organization), &directory.path().join(organization));
    }
    directory
}

fn check(directory: &Path, format: &str, more: &[&str]) -> String {
    let mut command = support::certwright(&["check", "contoso", "fabrikam", "--format", format], directory);
    let output = command.args(more).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn sarif_is_valid() {
    let Some(schema) = support::named_file("CERTWRIGHT_SARIF_SCHEMA") else { return };
    // One of its patterns has a bracket that closes nothing, which not every engine takes for a letter.
    let text = fs::read_to_string(schema).unwrap().replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    // Its own address is no place to fetch it from.
    schema.as_object_mut().unwrap().remove("id");
    schema.as_object_mut().unwrap().remove("$id");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let directory = folder();
    let baseline = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/reports/baseline-later.json");
    let contoso = support::example("contoso");
    let plan = support::certwright(&["drift", "--no-handshakes", "--format", "sarif"], contoso.path());
    let texts = [
        check(directory.path(), "sarif", &[]),
        check(directory.path(), "sarif", &["--baseline", baseline.to_str().unwrap()]),
        String::from_utf8({ plan }.output().unwrap().stdout).unwrap(),
    ];
    for text in texts {
        let log: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let run = &log["runs"][0];
        let rules: Vec<&str> = run["tool"]["driver"]["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["id"].as_str().unwrap())
            .collect();
        let results = run["results"].as_array().unwrap();
        assert!(!results.is_empty());
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index], result["ruleId"], "{result}");
        }
    }
}

/// What each command writes for lists of tests is of the shape that CI systems document.
#[test]
fn junit_is_valid() {
    let Some(python) = support::named_file("CERTWRIGHT_FORMATS_PYTHON") else { return };
    let directory = folder();
    let file = |name: &str, text: &[u8]| fs::write(directory.path().join(name), text).unwrap();
    file("check.xml", check(directory.path(), "junit", &[]).as_bytes());
    let contoso = support::example("contoso");
    for command in ["plan", "verify", "drift"] {
        let output = support::certwright(&[command, "--format", "junit"], contoso.path()).output().unwrap();
        file(&format!("{command}.xml"), &output.stdout);
    }
    // What the schema does not take: it can fail.
    file(
        "wrong.xml",
        br#"<testsuites tests="1" failures="0" errors="0"><testsuite name="EX01" tests="1"/></testsuites>"#,
    );
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/junit.xsd");
    let script = "import sys, xmlschema\n\
                  schema = xmlschema.XMLSchema11(sys.argv[1])\n\
                  for name in sys.argv[2:]:\n    \
                      print(name, [error.reason for error in schema.iter_errors(name)][:3])";
    let names = ["check.xml", "plan.xml", "verify.xml", "drift.xml", "wrong.xml"];
    let output = Command::new(python)
        .args(["-c", script])
        .arg(schema)
        .args(names)
        .current_dir(directory.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in &names[..4] {
        assert!(told.contains(&format!("{name} []\n")), "{told}");
    }
    assert!(!told.contains("wrong.xml []"), "{told}");
}

#[test]
fn junit_is_read_by_another_program() {
    let Some(python) = support::named_file("CERTWRIGHT_FORMATS_PYTHON") else { return };
    let directory = folder();
    fs::write(directory.path().join("check.xml"), check(directory.path(), "junit", &[])).unwrap();
    let script = "import sys, junitparser\n\
                  report = junitparser.JUnitXml.fromfile(sys.argv[1])\n\
                  cases = [case for suite in report for case in suite]\n\
                  print(report.tests, report.failures, len(cases), sum(1 for case in cases if case.result))";
    let output = Command::new(python)
        .args(["-c", script, "check.xml"])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let findings: Value = serde_json::from_str(&check(directory.path(), "json", &[])).unwrap();
    let number = findings["findings"].as_array().unwrap().len();
    let all = number + findings["skipped"].as_array().unwrap().len();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told.trim(), format!("{all} {number} {all} {all}"));
}

#[test]
fn gitlab_has_what_it_documents() {
    let directory = folder();
    let issues: Vec<Value> = serde_json::from_str(&check(directory.path(), "gitlab", &[])).unwrap();
    let mut fingerprints = BTreeSet::new();
    for issue in &issues {
        assert!(!issue["description"].as_str().unwrap().is_empty());
        assert!(!issue["check_name"].as_str().unwrap().is_empty());
        assert!(
            ["info", "minor", "major", "critical", "blocker"].contains(&issue["severity"].as_str().unwrap())
        );
        let path = issue["location"]["path"].as_str().unwrap();
        assert!(!path.starts_with("./") && directory.path().join(path).is_file(), "{path}");
        assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
        assert!(fingerprints.insert(issue["fingerprint"].as_str().unwrap().to_owned()), "{issue}");
    }
    assert!(issues.len() > 1);
}

#[test]
fn azure_commands_have_only_known_properties() {
    let directory = folder();
    for line in check(directory.path(), "azure", &[]).lines() {
        let Some(command) = line.strip_prefix("##vso[task.logissue ") else { continue };
        let (properties, message) = command.split_once(']').unwrap();
        assert!(!message.is_empty());
        for property in properties.split_terminator(';') {
            let (name, value) = property.split_once('=').unwrap();
            assert!(["type", "sourcepath", "linenumber", "columnnumber", "code"].contains(&name), "{line}");
            assert!(!value.is_empty(), "{line}");
        }
    }
}

/// The files that a baseline writes are those that it reads, and a line that moves changes nothing.
#[test]
fn a_baseline_outlives_lines_that_move() {
    let directory = folder();
    let run = |arguments: &[&str]| {
        support::certwright(arguments, directory.path()).output().unwrap().status.code().unwrap()
    };
    assert_eq!(run(&["check", "contoso", "--warnings-as-errors"]), 3);
    assert_eq!(run(&["check", "contoso", "--write-baseline", "baseline.json"]), 0);
    let manifest: PathBuf = directory.path().join("contoso/manifest.yaml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, format!("# one\n# two\n{text}")).unwrap();
    assert_eq!(run(&["check", "./contoso/", "--warnings-as-errors", "--baseline", "baseline.json"]), 0);
}

/// A run that waits is told wherever something is shown that it changes: in every format that programs read.
#[test]
fn an_unfinished_run_is_told_in_every_format() {
    let directory = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let from = root.join("tests/cmd/waiting-run");
    support::copy_files(&from, directory.path());
    support::copy_files(&from.join("lab"), &directory.path().join("lab"));
    support::copy_files(&support::key_pool(), &directory.path().join("keys"));
    let run = |arguments: &[&str]| {
        let output = support::certwright(arguments, directory.path()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(run(&["apply", "--auto-approve"]).0, 7);
    let waiting = serde_json::json!({ "done": 1, "steps": 21, "goOn": "certwright apply" });
    let is_told = |told: &Value, what: &str| {
        let mut told = told.clone();
        let name = told.as_object_mut().and_then(|fields| fields.remove("run"));
        let is_shown = told.as_object_mut().and_then(|fields| fields.remove("isShown"));
        assert_eq!(is_shown.is_some(), what.contains("--out"), "{what}");
        assert!(
            name.is_some_and(|name| name.as_str().unwrap().len() > 8) && told == waiting,
            "{what}: {told}"
        );
    };
    for (arguments, schema, place) in [
        (&["plan"][..], "planned", "/unfinishedRun"),
        (&["plan", "--out", "plan.json"], "planned", "/unfinishedRun"),
        (&["plan", "--against", "manifest.yaml"], "planned", "/unfinishedRun"),
        (&["plan", "--rehearse"], "planned", "/unfinishedRun"),
        (&["drift", "--no-handshakes"], "drift", "/unfinishedRun"),
        (&["verify"], "verdict", "/unfinishedRun"),
        (&["status"], "status", "/organizations/0/unfinishedRun"),
        (&["calendar"], "calendar", "/calendars/0/unfinishedRun"),
        (&["rehearse", "--until", "2026-04-30"], "forecast", "/forecasts/0/unfinishedRun"),
    ] {
        let (_, text) = run(&[arguments, &["--format", "json"]].concat());
        let value: Value = serde_json::from_str(&text).unwrap();
        is_told(value.pointer(place).unwrap_or(&Value::Null), &format!("{arguments:?}"));
        let schema = fs::read_to_string(root.join(format!("schemas/{schema}.schema.json"))).unwrap();
        let validator = jsonschema::draft202012::new(&serde_json::from_str(&schema).unwrap()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{arguments:?}: {errors:#?}");
    }
    let printed = run(&["plan", "--format", "json"]).1;
    fs::write(directory.path().join("printed.json"), &printed).unwrap();
    let mut printed: Value = serde_json::from_str(&printed).unwrap();
    printed["refused"] = serde_json::json!({ "because": "noDigest" });
    for _ in 0..2 {
        let shown = run(&["show", "printed.json", "--format", "json"]).1;
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), printed, "what `plan` prints is shown");
        fs::write(directory.path().join("printed.json"), &shown).unwrap();
    }
    for (command, formats) in [
        (
            &["plan"][..],
            &["human", "markdown", "html", "powershell", "sarif", "junit", "github", "azure", "gitlab"][..],
        ),
        (&["plan", "--rehearse"], &["human"]),
        (
            &["drift", "--no-handshakes"],
            &["human", "sarif", "junit", "github", "azure", "gitlab", "prometheus"],
        ),
        (&["verify"], &["human", "html", "sarif", "junit", "github", "azure", "gitlab", "prometheus"]),
        (&["status"], &["human"]),
        (&["calendar"], &["human", "html", "ics"]),
        (&["rehearse", "--until", "2026-04-30"], &["human"]),
    ] {
        for format in formats {
            let (_, text) = run(&[command, &["--format", format]].concat());
            let text = text.replace("\r\n ", "");
            let words =
                if *format == "prometheus" { "certwright_run_unfinished{" } else { "is not finished" };
            assert_eq!(text.matches(words).count().min(1), 1, "{command:?} as {format}: {text}");
            assert!(!text.contains("all as the manifest says"), "{command:?} as {format}: {text}");
        }
    }
}

/// Where a manifest is broken, or what it names cannot be read, no report stays as an earlier call left it.
#[test]
fn reports_tell_why_there_is_no_result() {
    let directory = support::example("contoso");
    let run = |arguments: &[&str]| {
        let output = support::certwright(arguments, directory.path()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let manifest = directory.path().join("manifest.yaml");
    let good = fs::read_to_string(&manifest).unwrap();
    let broken = good.replace("IIS: mail", "IIS: male");
    let unreadable = good.replace("organization: contoso", "organization: contoso\nservers: [");
    let elsewhere = good.replace("lab: { directory: lab }", "capture: { path: nowhere }");
    let all =
        ["human", "json", "markdown", "html", "powershell", "sarif", "junit", "github", "gitlab", "azure"];
    let seen = ["human", "json", "html", "prometheus", "sarif", "junit", "github", "gitlab", "azure"];
    for (text, code, words) in
        [(&broken, 3, "unknown-certificate"), (&unreadable, 3, "unreadable"), (&elsewhere, 1, "no-result")]
    {
        fs::write(&manifest, text).unwrap();
        for (command, formats) in [
            (&["plan"][..], &all[..]),
            (&["drift", "--no-handshakes"], &seen[..2]),
            (&["drift", "--no-handshakes"], &seen[3..]),
            (&["verify"], &seen[..]),
            (&["rehearse", "--until", "2027-01-01"], &seen[..2]),
            (&["status"], &seen[..2]),
            (&["calendar"], &["human", "json", "html", "ics"][..]),
        ] {
            let mut arguments: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
            for format in formats {
                let file = directory.path().join(format!("report.{format}"));
                fs::write(&file, "of an earlier call").unwrap();
                arguments.extend(["--report".to_owned(), format!("{format}={}", file.display())]);
            }
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            assert_eq!(run(&arguments).0, code, "{command:?}");
            for format in formats {
                let told = fs::read_to_string(directory.path().join(format!("report.{format}"))).unwrap();
                assert!(!told.contains("of an earlier call"), "{command:?} as {format}: {told}");
                // People read words and not ids, and metrics have neither.
                let words = match (*format, words) {
                    ("prometheus", _) => "certwright_up 0",
                    ("human" | "powershell" | "ics", "no-result") => "nowhere",
                    ("json", "no-result") => "nowhere",
                    ("powershell", _) => "throw ",
                    ("html" | "ics", _) if command == ["calendar"] => "is not known",
                    ("human", _) if ["status", "calendar"].contains(&command[0]) => "nothing is known",
                    (_, words) => words,
                };
                assert!(told.contains(words), "{command:?} as {format}: {told}");
            }
        }
        let (_, printed) = run(&["plan", "--format", "markdown"]);
        assert!(printed.starts_with("<!-- certwright plan contoso -->\n## No plan for contoso"), "{printed}");
        assert_eq!(run(&["plan", "--format", "json"]).1, "", "it is on standard error");
    }
    let schema = |name: &str, text: &str| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.schema.json"));
        let schema: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let value: Value = serde_json::from_str(text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    };
    let report = |command: &str| {
        run(&[command, "--report", "json=report.json"]);
        fs::read_to_string(directory.path().join("report.json")).unwrap()
    };
    schema("error", &report("plan"));
    schema("status", &report("status"));
    schema("calendar", &report("calendar"));
    // One organization of several.
    fs::create_dir(directory.path().join("other")).unwrap();
    fs::write(directory.path().join("other/manifest.yaml"), &elsewhere).unwrap();
    fs::write(&manifest, &good).unwrap();
    let (code, text) = run(&["calendar", "other", ".", "--format", "json"]);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, value["calendars"].as_array().unwrap().len()), (1, 1), "{text}");
    assert_eq!(value["failed"][0]["organization"], "contoso", "{text}");
    fs::write(directory.path().join("empty.json"), "").unwrap();
    fs::write(directory.path().join("report.md"), "of an earlier call").unwrap();
    assert_eq!(run(&["show", "empty.json", "--report", "markdown=report.md"]).0, 1);
    let told = fs::read_to_string(directory.path().join("report.md")).unwrap();
    assert!(told.contains("empty.json is no plan"), "{told}");
    // Whoever names the directory of all organizations is told which there are.
    fs::create_dir_all(directory.path().join("all/contoso")).unwrap();
    fs::write(directory.path().join("all/contoso/manifest.yaml"), &good).unwrap();
    let (code, text) = run(&["check", "all"]);
    assert!(code == 1 && text.contains("name those below that hold one: all/contoso"), "{text}");
    // What is not there is found, in every format.
    for format in ["sarif", "junit", "github", "gitlab", "azure", "json"] {
        let (code, text) = run(&["check", "nobody", "--format", format]);
        assert!(code == 1 && text.contains("nobody does not exist"), "{format}: {text}");
    }
}

/// What lies beside a manifest and is not read is said by every command, and once.
#[test]
fn what_is_skipped_is_said_by_every_command() {
    let directory = support::example("contoso");
    fs::write(directory.path().join("compose.yml"), "services: {}\nvolumes: {}\n").unwrap();
    let err = |arguments: &[&str]| {
        let output = support::certwright(arguments, directory.path()).output().unwrap();
        (String::from_utf8(output.stderr).unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    for command in [
        &["plan"][..],
        &["apply", "--auto-approve"],
        &["verify"],
        &["drift", "--no-handshakes"],
        &["status"],
        &["calendar"],
        &["rehearse", "--until", "2026-04-30"],
        &["observe"],
        &["doctor"],
        &["rollback", "--auto-approve"],
        &["fmt", "--check"],
        &["explain", "smtp", "--server", "EX01"],
    ] {
        let (told, _) = err(command);
        assert_eq!(told.matches("compose.yml").count(), 1, "{command:?}: {told}");
        assert!(told.contains("compose.yml is skipped; `certwright check` says why"), "{command:?}: {told}");
        let quiet = err(&[command, &["--quiet"]].concat()).0;
        assert!(!quiet.contains("compose.yml"), "{command:?}: {quiet}");
    }
    let value: Value = serde_json::from_str(&err(&["plan", "--format", "json"]).1).unwrap();
    assert!(value["skipped"][0]["file"].as_str().unwrap().ends_with("compose.yml"), "{value:#}");
    for command in ["plan", "drift"] {
        let value: Value = serde_json::from_str(&err(&[command, "--format", "sarif"]).1).unwrap();
        let told = &value["runs"][0]["invocations"][0]["toolConfigurationNotifications"];
        assert_eq!(told.as_array().unwrap().len(), 1, "{command}: {value:#}");
    }
}

/// Profiles that organizations share by links are one file, and a mistake in them is one mistake.
#[cfg(unix)]
#[test]
fn a_shared_file_has_one_name() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("shared")).unwrap();
    fs::write(at("shared/profiles.yml"), "profiles:\n  mailbox: { services: { IIS: mail, POPP: mail } }\n")
        .unwrap();
    for name in ["contoso", "fabrikam"] {
        fs::create_dir_all(at(&format!("organizations/{name}"))).unwrap();
        fs::write(
            at(&format!("organizations/{name}/manifest.yaml")),
            format!(
                "apiVersion: certwright/v1\norganization: {name}\ndriver: {{ lab: {{}} }}\nissuers:\n  ca: {{ csr: {{}} }}\n\
                 certificates:\n  mail: {{ issuer: ca, names: [mail.{name}.com] }}\nservers:\n  \
                 EX01: {{ fqdn: ex01.{name}.com, profile: mailbox }}\n"
            ),
        )
        .unwrap();
        std::os::unix::fs::symlink(
            "../../shared/profiles.yml",
            at(&format!("organizations/{name}/profiles.yml")),
        )
        .unwrap();
    }
    let json = |arguments: &[&str], from: &Path| -> Value {
        let output = support::certwright(arguments, from).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let both = ["check", "organizations/contoso", "organizations/fabrikam", "--format", "json"];
    let findings = json(&both, directory.path())["findings"].clone();
    let places: Vec<&str> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["place"]["file"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["shared/profiles.yml"], "{findings:#}");
    let here = json(&["check", ".", "--format", "json"], &at("organizations/contoso"));
    assert_eq!(here["findings"][0]["place"]["file"], "../../shared/profiles.yml", "{here:#}");
    let output = support::certwright(
        &["fmt", "organizations/contoso", "organizations/fabrikam", "--check"],
        directory.path(),
    )
    .output()
    .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told.matches("profiles.yml").count().max(1), 1, "{told}");
}
