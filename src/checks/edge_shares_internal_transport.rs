//! Edge servers that would present what the servers of their site present.

use std::collections::BTreeMap;

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::{CertificateId, Desired},
};

/// An Edge server has the internal transport certificate of another server (facts 10; 15 no. 6).
pub(super) fn edge_shares_internal_transport(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut of_others: BTreeMap<&CertificateId, Vec<&str>> = BTreeMap::new();
    for (name, other) in desired.servers.iter().filter(|(_, other)| !other.edge) {
        if let Some(id) = &other.internal_transport {
            of_others.entry(id).or_default().push(name.as_str());
        }
    }
    let mut findings = Vec::new();
    for (edge, own) in desired.servers.iter().filter(|(_, own)| own.edge) {
        let Some(id) = &own.internal_transport else { continue };
        let Some(sharing) = of_others.get(id) else { continue };
        let what = format!(
            "Edge server `{edge}` has the internal transport certificate `{id}` of {}",
            sharing.join(", ")
        );
        let why = "Each side identifies the other by that certificate, so they must differ: otherwise EdgeSync stops with event 10104.";
        let written = manifest.servers.get(edge).is_some_and(|spec| spec.internal_transport.is_some());
        let at = DocPath::of(&["servers"]).key(edge);
        let at = if written { at.key("internalTransport") } else { at };
        let finding = Finding::new("", Severity::Error, at, what, why);
        findings.push(
            finding
                .hinted("use a self-signed certificate with `scope: server`, which is valid for five years"),
        );
    }
    findings
}
