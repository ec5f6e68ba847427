//! Subjects without a common name, or with more than one.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::Desired,
};

/// The subject of a certificate has no common name, or several. A certificate in a store is known for one of the manifest by its
/// common name.
pub(super) fn common_name_not_single(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for certificate in desired.certificates.values() {
        let id = &certificate.id.name;
        let written = manifest.certificates.get(id).is_some_and(|spec| spec.subject.is_some());
        let names = certificate.subject.common_names().count();
        if names == 1 || !written {
            continue;
        }
        let path = DocPath::of(&["certificates"]).key(id).key("subject");
        let what = match names {
            0 => format!("the subject of `{id}` has no common name"),
            many => format!("the subject of `{id}` has {many} common names"),
        };
        let why = "By its common name an issued certificate is found again in the stores of servers, so this one would be issued \
                   over and over; Exchange's wizards want exactly one too.";
        let hint = "write one CN, the name that clients use most: `subject: \"CN=mail.contoso.com, O=Contoso, C=NL\"`; further names \
                    belong in `names`";
        findings.push(Finding::new("", Severity::Error, path, what, why).hinted(hint));
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}
