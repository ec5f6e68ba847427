//! Captures: an organization as it was saved. Plans are made from them without servers, and nothing can be done to them.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{fs, path::Path};

use certwright::{
    drivers::capture::Capture,
    engine::driver::{Observer, Wanted},
    model::{manifest::CaptureSpec, organization::Observed, time::Timestamp},
};
use support::Rig;

fn open(folder: &Path) -> Capture {
    let now: Timestamp = "2026-03-03T09:14:07Z".parse().unwrap();
    Capture::open(&CaptureSpec::at_path(folder.to_owned()), Path::new(""), now)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn save(observed: &Observed, file: &Path) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, serde_json::to_vec_pretty(observed).unwrap()).unwrap();
}

#[test]
fn an_observation_that_was_saved_is_seen_again() {
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/renew-before-expiry"));
    let observed = rig.observe();
    let folder = tempfile::tempdir().unwrap();
    save(&observed, &folder.path().join("observed.json"));
    let capture = open(folder.path());
    let again = capture.observe(Wanted::Everything).unwrap();
    assert_eq!(again.organization, observed.organization);
    assert_eq!((again.at, again.driver.as_str(), again.notes), (observed.at, "capture", Vec::new()));
    // A file alone will do, too.
    let again = open(&folder.path().join("observed.json")).observe(Wanted::Everything).unwrap();
    assert_eq!(again.organization, observed.organization);
}
