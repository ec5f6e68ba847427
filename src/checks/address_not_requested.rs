//! Addresses that no server can ask for.

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::desired::{Desired, Origin},
};

/// A certificate that a server makes, or makes the request for, should hold an IP address. `New-ExchangeCertificate` makes a DNS
/// name of whatever it is given, which clients refuse (facts 1.9).
pub(super) fn address_not_requested(manifest: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for certificate in desired.certificates.values() {
        let (severity, hint) = match certificate.origin {
            Origin::SelfSigned => (Severity::Error, ELSEWHERE),
            Origin::Csr { .. } => (Severity::Warning, BY_THE_CA),
            Origin::LocalCa { .. } | Origin::Pfx { .. } => continue,
        };
        for name in certificate.names.iter().filter(|name| name.is_address()) {
            let id = &certificate.id.name;
            let path = DocPath::of(&["certificates"]).key(id);
            let written = manifest.certificates.get(id).and_then(|spec| {
                spec.names.iter().position(|template| template.to_string() == name.to_string())
            });
            // Where the full name of a server is an address, that is the mistake (`fqdn-without-domain`).
            let of_server = || manifest.servers.values().any(|server| server.fqdn == *name);
            if written.is_none() && matches!(certificate.origin, Origin::SelfSigned) && of_server() {
                continue;
            }
            let path = written.map_or_else(|| path.clone(), |index| path.key("names").index(index));
            let what = format!("no server can ask for the address {name} of `{id}`");
            let why = "New-ExchangeCertificate writes it as a DNS name, and clients accept an address only as an iPAddress entry.";
            findings.push(Finding::new("", severity, path, what, why).hinted(hint));
        }
    }
    findings.dedup_by(|a, b| a.path == b.path && a.message == b.message);
    findings
}

const ELSEWHERE: &str = "take the certificate from an issuer `localCa`, or reach the servers by a name";
const BY_THE_CA: &str = "the request leaves it out: have the CA add it as iPAddress, or reach the servers by a name; an answer without it is refused";
