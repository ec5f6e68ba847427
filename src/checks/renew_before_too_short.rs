//! Renewals that come too late.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, policy::RenewBefore, time::Span},
};

/// A certificate is renewed less than a day before its end, or only when it has ended.
pub(super) fn renew_before_too_short(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let certificates = manifest.certificates.iter().map(|(name, spec)| {
        let path = DocPath::of(&["certificates"]).key(name).key("renewBefore");
        (path, spec.renew_before)
    });
    let auth = manifest
        .auth_certificate
        .iter()
        .map(|spec| (DocPath::of(&["authCertificate", "renewBefore"]), spec.renew_before));
    certificates.chain(auth).filter_map(|(path, before)| too_short(path, before)).collect()
}

fn too_short(path: DocPath, before: RenewBefore) -> Option<Finding> {
    let RenewBefore::Span(span) = before else { return None };
    let (severity, what, why) = if span == Span::ZERO {
        (
            Severity::Error,
            format!("`renewBefore: {span}` never renews a certificate while it lives"),
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
    let finding = Finding::new("", severity, path, what, why);
    Some(finding.hinted("write a span of some days, such as `30d`, or a part of the lifetime: `33%`"))
}
