//! SARIF 2.1.0 (OASIS): what code scanning of GitHub, Azure DevOps and editors reads.

use std::io;

use serde_json::{Value, json};

use super::told::{Accepted, Diagnostics, by_severity, fingerprint, place, shown};
use crate::{
    explain::{self, Explanation},
    manifest::foreign::SkippedFile,
    model::diagnostic::{Diagnostic, Severity},
    views::json,
};

/// Writes it.
pub(super) fn write(diagnostics: &Diagnostics, out: &mut dyn io::Write) -> io::Result<()> {
    let mut rules: Vec<(&str, Severity)> = Vec::new();
    let accepted = diagnostics.accepted.iter().map(|accepted| &accepted.diagnostic);
    for Diagnostic { code, severity, .. } in diagnostics.list.iter().chain(accepted) {
        match rules.iter_mut().find(|(known, _)| known == code) {
            Some((_, most)) => *most = (*most).min(*severity),
            None => rules.push((code, *severity)),
        }
    }
    let place_of = |code: &str| rules.iter().position(|(known, _)| *known == code);
    let told = |diagnostic: &Diagnostic| result(diagnostics, diagnostic, place_of(&diagnostic.code));
    let said = diagnostics.list.iter().map(told);
    let accepted = diagnostics.accepted.iter().map(|Accepted { diagnostic, because }| {
        let mut result = told(diagnostic);
        result["suppressions"] = json!([{ "kind": "external", "justification": because }]);
        result
    });
    let skipped: Vec<Value> = diagnostics
        .skipped
        .iter()
        .map(|SkippedFile { file, why, .. }| {
            json!({
                "level": "note",
                "message": { "text": format!("the file is skipped: {why}") },
                "locations": [{ "physicalLocation": { "artifactLocation": artifact(diagnostics, &shown(file)) } }],
            })
        })
        .collect();
    let mut log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "certwright",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|(code, severity)| rule(code, *severity)).collect::<Vec<_>>(),
            } },
            "invocations": [{ "executionSuccessful": !diagnostics.failed, "toolConfigurationNotifications": skipped }],
            "automationDetails": { "id": format!("certwright/{}/", diagnostics.command) },
            "columnKind": "unicodeCodePoints",
            "results": said.chain(accepted).collect::<Vec<_>>(),
        }],
    });
    if let Some(root) = &diagnostics.root {
        log["runs"][0]["originalUriBaseIds"] = json!({ ROOT: { "uri": uri(&format!("{root}/")) } });
    }
    json::write(&log, out)
}

fn rule(code: &str, severity: Severity) -> Value {
    let level = json!({ "level": level(severity) });
    let Some(Explanation { means, why, advice, .. }) = explain::find(code).first().copied() else {
        return json!({ "id": code, "defaultConfiguration": level });
    };
    json!({
        "id": code,
        "shortDescription": { "text": means },
        "fullDescription": { "text": format!("{means} {why}") },
        "help": {
            "text": format!("{means}\n\nWhy: {why}\n\nWhat to do: {advice}"),
            "markdown": format!("{means}\n\n**Why:** {why}\n\n**What to do:** {advice}"),
        },
        "defaultConfiguration": level,
    })
}

fn result(diagnostics: &Diagnostics, diagnostic: &Diagnostic, rule: Option<usize>) -> Value {
    let (file, line, column) = place(diagnostics, diagnostic);
    let mut location = json!({ "physicalLocation": {
        "artifactLocation": artifact(diagnostics, &file),
        "region": { "startLine": line, "startColumn": column },
    } });
    if let Some(name) = subject(diagnostic) {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": name }]);
    }
    json!({
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": level(diagnostic.severity),
        "message": { "text": diagnostic.to_string() },
        "locations": [location],
        "partialFingerprints": { "certwright/v1": fingerprint(diagnostics, diagnostic) },
    })
}

/// What it is about, as one name.
fn subject(diagnostic: &Diagnostic) -> Option<String> {
    let subject = &diagnostic.subject;
    let parts = [
        subject.server.as_ref().map(ToString::to_string),
        subject.balancer.as_ref().map(ToString::to_string),
        subject.connector.as_ref().map(ToString::to_string),
        subject.certificate.as_ref().map(|id| id.name.to_string()),
        subject.place.clone(),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

const fn level(severity: Severity) -> &'static str {
    by_severity(severity, ["error", "warning", "note"])
}

/// A file, and what its path is relative to.
fn artifact(diagnostics: &Diagnostics, file: &str) -> Value {
    match &diagnostics.root {
        Some(_) if !is_absolute(file) => json!({ "uri": uri(file), "uriBaseId": ROOT }),
        Some(_) | None => json!({ "uri": uri(file) }),
    }
}

/// The name that forges know for the root of the repository.
const ROOT: &str = "%SRCROOT%";

/// Whether it is seen from nowhere: on Unix, or on a drive of Windows.
fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.get(1..3) == Some(":/")
}

/// The path as a relative reference (RFC 3986 section 4.2), or a file URI for an absolute path.
fn uri(path: &str) -> String {
    let scheme = match (is_absolute(path), path.starts_with('/')) {
        (true, true) => "file://",
        (true, false) => "file:///",
        (false, _) => "",
    };
    let mut uri = scheme.to_owned();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into())
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("contoso/my manifest.yaml"), "contoso/my%20manifest.yaml");
        assert_eq!(uri("/tmp/ä"), "file:///tmp/%C3%A4");
        assert_eq!(uri("C:/a b"), "file:///C%3A/a%20b");
    }
}
