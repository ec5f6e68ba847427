//! Compares what an endpoint serves with what it should, and says what clients will make of it.

use rustls::pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;

use super::{
    chain_order,
    check::TrustedBy,
    path_validation::{self, Roots, Trust},
};
use crate::{
    model::{
        certificate::Certificate,
        handshake::{distrust::Distrust, endpoint_finding::EndpointFinding},
        key::{PublicKey, Signature},
        names::DnsName,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    ports::prober::{Possession, Sent, Served},
};

/// What an endpoint should serve.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The certificate; none when any will do.
    pub thumbprint: Option<Thumbprint>,
    /// The name under which clients meet it.
    pub name: Option<&'a DnsName>,
    /// The roots that clients trust; none leaves trust unchecked.
    pub roots: Option<&'a Roots>,
    /// By what clients trust it.
    pub trusted_by: TrustedBy,
}

/// What is to be said of what an endpoint serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether clients trust it.
    pub trust: Trust,
    /// What is wrong; none when nothing is.
    pub problems: Vec<EndpointFinding>,
}

/// Judges what was served at the time `now`. The problems come in a fixed order.
pub fn judge(served: &Served, expected: &Expected<'_>, now: Timestamp) -> Judgement {
    let trust = match expected.trusted_by {
        TrustedBy::Roots => path_validation::trust(&served.chain, expected.roots, now),
        TrustedBy::Identity => path_validation::direct(&served.chain, expected.thumbprint),
        TrustedBy::Unchecked => Trust::NotChecked,
    };
    let mut problems = Vec::new();
    let Some(first) = served.chain.first() else {
        return Judgement { trust, problems: vec![EndpointFinding::NoCertificate] };
    };
    problems.extend(identity(first, expected.thumbprint));
    let declared = expected.thumbprint == Some(first.thumbprint());
    if let Ok(leaf) = &first.certificate {
        problems.extend(dates(leaf, now));
        problems.extend(expected.name.and_then(|name| covers(leaf, name)));
        problems.extend((!leaf.is_for_servers()).then_some(EndpointFinding::NotForServers));
    }
    problems.extend(possession(&served.possession));
    problems.extend(chain_order::judge(&served.chain));
    problems.extend(strength(&served.chain));
    problems.extend(issuers_dates(&served.chain, now));
    problems.extend(trusted(&trust, &served.chain, declared, now));
    if served.version.is_legacy() {
        problems.push(EndpointFinding::OldProtocol { version: served.version });
    }
    if is_old_cipher(&served.cipher) {
        problems.push(EndpointFinding::OldCipher { cipher: served.cipher.clone() });
    }
    Judgement { trust, problems }
}

fn identity(first: &Sent, expected: Option<Thumbprint>) -> Option<EndpointFinding> {
    let (served, expected) = (first.thumbprint(), expected?);
    let subject = || match &first.certificate {
        Ok(leaf) => leaf.subject.to_string(),
        Err(_) => "which cannot be read".into(),
    };
    (served != expected).then(|| EndpointFinding::OtherCertificate { served, subject: subject(), expected })
}

fn dates(leaf: &Certificate, now: Timestamp) -> Option<EndpointFinding> {
    if leaf.not_after < now {
        Some(EndpointFinding::Expired { not_after: leaf.not_after })
    } else if leaf.begins_after(now) {
        Some(EndpointFinding::NotYetValid { not_before: leaf.not_before })
    } else {
        None
    }
}

fn covers(leaf: &Certificate, name: &DnsName) -> Option<EndpointFinding> {
    if !leaf.is_accepted_for(name) {
        return Some(EndpointFinding::NotCovered { name: name.clone() });
    }
    // Path building knows the alternative names alone, as browsers do (RFC 9110 section 4.3.4).
    let der = CertificateDer::from(leaf.der.0.as_slice());
    let asked = ServerName::try_from(name.as_str()).ok()?;
    let strict = EndEntityCert::try_from(&der).ok()?;
    let refused = strict.verify_is_valid_for_subject_name(&asked).is_err();
    refused.then(|| EndpointFinding::CommonNameOnly { name: name.clone() })
}

fn possession(possession: &Possession) -> Option<EndpointFinding> {
    match possession {
        Possession::Proved => None,
        Possession::Refuted => Some(EndpointFinding::NotItsKey),
        Possession::Unproved(why) => Some(EndpointFinding::KeyNotProved { why: why.clone() }),
    }
}

/// Keys and signatures of the chain. Nobody checks the signature of a root by its own key.
fn strength(chain: &[Sent]) -> Vec<EndpointFinding> {
    let mut problems = Vec::new();
    for (place, certificate) in readable(chain) {
        match &certificate.key {
            PublicKey::Rsa(bits) if *bits < SHORTEST_RSA_KEY => {
                problems.push(EndpointFinding::WeakKey { place, bits: *bits });
            }
            PublicKey::Rsa(_) | PublicKey::Ec(_) | PublicKey::Other(_) => {}
        }
        match &certificate.signature {
            Signature::Weak(algorithm) if place == 1 || !certificate.is_self_signed() => {
                problems.push(EndpointFinding::WeakSignature { place, algorithm: algorithm.clone() });
            }
            Signature::Weak(_) | Signature::Strong(_) | Signature::Other(_) => {}
        }
    }
    problems
}

fn issuers_dates(chain: &[Sent], now: Timestamp) -> Vec<EndpointFinding> {
    let issuers = readable(chain).filter(|(place, issuer)| *place > 1 && !issuer.is_valid_at(now));
    issuers
        .map(|(_, issuer)| EndpointFinding::IssuerOutOfDate {
            subject: issuer.subject.to_string(),
            not_before: issuer.not_before,
            not_after: issuer.not_after,
        })
        .collect()
}

/// The problem that trust is, unless it was said already.
fn trusted(trust: &Trust, chain: &[Sent], declared: bool, now: Timestamp) -> Option<EndpointFinding> {
    let leaf = readable(chain).find(|(place, _)| *place == 1).map(|(_, leaf)| leaf);
    match trust {
        // That another certificate is served was said already.
        Trust::Trusted { .. } | Trust::Direct { .. } | Trust::NotChecked => None,
        Trust::SelfSigned => Some(EndpointFinding::SelfSigned { declared }),
        Trust::Untrusted { why: Distrust::OutOfDate { .. } }
            if leaf.is_some_and(|leaf| !leaf.is_valid_at(now)) =>
        {
            None
        }
        Trust::Untrusted { why: Distrust::Usage } if leaf.is_some_and(|leaf| !leaf.is_for_servers()) => None,
        Trust::Untrusted { why: Distrust::UnknownIssuer { issuer } }
            if leaf.is_some_and(|leaf| leaf.issuer.to_string() == *issuer) =>
        {
            Some(EndpointFinding::MissingIntermediate { issuer: issuer.clone() })
        }
        Trust::Untrusted { why } => Some(EndpointFinding::Untrusted { why: why.clone() }),
    }
}

/// Suites without forward secrecy, or with ciphers that are broken or easily used wrongly (RFC 9325 section 4).
fn is_old_cipher(cipher: &str) -> bool {
    const OLD: [&str; 6] = ["_CBC_", "_RC4_", "_3DES_", "_DES_", "_NULL_", "_EXPORT_"];
    cipher.starts_with("TLS_RSA_") || OLD.iter().any(|part| cipher.contains(part))
}

fn readable(chain: &[Sent]) -> impl Iterator<Item = (usize, &Certificate)> {
    chain.iter().zip(1..).filter_map(|(sent, place)| Some((place, sent.certificate.as_ref().ok()?)))
}

/// Shorter keys are no longer issued or accepted in public (facts 14).
const SHORTEST_RSA_KEY: u32 = 2048;
