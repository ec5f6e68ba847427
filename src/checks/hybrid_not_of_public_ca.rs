//! Certificates that Microsoft 365 does not take.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::{Desired, Origin},
};

/// The hybrid configuration, or a send connector that has the name which the Hybrid Configuration Wizard gives to the one to
/// Microsoft 365, has a certificate that no public CA issues. Other connectors are looked at when the plan is made.
pub(super) fn hybrid_not_of_public_ca(_: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let of_hybrid = desired.hybrid.iter().map(|id| {
        let why = "Exchange Online trusts public roots only, and the Hybrid Configuration Wizard does not list other certificates.";
        (DocPath::of(&["hybrid"]), id, "hybrid mail", why)
    });
    let connectors = desired.send_connectors.iter().filter_map(|(connector, id)| {
        let of_wizard = connector.as_str().to_ascii_lowercase().starts_with("outbound to office 365");
        let why = "Exchange Online accepts only certificates of public CAs: mail with any other certificate is treated as anonymous or refused.";
        let at = DocPath::of(&["sendConnectors"]).key(connector);
        Some((at, id.as_ref().filter(|_| of_wizard)?, "a connector to Microsoft 365", why))
    });
    let found = of_hybrid.chain(connectors).filter_map(|(at, id, place, why)| {
        let (severity, kind) = match desired.certificates[id].origin {
            Origin::SelfSigned => (Severity::Error, "self-signed"),
            Origin::LocalCa { .. }
            | Origin::Csr { public: false, .. }
            | Origin::Pfx { public: false, .. } => (Severity::Warning, "of a private CA"),
            Origin::Csr { public: true, .. } | Origin::Pfx { public: true, .. } => return None,
        };
        let what = format!("`{id}` is {kind}, and {place} needs a certificate of a public CA");
        let finding = Finding::new("", severity, at, what, why);
        Some(finding.hinted("use an issuer `csr` and have a public CA sign the request"))
    });
    found.collect()
}
