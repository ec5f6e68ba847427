//! The schemas in `schemas/` are those of the program, and they say yes and no to the same files.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use certwright::{
    commands::{check::Baseline, saved_plan::SavedPlan, schema::text},
    drivers::lab::seed::Seed,
    manifest::{
        Manifest,
        yaml::{self, Source},
    },
    model::{diagnosis::Diagnosis, entry::Entry, organization::Observed},
    schemas::{self, CarriedSchema},
    verify::{drift::Drift, smtp_choices::SmtpChoices, verdict::Verdict},
    views::{
        CalendarDocument, CheckDocument, ErrorDocument, ExplanationDocument, ForecastDocument,
        HistoryDocument, Notification, PlanDocument, ReportDocument, RunEvent, StatusDocument,
    },
};
use schemars::{Schema, generate::SchemaSettings};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Makes the schema of a type.
type Make = fn() -> Schema;

fn make<T: schemars::JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}

/// The types that the schemas describe.
const TYPES: &[(CarriedSchema, Make)] = &[
    (schemas::MANIFEST, make::<Manifest>),
    (schemas::LAB, make::<Seed>),
    (schemas::PLAN, make::<SavedPlan>),
    (schemas::OBSERVED, make::<Observed>),
    (schemas::EVENTS, make::<RunEvent>),
    (schemas::JOURNAL, make::<Entry>),
    (schemas::VERDICT, make::<Verdict>),
    (schemas::SMTP_CHOICES, make::<SmtpChoices>),
    (schemas::DRIFT, make::<Drift>),
    (schemas::DIAGNOSIS, make::<Diagnosis>),
    (schemas::CHECK, make::<CheckDocument<'static>>),
    (schemas::BASELINE, make::<Baseline>),
    (schemas::STATUS, make::<StatusDocument<'static>>),
    (schemas::FORECAST, make::<ForecastDocument<'static>>),
    (schemas::ERROR, make::<ErrorDocument<'static>>),
    (schemas::CALENDAR, make::<CalendarDocument<'static>>),
    (schemas::NOTIFICATION, make::<Notification>),
    (schemas::PLANNED, make::<PlanDocument<'static>>),
    (schemas::REPORT, make::<ReportDocument<'static>>),
    (schemas::HISTORY, make::<HistoryDocument<'static>>),
    (schemas::EXPLANATION, make::<ExplanationDocument<'static>>),
];

fn updating() -> bool {
    std::env::var("INSTA_UPDATE").is_ok_and(|mode| mode == "always")
}

#[test]
fn the_files_describe_the_types() {
    assert_eq!(TYPES.len(), schemas::ALL.len());
    for (carried, make) in TYPES {
        let path = root().join(format!("schemas/{}.schema.json", carried.name));
        let mut schema = make();
        // A name without a place: nobody has to fetch anything to know which schema it is.
        let id = format!("urn:certwright:schema:{}", carried.name);
        schema.ensure_object().shift_insert(1, "$id".into(), id.into());
        let mut want = serde_json::to_string_pretty(&schema).unwrap();
        want.push('\n');
        if updating() {
            fs::write(&path, &want).unwrap();
        }
        let have = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            have == want,
            "{} is old; run: INSTA_UPDATE=always cargo test --test schemas",
            path.display()
        );
    }
}

#[test]
fn the_program_prints_the_files() {
    if updating() {
        return; // the program was built with the files as they were before
    }
    for carried in schemas::ALL {
        let file = fs::read_to_string(root().join(format!("schemas/{}.schema.json", carried.name))).unwrap();
        assert!(text(*carried) == file, "{}", carried.name);
    }
}

fn validator(kind: &str) -> jsonschema::Validator {
    let text = fs::read_to_string(root().join(format!("schemas/{kind}.schema.json"))).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    jsonschema::draft202012::new(&schema).unwrap()
}

/// Reads YAML the way the program does.
fn value(path: &Path) -> Value {
    let source = Source { file: path.display().to_string(), bytes: fs::read(path).unwrap() };
    yaml::document::<Value>(source, yaml::DocumentKind::ANY).unwrap().0
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("state") {
            found.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml")
            && !path.ends_with("acts.yaml")
            && !path.ends_with("narrow.yaml")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn examples_and_test_files_validate() {
    let (manifest, lab) = (validator("manifest"), validator("lab"));
    let folders =
        ["examples", "tests/scenarios", "tests/contract"].map(|folder| yaml_files(&root().join(folder)));
    let files: Vec<PathBuf> = folders.into_iter().flatten().collect();
    assert!(files.len() > 30);
    for file in files {
        let validator = if file.ends_with("lab.yaml") { &lab } else { &manifest };
        let value = value(&file);
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
    }
}

#[test]
fn examples_begin_with_the_line_for_editors() {
    for file in yaml_files(&root().join("examples")) {
        let text = fs::read_to_string(&file).unwrap();
        let first = text.lines().next().unwrap();
        let schema = first.strip_prefix("# yaml-language-server: $schema=").expect("the line for editors");
        assert!(file.parent().unwrap().join(schema).exists(), "{}: {schema}", file.display());
    }
}

#[test]
fn what_the_program_refuses_the_schema_refuses_too() {
    let validator = validator("manifest");
    for (what, text) in [
        ("an unknown field", "servces: {}"),
        ("an unknown service", "profiles: { a: { services: { ISS: mail } } }"),
        ("an issuer of no kind", "issuers: { ca: {} }"),
        ("a span without a unit", "certificates: { mail: { issuer: ca, renewBefore: 30 } }"),
        ("a server's full name as its key", "servers: { ex01.contoso.com: { fqdn: ex01.contoso.com } }"),
        ("a server without a name", "servers: { EX01: {} }"),
        (
            "a friendly name of 64 characters",
            &format!("certificates: {{ a: {{ issuer: ca, friendlyName: {} }} }}", "x".repeat(64)),
        ),
    ] {
        let text =
            format!("apiVersion: certwright/v1\norganization: contoso\ndriver: {{ lab: {{}} }}\n{text}\n");
        let source = || Source { file: "m.yaml".into(), bytes: text.clone().into_bytes() };
        assert!(yaml::manifest(&[source()]).is_err(), "the program takes {what}");
        assert!(
            !validator.is_valid(&yaml::document::<Value>(source(), yaml::DocumentKind::ANY).unwrap().0),
            "the schema takes {what}"
        );
    }
}

#[test]
fn what_the_program_writes_validates() {
    let directory = support::example("contoso");
    let run = |arguments: &[&str]| {
        let output = support::certwright(arguments, directory.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let check = |kind: &str, value: &Value| {
        let validator = validator(kind);
        let errors: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{kind}: {errors:#?}");
    };
    run(&["plan", "--out", "plan.json"]);
    let plan = fs::read(directory.path().join("plan.json")).unwrap();
    check("plan", &serde_json::from_slice(&plan).unwrap());
    check("observed", &serde_json::from_slice(&run(&["observe", "--format", "json"])).unwrap());
    run(&["apply", "plan.json", "--auto-approve"]);
    check("verdict", &serde_json::from_slice(&run(&["verify", "--format", "json"])).unwrap());
    let runs = directory.path().join(".certwright/runs");
    let journal = fs::read_dir(runs)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some());
    for line in fs::read_to_string(journal.unwrap()).unwrap().lines() {
        check("journal", &serde_json::from_str(line).unwrap());
    }
}

/// Each shape that a command prints under `--format json` has a schema, and keeps to it, also when there is nothing to do.
#[test]
fn what_commands_print_validates() {
    let directory = support::example("contoso");
    let printed = |arguments: &[&str], code: i32| {
        let mut command = support::certwright(arguments, directory.path());
        let output = command.args(["--format", "json"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        let stream = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
        serde_json::from_slice::<Value>(stream)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"))
    };
    let check = |kind: &str, arguments: &[&str], code: i32| {
        let (validator, value) = (validator(kind), printed(arguments, code));
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{arguments:?} against {kind}: {errors:#?}");
        value
    };
    let other = directory.path().join("other");
    support::copy_files(directory.path(), &other);
    support::copy_files(&directory.path().join("lab"), &other.join("lab"));
    check("check", &["check"], 0);
    check("planned", &["plan"], 0);
    check("planned", &["plan", "--against", "other"], 0);
    check("planned", &["plan", "--rehearse"], 0);
    check("drift", &["drift", "--no-handshakes"], 2);
    check("status", &["status"], 0);
    check("calendar", &["calendar"], 0);
    check("explanation", &["explain"], 0);
    check("explanation", &["explain", "names-missing"], 0);
    check("error", &["plan", "nowhere"], 1);
    check("error", &["history", "nothing"], 1);
    check("history", &["history"], 0);
    let applied = check("report", &["apply", "--auto-approve"], 0);
    check("history", &["history", applied["run"].as_str().unwrap()], 0);
    let nothing = check("report", &["apply", "--auto-approve"], 0);
    assert_eq!(nothing["run"], "");
    check("planned", &["plan"], 0);
    check("smtp-choices", &["explain", "smtp", "--server", "EX01"], 0);
    check("report", &["rollback", "--auto-approve"], 0);
}

/// Runs that end well, fail, repeat, wait, go on and are taken back: each line that they say to programs.
#[test]
fn what_runs_say_to_programs_validates() {
    let validator = validator("events");
    let mut kinds = BTreeSet::new();
    let mut run = |arguments: &[&str], directory: &Path, code: i32| {
        let mut command = support::certwright(arguments, directory);
        let output = command.args(["--auto-approve", "--format", "jsonl"]).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for event in &events {
            let errors: Vec<String> = validator
                .iter_errors(event)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{event}: {errors:#?}");
            let (kind, status) = (event["event"].as_str().unwrap(), event["status"].as_str());
            // Whether a run is heard of while a step takes long depends on the machine.
            if kind != "heartbeat" {
                kinds.insert(status.unwrap_or(kind).to_owned());
            }
        }
        assert_eq!(events.first().unwrap()["event"], "begun");
        assert_eq!(events.last().unwrap()["event"], "closed");
    };
    let directory = support::example("contoso");
    let lab = directory.path().join("lab/lab.yaml");
    let text = fs::read_to_string(&lab).unwrap();
    let faults = "faults:\n  - { verb: restart, after: 1, times: 3, how: before }\n  - { verb: remove, times: 3, how: after }\n";
    fs::write(&lab, text + faults).unwrap();
    run(&["apply"], directory.path(), 6);
    run(&["apply"], directory.path(), 0);
    run(&["rollback"], directory.path(), 6);
    run(&["rollback"], directory.path(), 0);
    let waiting = tempfile::tempdir().unwrap();
    support::copy_files(&root().join("tests/cmd/auth"), waiting.path());
    support::copy_files(&root().join("tests/cmd/auth/lab"), &waiting.path().join("lab"));
    support::copy_files(&support::key_pool(), &waiting.path().join("keys"));
    run(&["apply"], waiting.path(), 7);
    // On a busy machine a step takes as long as a heart beats.
    let wanted = [
        "begun", "closed", "done", "failed", "notYet", "parked", "retrying", "skipped", "started", "unknown",
    ];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), wanted);
}
