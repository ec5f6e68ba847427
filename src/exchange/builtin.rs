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
    /// An agent put it there for the machine as a device: Azure's virtual machines, Entra ID, Intune.
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

/// Whether a name is that of an agent's certificate or of who issues them: `DC=Windows Azure CRP Certificate Generator`,
/// `CN=MS-Organization-Access` with whatever beside it, `CN=Microsoft Intune MDM Device CA`; or whether its common name is an
/// identifier of a device, which no server has for its name (facts 2.9).
fn is_of_cloud_agent(name: &DistinguishedName) -> bool {
    let mut values = name.rdns().iter().flat_map(|part| &part.0).map(|part| part.value.to_lowercase());
    name.common_name().is_some_and(is_guid)
        || values.any(|value| AGENTS.iter().any(|agent| value.starts_with(agent)))
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.trim_matches(['{', '}']).split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.chars().all(|digit| digit.is_ascii_hexdigit()))
}

/// How the names of agents begin.
const AGENTS: [&str; 4] = [
    "windows azure crp certificate generator",
    "ms-organization-",
    "microsoft intune",
    "microsoft azure arc",
];

impl fmt::Display for BuiltIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auth => "the Auth certificate",
            Self::Federation => "the federation certificate",
            Self::WebManagement => "the certificate of the Web Management Service",
            Self::CloudAgent => "the certificate of a device or its agent",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_by_what_they_are_called() {
        for (name, of_agent) in [
            ("CN=9f1f3a52-4c1e-4c07-9a39-0d1f4dd0a1aa", true),
            ("CN={9F1F3A52-4C1E-4C07-9A39-0D1F4DD0A1AA}", true),
            ("DC=net, DC=windows, CN=MS-Organization-Access, OU=82dbaca4-3e81-46ca-9c73-0950c1eaca97", true),
            ("OU=82dbaca4-3e81-46ca-9c73-0950c1eaca97, CN=MS-Organization-Access, DC=windows, DC=net", true),
            ("CN=MS-Organization-P2P-Access [2026]", true),
            ("CN=Microsoft Intune MDM Device CA", true),
            ("DC=Windows Azure CRP Certificate Generator", true),
            ("CN=mail.contoso.com, OU=9f1f3a52-4c1e-4c07-9a39-0d1f4dd0a1aa", false),
            ("CN=Microsoft Exchange", false),
            ("CN=EX01", false),
            ("CN=Microsoft Azure TLS Issuing CA 01, O=Microsoft Corporation, C=US", false),
            ("CN=9f1f3a52-4c1e-4c07-9a39", false),
        ] {
            assert_eq!(is_of_cloud_agent(&name.parse().unwrap()), of_agent, "{name}");
        }
    }
}
