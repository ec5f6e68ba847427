//! A certificate as it should be.

use crate::model::{
    action::CertificateRequest,
    certificate::Certificate,
    certificate_id::CertificateId,
    dn::DistinguishedName,
    fact::Fact,
    key::KeySpec,
    names::{DnsName, FriendlyName, IssuerName, ServerName},
    policy::{ExtraServices, RenewBefore, RequestEncoding, Retire},
    thumbprint::Thumbprint,
    time::Span,
};

/// A certificate that should exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredCertificate {
    /// Which one.
    pub id: CertificateId,
    /// Who issues it.
    pub issuer: IssuerName,
    /// What is known of the issuer.
    pub origin: Origin,
    /// Whom it names.
    pub subject: DistinguishedName,
    /// The DNS names it is for, without repetition.
    pub names: Vec<DnsName>,
    /// Names that come from the organization's accepted domains.
    pub includes: Includes,
    /// What Windows shows beside it.
    pub friendly_name: FriendlyName,
    /// Its key.
    pub key: KeySpec,
    /// Whether the key may leave the server.
    pub exportable: bool,
    /// When it is renewed.
    pub renew_before: RenewBefore,
    /// What becomes of its predecessor.
    pub retire: Retire,
    /// What becomes of services that it should not have.
    pub extra_services: ExtraServices,
    /// The server from which its key is copied to others, where that may leave it.
    pub copy_from: Option<ServerName>,
    /// Certificates whose keys others may have: whichever of them stands for this one is replaced now.
    pub compromised: Vec<Thumbprint>,
    /// Why clients will not trust the certificate that people have brought for it; none where they will, or where it is not known.
    pub untrusted: Option<Untrusted>,
    /// The servers that use it, in the manifest's order.
    pub servers: Vec<ServerName>,
}

/// Why clients will not trust a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untrusted {
    /// Whatever servers send with it.
    Always {
        /// What is wrong with its chain.
        why: String,
    },
    /// Its file lacks the rest of its chain, which servers may have.
    Incomplete {
        /// The CA that is missing.
        issuer: DistinguishedName,
        /// What is wrong with its chain.
        why: String,
    },
}

/// Names that are known only when the organization was observed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Includes {
    /// Every accepted domain.
    pub accepted_domains: bool,
    /// `autodiscover.` of every accepted domain.
    pub autodiscover: bool,
    /// Why they are not known, when they should be.
    pub unseen: Option<String>,
}

/// How a certificate comes into being.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The server makes and signs it.
    SelfSigned,
    /// A CA whose key certwright uses.
    LocalCa {
        /// The CA's subject, when its certificate could be read.
        subject: Option<DistinguishedName>,
        /// How long its certificates live.
        lifetime: Span,
    },
    /// A CA that answers a request in days.
    Csr {
        /// The files of the request and its answer, without the ending.
        file: String,
        /// The answer, once it is there; unknown where nobody can read it.
        answer: Option<Fact<Box<Certificate>>>,
        /// Whether the CA is a public one.
        public: bool,
        /// Whether its root is known: that of a public one, or one that the manifest names.
        rooted: bool,
        /// How requests are written.
        encoding: RequestEncoding,
    },
    /// It lies in a PFX file with its key.
    Pfx {
        /// The file, as the manifest names it.
        file: String,
        /// The certificate in it, once it was read.
        holds: Fact<Box<Certificate>>,
        /// Whether its CA is a public one.
        public: bool,
        /// Whether its root is known: that of a public one, or one that the manifest names.
        rooted: bool,
    },
}

impl DesiredCertificate {
    /// What is asked of the issuer.
    pub fn request(&self) -> CertificateRequest {
        let Self { subject, names, key, exportable, friendly_name, origin, .. } = self;
        let found = match origin {
            Origin::Pfx { holds, .. } => holds.known(),
            Origin::SelfSigned | Origin::LocalCa { .. } | Origin::Csr { .. } => None,
        };
        if let Some(found) = found {
            return CertificateRequest {
                subject: found.subject.clone(),
                names: found.names.clone(),
                key: *key,
                exportable: *exportable,
                friendly_name: friendly_name.clone(),
                lifetime: None,
            };
        }
        CertificateRequest {
            // A CA puts the country first whichever way the subject was typed; a server takes it as it is (facts 1.1, 6.3).
            subject: if origin.is_self_signed() { subject.clone() } else { subject.largest_first() },
            names: match origin {
                // New-ExchangeCertificate would make a DNS name of an address (facts 1.9): the CA adds it.
                Origin::Csr { .. } => names.iter().filter(|name| !name.is_address()).cloned().collect(),
                Origin::SelfSigned | Origin::LocalCa { .. } | Origin::Pfx { .. } => names.clone(),
            },
            key: *key,
            exportable: *exportable,
            friendly_name: friendly_name.clone(),
            lifetime: match origin {
                Origin::SelfSigned | Origin::Csr { .. } | Origin::Pfx { .. } => None,
                Origin::LocalCa { lifetime, .. } => Some(*lifetime),
            },
        }
    }
}

impl Origin {
    /// Whether the certificate signs itself.
    pub fn is_self_signed(&self) -> bool {
        match self {
            Self::SelfSigned => true,
            Self::LocalCa { .. } | Self::Csr { .. } | Self::Pfx { .. } => false,
        }
    }
}

impl DesiredCertificate {
    /// The certificate that people have brought for it: in its PFX file, or as the answer of its CA.
    pub fn in_hand(&self) -> Option<&Certificate> {
        match &self.origin {
            Origin::Csr { answer, .. } => answer.as_ref()?.known().map(Box::as_ref),
            Origin::Pfx { holds, .. } => holds.known().map(Box::as_ref),
            Origin::SelfSigned | Origin::LocalCa { .. } => None,
        }
    }

    /// Whether one key is shared by several servers.
    pub fn is_shared(&self) -> bool {
        self.id.server.is_none()
    }

    /// The name by which a POP3 or IMAP4 client of this certificate knows the server: the first full name that is no
    /// wildcard.
    pub fn client_name(&self) -> Option<&DnsName> {
        self.client_names().next()
    }

    /// All names by which such a client can know the server: full ones first.
    pub fn client_names(&self) -> impl Iterator<Item = &DnsName> {
        let names = || self.names.iter().filter(|name| !name.is_wildcard() && !name.is_address());
        let full = names().filter(|name| !name.is_single_label());
        full.chain(names().filter(|name| name.is_single_label()))
    }

    /// Whether its subject is a wildcard, which POP and IMAP do not take (facts 3.3).
    pub fn has_wildcard_subject(&self) -> bool {
        self.subject.common_name().is_some_and(|common_name| common_name.starts_with("*."))
    }

    /// Whether one of its names is good for `host`.
    pub fn covers(&self, host: &DnsName) -> bool {
        self.names.iter().any(|name| name.covers(host))
    }

    /// Adds a name that it does not have yet.
    pub fn add_name(&mut self, name: DnsName) {
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }
}
