//! Broken manifests and what is said of them. `tests/mistakes/manifests.txt` holds the manifests, and the snapshot beside it is
//! a table that a person can read from top to bottom: what is wrong, where, why it matters, what to write. A new case is
//! a few lines in the text file.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests touch the disk")]

use std::{fmt::Write, fs, path::Path};

use certwright::{
    checks::check_rest,
    manifest::{
        finding::Finding,
        yaml::{self, Source},
    },
    views::{Layout, View, human::Human},
};

/// The sections of a sound manifest.
const SOUND: [&str; 6] = [
    "apiVersion: certwright/v1\n",
    "organization: contoso\n",
    "driver: { lab: {} }\n",
    "issuers:\n  ca: { localCa: { certificate: ca.crt, key: { file: ca.key } } }\n",
    "certificates:\n  mail: { issuer: ca, names: [mail.contoso.com] }\n",
    "servers:\n  EX01: { fqdn: ex01.contoso.com, services: { IIS: mail } }\n",
];

/// What parsers and deserializers say, and no person should read.
const FOREIGN: [&str; 20] = [
    "invalid type",
    "invalid value",
    "invalid length",
    "expected struct",
    "expected a",
    "unit variant",
    "variant",
    "newtype",
    "untagged",
    "token",
    "scalar",
    "serde",
    "deserial",
    "missing field",
    "u16",
    "u32",
    "did not find",
    "at line",
    "while parsing",
    "key must be",
];

struct Case {
    title: String,
    text: String,
}

#[test]
fn every_mistake_is_told_with_its_place_why_it_matters_and_what_to_write() {
    let cases = cases();
    assert!(cases.len() >= 100, "{} cases", cases.len());
    let mut table = String::new();
    let mut faults = Vec::new();
    for Case { title, text } in &cases {
        let findings = findings(&[("m.yaml", text.as_bytes())]);
        if findings.is_empty() {
            faults.push(format!("{title}: nothing is said of it"));
        }
        if format!("{findings:?}{}", human(&findings)).contains("hunter2") {
            faults.push(format!("{title}: the secret is repeated: {findings:?}"));
        }
        for finding in &findings {
            faults.extend(fault(finding).map(|fault| format!("{title}: {fault}: {finding:?}")));
        }
        writeln!(table, "━━ {title}\n{}", human(&findings)).unwrap();
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("mistakes");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("table", table));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn all_files_are_read_before_anything_is_said() {
    let broken = "apiVersion: certwright/v1\nissuers: [\n";
    let mistaken = "certificates:\n  mail: { issuer: nobody, names: mail.contoso.com }\n";
    let other = "servers:\n  EX01: { fqdn: ex01.contoso.com, services: { IIS: mial }, sit: x }\n";
    let files: [(&str, &[u8]); 4] = [
        ("a.yaml", broken.as_bytes()),
        ("b.yaml", mistaken.as_bytes()),
        ("c.yaml", b"organization: M\xfcnchen\n"),
        ("d.yaml", other.as_bytes()),
    ];
    let findings = findings(&files);
    let told: Vec<String> =
        findings.iter().map(|finding| finding.place.as_ref().unwrap().to_string()).collect();
    // `mial` is a slip, whatever the other files hold; `nobody` may stand in one of those that cannot be read.
    let expected = ["a.yaml:2:10", "b.yaml:2:34", "c.yaml:1:16", "d.yaml:2:52", "d.yaml:2:60"];
    assert_eq!(told, expected, "{findings:#?}");
}

/// Whoever defines something twice has mistakes in either definition told, and none that only comes of leaving the other out.
#[test]
fn each_of_two_definitions_is_read() {
    let one = "apiVersion: certwright/v1\ncertificates:\n  mail: { issuer: nobody, nmes: [a.contoso.com] }\n  \
               \"mail\": { issuer: ca, names: [a.contoso.com], renewBefore: 30 }\n";
    let other = "certificates:\n  mail: { issuer: ca, names: [a..contoso.com] }\norganization: contoso\n\
                 driver: { lab: {} }\nissuers:\n  ca: { selfSigned: {} }\nservers:\n  \
                 EX01: { fqdn: ex01.contoso.com, services: { IIS: mail } }\n";
    let findings = findings(&[("a.yaml", one.as_bytes()), ("b.yaml", other.as_bytes())]);
    let told: Vec<String> = findings
        .iter()
        .filter(|finding| finding.severity == certwright::manifest::finding::Severity::Error)
        .map(|finding| format!("{} {}", finding.place.as_ref().unwrap(), finding.id))
        .collect();
    let expected = [
        "a.yaml:3:19 unknown-issuer",
        "a.yaml:3:27 unknown-field",
        "a.yaml:4:3 duplicate-key",
        "a.yaml:4:62 bad-value",
        "b.yaml:2:3 duplicate-key",
        "b.yaml:2:31 bad-value",
    ];
    assert_eq!(told, expected, "{findings:#?}");
    assert!(!format!("{findings:?}").contains('\u{e000}'));
}

#[test]
fn what_follows_from_a_mistake_is_not_told_as_another_one() {
    // `mail` has a mistake in its form: that `EX01` refers to it is none, and neither is that its profile is unread.
    let text = "certificates:\n  mail: { names: [mail.contoso.com] }\nprofiles:\n  a: 7\nservers:\n  \
                EX01: { fqdn: ex01.contoso.com, profile: a, services: { IIS: mail } }\n";
    let findings = findings(&[("m.yaml", completed(text).as_bytes())]);
    let told: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(told, ["`mail` has no `issuer`", "`a` takes a mapping, not the number 7"]);
}

#[test]
fn two_manifests_in_one_directory_are_told_once() {
    let one = SOUND.concat();
    let other = one.replace("organization: contoso", "organization: fabrikam");
    let files: [(&str, &[u8]); 2] = [("a.yaml", one.as_bytes()), ("b.yaml", other.as_bytes())];
    let told = findings(&files);
    let [finding] = told.as_slice() else { panic!("{told:#?}") };
    assert_eq!(finding.message, "two manifests lie in one directory");
    assert_eq!(finding.place.as_ref().unwrap().to_string(), "b.yaml:2:1");
    assert_eq!(finding.related.as_ref().unwrap().to_string(), "a.yaml:2:1");
}

/// What is wrong with a finding itself.
fn fault(finding: &Finding) -> Option<String> {
    let Finding { message, why, hint, place, .. } = finding;
    let words = format!("{message} {why} {}", hint.as_deref().unwrap_or_default()).to_lowercase();
    if let Some(foreign) = FOREIGN.iter().find(|foreign| words.contains(**foreign)) {
        return Some(format!("says `{foreign}`"));
    }
    match (place, why.is_empty(), hint) {
        (None, _, _) => Some("no place".into()),
        (_, true, _) => Some("no why".into()),
        (_, _, None) => Some("nothing to do".into()),
        (Some(_), false, Some(_)) => None,
    }
}

fn cases() -> Vec<Case> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes/manifests.txt");
    let text = fs::read_to_string(file).unwrap().replace("\n\\", "\n");
    let cases = text.split("\n### ").skip(1);
    cases
        .map(|case| {
            let (title, lines) = case.split_once('\n').unwrap_or((case, ""));
            match title.strip_prefix("whole: ") {
                Some(title) => Case { title: title.into(), text: format!("{}\n", lines.trim_end()) },
                None => Case { title: title.into(), text: completed(lines) },
            }
        })
        .filter(|case| case.title != "no version")
        .chain([Case { title: "no version".into(), text: SOUND[1..].concat() }])
        .collect()
}

/// The text with the sections of a sound manifest that it does not have.
fn completed(text: &str) -> String {
    let has = |section: &str| {
        let key = section.split(':').next().unwrap();
        text.lines().any(|line| line.starts_with(&format!("{key}:")))
    };
    let rest: String = SOUND.into_iter().filter(|section| !has(section)).collect();
    format!("{}\n{rest}", text.trim_end())
}

fn findings(files: &[(&str, &[u8])]) -> Vec<Finding> {
    let sources: Vec<Source> =
        files.iter().map(|(file, bytes)| Source { file: (*file).into(), bytes: bytes.to_vec() }).collect();
    let reading = yaml::manifest_and_mistakes(sources);
    let mut findings = reading.findings;
    if let Some(manifest) = &reading.value {
        let (found, _) = check_rest(manifest, &reading.left_out);
        findings.extend(reading.places.locate(found));
    }
    for definition in &reading.definitions {
        let found = definition.value.as_ref().map(|value| check_rest(value, &definition.left_out).0);
        findings.extend(definition.news(found.unwrap_or_default(), &findings));
    }
    reading.places.in_order(findings)
}

fn human(findings: &[Finding]) -> String {
    let (view, mut text) = (Human { layout: Layout { width: 100, colours: false } }, Vec::new());
    view.findings(findings, 1, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}
