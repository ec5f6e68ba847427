//! Certificates of a manifest that Exchange cannot tell apart.

use std::collections::BTreeSet;

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        desired::{CertificateId, Desired, DesiredCertificate, DesiredServer, Origin},
        key::KeySpec,
        names::CertificateName,
        service::Service,
    },
};

/// Two certificates of the manifest have the same issuer and subject: with the same names neither is known for itself, and on a
/// server whose transport uses them connectors name both (facts 5.1, 7.4).
pub(super) fn certificates_alike(_: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let (mut findings, mut told) = (Vec::new(), BTreeSet::<(&CertificateName, &CertificateName)>::new());
    let all: Vec<&DesiredCertificate> = desired.certificates.values().collect();
    for (index, second) in all.iter().enumerate() {
        for first in &all[..index] {
            let names = (&first.id.name, &second.id.name);
            if names.0 == names.1 || told.contains(&names) || !same_identity(first, second) {
                continue;
            }
            let Some(why) = confusion(desired, first, second) else { continue };
            told.insert(names);
            let path = DocPath::of(&["certificates"]).key(names.1);
            let what = format!(
                "`{}` and `{}` have the same issuer and subject, {}",
                names.0, names.1, second.subject
            );
            let hint = "give one of the two a `subject` of its own, such as the name that only it has; or make them one certificate \
                        with all names";
            findings.push(Finding::new("", Severity::Error, path, what, why).hinted(hint));
        }
    }
    findings
}

fn same_identity(one: &DesiredCertificate, other: &DesiredCertificate) -> bool {
    let same_ca = match (&one.origin, &other.origin) {
        (Origin::LocalCa { subject: Some(one), .. }, Origin::LocalCa { subject: Some(other), .. }) => {
            one.means(other)
        }
        // Each is its own issuer.
        (Origin::SelfSigned, Origin::SelfSigned) => true,
        _ => one.issuer == other.issuer,
    };
    same_ca && one.subject.means(&other.subject)
}

/// What would be confused; nothing where the two are told apart by their names and meet no transport together.
fn confusion(
    desired: &Desired,
    one: &DesiredCertificate,
    other: &DesiredCertificate,
) -> Option<&'static str> {
    let names = |certificate: &DesiredCertificate| {
        certificate.names.iter().map(|name| name.as_str().to_ascii_lowercase()).collect::<BTreeSet<_>>()
    };
    // One with an RSA key and one on a curve are a pair: clients get what they can use.
    let is_rsa = |certificate: &DesiredCertificate| matches!(certificate.key, KeySpec::Rsa(_));
    if is_rsa(one) != is_rsa(other) {
        return None;
    }
    if names(one) == names(other) {
        return Some(
            "With the same names too, nothing tells which certificate on a server is which of the two, and what is issued for one \
             stands for the other.",
        );
    }
    let together = desired.servers.values().any(|server| {
        let ids = [&one.id, &other.id];
        ids.iter().all(|id| server.uses().any(|used| *used == **id)) && names_one(desired, server, ids)
    });
    together.then_some(
        "A connector names its certificate by issuer and subject, and of two that have them Exchange presents the newer one, or none \
         where that has no SMTP.",
    )
}

/// Whether a connector of the server names one of the two, or SMTP may use both.
fn names_one(desired: &Desired, server: &DesiredServer, ids: [&CertificateId; 2]) -> bool {
    let is_one = |id: &CertificateId| ids.contains(&id);
    let sends = desired.send_connectors.values().flatten().chain(&desired.hybrid).any(is_one);
    let receives = server.receive_connectors.values().flatten().any(is_one);
    let smtp = server.services.get(&Service::Smtp).map(Vec::as_slice).unwrap_or_default();
    receives || sends || ids.iter().all(|id| smtp.contains(id))
}
