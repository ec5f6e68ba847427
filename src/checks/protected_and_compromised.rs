//! Certificates that may not be touched and have to go.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::Desired,
};

/// The same thumbprint stands under `compromised` and under `protect`.
pub(super) fn protected_and_compromised(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let protected = manifest.protect.iter().enumerate();
    let both = protected.filter_map(|(index, rule)| {
        let thumbprint = rule.thumbprint.filter(|thumbprint| manifest.compromised.contains(thumbprint))?;
        let path = DocPath::of(&["protect"]).index(index).key("thumbprint");
        let what = format!("{thumbprint} is listed under `protect` and under `compromised`");
        let why = "A compromised certificate is replaced immediately, and a protected one is never changed.";
        let finding = Finding::new("", Severity::Error, path, what, why);
        Some(finding.hinted("remove it from `protect` or from `compromised`"))
    });
    both.collect()
}
