//! The printed scripts, read as PowerShell would read them: they parse, they only read, they need nothing newer than
//! Windows PowerShell 5.1, and the capture driver knows what they write.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start the program")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::Path,
    process::Command,
};

use certwright::drivers::{
    capture::{EDGE_SCRIPT, SCRIPT},
    objects::Kind,
};
use tree_sitter::{Node, Parser, Tree};

const SCRIPTS: [(&str, &str); 2] = [("organization", SCRIPT), ("edge", EDGE_SCRIPT)];

fn parse(script: &str) -> Tree {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    parser.parse(script, None).unwrap()
}

/// The texts of all nodes of a kind.
fn texts<'a>(script: &'a str, node: Node<'_>, kind: &str, found: &mut Vec<&'a str>) {
    if node.kind() == kind {
        found.push(&script[node.byte_range()]);
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        texts(script, child, kind, found);
    }
}

fn all<'a>(script: &'a str, kind: &str) -> Vec<&'a str> {
    let tree = parse(script);
    let mut found = Vec::new();
    texts(script, tree.root_node(), kind, &mut found);
    found
}

#[test]
fn they_parse() {
    for (name, script) in SCRIPTS {
        let tree = parse(script);
        assert!(!tree.root_node().has_error(), "{name}: {}", tree.root_node().to_sexp());
    }
    assert!(parse("foreach ($x in) {").root_node().has_error(), "the grammar finds mistakes");
}

#[test]
fn they_only_read() {
    // What is not Get- works on objects in memory, or writes into the new folder.
    let allowed = BTreeSet::from([
        "& $cmdlet",
        "$cmdlet",
        "Export-Clixml",
        "ForEach-Object",
        "Group-Object",
        "Import-Module",
        "Invoke-Command",
        "Join-Path",
        "New-Item",
        "New-Object",
        "Out-Null",
        "Read-Setting",
        "Save-Objects",
        "Select-Object",
        "Set-Content",
        "Test-Path",
        "Where-Object",
        "Write-Host",
        "$Read",
        "netsh",
    ]);
    for (name, script) in SCRIPTS {
        let commands = all(script, "command_name");
        assert!(commands.len() > 15, "{name}: {commands:?}");
        for command in commands {
            let reads = command.trim_matches('"').starts_with("Get-");
            assert!(reads || allowed.contains(command), "{name}: {command}");
        }
        for (line, word) in
            [("New-Item", "-ItemType Directory -Path $folder"), ("Set-Content -", "Join-Path $folder")]
        {
            let mut lines = script.lines().filter(|text| text.contains(line));
            assert!(lines.all(|text| text.contains(word)), "{name}: {line} writes into the folder only");
        }
        assert!(
            script.lines().filter(|line| line.contains("netsh")).all(|line| {
                line.trim_start().starts_with('#') || line.contains("netsh http show sslcert")
            })
        );
        for word in script.split(|char: char| !char.is_ascii_alphanumeric() && char != '-') {
            assert!(
                !["PrivateKey", "Force", "Password", "Export-ExchangeCertificate"].contains(&word),
                "{name}: {word}"
            );
        }
    }
}

/// The snap-in of Exchange loads into a 32-bit process all the same, and then its cmdlets fail.
#[test]
fn the_first_thing_they_do_is_to_refuse_a_32_bit_process() {
    for (name, script) in SCRIPTS {
        let first = first_statement(script);
        let condition = first.split('{').next().unwrap();
        for word in ["[Environment]::Is64BitOperatingSystem", "-not [Environment]::Is64BitProcess"] {
            assert!(condition.starts_with("if") && condition.contains(word), "{name}: {first}");
        }
        assert!(first.contains("throw '"), "{name}: {first}");
    }
}

fn first_statement(script: &str) -> &str {
    let tree = parse(script);
    let mut node = tree.root_node();
    while !node.kind().ends_with("statement") {
        let mut cursor = node.walk();
        let mut children = node.named_children(&mut cursor);
        node = children.find(|child| child.kind() != "comment").unwrap();
    }
    &script[node.byte_range()]
}

#[test]
fn windows_powershell_5_is_enough() {
    for (name, script) in SCRIPTS {
        assert!(script.is_ascii(), "{name}: without a byte order mark 5.1 reads the language of the machine");
        let code: Vec<&str> = script.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let code = code.join("\n");
        for newer in [
            "??",
            "?.",
            " ? ",
            "&&",
            "||",
            "-Parallel",
            "-AsHashtable",
            "clean {",
            "ConvertTo-Json",
            "::new(",
        ] {
            assert!(!code.contains(newer), "{name}: {newer}");
        }
        assert!(script.lines().all(|line| line.len() <= 120), "{name}: lines that fit a window");
        assert!(script.lines().count() < 280, "{name}: a few minutes of reading");
    }
}

/// Where properties are picked by name, all that are read are among them.
#[test]
fn they_pick_what_is_read() {
    for (name, script) in SCRIPTS {
        for pipe in script.split("Select-Object ").skip(1) {
            let list = pipe.split(['}', ')']).next().unwrap();
            let picked: BTreeSet<&str> =
                list.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty()).collect();
            assert!(
                picked.iter().all(|name| name.chars().all(|char| char.is_ascii_alphanumeric())),
                "{picked:?}"
            );
            assert!(!picked.iter().any(|name| name.contains("Credential")), "{name}: {picked:?}");
            for (telling, cmdlet) in [
                ("SerializationData", "Get-ExchangeCertificate"),
                ("AddressSpaces", "Get-SendConnector"),
                ("Bindings", "Get-ReceiveConnector"),
            ] {
                if picked.contains(telling) {
                    let (kind, _) = Kind::of_file_name(cmdlet).unwrap();
                    assert!(
                        kind.used.iter().all(|used| picked.contains(used)),
                        "{name}: {cmdlet} {picked:?}"
                    );
                }
            }
        }
    }
}

/// The engine of PowerShell that is on PATH; without one these tests are skipped, and say so.
fn engine() -> Option<&'static str> {
    let found = ["pwsh", "powershell.exe"].into_iter().find(|engine| {
        Command::new(engine)
            .args(["-NoProfile", "-Command", "exit 0"])
            .output()
            .is_ok_and(|run| run.status.success())
    });
    if found.is_none() {
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        let text = format!("\nSKIPPED: {name} needs PowerShell (pwsh or powershell.exe) on PATH\n");
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
    found
}

/// Runs the organization's script behind stand-ins that are functions of a module, as implicit remoting makes them, and
/// returns the names of the files with what is in them. The cmdlet of this name fails.
fn captured(engine: &str, failing: &str) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("capture.ps1");
    fs::write(&script, SCRIPT).unwrap();
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/powershell/exchange.psm1");
    let run = format!(
        "Import-Module '{}' -DisableNameChecking; & '{}'; if ($global:ErrorActionPreference -ne 'Continue') {{ throw 'the preference is another one' }}",
        module.display(),
        script.display()
    );
    let output = Command::new(engine)
        .args(["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", &run])
        .env("USERPROFILE", folder.path())
        .env("FAILING", failing)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{failing}: {said}{}", String::from_utf8_lossy(&output.stderr));
    let mut entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let made = entries.find(|path| path.is_dir()).unwrap();
    let files = fs::read_dir(made).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|file| {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(file).unwrap())
        })
        .collect()
}

#[test]
fn the_engine_runs_it_and_the_driver_knows_every_file() {
    let Some(engine) = engine() else { return };
    let files = captured(engine, "");
    assert!(files.len() > 20, "{:?}", files.keys());
    for (file, text) in &files {
        let stem = file.strip_suffix(".xml").unwrap_or_else(|| panic!("{file}: {text}"));
        let (_, server) = Kind::of_file_name(stem).unwrap_or_else(|| panic!("{file}"));
        assert!(server.is_empty() || server == "EX01", "{file}");
        assert!(!text.contains("secret of a smart host"), "{file}: no credentials");
    }
    let answers = &files["certwright-answers.xml"];
    assert!(answers.contains("Get-HybridConfiguration") && answers.contains("done"), "{answers}");
}

#[test]
fn a_cmdlet_that_fails_is_noted_as_failed_and_the_rest_is_captured() {
    let Some(engine) = engine() else { return };
    let whole = captured(engine, "").len();
    for failing in [
        "Get-SendConnector",
        "Get-AcceptedDomain",
        "Get-HybridConfiguration",
        "Get-EdgeSubscription",
        "EX01.Get-ReceiveConnector",
        "EX01.Get-PopSettings",
        "EX01.Get-ExchangeCertificate",
        "EX01.Get-OwaVirtualDirectory",
        "EX01.Get-WebBinding",
    ] {
        let cmdlet = failing.trim_start_matches("EX01.");
        // Windows is asked through its remote management.
        let asked = if cmdlet == "Get-WebBinding" { "Invoke-Command" } else { cmdlet };
        let files = captured(engine, asked);
        assert_eq!(files.len(), whole, "{failing}: {:?}", files.keys());
        assert!(!files.contains_key(&format!("{failing}.xml")), "{failing}");
        let why = &files[&format!("{failing}.failed.txt")];
        assert!(why.contains("could not be performed"), "{failing}: {why}");
    }
}

#[test]
fn observe_prints_them() {
    for (arguments, script) in [
        (&["observe", "--print-script"][..], SCRIPT),
        (&["observe", "--print-script", "--edge"], EDGE_SCRIPT),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_certwright")).args(arguments).output().unwrap();
        assert!(output.status.success());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), script);
    }
    let output = Command::new(env!("CARGO_BIN_EXE_certwright")).args(["observe", "--edge"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
}
