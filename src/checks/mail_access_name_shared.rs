//! Names by which POP and IMAP look for their certificate, and which another one has too.

use super::written::written;
use crate::{
    manifest::{
        Manifest,
        finding::{Finding, Severity},
    },
    model::{
        desired::Desired,
        names::DnsName,
        service::{MailService, Service},
    },
};

/// Every name by which POP or IMAP could find its certificate is one of another certificate of the same server too: of several the
/// service takes the newest (facts 3.4).
pub(super) fn mail_access_name_shared(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for (server, own) in &desired.servers {
        for (service, mail_service) in [(Service::Pop, MailService::Pop), (Service::Imap, MailService::Imap)]
        {
            let Some(certificate) = own.service(service).and_then(|id| desired.certificates.get(id)) else {
                continue;
            };
            let said = own.x509_certificate_names.get(&mail_service);
            let names: Vec<&DnsName> = match said {
                Some(name) => vec![name],
                None => certificate.client_names().collect(),
            };
            let other = |name: &&DnsName| desired.others_with(own, certificate, name).next();
            if names.iter().any(|name| other(name).is_none()) {
                continue;
            }
            let Some((name, other)) = names.first().and_then(|name| Some((name, other(name)?))) else {
                continue;
            };
            let (id, other) = (&certificate.id.name, &other.id.name);
            let what = format!(
                "`{id}` and `{other}` both have {name}, by which {service} on {server} looks for its certificate"
            );
            let why = "Of several certificates that have the name, the service presents the newest: when the other one is renewed, \
                       it goes over to that.";
            let key = if said.is_some() { "x509CertificateName" } else { "services" };
            let path = written(manifest, server, key).key(service);
            let hint = format!(
                "take {name} out of `{other}`; or give `{id}` a name that only it has, and say it with `x509CertificateName: {{ \
                 {service}: ... }}`; or give {service} the certificate `{other}`"
            );
            findings.push(Finding::new("", Severity::Warning, path, what, why).hinted(hint));
        }
    }
    findings.dedup_by(|a, b| a.path == b.path);
    findings
}
