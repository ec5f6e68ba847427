//! The step from a manifest alone to what is desired: what is known of its CAs, and their answers.

use std::collections::BTreeMap;

use super::{Desired, Origin};
use crate::model::{certificate::Certificate, dn::DistinguishedName, fact::Fact, names::IssuerName};

/// The subjects of CAs, by issuer: all that the pure core needs of their files.
pub type CaSubjects = BTreeMap<IssuerName, DistinguishedName>;

/// The certificates in PFX files, by issuer, or why one could not be read.
pub type PfxCertificates = BTreeMap<IssuerName, Fact<Box<Certificate>>>;

/// What is known of the files of issuers.
#[derive(Clone, Debug, Default)]
pub struct OfIssuers {
    /// The subjects of CAs whose certificates are at hand.
    pub cas: CaSubjects,
    /// What lies in PFX files.
    pub pfx: PfxCertificates,
}

impl From<CaSubjects> for OfIssuers {
    fn from(cas: CaSubjects) -> Self {
        Self { cas, pfx: PfxCertificates::new() }
    }
}

/// The answers of CAs that are there, by the name of their files without the ending, or why one could not be read.
pub type Answers = BTreeMap<String, Fact<Box<Certificate>>>;

/// A manifest whose references were followed and in which nothing is wrong, before any other file was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved(Desired);

impl Resolved {
    /// What `checks` made of a manifest.
    pub fn new(desired: Desired) -> Self {
        Self(desired)
    }

    /// The files of requests and their answers, without the ending.
    pub fn request_files(&self) -> impl Iterator<Item = &str> {
        self.0.request_files()
    }

    /// What the manifest asks for, with what is known of its CAs and with their answers.
    pub fn with(self, issuers: &OfIssuers, answers: &Answers) -> Desired {
        let mut desired = self.0.with_answers(answers);
        for certificate in desired.certificates.values_mut() {
            match &mut certificate.origin {
                Origin::LocalCa { subject, .. } => *subject = issuers.cas.get(&certificate.issuer).cloned(),
                Origin::Pfx { holds, .. } => {
                    if let Some(found) = issuers.pfx.get(&certificate.issuer) {
                        *holds = found.clone();
                    }
                }
                Origin::SelfSigned | Origin::Csr { .. } => {}
            }
        }
        desired
    }

    /// What the manifest asks for where nothing else is at hand: no file of a CA, and no answer.
    pub fn alone(self) -> Desired {
        self.0
    }
}
