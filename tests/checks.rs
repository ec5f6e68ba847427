//! Each file of `tests/checks` is a manifest with a mistake that one check finds; the file is named for the check, and
//! what may follow after `+` tells its cases apart. What is said is compared with the snapshot beside it. A new case is
//! a new file.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

use std::{collections::BTreeSet, fs, path::Path};

use certwright::{
    checks::{CHECKS, check},
    manifest::{
        finding::Finding,
        yaml::{self, Source},
    },
    views::{Layout, View, human::Human},
};

#[test]
fn each_check_finds_its_mistake() {
    insta::glob!("checks/*.yaml", |path| {
        let id = check_of(path);
        let found = findings(path);
        assert!(found.iter().any(|finding| finding.id == id), "{}: {found:#?}", path.display());
        assert!(
            !format!("{found:?}").to_lowercase().contains("hunter2"),
            "the secret is repeated: {found:#?}"
        );
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("checks");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_snapshot_suffix("");
        settings.remove_input_file();
        settings.remove_description();
        let name = path.file_stem().unwrap().to_str().unwrap();
        settings.bind(|| insta::assert_snapshot!(name, human(&found)));
    });
}

#[test]
fn no_check_is_without_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checks");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let shown: BTreeSet<String> = files
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .map(|path| check_of(&path))
        .collect();
    for check in CHECKS {
        assert!(shown.contains(&check.id.replace('_', "-")), "tests/checks has no case for {}", check.id);
    }
}

fn check_of(path: &Path) -> String {
    let name = path.file_stem().unwrap().to_str().unwrap();
    name.split('+').next().unwrap().to_owned()
}

fn findings(path: &Path) -> Vec<Finding> {
    let file = format!("{}.yaml", path.file_stem().unwrap().to_str().unwrap());
    let source = Source { file, bytes: fs::read(path).unwrap() };
    match yaml::manifest(&[source]) {
        Err(findings) => findings,
        Ok((manifest, places)) => {
            let (findings, _) = check(&manifest);
            places.locate(findings)
        }
    }
}

fn human(findings: &[Finding]) -> String {
    let (view, mut text) = (Human { layout: Layout { width: 80, colours: false } }, Vec::new());
    view.findings(findings, 1, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}
