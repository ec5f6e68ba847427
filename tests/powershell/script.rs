//! The driver script, as a grammar of PowerShell sees it.

use std::collections::BTreeSet;

use certwright::drivers::powershell::script::{BOOTSTRAP, PARTS, text};
use tree_sitter::{Node, Parser};

/// What a word of the script is.
struct Word<'a> {
    kind: &'a str,
    text: String,
}

fn words(source: &str) -> Vec<Word<'static>> {
    // The grammar knows classes that derive from a name without dots only.
    let source = source.replace(" : System.Management.Automation.Host.PSHost", " : PSHost");
    let source = source.as_str();
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    let tree = parser.parse(source, None).unwrap();
    assert!(!tree.root_node().has_error(), "{}", first_error(tree.root_node(), source));
    let mut found = Vec::new();
    let mut waiting = vec![tree.root_node()];
    while let Some(node) = waiting.pop() {
        let text = source[node.byte_range()].to_owned();
        found.push(Word { kind: node.kind(), text });
        let mut cursor = node.walk();
        waiting.extend(node.children(&mut cursor));
    }
    found
}

fn first_error(node: Node<'_>, source: &str) -> String {
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        if node.is_error() || node.is_missing() {
            let row = node.start_position().row + 1;
            return format!("line {row}: {}", source.lines().nth(row - 1).unwrap_or_default());
        }
        let mut cursor = node.walk();
        waiting.extend(node.children(&mut cursor));
    }
    "no error".into()
}

#[test]
fn every_part_and_the_bootstrap_parse() {
    for part in PARTS {
        words(part);
    }
    words(&text());
    words(BOOTSTRAP);
}

/// Windows PowerShell 5.1 is what Exchange has, and the grammar has no words for `?:` and `??` at all. These came later, or do what this script must not do: make text into
/// script, write files, put modules between itself and Exchange.
#[test]
fn nothing_is_newer_than_windows_powershell_5_1() {
    let script = text();
    let words = words(&script);
    for Word { kind, text } in &words {
        let newer = matches!(*kind, "pipeline_chain_tail" | "background_operator");
        assert!(!newer, "{kind}: {text}");
        let is_operator = text.len() < 4 && !kind.contains("string");
        let later = matches!(text.as_str(), "??" | "??=" | "?." | "?[" | "&&" | "||");
        assert!(!(is_operator && later), "{kind}: {text}");
        if *kind == "command_parameter" {
            let parameter = text.to_ascii_lowercase();
            for later in ["-ashashtable", "-parallel", "-asplaintext", "-enumsasstrings", "-asutc"] {
                assert_ne!(parameter, later);
            }
        }
    }
    let called: BTreeSet<&str> =
        words.iter().filter(|word| word.kind == "command_name").map(|word| word.text.as_str()).collect();
    let defined: BTreeSet<&str> =
        words.iter().filter(|word| word.kind == "function_name").map(|word| word.text.as_str()).collect();
    let known = called.iter().filter(|name| !defined.contains(*name) && !COMMANDS.contains(name));
    assert_eq!(
        known.collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "commands that are not of Windows PowerShell 5.1"
    );
    for unused in COMMANDS {
        assert!(called.contains(unused), "{unused} is not called any more");
    }
}

/// All that the script calls beside its own functions: cmdlets that are in Windows PowerShell 5.1 and Windows Server 2012
/// R2. Cmdlets of Exchange are called by name from its table, with parameters, in a runspace of their own.
const COMMANDS: &[&str] = &[
    "Add-Type",
    "ForEach-Object",
    "Get-ChildItem",
    "Get-CimInstance",
    "Get-Command",
    "Get-ItemProperty",
    "Get-Service",
    "Get-WebBinding",
    "Get-WebConfigurationProperty",
    "Import-Module",
    "Invoke-Command",
    "New-Object",
    "New-PSSession",
    "New-PSSessionOption",
    "Out-Null",
    "Remove-PSSession",
    "Restart-Service",
    "Restart-WebAppPool",
    "Select-Object",
    "Set-StrictMode",
    "Start-Service",
    "Start-Sleep",
    "Stop-Service",
    "Test-Path",
    "Where-Object",
    "netsh",
];
