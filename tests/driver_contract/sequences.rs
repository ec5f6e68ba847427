//! For each folder of `tests/contract`, the manifests in the order of their names are applied one after the other; after
//! each, every endpoint serves what it declares and nothing is left to do. `clock` beside a manifest moves the
//! organization's time first.

use std::{
    fs,
    path::{Path, PathBuf},
};

use certwright::{
    model::action::{Action, Drain},
    ports::driver::{Driver, Observer},
    verify::row::Row,
};

use crate::support::Rig;

/// Carries out every sequence. `drive` puts the driver in the place of the rig's, each time it was opened.
pub(crate) fn all(drive: &dyn Fn(&mut Rig)) {
    let folders = sorted(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract"));
    assert!(!folders.is_empty());
    for folder in folders {
        one(&folder, drive);
    }
}

fn one(folder: &Path, drive: &dyn Fn(&mut Rig)) {
    let is_manifest = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "yaml") && !path.ends_with("lab.yaml")
    };
    let manifests: Vec<PathBuf> = sorted(folder).into_iter().filter(is_manifest).collect();
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    let mut rig = Rig::of_texts(&text(&manifests[0]), &text(&folder.join("lab.yaml")));
    for manifest in &manifests {
        let clock = manifest.with_extension("clock");
        if clock.exists() {
            rig.lab.set_clock(text(&clock).trim().parse().unwrap()).unwrap();
        }
        rig.change_manifest(&text(manifest));
        drive(&mut rig);
        let plan = rig.plan();
        let report = rig.apply_with(&plan, acting(&rig));
        let name = manifest.display();
        assert!(report.is_complete(), "{name}: {:#?}", report.steps);
        let drained = plan.steps.iter().filter(|step| drains_into_another(&step.action)).count();
        let servers = rig.session.desired.servers.len();
        assert_eq!(drained, if rig.session.desired.restarts.drain { servers } else { 0 }, "{name}");
        let again = rig.plan();
        assert!(again.is_empty(), "{name}: something is left to do: {:#?}", again.steps);
        let rows = rig.verify();
        assert!(!rows.is_empty() && rows.iter().all(Row::is_good), "{name}: {rows:#?}");
        assert!(rig.observe().at == rig.lab.now());
    }
}

/// Whether transport is emptied into another server first.
fn drains_into_another(action: &Action) -> bool {
    matches!(action, Action::Restart { drain: Some(Drain { redirect_to: Some(_), .. }), .. })
}

fn acting(rig: &Rig) -> &dyn Driver {
    rig.session.driver.acting().unwrap()
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
