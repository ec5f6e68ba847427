//! Names by which POP and IMAP look for their certificate.

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

/// POP or IMAP is told to look for a name that its certificate does not have, or has no certificate at all.
pub(super) fn x509_name_not_in_certificate(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for (server, own) in &desired.servers {
        for (mail_service, name) in &own.x509_certificate_names {
            let service = match mail_service {
                MailService::Pop => Service::Pop,
                MailService::Imap => Service::Imap,
            };
            let certificate = own.service(service).and_then(|id| desired.certificates.get(id));
            let what = match certificate {
                Some(certificate) if certificate.covers(name) => continue,
                Some(certificate) => format!("`{}` does not have the name {name}", certificate.id),
                None => format!("{service} of {server} has a name and no certificate"),
            };
            let why =
                "The service looks for a certificate with exactly this name; without one it offers no TLS.";
            let path = written(manifest, server, "x509CertificateName").key(mail_service);
            let hint = format!(
                "add the name to the certificate, or name the certificate under `services: {{ {service}: ... }}`"
            );
            findings.push(Finding::new("", Severity::Error, path, what, why).hinted(hint));
        }
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}
