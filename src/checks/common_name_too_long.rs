//! Common names that no certificate can hold.

use super::written::subject_path;
use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
    },
    model::desired::Desired,
};

/// The upper bound of a common name (RFC 5280, appendix A.1: ub-common-name), in characters.
const LONGEST: usize = 64;

/// The subject of a certificate has a common name of more than 64 characters.
pub(super) fn common_name_too_long(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for certificate in desired.certificates.values() {
        let Some(name) = certificate.subject.common_name() else { continue };
        let length = name.chars().count();
        if length <= LONGEST {
            continue;
        }
        let id = &certificate.id.name;
        let path = subject_path(manifest, id);
        let what = format!("the common name of `{id}` has {length} characters; 64 are allowed");
        let why = "CAs refuse the request, and programs refuse the certificate.";
        findings.push(Finding::new("", Severity::Error, path, what, why).hinted(
            "set `subject` with a shorter name of the certificate as CN; the long one may stay in `names`",
        ));
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}
