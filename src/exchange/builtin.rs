//! Certificates that are Exchange's or Windows' own and share the store with those for TLS (facts 4.1, 1.2, 15 no. 25, 36,
//! 37). They are recognised by what they say themselves, so that no configuration has to be readable for it.

use std::fmt;

use super::setup::AUTH;
use crate::model::{certificate::Certificate, dn::DistinguishedName};

/// A certificate that is nobody's to bind, replace or remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltIn {
    /// It signs OAuth tokens and PowerShell payloads.
    Auth,
    /// It speaks for the organization in federation.
    Federation,
    /// The Web Management Service of IIS does not start without it.
    WebManagement,
    /// An agent of a cloud put it there: Azure's virtual machines, a device that joined Entra ID.
    CloudAgent,
}

/// What the certificate is, when it is one of those.
pub fn recognise(certificate: &Certificate) -> Option<BuiltIn> {
    let (subject, issuer) = (&certificate.subject, &certificate.issuer);
    recognise_subject(subject).or_else(|| is_of_cloud_agent(issuer).then_some(BuiltIn::CloudAgent))
}

/// The same by the subject alone.
pub fn recognise_subject(subject: &DistinguishedName) -> Option<BuiltIn> {
    let common_name = subject.common_name().unwrap_or_default().to_lowercase();
    if is_auth(subject) {
        Some(BuiltIn::Auth)
    } else if common_name == "federation" {
        Some(BuiltIn::Federation)
    } else if common_name.starts_with("wmsvc-") {
        Some(BuiltIn::WebManagement)
    } else if is_of_cloud_agent(subject) {
        Some(BuiltIn::CloudAgent)
    } else {
        None
    }
}

/// Whether this is the subject of an Auth certificate.
pub fn is_auth(subject: &DistinguishedName) -> bool {
    subject.common_name().is_some_and(|name| name.eq_ignore_ascii_case(AUTH))
}

/// `DC=Windows Azure CRP Certificate Generator`, `CN=MS-Organization-P2P-Access [2026]`, `CN=MS-Organization-Access`.
fn is_of_cloud_agent(name: &DistinguishedName) -> bool {
    let text = name.to_string().to_lowercase();
    ["dc=windows azure crp certificate generator", "cn=ms-organization-"]
        .iter()
        .any(|start| text.starts_with(start))
}

impl fmt::Display for BuiltIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auth => "the Auth certificate",
            Self::Federation => "the federation certificate",
            Self::WebManagement => "the certificate of the Web Management Service",
            Self::CloudAgent => "the certificate of a cloud agent",
        })
    }
}
