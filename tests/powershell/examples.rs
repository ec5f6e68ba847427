//! The files of `examples/least-privilege`: a grammar of PowerShell reads them, and they grant what is called.

use std::{fs, path::Path};

use certwright::drivers::powershell::script;
use tree_sitter::Parser;

fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/least-privilege");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The words in single quotes between two texts of the driver script.
fn listed(from: &str, to: &str) -> Vec<String> {
    let script = script::text();
    let part = script.split_once(from).unwrap().1.split_once(to).unwrap().0.to_owned();
    part.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn they_are_powershell() {
    for name in ["role-group.ps1", "certwright.psrc", "certwright.pssc"] {
        let text = example(name);
        assert!(text.is_ascii(), "{name}");
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
        let tree = parser.parse(&text, None).unwrap();
        assert!(!tree.root_node().has_error(), "{name}: {}", tree.root_node().to_sexp());
    }
}

/// Each cmdlet that changes something, with each of its parameters, but for those that the file itself leaves to others.
#[test]
fn the_role_group_grants_what_is_called() {
    let text = example("role-group.ps1");
    let script = script::text();
    let table = script.split_once("$Allowed = @{").unwrap().1.split_once("\n}").unwrap().0;
    let table = table.replace("\n        ", " ");
    let mut granted = 0;
    for line in table.lines().filter(|line| line.contains('=')) {
        let words: Vec<&str> = line.split('\'').skip(1).step_by(2).collect();
        let (name, parameters) = words.split_first().unwrap();
        let left =
            ["SettingOverride", "HybridConfiguration", "-UM", "ServerComponentState", "Redirect-Message"]
                .iter()
                .any(|other| name.contains(other));
        if name.starts_with("Get-") || left {
            continue;
        }
        let parameters: Vec<String> = parameters.iter().map(|name| format!("'{name}'")).collect();
        let row = format!("'{name}' = @({})", parameters.join(", "));
        assert!(text.contains(&row), "{row}");
        granted += 1;
    }
    assert!(granted >= 10, "{granted}");
}

#[test]
fn the_endpoint_shows_the_services_that_are_restarted() {
    let text = example("certwright.psrc");
    for (from, to) in
        [("$AllowedServices = @(", "$AllowedPools"), ("$AllowedPools = @(", "function Assert-Allowed")]
    {
        let names: Vec<String> = listed(from, to).iter().map(|name| format!("'{name}'")).collect();
        let set = format!("ValidateSet = {} ", names.join(", "));
        assert!(text.contains(&set), "{set}");
    }
    assert!(example("certwright.pssc").contains("LanguageMode = 'NoLanguage'"));
}
