//! Renewal that never ends.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        desired::{Desired, Origin},
        policy::RenewBefore,
    },
};

/// A certificate would be due for renewal from the moment it is issued.
pub(super) fn ca_lifetime_shorter_than_renewal(_: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let certificates = desired.into_iter().flat_map(|desired| desired.certificates.values());
    let endless =
        certificates.filter_map(|certificate| match (&certificate.origin, certificate.renew_before) {
            (Origin::LocalCa { lifetime, .. }, RenewBefore::Span(span)) if span >= *lifetime => {
                Some((certificate, *lifetime, span))
            }
            _ => None,
        });
    endless
        .map(|(certificate, lifetime, span)| {
            let path = DocPath::of(&["certificates"]).key(&certificate.id.name).key("renewBefore");
            let what =
                format!("renewal opens {span} before certificates expire that are valid for only {lifetime}");
            let why = "Every run would replace the certificate of the run before.";
            Finding::new("", Severity::Error, path, what, why).hinted("write a share of the lifetime: `33%`")
        })
        .collect()
}
