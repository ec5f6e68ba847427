//! Names of certificates that do not fit into the directory of an Edge server.

use crate::{
    exchange::edge,
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        desired::{CertificateId, Desired, Origin},
        dn::DistinguishedName,
    },
};

/// A send connector, or the hybrid configuration, has a certificate whose issuer and subject have more than 256 characters, and
/// there are Edge servers (facts 6.4; 15 no. 7).
pub(super) fn tls_name_too_long_for_edge(_: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    if !desired.servers.values().any(|server| server.edge) {
        return Vec::new();
    }
    let connectors = desired.send_connectors.iter().filter_map(|(connector, id)| {
        let at = DocPath::of(&["sendConnectors"]).key(connector);
        Some((at, format!("send connector `{connector}`"), id.as_ref()?))
    });
    let hybrid = desired.hybrid.iter();
    let hybrid = hybrid.map(|id| (DocPath::of(&["hybrid"]), "the hybrid configuration".to_owned(), id));
    let mut findings = Vec::new();
    for (at, place, id) in connectors.chain(hybrid) {
        let characters = characters(desired, id);
        if characters <= edge::MOST_CHARACTERS {
            continue;
        }
        let what = format!(
            "the TlsCertificateName of `{id}` for {place} has at least {characters} characters, and Edge servers have room for {}",
            edge::MOST_CHARACTERS
        );
        let why = "It contains the issuer and the subject. Exchange stores it here, but EdgeSync fails on the Edge server: \"A value in the request is invalid\".";
        let finding = Finding::new("", Severity::Warning, at, what, why);
        findings.push(finding.hinted(
            "take a certificate with shorter names, or leave the connector without one (`null`) and give it an Fqdn that only this certificate has",
        ));
    }
    findings
}

/// As many as the name has for certain: of a CA that is asked by request only the subject is known beforehand.
fn characters(desired: &Desired, id: &CertificateId) -> usize {
    let certificate = &desired.certificates[id];
    let count = |name: &DistinguishedName| name.to_string().chars().count();
    let subject = count(&certificate.subject);
    let issuer = match &certificate.origin {
        Origin::SelfSigned => subject,
        Origin::LocalCa { subject: issuer, .. } => issuer.as_ref().map_or(0, count),
        Origin::Csr { .. } | Origin::Pfx { .. } => certificate.in_hand().map_or(0, |own| count(&own.issuer)),
    };
    "<I><S>".len() + issuer + subject
}
