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
    assert_eq!(
        run(&["show", "printed.json", "--format", "json"]),
        (0, printed),
        "what `plan` prints is shown"
    );
    for (command, formats) in [
        (&["plan"][..], &["markdown", "html", "sarif", "junit", "github", "azure", "gitlab"][..]),
        (&["drift", "--no-handshakes"], &["sarif", "junit", "github", "azure", "gitlab", "prometheus"]),
        (&["verify"], &["html", "sarif", "junit", "github", "azure", "gitlab", "prometheus"]),
        (&["calendar"], &["html"]),
    ] {
        for format in formats {
            let (_, text) = run(&[command, &["--format", format]].concat());
            let words =
                if *format == "prometheus" { "certwright_run_unfinished{" } else { "is not finished" };
            assert_eq!(text.matches(words).count().min(1), 1, "{command:?} as {format}: {text}");
        }
    }
}
