//! Each folder of `tests/scenarios` is a story: a manifest and the organization it meets. The plan is compared with the
//! folder's snapshots, proved on paper, carried out on the lab, verified by handshakes, and then nothing may be left
//! to do. A new case is a new folder; `cargo insta review` accepts its snapshots.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{collections::BTreeSet, path::Path};

use certwright::{
    model::{
        action::Action,
        names::ServerName,
        organization::Observed,
        plan::{LeftBecause, Plan},
        thumbprint::Thumbprint,
    },
    views::{Layout, View, human::Human, json::Json},
};
use support::Rig;

#[test]
fn scenarios() {
    insta::glob!("scenarios/*/manifest.yaml", |path| {
        let folder = path.parent().unwrap();
        let rig = Rig::of_folder(folder);
        let plan = rig.plan();
        assert_eq!(plan, rig.plan(), "planning twice gives the same plan");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_snapshot_suffix("");
        settings.set_omit_expression(true);
        settings.remove_input_file();
        settings.remove_description();
        settings.bind(|| {
            insta::assert_snapshot!("plan", human(&plan));
            insta::assert_snapshot!("plan.json", json(&plan));
        });
        carry_out(folder, &rig, &plan);
    });
}

/// Applies the plan and looks at what has become of the organization.
fn carry_out(folder: &Path, rig: &Rig, plan: &Plan) {
    let before = rig.observe();
    let report = rig.apply(plan);
    let possible = !plan.steps.iter().any(|step| matches!(step.action, Action::CannotApply { .. }));
    assert_eq!(report.is_complete(), possible, "{}: {:#?}", folder.display(), report.steps);
    let again = rig.plan();
    if possible {
        assert!(again.is_empty(), "{}: {}", folder.display(), human(&again));
        let rows = rig.verify();
        let bad: Vec<_> = rows.iter().filter(|row| !row.is_good()).collect();
        assert!(bad.is_empty(), "{}: {bad:#?}", folder.display());
    }
    let gone: BTreeSet<_> =
        certificates(&before).difference(&certificates(&rig.observe())).cloned().collect();
    let removed: BTreeSet<_> = plan.steps.iter().filter_map(|step| removed(&step.action)).collect();
    assert!(gone.is_subset(&removed), "{}: {gone:?}", folder.display());
    for left in plan.left_alone.iter().filter(|left| left.why == LeftBecause::Unmanaged) {
        assert!(!gone.contains(&(left.server.clone(), left.certificate)), "an unmanaged certificate is gone");
    }
}

fn removed(action: &Action) -> Option<(ServerName, Thumbprint)> {
    match action {
        Action::Remove { server, certificate: certwright::model::action::CertRef::Known(thumbprint) } => {
            Some((server.clone(), *thumbprint))
        }
        _ => None,
    }
}

fn certificates(observed: &Observed) -> BTreeSet<(ServerName, Thumbprint)> {
    let servers = observed.organization.servers.iter();
    let stores = servers.filter_map(|(name, server)| Some((name, server.certificates.known()?)));
    stores.flat_map(|(name, store)| store.0.keys().map(|thumbprint| (name.clone(), *thumbprint))).collect()
}

fn human(plan: &Plan) -> String {
    let (view, mut text) = (Human { layout: Layout { width: 80, colours: false } }, Vec::new());
    view.plan(plan, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn json(plan: &Plan) -> String {
    let mut text = Vec::new();
    Json.plan(plan, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn no_scenario_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        for file in ["manifest.yaml", "lab.yaml", "plan.snap", "plan.json.snap"] {
            assert!(path.join(file).exists(), "{} lacks {file}", path.display());
        }
    }
}
