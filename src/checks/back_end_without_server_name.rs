//! The site that the front end proxies to.

use super::written::written;
use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
    },
    model::{desired::Desired, site::SiteBinding},
};

/// Exchange Back End is declared with a certificate of a CA in which the server's own name is missing.
pub(super) fn back_end_without_server_name(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for (name, server) in &desired.servers {
        for (site, id) in server.sites.iter().filter(|(site, _)| site.site == SiteBinding::BACK_END) {
            let Some(certificate) = desired.certificates.get(id) else { continue };
            if certificate.origin.is_self_signed() || certificate.covers(&server.fqdn) {
                continue;
            }
            let what = format!("`{id}` on {site} of {name} does not have the name {}", server.fqdn);
            let why = "Only the server itself comes to this site, under its own name; a certificate for clients brings \
                       nothing there but another date to miss.";
            let finding =
                Finding::new("", Severity::Warning, written(manifest, name, "iis").key(site), what, why);
            findings.push(finding.hinted("use a `selfSigned` certificate of scope `server`"));
        }
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}
