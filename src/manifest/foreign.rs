//! YAML files beside a manifest that are somebody else's: pipelines, compose files, objects of Kubernetes.

use saphyr_parser::{Event, Parser};
use serde::Serialize;

use crate::model::schema::JsonSchema;

/// A file beside a manifest that is not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkippedFile {
    /// The file.
    pub file: String,
    /// What it is, as the end of a sentence.
    pub why: String,
    /// Whether it is certwright's own, as the lab of a manifest: nobody takes it for a part of the manifest.
    #[serde(skip)]
    #[schemars(skip)]
    pub own: bool,
}

/// Whether a text is a lab.
pub fn is_lab(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("apiVersion: certwright.lab/"))
}

/// Whose file it is, when it is no part of a manifest; told by its top-level keys, or by what it is instead of keys and values.
pub fn foreign(text: &str) -> Option<String> {
    let keys = || text.lines().filter_map(key);
    if let Some((_, version)) = keys().find(|(key, _)| *key == "apiVersion") {
        let version = version.trim_matches(['"', '\'']);
        return (!version.starts_with("certwright/")).then(|| format!("its apiVersion is `{version}`"));
    }
    let Some((first, _)) = keys().next() else { return without_keys(text).map(str::to_owned) };
    let ours = |(key, _): (&str, &str)| FIELDS.iter().any(|field| strsim::jaro(key, field) > SLIP);
    (!keys().any(ours)).then(|| format!("it begins with `{first}` and has no field of a manifest"))
}

/// What a text is that has no key in the first column. None for what may be a manifest all the same: in brackets, or with a slip in it.
fn without_keys(text: &str) -> Option<&'static str> {
    for event in Parser::new_from_str(text) {
        match event {
            Ok((Event::SequenceStart(..), _)) => return Some("it is a list"),
            Ok((Event::Scalar(value, ..), _)) if value.is_empty() => {}
            Ok((Event::Scalar(value, ..), _)) => {
                let first = value.split(|char: char| !char.is_alphanumeric()).next().unwrap_or_default();
                let slip = FIELDS.iter().any(|field| strsim::jaro(first, field) > SLIP);
                return (!slip).then_some("it is a text and no mapping");
            }
            Ok((Event::MappingStart(..) | Event::Alias(_), _)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
    Some("it is empty")
}

/// The key that begins in the first column of a line, and what follows it there.
fn key(line: &str) -> Option<(&str, &str)> {
    if line.starts_with([' ', '#']) {
        return None;
    }
    let (key, value) = line.split_once(':')?;
    let key = key.trim_end().trim_matches(['"', '\'']);
    let plain = |char: char| char.is_alphanumeric() || "_-.".contains(char);
    let value = value.split(" #").next().unwrap_or_default().trim();
    (!key.is_empty() && key.chars().all(plain)).then_some((key, value))
}

/// The fields of a manifest.
pub const FIELDS: &[&str] = &[
    "apiVersion",
    "organization",
    "driver",
    "issuers",
    "certificates",
    "profiles",
    "servers",
    "sendConnectors",
    "authCertificate",
    "hybrid",
    "subscribeAnew",
    "loadBalancers",
    "protect",
    "compromised",
    "restarts",
    "limits",
    "expiryWarning",
    "verify",
    "drift",
    "notify",
    "backup",
];

/// How like a field a key has to be to be a slip of the keyboard: such a file is read, and the slip is found.
const SLIP: f64 = 0.9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_manifest_makes_a_file_ours() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../../schemas/manifest.schema.json")).unwrap();
        let fields: Vec<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, FIELDS);
        for field in FIELDS.iter().filter(|field| **field != "apiVersion") {
            assert_eq!(foreign(&format!("# ours\n{field}: []\n")), None, "{field}");
        }
    }

    #[test]
    fn files_of_others_are_known() {
        for (text, is_foreign) in [
            ("stages: [check]\n", true),
            ("repos:\n- repo: local\n", true),
            ("version: '3'\nservices:\n  web: {}\n", true),
            ("apiVersion: v1\nkind: Pod\n", true),
            ("apiVersion: certwright.lab/v1\nservers: {}\n", true),
            ("# ours\napiVersion: certwright/v1\n", false),
            ("\"apiVersion\": \"certwright/v2\"\n", false),
            ("protct:\n- friendlyName: A\n", false),
            ("servers:\n  EX01: {}\n", false),
            ("{ apiVersion: certwright/v1 }\n", false),
            ("\tservers:\n", false),
            ("", true),
            ("# nothing but a comment\n---\n", true),
            ("- name: play\n  hosts: all\n", true),
            ("[a, b]\n", true),
            ("just a text\n", true),
            ("\"a quoted one\"\n", true),
            ("server\n  EX01\n", false),
            ("? servers\n: {}\n", false),
            ("\"open\n", false),
        ] {
            assert_eq!(foreign(text).is_some(), is_foreign, "{text}");
        }
    }
}
