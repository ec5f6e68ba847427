//! Full names that are short.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        desired::{Desired, Origin},
        names::DnsName,
    },
};

/// The full name of a server has no domain, or is an address.
pub(super) fn fqdn_without_domain(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let short = manifest.servers.iter().filter(|(_, server)| {
        let fqdn = &server.fqdn;
        fqdn.is_single_label() || fqdn.is_wildcard() || fqdn.is_address()
    });
    short
        .map(|(name, server)| {
            let path = DocPath::of(&["servers"]).key(name).key("fqdn");
            let what = format!("`{}` is not the full name of a server", server.fqdn);
            let is_address = server.fqdn.is_address();
            let requested = is_address && desired.is_some_and(|desired| is_in_own_certificate(desired, &server.fqdn));
            let why = if requested {
                "Other servers resolve this name and compare it with certificates. New-ExchangeCertificate writes an address as a DNS name, which clients refuse."
            } else {
                "Other servers resolve this name and compare it with certificates."
            };
            // A server that is reached by its address works, though nobody else knows it by that.
            let severity = if is_address && !requested { Severity::Warning } else { Severity::Error };
            Finding::new("", severity, path, what, why).hinted(format!(
                "write the name with its domain, such as `{}.contoso.com`",
                name.as_str().to_lowercase()
            ))
        })
        .collect()
}

/// Whether a server is to make itself a certificate with this name.
fn is_in_own_certificate(desired: &Desired, name: &DnsName) -> bool {
    let own = desired.certificates.values().filter(|own| matches!(own.origin, Origin::SelfSigned));
    own.into_iter().any(|certificate| certificate.names.contains(name))
}
