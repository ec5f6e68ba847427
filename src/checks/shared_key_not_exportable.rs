//! Keys that several servers need and that cannot leave the first.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::{Desired, Origin},
};

/// Several servers share a certificate whose key may not leave the server it is made on.
pub(super) fn shared_key_not_exportable(_: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let certificates = desired.into_iter().flat_map(|desired| desired.certificates.values());
    let stuck = certificates.filter(|certificate| {
        certificate.is_shared() && certificate.servers.len() > 1 && !certificate.exportable
    });
    stuck
        .map(|certificate| {
            let name = &certificate.id;
            let path = DocPath::of(&["certificates"]).key(&name.name).key("key").key("exportable");
            let (severity, why) = match certificate.origin {
                Origin::SelfSigned | Origin::Csr { .. } => {
                    (Severity::Error, "The first server makes the key, and without export no other server can get it.")
                }
                Origin::Pfx { .. } => (
                    Severity::Warning,
                    "certwright brings it to all servers now; a server that is added later can only get what another PFX file holds.",
                ),
                Origin::LocalCa { .. } => (
                    Severity::Warning,
                    "certwright brings it to all servers now; a server that is added later needs a new certificate for all.",
                ),
            };
            let what = format!("{} servers share `{name}`, whose key is not exportable", certificate.servers.len());
            Finding::new("", severity, path, what, why).hinted("set `exportable: true`, or `scope: server`")
        })
        .collect()
}
