//! `certwright fmt`: what it lays out says the same, with the same comments, and laying it out again changes nothing. For every
//! manifest in the tree and for generated ones.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use certwright::manifest::{
    format::formatted,
    yaml::{self, Source},
};
use proptest::prelude::*;
use serde_json::Value;

fn value(text: &str) -> Option<Value> {
    let source = Source { file: "m.yaml".into(), bytes: text.as_bytes().to_vec() };
    yaml::document::<Value>(source, yaml::DocumentKind::ANY).ok().map(|(value, _)| value)
}

/// How many scalars are folded.
fn folded(text: &str) -> usize {
    text.lines().filter(|line| line.contains(": >")).count()
}

/// The comments of a text that has none in its scalars.
fn comments(text: &str) -> Vec<String> {
    let of_line = |line: &str| {
        line.find(" #")
            .map(|at| line[at + 1..].to_owned())
            .or(line.strip_prefix('#').map(|_| line.to_owned()))
    };
    let mut comments: Vec<String> =
        text.lines().filter_map(of_line).map(|text| text.trim().to_owned()).collect();
    comments.sort();
    comments
}

fn assert_lays_out(text: &str, what: &str) {
    let once = formatted(text).unwrap_or_else(|error| panic!("{what}: {error}\n{text}"));
    assert_eq!(value(&once), value(text), "{what}:\n{text}\n----\n{once}");
    let twice = formatted(&once).unwrap_or_else(|error| panic!("{what}: {error}\n{once}"));
    assert_eq!(twice, once, "{what} twice:\n{text}");
    for line in once.lines() {
        assert_eq!(line.trim_end(), line, "{what}: blanks at an end");
    }
}

fn manifests(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("state") && !path.ends_with("target") {
            found.extend(manifests(&path));
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn every_manifest_of_the_tree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<PathBuf> =
        ["examples", "tests"].iter().flat_map(|folder| manifests(&root.join(folder))).collect();
    let mut laid_out = 0;
    for file in files {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        if value(&text).is_some() {
            assert_lays_out(&text, &file.display().to_string());
            laid_out += 1;
        }
    }
    assert!(laid_out > 100, "{laid_out}");
}

/// A manifest-like text: the numbers decide what stands where, and how it is laid out.
fn text(numbers: &[u8]) -> String {
    let mut numbers = numbers.iter().copied().cycle();
    let mut next = |most: u8| numbers.next().unwrap_or_default() % most;
    let mut out = String::new();
    let mut anchors = 0;
    if next(3) == 0 {
        out += "# yaml-language-server: $schema=x\n";
    }
    if next(4) == 0 {
        out += "# the file\n\n";
    }
    let mut fields = vec![
        "servers",
        "certificates",
        "organization",
        "apiVersion",
        "protect",
        "limits",
        "driver",
        "profiles",
    ];
    while !fields.is_empty() {
        let field = fields.remove(usize::from(next(u8::try_from(fields.len()).unwrap())));
        between(&mut out, 0, &mut next);
        out += &format!("{field}:");
        let indent = 1 + usize::from(next(4));
        match next(6) {
            5 => out += &block(indent, &mut next),
            0 => out += &format!(" {}{}\n", scalar(&mut next), beside(&mut next)),
            1 => {
                let apart = apart(indent, &mut next);
                out += &format!("{apart}{}{}\n", flow(2, &mut next), beside(&mut next));
            }
            2 if anchors > 0 => out += &format!(" *a{}{}\n", 1 + next(anchors), beside(&mut next)),
            3 => {
                let deep = if next(2) == 0 { 0 } else { indent };
                out += &format!("{}\n", beside(&mut next));
                for _ in 0..=next(3) {
                    between(&mut out, deep, &mut next);
                    let behind = if next(4) == 0 {
                        format!(" # behind {}\n{}", next(100), " ".repeat(deep + 1))
                    } else {
                        String::new()
                    };
                    out +=
                        &format!("{}-{behind} {}{}\n", " ".repeat(deep), item(&mut next), beside(&mut next));
                }
            }
            _ => {
                if next(3) == 0 {
                    anchors += 1;
                    out += &format!(" &a{anchors}");
                }
                out += &format!("{}\n", beside(&mut next));
                mapping(&mut out, indent, 2, &mut next);
            }
        }
    }
    between(&mut out, 0, &mut next);
    out
}

fn mapping(out: &mut String, indent: usize, depth: u8, next: &mut dyn FnMut(u8) -> u8) {
    for key in ["EX01", "fqdn", "\"Default Web Site:443\"", "issuer"].iter().take(1 + usize::from(next(4))) {
        between(out, indent, next);
        *out += &format!("{}{key}:", " ".repeat(indent));
        if depth > 0 && next(3) == 0 {
            *out += &format!("{}\n", beside(next));
            mapping(out, indent + 1 + usize::from(next(3)), depth - 1, next);
        } else if next(4) == 0 {
            *out += &format!(" {}{}\n", flow(2, next), beside(next));
        } else {
            *out += &format!(" {}{}\n", scalar(next), beside(next));
        }
    }
}

/// What parts a key from a value in brackets: a blank, or lines with comments.
fn apart(indent: usize, next: &mut dyn FnMut(u8) -> u8) -> String {
    let own = " ".repeat(indent);
    match next(4) {
        0 => format!(" # apart {}\n{own}", next(100)),
        1 => format!("\n{own}# alone {}\n{own}", next(100)),
        2 => format!(" # apart {}\n{own}# alone {}\n\n{own}", next(100), next(100)),
        _ => " ".to_owned(),
    }
}

/// A scalar of several lines.
fn block(indent: usize, next: &mut dyn FnMut(u8) -> u8) -> String {
    let (own, style) = (" ".repeat(indent), [">", ">-", "|", "|-", ">+"][usize::from(next(5))]);
    let mut text = format!(" {style}{}\n", beside(next));
    for line in 0..=next(4) {
        text += &match next(4) {
            0 if line > 0 => "\n".to_owned(),
            1 if line > 0 => format!("{own}  deeper\n"),
            _ => format!("{own}one two\n"),
        };
    }
    text
}

/// Empty lines and comments.
fn between(out: &mut String, indent: usize, next: &mut dyn FnMut(u8) -> u8) {
    for _ in 0..next(3) {
        match next(4) {
            0 => out.push('\n'),
            1 => *out += &format!("{}# about {}\n", " ".repeat(indent), next(100)),
            2 => *out += &format!("{}# deeper {}\n", " ".repeat(indent + 2), next(100)),
            _ => {}
        }
    }
}

fn beside(next: &mut dyn FnMut(u8) -> u8) -> String {
    if next(4) == 0 { format!("   # beside {}", next(100)) } else { String::new() }
}

fn scalar(next: &mut dyn FnMut(u8) -> u8) -> &'static str {
    ["mail", "'it''s quoted'", "\"a \\\" b\"", "30d", "true", "12", "CN=${server.name}", "\"\""]
        [usize::from(next(8))]
}

fn item(next: &mut dyn FnMut(u8) -> u8) -> String {
    if next(2) == 0 { scalar(next).to_owned() } else { format!("friendlyName: {}", scalar(next)) }
}

fn flow(depth: u8, next: &mut dyn FnMut(u8) -> u8) -> String {
    let mut parts = Vec::new();
    for _ in 0..next(9) {
        parts.push(if depth > 0 && next(3) == 0 {
            flow(depth - 1, next)
        } else {
            ["a", "b.contoso.com", "\"c d\""][usize::from(next(3))].to_owned()
        });
    }
    if next(2) == 0 {
        format!("[{}]", parts.join(if next(2) == 0 { "," } else { " , " }).replace(",\"", ", \""))
    } else {
        let fields = parts.iter().enumerate().map(|(at, part)| format!("k{at}: {part}"));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(if next(2) == 0 { ", " } else { "  ,   " }))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_manifests(numbers in prop::collection::vec(any::<u8>(), 1..200)) {
        let text = text(&numbers);
        prop_assume!(value(&text).is_some());
        assert_lays_out(&text, "generated");
        let once = formatted(&text).unwrap();
        prop_assert_eq!(comments(&once), comments(&text), "{}\n----\n{}", text, once);
        prop_assert_eq!(folded(&once), folded(&text), "{}\n----\n{}", text, once);
    }
}

#[test]
fn files_are_written_only_when_they_change() {
    let directory = support::example("contoso");
    let run = |arguments: &[&str]| {
        let output = support::certwright(arguments, directory.path()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let manifest = directory.path().join("manifest.yaml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("organization: contoso", "organization:   contoso")).unwrap();
    assert_eq!(run(&["fmt", "--check"]), (3, "./manifest.yaml\n".to_owned()));
    let (code, diff) = run(&["fmt", "--check", "--diff"]);
    assert!(code == 3 && diff.contains("\n-organization:   contoso\n+organization: contoso\n"), "{diff}");
    assert_eq!(run(&["fmt"]), (0, "./manifest.yaml\n".to_owned()));
    assert_eq!(run(&["fmt", "--check"]), (0, String::new()));
    let before = fs::metadata(&manifest).unwrap().modified().unwrap();
    assert_eq!(run(&["fmt", "manifest.yaml"]), (0, String::new()));
    assert_eq!(fs::metadata(&manifest).unwrap().modified().unwrap(), before);
}

#[test]
fn the_examples_are_laid_out() {
    for file in manifests(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")) {
        let text = fs::read_to_string(&file).unwrap();
        if text.contains("apiVersion: certwright/v1\n") {
            assert_eq!(formatted(&text).unwrap(), text, "{}", file.display());
        }
    }
}

/// What is named by hand may be somebody else's, too.
#[test]
fn files_of_others_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let workflow = "name: ci\non:   [push]\njobs: {check: {runs-on: x}}\n";
    let manifest = "apiVersion: certwright/v1\norganization:   contoso\n";
    fs::write(directory.path().join("ci.yml"), workflow).unwrap();
    fs::write(directory.path().join("m.yaml"), manifest).unwrap();
    let output = support::certwright(&["fmt", "ci.yml", "m.yaml"], directory.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("ci.yml is no manifest: it begins with `name`"), "{said}");
    assert_eq!(fs::read_to_string(directory.path().join("ci.yml")).unwrap(), workflow);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "m.yaml\n");
}
