//! A certificate without a subject and without names.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::Desired,
};

/// A certificate has neither `subject` nor `names`, so that it would be for nobody.
pub(super) fn names_missing(manifest: &Manifest, _: Option<&Desired>) -> Vec<Finding> {
    let nameless =
        manifest.certificates.iter().filter(|(_, spec)| spec.subject.is_none() && spec.names.is_empty());
    nameless
        .map(|(name, _)| {
            let path = DocPath::of(&["certificates"]).key(name);
            let what = format!("certificate `{name}` has neither a subject nor names");
            let why = "Clients accept a certificate only for the names in it.";
            Finding::new("", Severity::Error, path, what, why).hinted("add `names: [mail.contoso.com]`")
        })
        .collect()
}
