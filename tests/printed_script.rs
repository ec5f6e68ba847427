//! The printed scripts, read as PowerShell would read them: they parse, they only read, they need nothing newer than
//! Windows PowerShell 5.1, and the capture driver knows what they write.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start the program")]

use std::{collections::BTreeSet, process::Command};

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
        "Export-Clixml",
        "Import-Module",
        "Invoke-Command",
        "Join-Path",
        "New-Item",
        "New-Object",
        "Out-Null",
        "Save-Objects",
        "Select-Object",
        "Set-Content",
        "Test-Path",
        "Where-Object",
        "Write-Host",
        "$Read",
    ]);
    for (name, script) in SCRIPTS {
        let commands = all(script, "command_name");
        assert!(commands.len() > 15, "{name}: {commands:?}");
        for command in commands {
            assert!(command.starts_with("Get-") || allowed.contains(command), "{name}: {command}");
        }
        for (line, word) in
            [("New-Item", "-ItemType Directory -Path $folder"), ("Set-Content", "Join-Path $folder")]
        {
            let mut lines = script.lines().filter(|text| text.contains(line));
            assert!(lines.all(|text| text.contains(word)), "{name}: {line} writes into the folder only");
        }
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
        assert!(script.lines().count() < 110, "{name}: two minutes of reading");
    }
}

#[test]
fn what_they_write_is_what_the_driver_reads() {
    let mut written = BTreeSet::new();
    for (name, script) in SCRIPTS {
        for line in script.lines().filter(|line| line.trim_start().starts_with("Save-Objects")) {
            let file = line.trim_start().split(['\'', '"']).nth(1).unwrap();
            let file = file.replace("$($server.Name)", "EX01").replace("$name", "EX01");
            let (kind, server) = Kind::of_file_name(&file).unwrap_or_else(|| panic!("{name}: {file}"));
            assert!(server.is_empty() || server == "EX01", "{name}: {file}");
            written.insert(kind.cmdlet);
        }
        // Where properties are picked by name, all that are read are among them.
        for pipe in script.split("Select-Object ").skip(1) {
            let list = pipe.split('}').next().unwrap();
            let picked: BTreeSet<&str> =
                list.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty()).collect();
            assert!(
                picked.iter().all(|name| name.chars().all(|char| char.is_ascii_alphanumeric())),
                "{picked:?}"
            );
            if picked.contains("RawData") {
                let kind = Kind::of_cmdlet("Get-ExchangeCertificate").unwrap();
                assert!(kind.used.iter().all(|used| picked.contains(used)), "{name}: {picked:?}");
            }
        }
    }
    let all: BTreeSet<&str> = certwright::drivers::objects::KINDS.iter().map(|kind| kind.cmdlet).collect();
    let unwritten: Vec<_> = all.difference(&written).collect();
    // HealthChecker's way to the certificate that Get-TransportService names.
    assert_eq!(unwritten, [&"Get-InternalTransportCertificate"]);
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
