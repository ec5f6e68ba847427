//! Rules of `protect` that fit what the manifest manages.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, protection::Fit},
};

/// A rule of `protect` fits a certificate of the manifest: nothing that has its subject and friendly name may be bound, replaced or
/// removed, and it would be issued anew each time.
pub(super) fn protect_fits_certificate(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings = Vec::new();
    for (index, rule) in manifest.protect.iter().enumerate() {
        let mut fitting = desired.certificates.values().filter(|certificate| {
            // A thumbprint means one certificate that is there, and none that is to come.
            rule.thumbprint.is_none()
                && rule.fits(&certificate.subject, Some(certificate.friendly_name.as_str())) == Fit::Yes
        });
        let Some(certificate) = fitting.next() else { continue };
        let what = format!(
            "`protect` fits certificate `{}` of the manifest, {}",
            certificate.id.name, certificate.subject
        );
        let why = "What is protected is never bound, replaced or removed, so the certificate would be issued over and over and never \
                   used.";
        let path = DocPath::of(&["protect"]).index(index);
        findings.push(Finding::new("", Severity::Error, path, what, why).hinted(
            "protect by `thumbprint`, or by a subject or friendly name that no certificate of the manifest has",
        ));
    }
    findings
}
