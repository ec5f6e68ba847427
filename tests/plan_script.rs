//! Plans as PowerShell scripts: every scenario's script parses, says each step once, and holds nothing that was observed
//! as anything but text. A few are compared whole.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::path::Path;

use certwright::{model::organization::Organization, model::plan::Plan, views::powershell};
use support::Rig;
use tree_sitter::{Node, Parser};

#[test]
fn every_scenario_has_a_script_that_parses() {
    let mut seen = 0;
    for entry in std::fs::read_dir("tests/scenarios").unwrap() {
        let folder = entry.unwrap().path();
        let (plan, script) = of(&folder);
        let name = folder.display();
        parse(&script, &format!("{name}"));
        let code = script.lines().find(|line| !line.is_empty() && !line.starts_with('#')).unwrap();
        let refuses = "if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {";
        assert_eq!(code, if plan.steps.is_empty() { "Write-Host 'No changes.'" } else { refuses }, "{name}");
        for step in &plan.steps {
            let title = format!("# {} {} ", step.id, step.action.verb());
            assert_eq!(script.matches(&title).count(), 1, "{name}: {title}");
        }
        seen += plan.steps.len();
    }
    assert!(seen > 300, "there were only {seen} steps");
}

/// What versions take differently: one without `-Server` and with files, one that asks a CA, one before load balancers,
/// one on Edge servers, one with a setting override.
#[test]
fn scripts_say_what_each_version_takes() {
    for folder in [
        "exchange-2007-one-smtp-certificate",
        "exchange-2010-renewal",
        "request-answered-later",
        "auth-rotation",
        "edge-default-certificate-renewed",
        "im-override-forgotten",
    ] {
        let folder = Path::new("tests/scenarios").join(folder);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(std::path::absolute(&folder).unwrap());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.remove_description();
        settings.bind(|| insta::assert_snapshot!("plan.ps1", of(&folder).1));
    }
}

/// Names that try to get out of their string: what is in quotes stays there.
#[test]
fn a_name_is_text_and_no_command() {
    let manifest = std::fs::read_to_string("tests/scenarios/expired/manifest.yaml").unwrap();
    let name = "it\u{2019}s; Remove-Item x #";
    let manifest = manifest
        .replace("    issuer: corp-ca\n", &format!("    issuer: corp-ca\n    friendlyName: \"{name}\"\n"));
    let mut rig = Rig::of_folder(Path::new("tests/scenarios/expired"));
    rig.change_manifest(&manifest);
    let plan = rig.plan();
    let script = script(&plan, &rig.observe().organization);
    let tree = parse(&script, "a name");
    assert!(script.contains("-FriendlyName 'it\u{2019}\u{2019}s; Remove-Item x #'"), "{script}");
    let mut commands = Vec::new();
    names_of_commands(&script, tree.root_node(), &mut commands);
    assert!(commands.contains(&"Import-ExchangeCertificate"), "{commands:?}");
    assert!(!commands.contains(&"Remove-Item"), "{commands:?}");
}

fn of(folder: &Path) -> (Plan, String) {
    let mut rig = Rig::of_folder(folder);
    let plan = rig.plan();
    let organization = rig.observe().organization;
    let script = script(&plan, &organization);
    (plan, script)
}

fn script(plan: &Plan, organization: &Organization) -> String {
    let mut text = Vec::new();
    powershell::plan(plan, organization, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn parse(script: &str, name: &str) -> tree_sitter::Tree {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    let tree = parser.parse(script, None).unwrap();
    assert!(!tree.root_node().has_error(), "{name}: {}\n{script}", tree.root_node().to_sexp());
    tree
}

fn names_of_commands<'a>(script: &'a str, node: Node<'_>, found: &mut Vec<&'a str>) {
    if node.kind() == "command_name" {
        found.push(&script[node.byte_range()]);
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        names_of_commands(script, child, found);
    }
}
