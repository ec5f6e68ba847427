//! Tests about the code base itself.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

#[path = "support/file_graph.rs"]
mod file_graph;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use self::file_graph::{FileGraph, circles, sources};

/// Who may use whom. Imports only go down; siblings never import each other.
const LAYERS: &[(&str, &[&str])] = &[
    ("text_types", &[]),
    ("schemas", &[]),
    ("json", &[]),
    ("model", &[]),
    ("explain", &["model"]),
    ("manifest", &["json", "model", "schemas"]),
    ("wire", &["model"]),
    ("remoting", &["model", "wire"]),
    ("exchange", &["model"]),
    ("checks", &["model", "manifest", "exchange"]),
    ("plan", &["model", "exchange"]),
    ("import", &["model", "manifest", "exchange"]),
    ("ports", &["model", "exchange"]),
    ("verify", &["model", "manifest", "exchange", "plan", "ports"]),
    ("apply", &["model", "exchange", "plan", "ports", "verify"]),
    ("pki", &["model"]),
    ("durable", &[]),
    ("process", &["model"]),
    ("notify", &["model", "process", "remoting"]),
    ("balancers", &["json", "durable", "model", "manifest", "ports", "pki", "process"]),
    (
        "drivers",
        &[
            "json", "durable", "model", "manifest", "schemas", "wire", "exchange", "ports", "pki", "process",
            "remoting",
        ],
    ),
    ("issuers", &["durable", "model", "ports", "pki"]),
    ("journal", &["json", "durable", "model", "ports", "pki"]),
    ("probe", &["durable", "model", "ports", "verify"]),
    ("views", &["json", "model", "explain", "manifest", "exchange", "plan", "ports", "verify", "apply"]),
    (
        "commands",
        &[
            "json",
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
            "durable",
            "balancers",
            "issuers",
            "journal",
            "notify",
            "probe",
            "process",
            "schemas",
            "views",
        ],
    ),
    ("cli", &["commands", "model", "schemas", "explain"]),
    ("main", &["cli"]),
];

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

/// The map that people read is the one that is held.
#[test]
fn the_architecture_page_has_the_same_rooms() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows = page.lines().skip_while(|line| !line.starts_with("| Room |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let written: Vec<(Vec<String>, Vec<String>)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
            (words(cells[0]), words(cells[cells.len() - 1]))
        })
        .collect();
    let held: Vec<(Vec<String>, Vec<String>)> = LAYERS
        .iter()
        .map(|(room, uses)| (vec![(*room).to_owned()], uses.iter().map(|used| (*used).to_owned()).collect()))
        .collect();
    assert_eq!(written, held);
}

#[test]
fn the_layering_test_sees_all_ways_to_write_an_import() {
    let text = "use crate::{model::{plan::Plan, names}, ports::Driver, views};\n// use crate::cli;\nlet x = crate::plan::plan();";
    let named: Vec<String> = modules_named(text).into_iter().collect();
    assert_eq!(named, ["model", "plan", "ports", "views"]);
}

/// Files that may use one another in a circle, with the reason. Each group may be smaller, not larger.
const CIRCLES: &[(&[&str], &str)] = &[
    (
        &["manifest/balancer/mod.rs", "manifest/balancer/written.rs"],
        "a load balancer and the form in which YAML has it are made from each other, as serde wants it",
    ),
    (
        &["drivers/powershell/answer.rs", "drivers/powershell/error.rs"],
        "an answer may be an error, and that error holds what was answered",
    ),
];

#[test]
fn files_use_one_another_in_one_direction() {
    let graph = FileGraph::read(&root().join("src"));
    let arrows = graph.arrows();
    assert!(arrows.values().map(BTreeMap::len).sum::<usize>() > 1_000, "hardly any use was found");
    let circles = circles(&arrows);
    let meant = |circle: &BTreeSet<&str>| {
        CIRCLES.iter().any(|(files, _)| circle.iter().all(|file| files.contains(file)))
    };
    let mut wrong = String::new();
    for circle in circles.iter().filter(|circle| !meant(circle)) {
        wrong.push_str(&format!("a circle of {} files:\n", circle.len()));
        for file in circle {
            for (other, names) in arrows[file].iter().filter(|(other, _)| circle.contains(*other)) {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                wrong.push_str(&format!("  {file} -> {other}: {}\n", names.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    for (files, _) in CIRCLES {
        let is_there = circles.iter().any(|circle| circle.iter().all(|file| files.contains(file)));
        assert!(is_there, "{files:?} are no circle any more: take them out of CIRCLES");
    }
}

/// Public types that share a name, with the reason.
const SHARED_NAMES: &[(&str, &str)] = &[
    ("Object", "CLIXML and NRBF are two formats, and each calls it so"),
    ("ObjectId", "CLIXML and NRBF are two formats, and each calls it so"),
    ("Value", "CLIXML and NRBF are two formats, and each calls it so"),
    ("Problem", "CLIXML and NRBF are two formats, and in each something can be wrong"),
    ("Answer", "of a CA to a request; of a PSRP host to a call"),
    ("Content", "of a file that a cmdlet writes; of a CLIXML element"),
    ("Event", "of Windows' event log; of a PSRP runspace pool"),
    ("Host", "of a load balancer; PSRP calls what shows output so"),
    ("Refusal", "of Exchange; of a PSRP peer"),
    ("Source", "of a YAML document; of a PSRP message"),
    ("Target", "of a cmdlet; of a probe"),
    ("End", "of an open run; of a remote pipeline"),
    ("Endpoint", "of a server, where certificates are served; of a remoting service"),
    ("Fault", "of a lab; of SOAP, which calls it so"),
    ("Limits", "of a manifest's runs; of a remoting conversation"),
    ("Output", "of a cmdlet; of a remote pipeline"),
    ("Question", "that a cmdlet asks its user; that a WS-Management client asks"),
    ("Trust", "of what an endpoint serves; of a remoting peer"),
];

#[test]
fn a_public_name_means_one_thing() {
    let graph = FileGraph::read(&root().join("src"));
    let types = graph.public_types();
    let shared: Vec<_> = types.iter().filter(|(_, files)| files.len() > 1).collect();
    let meant = |name: &str| SHARED_NAMES.iter().any(|(shared, _)| *shared == name);
    let wrong: Vec<String> = shared
        .iter()
        .filter(|(name, _)| !meant(name))
        .map(|(name, files)| format!("{name}: {}", files.join(", ")))
        .collect();
    assert!(wrong.is_empty(), "{} names:\n{}", wrong.len(), wrong.join("\n"));
    for (name, _) in SHARED_NAMES {
        assert!(
            shared.iter().any(|(shared, _)| *shared == name),
            "{name} is defined once: take it out of SHARED_NAMES"
        );
    }
}

#[test]
fn the_yaml_crate_is_named_in_one_file_only() {
    let naming: Vec<_> = sources(&root().join("src"))
        .into_iter()
        .filter(|path| fs::read_to_string(path).unwrap().contains("serde_yaml::"))
        .collect();
    assert_eq!(naming, [root().join("src/manifest/yaml/values.rs")]);
}

#[test]
fn the_changelog_says_what_is_not_released_yet() {
    assert!(fs::read_to_string(root().join("CHANGELOG.md")).unwrap().contains("## [Unreleased]"));
}

#[test]
fn every_row_of_what_certwright_knows_has_its_scenario() {
    let page = fs::read_to_string(root().join("docs/exchange.md")).unwrap();
    let heading = "| Exchange |";
    let is_row =
        |line: &&str| line.starts_with('|') && !line.starts_with(heading) && !line.starts_with("|---");
    let rows: Vec<&str> = page.lines().filter(is_row).collect();
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
            let there = root().join("docs").join(folder);
            let is_scenario =
                folder.starts_with("../tests/scenarios/") && there.join("manifest.yaml").exists();
            let is_session = folder.starts_with("../tests/cmd/") && there.join("seen.snap").exists();
            assert!(is_scenario || is_session, "{folder} is no scenario: {row}");
            told.insert(folder.trim_start_matches("../tests/scenarios/").to_owned());
        }
    }
    for entry in fs::read_dir(root().join("tests/scenarios")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(told.contains(&name), "the table has no row for tests/scenarios/{name}");
    }
}
