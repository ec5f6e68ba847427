//! Whether a chain leads to a root that is trusted. Roots are handed in; where they come from is the adapters' business.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use serde::{Deserialize, Serialize};
use webpki::{
    ALL_VERIFICATION_ALGS, CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage,
    OwnedCertRevocationList, RevocationOptions, RevocationOptionsBuilder, UnknownStatusPolicy,
    anchor_from_trusted_cert,
};

use crate::{
    model::{
        certificate::Certificate, dn::DistinguishedName, handshake::distrust::Distrust, schema::JsonSchema,
        thumbprint::Thumbprint, time::Timestamp,
    },
    ports::prober::Sent,
};

/// Roots that are trusted, and what their CAs have revoked, as far as lists of it were given.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    /// What path building needs of them.
    anchors: Vec<TrustAnchor<'static>>,
    /// Who they are, in the same order.
    names: Vec<Root>,
    /// Lists of revoked certificates.
    revocations: Vec<Arc<CertRevocationList<'static>>>,
}

#[derive(Clone, Debug)]
struct Root {
    subject: DistinguishedName,
    thumbprint: Thumbprint,
}

/// Whether a chain is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Trust {
    /// It leads to a root.
    Trusted {
        /// The root's subject.
        root: String,
    },
    /// Exchange's direct trust: peers know this very certificate, and look at nothing else of it.
    Direct {
        /// Whether it is the one that they know.
        known: bool,
    },
    /// The certificate signs itself and is no root.
    SelfSigned,
    /// It leads to none.
    Untrusted {
        /// Why not.
        why: Distrust,
    },
    /// No roots were given.
    NotChecked,
}

impl Roots {
    /// Takes certificates as roots. Those that cannot be roots are counted and left out.
    pub fn new<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> (Self, usize) {
        let (mut roots, mut left_out) = (Self::default(), 0);
        for der in certificates {
            let certificate = CertificateDer::from(der);
            match (anchor_from_trusted_cert(&certificate), Certificate::from_der(der)) {
                (Ok(anchor), Ok(read)) => {
                    roots.anchors.push(anchor.to_owned());
                    roots.names.push(Root { subject: read.subject.clone(), thumbprint: read.thumbprint });
                }
                (Err(_), _) | (_, Err(_)) => left_out += 1,
            }
        }
        (roots, left_out)
    }

    /// These and the others.
    #[must_use]
    pub fn with(mut self, others: Self) -> Self {
        self.anchors.extend(others.anchors);
        self.names.extend(others.names);
        self.revocations.extend(others.revocations);
        self
    }

    /// These with a list of revoked certificates (RFC 5280 section 5), in DER.
    pub fn with_revocations(mut self, list: &[u8]) -> Result<Self, Error> {
        self.revocations.push(Arc::new(OwnedCertRevocationList::from_der(list)?.into()));
        Ok(self)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }
}

/// Looks for a path from the certificate of a server to one of the roots, by what the server sent.
pub fn trust(chain: &[Sent], roots: Option<&Roots>, now: Timestamp) -> Trust {
    let (Some(roots), Some(first)) = (roots, chain.first()) else { return Trust::NotChecked };
    if let Some(root) = roots.names.iter().find(|root| root.thumbprint == first.thumbprint()) {
        return Trust::Trusted { root: root.subject.to_string() };
    }
    match path(chain, roots, now) {
        Ok(root) => Trust::Trusted { root },
        Err(_) if first.certificate.as_ref().is_ok_and(Certificate::is_self_signed) => Trust::SelfSigned,
        Err(error) => Trust::Untrusted { why: distrust(&error, chain, roots, now) },
    }
}

/// Whether peers that know a certificate trust this one: by being it.
pub fn direct(chain: &[Sent], known: Option<Thumbprint>) -> Trust {
    match (chain.first(), known) {
        (Some(first), Some(known)) => Trust::Direct { known: first.thumbprint() == known },
        (None, _) | (_, None) => Trust::NotChecked,
    }
}

fn path(chain: &[Sent], roots: &Roots, now: Timestamp) -> Result<String, Error> {
    let ders: Vec<CertificateDer<'_>> =
        chain.iter().map(|sent| CertificateDer::from(sent.der.0.as_slice())).collect();
    let (first, others) = ders.split_first().ok_or(Error::BadDer)?;
    // One certificate that cannot be read would end the search, though the others may lead to a root.
    let others: Vec<CertificateDer<'_>> =
        others.iter().filter(|der| EndEntityCert::try_from(*der).is_ok()).cloned().collect();
    let seconds = u64::try_from(now.unix()).unwrap_or_default();
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let leaf = EndEntityCert::try_from(first)?;
    let usage = KeyUsage::server_auth();
    let lists: Vec<&CertRevocationList<'static>> = roots.revocations.iter().map(Arc::as_ref).collect();
    let path = leaf.verify_for_usage(
        ALL_VERIFICATION_ALGS,
        &roots.anchors,
        &others,
        time,
        usage,
        revocation(&lists),
        None,
    )?;
    let at = roots.anchors.iter().position(|anchor| anchor == path.anchor());
    Ok(at.map_or_else(|| "a root".into(), |at| roots.names[at].subject.to_string()))
}

/// The lists that were given are looked at for the whole chain; a CA of which there is no list has revoked nothing. A list
/// after its time says nothing for sure, and ends the search (RFC 5280 section 6.3).
fn revocation<'a>(lists: &'a [&'a CertRevocationList<'static>]) -> Option<RevocationOptions<'a>> {
    let builder = RevocationOptionsBuilder::new(lists).ok()?;
    let builder = builder.with_status_policy(UnknownStatusPolicy::Allow);
    Some(builder.with_expiration_policy(ExpirationPolicy::Enforce).build())
}

fn distrust(error: &Error, chain: &[Sent], roots: &Roots, now: Timestamp) -> Distrust {
    let readable = || chain.iter().filter_map(|sent| sent.certificate.as_ref().ok());
    match error {
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => {
            let out_of_date = readable().find(|certificate| !certificate.is_valid_at(now));
            out_of_date.map_or_else(
                || other(error),
                |certificate| Distrust::OutOfDate {
                    subject: certificate.subject.to_string(),
                    not_before: certificate.not_before,
                    not_after: certificate.not_after,
                },
            )
        }
        Error::UnknownIssuer => end_of(&readable().collect::<Vec<_>>()).unwrap_or_else(|| other(error)),
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => Distrust::WeakSignature,
        Error::InvalidSignatureForPublicKey => Distrust::BadSignature,
        Error::CaUsedAsEndEntity
        | Error::EndEntityUsedAsCa
        | Error::NameConstraintViolation
        | Error::PathLenConstraintViolated => Distrust::NotAllowed { rule: format!("{error:?}") },
        Error::RequiredEkuNotFoundContext(_) => Distrust::Usage,
        Error::CertRevoked => Distrust::Revoked { subject: revoked(&readable().collect::<Vec<_>>(), roots) },
        Error::CrlExpired { .. } => Distrust::OldRevocationList,
        error => other(error),
    }
}

/// The certificate of the chain whose serial number is on a list.
fn revoked(certificates: &[&Certificate], roots: &Roots) -> String {
    let is_listed = |certificate: &&&Certificate| {
        let serial = bytes(&certificate.serial);
        // As DER has it: a zero byte before one whose first bit is set.
        let signed = [&[0], serial.as_slice()].concat();
        let listed = |list: &CertRevocationList<'_>, serial: &[u8]| {
            list.find_serial(serial).is_ok_and(|found| found.is_some())
        };
        roots.revocations.iter().any(|list| listed(list, &serial) || listed(list, &signed))
    };
    let found = certificates.iter().find(is_listed);
    found.map_or_else(|| "a certificate in it".into(), |certificate| certificate.subject.to_string())
}

/// The bytes of a number in hexadecimal.
fn bytes(hexadecimal: &str) -> Vec<u8> {
    let even = if hexadecimal.len().is_multiple_of(2) { String::new() } else { "0".into() } + hexadecimal;
    let pairs = (0..even.len()).step_by(2).filter_map(|at| even.get(at..at + 2));
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

/// Where the chain ends that starts with the first certificate.
fn end_of(certificates: &[&Certificate]) -> Option<Distrust> {
    let mut last = *certificates.first()?;
    // A chain of n certificates has n links at most, whatever circles their names make.
    for _ in certificates {
        let above = certificates.iter().find(|other| other.subject == last.issuer && **other != last);
        let Some(above) = above else { break };
        last = above;
    }
    Some(if last.is_self_signed() {
        Distrust::UnknownRoot { root: last.subject.to_string() }
    } else {
        Distrust::UnknownIssuer { issuer: last.issuer.to_string() }
    })
}

fn other(error: &Error) -> Distrust {
    Distrust::Other { why: format!("{error:?}").chars().take(100).collect() }
}
