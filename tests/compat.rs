//! Files of earlier releases stay readable: each folder of `tests/compat` holds the journals that a release wrote. A
//! journal that is there is never changed; a release that changes the format adds a folder.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use certwright::{
    apply::history::{RunDetail, StepStatus},
    journal::Store,
    model::entry::{Entry, Outcome},
    plan::progress::{Progress, progress},
    views::human::describe,
};

fn releases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat");
    let mut releases: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    releases.sort();
    releases
}

/// A run of a release, read where it lies.
fn read(release: &Path, run: &str) -> Progress {
    let directory = tempfile::tempdir().unwrap();
    let runs = directory.path().join("runs");
    fs::create_dir_all(&runs).unwrap();
    let name = format!("{run}.jsonl");
    fs::copy(release.join(&name), runs.join(&name)).unwrap();
    let entries = Store::new(directory.path().to_owned()).read(run).unwrap();
    progress(entries).unwrap_or_else(|| panic!("{run} is no run"))
}

#[test]
fn journals_of_every_release_are_read() {
    assert!(!releases().is_empty());
    for release in releases() {
        for (run, rolls_back) in
            [("20260302T091407Z", None), ("20260302T091407Z-2", Some("20260302T091407Z"))]
        {
            let progress = read(&release, run);
            assert_eq!(progress.plan.rolls_back.as_deref(), rolls_back);
            assert_eq!(progress.ended.map(|(_, outcome)| outcome), Some(Outcome::Converged));
            assert_eq!(progress.done().len(), progress.plan.steps.len());
            let detail = RunDetail::of(run, &progress, &describe);
            assert!(detail.steps_done.iter().all(|step| step.status == StepStatus::Done));
            assert!(detail.steps_done.iter().any(|step| step.evidence.is_some()));
        }
    }
}

#[test]
fn a_run_that_was_killed_is_told_as_it_is() {
    for release in releases() {
        let progress = read(&release, "20260302T091407Z-3");
        assert_eq!((progress.ended, progress.is_over()), (None, false));
        assert_eq!(progress.in_doubt().len(), 1, "the step that nobody saw end");
    }
}

/// A journal is valid by the published schema, line by line; one with words of an earlier release as soon as it is
/// written again.
#[test]
fn journals_are_as_the_schema_says() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/journal.schema.json");
    let schema: serde_json::Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for release in releases() {
        for entry in fs::read_dir(release).unwrap() {
            let path = entry.unwrap().path();
            for line in fs::read_to_string(&path).unwrap().lines() {
                let entry: Entry = serde_json::from_str(line).unwrap();
                let written = serde_json::to_value(&entry).unwrap();
                let errors: Vec<String> =
                    validator.iter_errors(&written).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
            }
        }
    }
}
