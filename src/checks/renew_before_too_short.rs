//! Renewals that come too late.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, names::CertificateName, policy::RenewBefore, time::Span},
};

/// A certificate is renewed less than a day before its end, or only when it has ended.
pub(super) fn renew_before_too_short(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let path_of = |name: &CertificateName| DocPath::of(&["certificates"]).key(name).key("renewBefore");
    let certificates = manifest.certificates.iter();
    let mut findings: Vec<Finding> =
        certificates.filter_map(|(name, spec)| too_short(spec.renew_before, || path_of(name))).collect();
    let auth = manifest.auth_certificate.as_ref();
    let path = || DocPath::of(&["authCertificate", "renewBefore"]);
    findings.extend(auth.and_then(|spec| too_short(spec.renew_before, path)));
    findings
}

fn too_short(before: RenewBefore, path: impl FnOnce() -> DocPath) -> Option<Finding> {
    let RenewBefore::Span(span) = before else { return None };
    let (severity, what, why) = if span == Span::ZERO {
        (
            Severity::Error,
            format!("`renewBefore: {span}` renews no certificate before it expires"),
            "Clients and servers refuse a certificate from its end on, and only then would a new one be made.",
        )
    } else if span < Span::days(1) {
        (
            Severity::Warning,
            format!("`renewBefore: {span}` leaves less than a day to renew a certificate"),
            "Nothing is renewed unless certwright runs in that time, and a CA or a person may take longer.",
        )
    } else {
        return None;
    };
    let finding = Finding::new("", severity, path(), what, why);
    Some(finding.hinted("write a number of days, such as `30d`, or a share of the lifetime: `33%`"))
}
