//! PFX files that would have to be several certificates at once.

use std::collections::BTreeMap;

use crate::{
    manifest::{
        CertificateScope, IssuerSpec, Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        desired::Desired,
        names::{CertificateName, IssuerName},
        shown::ShowPath,
    },
};

/// Several certificates of the manifest, or one that each server should have for itself, come from one PFX file, which holds one
/// certificate with one key.
pub(super) fn pfx_holds_one_certificate(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let mut first: BTreeMap<&IssuerName, &CertificateName> = BTreeMap::new();
    let mut findings = Vec::new();
    for (name, spec) in &manifest.certificates {
        let Some(IssuerSpec::Pfx(pfx)) = manifest.issuers.get(&spec.issuer) else { continue };
        let file = pfx.file.shown();
        let path = DocPath::of(&["certificates"]).key(name);
        let why = "A PFX file holds one certificate with its key.";
        let finding = |path, what, hint| Finding::new("", Severity::Error, path, what, why).hinted(hint);
        if spec.scope == CertificateScope::Server {
            let what = format!("each server has its own `{name}`, and {file} holds only one certificate");
            findings.push(finding(
                path.key("scope"),
                what,
                "leave `scope` out, or take an issuer that makes several",
            ));
        } else if let Some(other) = first.insert(&spec.issuer, name) {
            let what = format!("`{other}` and `{name}` both use {file}");
            findings.push(finding(
                path.key("issuer"),
                what,
                "give each its own file: an issuer `pfx` for each",
            ));
        }
    }
    findings
}
