//! Countries that are none.

use super::written::subject_path;
use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
    },
    model::{
        desired::Desired,
        dn::{COUNTRY, is_country},
    },
};

/// `C` in a subject is not a country's code of ISO 3166: two capital letters.
pub(super) fn country_not_iso(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for certificate in desired.certificates.values() {
        let attributes = certificate.subject.rdns().iter().flat_map(|rdn| &rdn.0);
        for code in
            attributes.filter(|attribute| attribute.oid == COUNTRY).map(|attribute| attribute.value.as_str())
        {
            let Some((severity, what, hint)) = wrong(code) else { continue };
            let why =
                "CAs and `New-ExchangeCertificate` refuse a request whose country is not an ISO 3166 code.";
            let path = subject_path(manifest, &certificate.id.name);
            findings.push(Finding::new("", severity, path, what, why).hinted(hint));
        }
    }
    findings.dedup_by(|a, b| a.path == b.path && a.message == b.message);
    findings
}

fn wrong(code: &str) -> Option<(Severity, String, String)> {
    let capitals = code.to_ascii_uppercase();
    let shown: String = code.chars().take(40).flat_map(char::escape_debug).collect();
    if is_country(code) {
        None
    } else if is_country(&capitals) {
        let what = format!("`C={shown}` is not written in capital letters");
        Some((Severity::Warning, what, format!("write `C={capitals}`")))
    } else if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        let what = format!("no country has the code `C={shown}`");
        let hint = match capitals.as_str() {
            "UK" => "write `C=GB` for the United Kingdom",
            "EL" => "write `C=GR` for Greece",
            _ => "write the country's two letters of ISO 3166, such as `C=NL`",
        };
        Some((Severity::Warning, what, hint.into()))
    } else {
        let what = format!("`C={shown}` is not a country code of two letters");
        Some((Severity::Error, what, "write the country's two letters of ISO 3166, such as `C=NL`".into()))
    }
}
