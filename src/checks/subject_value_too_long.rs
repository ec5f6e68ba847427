//! Subjects that no certificate can hold.

use super::written::subject_path;
use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
    },
    model::{desired::Desired, dn::COMMON_NAME},
};

/// A part of a subject is longer than X.520 allows.
pub(super) fn subject_value_too_long(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for certificate in desired.certificates.values() {
        let attributes = certificate.subject.rdns().iter().flat_map(|rdn| &rdn.0);
        // The common name has a check of its own.
        for attribute in attributes.filter(|attribute| attribute.oid != COMMON_NAME) {
            let (name, length) = (attribute.name(), attribute.value.chars().count());
            let Some(most) = attribute.longest().filter(|most| length > *most) else { continue };
            let what = format!(
                "{name} in the subject of `{}` has {length} characters; {most} are allowed",
                certificate.id.name
            );
            let why =
                "CAs and `New-ExchangeCertificate` refuse the request, and programs refuse the certificate.";
            let path = subject_path(manifest, &certificate.id.name);
            findings.push(
                Finding::new("", Severity::Error, path, what, why)
                    .hinted(format!("shorten the value of {name}")),
            );
        }
    }
    findings.dedup_by(|a, b| a.path == b.path && a.message == b.message);
    findings
}
