//! Certificates that Microsoft 365 does not take.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::{Desired, Origin},
};

/// The hybrid configuration has a certificate that no public CA issues.
pub(super) fn hybrid_not_of_public_ca(_: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some((id, desired)) = desired.and_then(|desired| Some((desired.hybrid.as_ref()?, desired))) else {
        return Vec::new();
    };
    let (severity, kind) = match desired.certificates[id].origin {
        Origin::SelfSigned => (Severity::Error, "self-signed"),
        Origin::LocalCa { .. } | Origin::Csr { public: false, .. } => (Severity::Warning, "of a private CA"),
        Origin::Csr { public: true, .. } => return Vec::new(),
    };
    let what = format!("`{id}` is {kind}, and hybrid mail needs a certificate of a public CA");
    let why = "Exchange Online trusts public roots only, and the Hybrid Configuration Wizard does not even list others.";
    let finding = Finding::new("", severity, DocPath::of(&["hybrid"]), what, why);
    vec![finding.hinted("take the certificate from an issuer `csr` of a public CA")]
}
