//! Auth certificates that would take effect before every server has them.

use super::auth::KEY;
use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{auth::DesiredAuth, desired::Desired},
};

/// A new Auth certificate would take effect less than 48 hours after it is staged.
pub(super) fn auth_effective_too_soon(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let said = manifest.auth_certificate.as_ref().and_then(|spec| spec.effective_after);
    let found = said.filter(|said| *said < DesiredAuth::SHORTEST).map(|said| {
        let path = DocPath::of(&[KEY, "effectiveAfter"]);
        let what = format!("the Auth certificate would take effect after {said}");
        let why = "Exchange copies it to its servers by itself, and asks about every date that is less than 48 hours ahead.";
        Finding::new("", Severity::Error, path, what, why).hinted("write `effectiveAfter: 48h` or more")
    });
    found.into_iter().collect()
}
