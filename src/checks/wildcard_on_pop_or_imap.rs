//! Wildcards and POP3 or IMAP4.

use super::written::written;
use crate::model::{
    desired::Desired,
    finding::{Finding, Severity},
    manifest::Manifest,
    service::Service,
};

/// A certificate with a wildcard subject is declared for POP or IMAP, for which Exchange cannot enable it.
pub(super) fn wildcard_on_pop_or_imap(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for (name, server) in &desired.servers {
        for service in [Service::Pop, Service::Imap] {
            let Some(certificate) = server.service(service).and_then(|id| desired.certificates.get(id))
            else {
                continue;
            };
            let wildcard =
                certificate.subject.common_name().is_some_and(|common_name| common_name.starts_with("*."));
            if !wildcard {
                continue;
            }
            let what =
                format!("`{}` has a wildcard subject and cannot be enabled for {service}", certificate.id);
            let why = "Exchange only warns and leaves the service on its old certificate.";
            let finding = Finding::new(
                "",
                Severity::Error,
                written(manifest, name, "services").key(service),
                what,
                why,
            );
            findings.push(
                finding.hinted(format!("give {service} a certificate whose subject is a full host name")),
            );
        }
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}
