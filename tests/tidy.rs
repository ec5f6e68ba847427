//! Tests about the code base itself.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Who may use whom. Imports only go down; siblings never import each other.
const LAYERS: &[(&str, &[&str])] = &[
    ("text_types", &[]),
    ("model", &[]),
    ("explain", &["model"]),
    ("manifest", &["model"]),
    ("wire", &["model"]),
    ("exchange", &["model"]),
    ("checks", &["model", "manifest", "exchange"]),
    ("plan", &["model", "exchange"]),
    ("import", &["model", "manifest", "exchange"]),
    ("ports", &["model", "exchange"]),
    ("verify", &["model", "manifest", "exchange", "plan", "ports"]),
    ("apply", &["model", "exchange", "plan", "ports", "verify"]),
    ("pki", &["model"]),
    ("balancers", &["model", "manifest", "ports", "pki"]),
    ("drivers", &["model", "manifest", "wire", "exchange", "ports", "pki"]),
    ("issuers", &["model", "ports", "pki"]),
    ("journal", &["model", "ports", "pki"]),
    ("probe", &["model", "ports", "verify"]),
    ("views", &["model", "explain", "manifest", "exchange", "plan", "ports", "verify", "apply"]),
    (
        "commands",
        &[
            "model",
            "explain",
            "manifest",
            "import",
            "exchange",
            "checks",
            "plan",
            "ports",
            "verify",
            "apply",
            "pki",
            "drivers",
            "balancers",
            "issuers",
            "journal",
            "probe",
            "views",
        ],
    ),
    ("cli", &["commands", "model", "explain"]),
    ("main", &["cli"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The crate's modules that a source text names, by `crate::x` or `crate::{x, y}`.
fn modules_named(text: &str) -> BTreeSet<String> {
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::").chain(code.match_indices("certwright::")) {
        let rest = &code[at..];
        let rest = &rest[rest.find("::").unwrap() + 2..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            let mut taking = true;
            for char in group.chars() {
                match char {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => taking = true,
                    ':' if depth == 0 => taking = false,
                    char if depth == 0 && taking && (char.is_alphanumeric() || char == '_') => {
                        word.push(char);
                    }
                    _ => {}
                }
                if !taking || char == ',' {
                    named.insert(std::mem::take(&mut word));
                }
            }
            named.insert(word);
        } else {
            named.insert(rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect());
        }
    }
    named.remove("");
    named
}

#[test]
fn imports_only_go_down() {
    let src = root().join("src");
    let layers: Vec<&str> = LAYERS.iter().map(|(layer, _)| *layer).collect();
    let mut wrong = Vec::new();
    for path in sources(&src) {
        let relative = path.strip_prefix(&src).unwrap();
        let layer =
            relative.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if layer == "lib" {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            wrong.push(format!("src/{}: `{layer}` has no place in LAYERS", relative.display()));
            continue;
        };
        for module in modules_named(&fs::read_to_string(&path).unwrap()) {
            if module != layer && layers.contains(&module.as_str()) && !allowed.contains(&module.as_str()) {
                wrong.push(format!("src/{}: {layer} uses {module}", relative.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_layering_test_sees_all_ways_to_write_an_import() {
    let text = "use crate::{model::{plan::Plan, names}, ports::Driver, views};\n// use crate::cli;\nlet x = crate::plan::plan();";
    let named: Vec<String> = modules_named(text).into_iter().collect();
    assert_eq!(named, ["model", "plan", "ports", "views"]);
}

#[test]
fn the_yaml_crate_is_named_in_one_file_only() {
    let naming: Vec<_> = sources(&root().join("src"))
        .into_iter()
        .filter(|path| fs::read_to_string(path).unwrap().contains("serde_yaml::"))
        .collect();
    assert_eq!(naming, [root().join("src/manifest/yaml.rs")]);
}

#[test]
fn the_changelog_says_what_is_not_released_yet() {
    assert!(fs::read_to_string(root().join("CHANGELOG.md")).unwrap().contains("## [Unreleased]"));
}

#[test]
fn every_row_of_what_certwright_knows_has_its_scenario() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let table = readme.split("## What certwright knows about Exchange").nth(1).expect("the table's heading");
    let table = table.split("\n## ").next().unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with('|')).skip(2).collect();
    assert!(rows.len() > 10, "the table has {} rows", rows.len());
    let mut told = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [behaviour, rests_on, scenarios] = cells[..] else { panic!("not three cells: {row}") };
        assert!(!behaviour.is_empty() && !rests_on.is_empty(), "a cell is empty: {row}");
        let folders: Vec<&str> =
            scenarios.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
        assert!(!folders.is_empty(), "no scenario is linked: {row}");
        for folder in folders {
            let has_manifest =
                folder.starts_with("tests/scenarios/") && root().join(folder).join("manifest.yaml").exists();
            assert!(has_manifest, "{folder} is no scenario: {row}");
            told.insert(folder.trim_start_matches("tests/scenarios/").to_owned());
        }
    }
    for entry in fs::read_dir(root().join("tests/scenarios")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(told.contains(&name), "the table has no row for tests/scenarios/{name}");
    }
}
