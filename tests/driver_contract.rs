//! What every driver that can write must do: for each folder of `tests/contract`, the manifests in the order of their
//! names are applied one after the other; after each, every endpoint serves what it declares and nothing is left to do.
//! `clock` beside a manifest moves the organization's time first. A new sequence is a new folder.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use certwright::ports::driver::Observer;
use support::Rig;

#[test]
fn the_lab_keeps_the_contract() {
    let folders = sorted(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract"));
    assert!(!folders.is_empty());
    for folder in folders {
        keep(&folder);
    }
}

fn keep(folder: &Path) {
    let manifests: Vec<PathBuf> = sorted(folder)
        .into_iter()
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "yaml") && !path.ends_with("lab.yaml")
        })
        .collect();
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    let mut rig = Rig::of_texts(&text(&manifests[0]), &text(&folder.join("lab.yaml")));
    for manifest in &manifests {
        let clock = manifest.with_extension("clock");
        if clock.exists() {
            rig.lab.set_clock(text(&clock).trim().parse().unwrap()).unwrap();
        }
        rig.change_manifest(&text(manifest));
        let plan = rig.plan();
        let report = rig.apply(&plan);
        let name = manifest.display();
        assert!(report.is_complete(), "{name}: {:#?}", report.steps);
        let again = rig.plan();
        assert!(again.is_empty(), "{name}: something is left to do: {:#?}", again.steps);
        let rows = rig.verify();
        assert!(
            !rows.is_empty() && rows.iter().all(certwright::verify::row::Row::is_good),
            "{name}: {rows:#?}"
        );
        assert!(rig.observe().at == rig.lab.now());
    }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
