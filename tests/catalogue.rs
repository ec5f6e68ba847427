//! Everything that certwright says with an id can be explained, and nothing else is in the catalogue.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read the sources")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use certwright::{
    checks::CHECKS,
    explain::{ExplanationKind, catalogue, search, with_hyphens},
    model::{
        action::SideEffect, cannot::Cannot, failure::FailureCode,
        handshake::endpoint_finding::EndpointFinding, no_way_back::NoWayBack, plan::LeftBecause,
        reason::Reason, unfinished_run::UnfinishedRun, warning::Warning,
    },
    plan::lint::Unsafe,
    verify::{drift, not_provable::NotProvable},
};
use schemars::{JsonSchema, schema_for};
use serde_json::Value;
use strum::VariantNames;

fn check(kind: ExplanationKind, said: &BTreeSet<String>) {
    let explained: BTreeSet<String> =
        catalogue().iter().filter(|entry| entry.kind == kind).map(|entry| entry.id.to_owned()).collect();
    let missing: Vec<_> = said.difference(&explained).collect();
    assert!(
        missing.is_empty(),
        "add a section `## ID` with means, **Why:** and **Do:** to {}: {missing:?}",
        file(kind)
    );
    let orphaned: Vec<_> = explained.difference(said).collect();
    assert!(
        orphaned.is_empty(),
        "nothing says these any more, take them out of {}: {orphaned:?}",
        file(kind)
    );
}

const fn file(kind: ExplanationKind) -> &'static str {
    match kind {
        ExplanationKind::Finding => "src/explain/findings.md",
        ExplanationKind::Reason => "src/explain/reasons.md",
        ExplanationKind::Kept => "src/explain/kept.md",
        ExplanationKind::Effect => "src/explain/effects.md",
        ExplanationKind::Law => "src/explain/laws.md",
        ExplanationKind::Message => "src/explain/messages.md",
        ExplanationKind::Warning => "src/explain/warnings.md",
        ExplanationKind::Cannot => "src/explain/cannot.md",
        ExplanationKind::NoWayBack => "src/explain/no_way_back.md",
        ExplanationKind::NotProvable => "src/explain/not_provable.md",
        ExplanationKind::Endpoint => "src/explain/endpoints.md",
        ExplanationKind::Failure => "src/explain/failures.md",
    }
}

/// The names of an enum's variants as they are written in JSON, from its schema.
fn variants<T: JsonSchema>(tag: Option<&str>) -> BTreeSet<String> {
    let schema = schema_for!(T).to_value();
    let mut names = BTreeSet::new();
    for variant in schema["oneOf"].as_array().unwrap() {
        let of_tag = tag.map(|tag| &variant["properties"][tag]["const"]);
        let texts = match of_tag {
            Some(name) => vec![name.clone()],
            None => [&variant["const"], &variant["required"][0]]
                .into_iter()
                .cloned()
                .chain(variant["enum"].as_array().into_iter().flatten().cloned())
                .collect(),
        };
        names.extend(texts.iter().filter_map(Value::as_str).map(with_hyphens));
    }
    assert!(names.len() > 3, "{names:?}");
    names
}

#[test]
fn every_reason_is_explained() {
    check(ExplanationKind::Reason, &variants::<Reason>(Some("code")));
}

fn codes(variants: &[&str]) -> BTreeSet<String> {
    variants.iter().map(|code| (*code).to_owned()).collect()
}

#[test]
fn every_warning_is_explained() {
    let said = Warning::codes().chain([UnfinishedRun::CODE]);
    check(ExplanationKind::Warning, &said.map(str::to_owned).collect());
}

#[test]
fn everything_that_cannot_be_done_is_explained() {
    check(ExplanationKind::Cannot, &codes(Cannot::VARIANTS));
}

#[test]
fn everything_that_cannot_be_taken_back_is_explained() {
    check(ExplanationKind::NoWayBack, &codes(NoWayBack::VARIANTS));
}

#[test]
fn everything_that_cannot_be_proved_is_explained() {
    check(ExplanationKind::NotProvable, &codes(NotProvable::VARIANTS));
}

#[test]
fn everything_wrong_with_an_endpoint_is_explained() {
    let mut said = codes(EndpointFinding::VARIANTS);
    said.insert(drift::UNHEALTHY.to_owned());
    said.insert(drift::NOT_TAKEN.to_owned());
    check(ExplanationKind::Endpoint, &said);
}

#[test]
fn every_failure_is_explained() {
    check(ExplanationKind::Failure, &codes(FailureCode::VARIANTS));
}

#[test]
fn everything_kept_is_explained() {
    check(ExplanationKind::Kept, &variants::<LeftBecause>(None));
}

#[test]
fn every_side_effect_is_explained() {
    check(ExplanationKind::Effect, &variants::<SideEffect>(None));
}

#[test]
fn every_law_is_explained() {
    check(ExplanationKind::Law, &variants::<Unsafe>(Some("law")));
}

/// The checks, and the ids of findings that are made elsewhere: the texts in the sources that stand where an id does.
#[test]
fn every_finding_is_explained() {
    let mut said: BTreeSet<String> = CHECKS.iter().map(|check| check.id.replace('_', "-")).collect();
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for after in code.split("Finding::new(").skip(1) {
            let argument = after.trim_start().split(',').next().unwrap();
            match argument.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                // A check's own: its id is its name.
                Some("") => {}
                Some(id) => drop(said.insert(id.to_owned())),
                // Known ways to write it otherwise; a new one has to be added here.
                None if argument == "&format!(\"unknown-{kind}\")" => {
                    said.extend(
                        code.split("self.unknown(\"")
                            .skip(1)
                            .map(|kind| format!("unknown-{}", kind.split('"').next().unwrap())),
                    );
                }
                None if argument == "id" => {
                    let ids = code.split("self.mistake(").skip(1).map(str::trim_start);
                    said.extend(
                        ids.filter_map(|call| call.strip_prefix('"')?.split('"').next())
                            .map(ToOwned::to_owned),
                    );
                }
                None if argument == "\n" || argument.is_empty() || argument.starts_with("id:") => {}
                None => panic!("{}: an id that this test cannot read: {argument}", path.display()),
            }
        }
    }
    check(ExplanationKind::Finding, &said);
}

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

/// What administrators type who see something, and the entry that comes first or second.
#[test]
fn symptoms_lead_to_their_entries() {
    for (typed, entry) in [
        ("0x8004010f", "outlook-address-book-not-found"),
        ("out of office", "outlook-address-book-not-found"),
        ("automatic reply", "outlook-address-book-not-found"),
        ("0x80072F0D", "activesync-certificate-not-accepted"),
        ("80072f06", "activesync-certificate-not-accepted"),
        ("12175", "activesync-certificate-not-accepted"),
        ("36887", "schannel-alert"),
        ("Schannel 36888", "schannel-alert"),
        ("36870", "schannel-36870"),
        ("0x800B0109", "untrusted-root-schannel"),
        ("company you have not chosen to trust", "untrusted-root-schannel"),
        ("Security Alert", "untrusted-root-schannel"),
        ("0x800B0101", "certificate-expired-schannel"),
        ("-2146893016", "certificate-expired-schannel"),
        ("0x800B010F", "wrong-principal-schannel"),
        ("0x80092013", "revocation-check-failed"),
        ("network password is not correct", "wrong-password-or-encryption"),
        ("PendingRequest", "certificate-not-found"),
        ("was not found", "certificate-not-found"),
        ("forced TLS", "certificate-validation-failure"),
        ("454 4.7.5", "certificate-validation-failure"),
        ("Fix my network", "small-business-server"),
        ("Group Policy", "untrusted-root-schannel"),
        ("takes precedence", "takes-precedence"),
        ("Overwrite existing default SMTP certificate", "overwrite-default-smtp-certificate"),
        ("shell handle passed to the WSMan Shell function is not valid", "winrm-shell-handle-not-valid"),
        ("12014", "event-12014"),
        ("12016", "event-12016"),
        ("1036", "event-1036"),
        ("10104", "event-10104"),
        ("15021", "event-15021"),
    ] {
        let found: Vec<&str> = search(typed).into_iter().map(|entry| entry.id).take(2).collect();
        assert!(found.contains(&entry), "{typed}: {found:?}");
    }
}
