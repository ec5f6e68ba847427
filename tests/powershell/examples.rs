//! The files of `examples/least-privilege`: a grammar of PowerShell reads them, and they grant what is called.

use std::{fs, path::Path, process::Command};

use certwright::drivers::powershell::script;
use tree_sitter::Parser;

use super::{peers::cmdlets::granted, support::powershell};

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

/// The script of the role group, run by a real engine with stand-ins for roles that hold more than is wanted: what is left
/// is what the driver calls, with its parameters, and nothing else.
#[test]
fn the_role_group_leaves_what_is_called_and_nothing_else() {
    let Some(engine) = powershell() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let granted = granted();
    let parameters = |cmdlet: &str| -> Vec<String> {
        let parameters = granted[cmdlet].as_array().unwrap().iter();
        parameters.map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let rows: Vec<String> = granted
        .as_object()
        .unwrap()
        .keys()
        .map(|cmdlet| format!("{cmdlet}={}", parameters(cmdlet).join(",")))
        .collect();
    let output = Command::new(engine)
        .args(["-NoLogo", "-NoProfile", "-NonInteractive", "-File"])
        .arg(root.join("tests/powershell/role-group-standin.ps1"))
        .arg(root.join("examples/least-privilege/role-group.ps1"))
        .arg(rows.join(";"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let mut left = 0;
    for line in said.lines() {
        let (cmdlet, kept) = line.split_once('=').unwrap();
        if cmdlet == "group" {
            assert!(kept.starts_with("certwright,CONTOSO\\svc,View-Only Configuration,"), "{kept}");
            continue;
        }
        let mut wanted = parameters(cmdlet);
        let mut kept: Vec<String> = kept.split(',').map(str::to_owned).collect();
        assert_eq!(kept.pop().as_deref(), Some("ErrorAction"), "{line}");
        wanted.sort();
        kept.sort();
        assert_eq!(kept, wanted, "{cmdlet}");
        left += 1;
    }
    assert!(left >= 14, "{said}");
}

/// A real engine reads each file, and what the endpoint defines is what it shows.
#[test]
fn a_real_engine_reads_the_endpoint() {
    let Some(engine) = powershell() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/least-privilege");
    let folder = folder.display();
    let line = format!(
        "$ErrorActionPreference = 'Stop'; foreach ($name in 'certwright.psrc', 'certwright.pssc', 'role-group.ps1') {{ \
         $tokens = $errors = $null; [void] [System.Management.Automation.Language.Parser]::ParseFile(\"{folder}/$name\", \
         [ref] $tokens, [ref] $errors); if ($errors.Count) {{ throw \"${{name}}: $($errors[0])\" }} }}; \
         $role = & ([scriptblock]::Create([IO.File]::ReadAllText('{folder}/certwright.psrc'))); \
         $defined = $role.FunctionDefinitions | ForEach-Object {{ $_.Name }}; \
         if (Compare-Object $defined $role.VisibleFunctions) {{ throw 'what is shown is not what is defined' }}; \
         $own = & ([scriptblock]::Create([IO.File]::ReadAllText('{folder}/certwright.pssc'))); \
         \"$($own.SessionType) $($own.LanguageMode) $($own.RunAsVirtualAccount) $($role.VisibleCmdlets.Count)\""
    );
    let output = Command::new(engine)
        .args(["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", &line])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.trim(), "RestrictedRemoteServer NoLanguage True 5");
}
