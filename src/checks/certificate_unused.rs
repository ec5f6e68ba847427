//! Certificates that nothing uses.

use std::collections::HashSet;

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, names::CertificateName},
};

/// No server uses a certificate of the manifest, so that nothing will come of it.
pub(super) fn certificate_unused(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let certificates = desired.certificates.values().filter(|certificate| !certificate.servers.is_empty());
    let used: HashSet<&CertificateName> = certificates.map(|certificate| &certificate.id.name).collect();
    let unused = manifest.certificates.keys().filter(|name| !used.contains(name));
    unused
        .map(|name| {
            let path = DocPath::of(&["certificates"]).key(name);
            let what = format!("no server uses certificate `{name}`");
            let why = "It would never be issued, and the one it replaces never retired.";
            Finding::new("", Severity::Warning, path, what, why)
                .hinted("name it under `services`, `iis` or `receiveConnectors`")
        })
        .collect()
}
