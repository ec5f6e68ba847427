//! Auth certificates that would take effect before every server has them.

use super::auth::KEY;
use crate::{
    manifest::{
        AuthCertificateSpec, Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::Desired,
};

/// A new Auth certificate would take effect less than 48 hours after it is staged.
pub(super) fn auth_effective_too_soon(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let too_soon = |spec: &&AuthCertificateSpec| spec.effective_after < AuthCertificateSpec::SHORTEST;
    let found = manifest.auth_certificate.as_ref().filter(too_soon).map(|spec| {
        let path = DocPath::of(&[KEY, "effectiveAfter"]);
        let what = format!("the Auth certificate would take effect after {}", spec.effective_after);
        let why = "Exchange copies it to its servers by itself, and asks about every date that is less than 48 hours ahead.";
        Finding::new("", Severity::Error, path, what, why).hinted("say `effectiveAfter: 48h` or more")
    });
    found.into_iter().collect()
}
