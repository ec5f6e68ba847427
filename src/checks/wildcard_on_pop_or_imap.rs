//! Wildcards and POP3 or IMAP4.

use super::written::written;
use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
    },
    model::{
        desired::Desired,
        service::{MailService, Service},
    },
};

/// A certificate with a wildcard subject is declared for POP or IMAP, for which Exchange cannot enable it, and nothing
/// says the full name by which the service could find it (facts 3.3).
pub(super) fn wildcard_on_pop_or_imap(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for (name, server) in &desired.servers {
        for (service, mail_service) in [(Service::Pop, MailService::Pop), (Service::Imap, MailService::Imap)]
        {
            let certificate = server.service(service).and_then(|id| desired.certificates.get(id));
            let Some(certificate) = certificate.filter(|certificate| certificate.has_wildcard_subject())
            else {
                continue;
            };
            let named = server.x509_certificate_names.contains_key(&mail_service);
            if named || certificate.client_name().is_some() {
                continue;
            }
            let id = &certificate.id;
            let what = format!("`{id}` has a wildcard subject and cannot be enabled for {service}");
            let why = "Exchange only shows a warning, and the service keeps its old certificate.";
            let path = written(manifest, name, "services").key(service);
            let hint =
                format!("write the full name that clients use: `x509CertificateName: {{ {service}: ... }}`");
            findings.push(Finding::new("", Severity::Error, path, what, why).hinted(hint));
        }
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}
