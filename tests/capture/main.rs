//! Captures: an organization as it was saved. Plans are made from them without servers, and nothing can be done to them.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod exported;
mod real;
#[path = "../support/mod.rs"]
mod support;

use std::{fs, path::Path};

use certwright::{
    drivers::capture::Capture,
    engine::driver::{Observer, Wanted},
    model::{
        fact::Fact,
        manifest::CaptureSpec,
        organization::{Observed, Organization},
        time::Timestamp,
    },
};
use support::Rig;

fn open(folder: &Path) -> Capture {
    let now: Timestamp = "2026-03-03T09:14:07Z".parse().unwrap();
    Capture::open(&CaptureSpec::at_path(folder.to_owned()), Path::new(""), now)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn observe(folder: &Path) -> Observed {
    open(folder).observe(Wanted::Everything).unwrap_or_else(|error| panic!("{error:?}"))
}

fn save(observed: &Observed, file: &Path) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, serde_json::to_vec_pretty(observed).unwrap()).unwrap();
}

/// Every scenario's lab, at its beginning.
fn labs() -> impl Iterator<Item = (String, Observed)> {
    let mut folders: Vec<_> =
        fs::read_dir("tests/scenarios").unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.into_iter().filter(|folder| folder.join("lab.yaml").exists()).map(|folder| {
        let mut rig = Rig::of_folder(&folder);
        (folder.file_name().unwrap().to_str().unwrap().to_owned(), rig.observe())
    })
}

#[test]
fn an_observation_that_was_saved_is_seen_again() {
    for (name, observed) in labs() {
        let folder = tempfile::tempdir().unwrap();
        save(&observed, &folder.path().join("observed.json"));
        let again = observe(folder.path());
        assert_eq!(again.organization, observed.organization, "{name}");
        assert_eq!((again.at, again.driver.as_str(), again.notes), (observed.at, "capture", Vec::new()));
        // A file alone will do, too.
        let again = observe(&folder.path().join("observed.json"));
        assert_eq!(again.organization, observed.organization, "{name}");
    }
}

#[test]
fn what_the_printed_script_writes_is_the_same_observation() {
    let mut seen = 0;
    for (name, observed) in labs() {
        let folder = tempfile::tempdir().unwrap();
        exported::export(&observed.organization, observed.at, folder.path());
        for entry in fs::read_dir(folder.path()).unwrap() {
            real::assert_no_property_is_lost(&entry.unwrap().path());
        }
        let again = observe(folder.path());
        assert_eq!(again.notes, Vec::<String>::new(), "{name}");
        assert_eq!(again.at, observed.at, "{name}");
        let Organization { servers, .. } = &again.organization;
        for (server, have) in servers {
            assert_eq!(*have, observed.organization.servers[server], "{name}: {server}");
        }
        assert_eq!(again.organization, observed.organization, "{name}");
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn what_is_not_there_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/renew-before-expiry"));
    let observed = rig.observe();
    exported::export(&observed.organization, observed.at, folder.path());
    for file in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if !matches!(name, "certwright-capture.xml" | "EX01.Get-ReceiveConnector.xml") {
            fs::remove_file(&file).unwrap();
        }
    }
    fs::write(folder.path().join("EX01.Get-WebBinding.failed.txt"), "\u{feff}Access is denied.\r\n").unwrap();
    let again = observe(folder.path());
    assert_eq!(again.notes, Vec::<String>::new());
    let (have, want) = (
        &again.organization.servers[&"EX01".parse().unwrap()],
        &observed.organization.servers[&"EX01".parse().unwrap()],
    );
    assert_eq!(have.receive_connectors, want.receive_connectors);
    assert_eq!(have.sites, Fact::unknown("Get-WebBinding failed: Access is denied."));
    assert_eq!(have.certificates, Fact::unknown("not captured"));
    assert_eq!(again.organization.send_connectors, Fact::unknown("not captured"));
}
