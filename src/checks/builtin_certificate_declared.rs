//! Certificates of a manifest that are Exchange's or Windows' own.

use crate::{
    exchange::builtin::{BuiltIn, recognise_subject},
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{desired::Desired, dn::DistinguishedName},
};

/// A certificate of the manifest has the subject of one that is Exchange's or Windows' own.
pub(super) fn builtin_certificate_declared(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let own = manifest.certificates.iter().filter_map(|(name, spec)| {
        let subject: DistinguishedName = spec.subject.as_ref()?.to_string().parse().ok()?;
        Some((name, recognise_subject(&subject)?))
    });
    own.map(|(name, built_in)| {
        let path = DocPath::of(&["certificates"]).key(name).key("subject");
        let what = format!("`{name}` has the subject of {built_in}");
        let why = "It is in the same store, but it is not for TLS. If it were bound or replaced like a TLS certificate, the service that needs it would fail.";
        let hint = match built_in {
            BuiltIn::Auth => "declare it as `authCertificate`",
            BuiltIn::Federation | BuiltIn::WebManagement | BuiltIn::CloudAgent => {
                "take it out: certwright leaves it alone without being told"
            }
        };
        Finding::new("", Severity::Error, path, what, why).hinted(hint)
    })
    .collect()
}
