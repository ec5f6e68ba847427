//! What is to happen to each certificate of the manifest.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    desired::{CertificateId, DesiredCertificate},
    names::ServerName,
    reason::Reason,
    thumbprint::Thumbprint,
};

/// What happens to one certificate of the manifest.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The certificate of the manifest.
    pub certificate: &'a DesiredCertificate,
    /// Where the certificate to use comes from.
    pub supply: Supply,
    /// Why a new one is needed, or why nothing can be done.
    pub reasons: Vec<Reason>,
    /// The certificate in use now, when there is one.
    pub incumbent: Option<Thumbprint>,
    /// All certificates of the same lineage on each server, the chosen one among them.
    pub lineage: BTreeMap<ServerName, Vec<Thumbprint>>,
}

/// Where the certificate to use comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supply {
    /// It is there.
    Have {
        /// Which.
        thumbprint: Thumbprint,
        /// The servers that need it and lack it.
        missing: BTreeSet<ServerName>,
        /// The server it can be exported from.
        from: Option<ServerName>,
    },
    /// It has to be made.
    New,
    /// A server holds a request for it.
    Requested {
        /// The server.
        server: ServerName,
        /// The request, by its stand-in certificate.
        request: Thumbprint,
        /// Whether the CA's answer is there.
        answered: bool,
    },
    /// It cannot be told.
    Blocked,
}

impl Decision<'_> {
    /// The reasons as a step on one server gives them. Of what is said of many servers it says its own part: else each of a
    /// fleet's steps would name the whole fleet.
    pub(super) fn reasons_on(&self, server: &ServerName) -> Vec<Reason> {
        let own = self.reasons.iter().filter_map(|reason| match reason {
            Reason::CannotSee { server: other, .. } => (other == server).then(|| reason.clone()),
            Reason::NotDistributable { missing } => {
                let missing: Vec<ServerName> =
                    missing.iter().filter(|name| *name == server).cloned().collect();
                (!missing.is_empty()).then_some(Reason::NotDistributable { missing })
            }
            _ => Some(reason.clone()),
        });
        let own: Vec<Reason> = own.collect();
        if own.is_empty() { vec![Reason::NotOnServer { server: server.clone() }] } else { own }
    }

    /// The certificate that stands for it today: the chosen one, or the one in use until it is replaced.
    pub fn standing(&self) -> Option<Thumbprint> {
        match self.supply {
            Supply::Have { thumbprint, .. } => Some(thumbprint),
            Supply::New | Supply::Requested { .. } | Supply::Blocked => self.incumbent,
        }
    }
}

/// Decisions, found by the server they concern.
pub(super) struct Decisions<'a> {
    all: Vec<Decision<'a>>,
    on: BTreeMap<ServerName, Vec<usize>>,
}

impl<'a> Decisions<'a> {
    pub(super) fn new(all: Vec<Decision<'a>>) -> Self {
        let mut on: BTreeMap<ServerName, Vec<usize>> = BTreeMap::new();
        for (index, decision) in all.iter().enumerate() {
            for server in &decision.certificate.servers {
                on.entry(server.clone()).or_default().push(index);
            }
        }
        Self { all, on }
    }

    /// Those of all other certificates, and that of this one.
    pub(super) fn apart(&self, id: &CertificateId) -> (Self, Self) {
        let (own, others) = self.all.iter().cloned().partition(|decision| decision.certificate.id == *id);
        (Self::new(others), Self::new(own))
    }

    pub(super) fn all(&self) -> &[Decision<'a>] {
        &self.all
    }

    pub(super) fn on(&self, server: &ServerName) -> impl Iterator<Item = &Decision<'a>> {
        self.on.get(server).into_iter().flatten().map(|index| &self.all[*index])
    }
}
