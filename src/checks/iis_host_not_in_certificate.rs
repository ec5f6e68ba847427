//! Bindings whose host name is not in their certificate.

use super::written::written;
use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
    },
    model::desired::Desired,
};

/// A binding answers to one host name, and is given a certificate without it: every client that comes to it gets a warning, and no
/// handshake proves the binding (facts 11.4).
pub(super) fn iis_host_not_in_certificate(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for (server, own) in &desired.servers {
        for (site, id) in &own.sites {
            let Some(host) = site.host.as_ref().filter(|host| !host.is_wildcard()) else { continue };
            let Some(certificate) = desired.certificates.get(id).filter(|own| !own.covers(host)) else {
                continue;
            };
            let path = written(manifest, server, "iis").key(site);
            let what = format!(
                "`{}` does not have the name {host}, by which clients come to {site}",
                certificate.id
            );
            let why = "Only clients that use this host name reach the binding, and each of them shows a certificate warning.";
            let hint = "add the name to the certificate, or use a certificate that has it";
            findings.push(Finding::new("", Severity::Error, path, what, why).hinted(hint));
        }
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}
