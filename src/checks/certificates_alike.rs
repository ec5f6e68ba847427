//! Certificates of a manifest that Exchange cannot tell apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    manifest::{
        Manifest,
        finding::{DocPath, Finding, Severity},
    },
    model::{
        desired::{CertificateId, Desired, DesiredCertificate, DesiredServer, Origin},
        dn::Meaning,
        key::KeySpec,
        names::{CertificateName, IssuerName},
        service::Service,
    },
};

/// Two certificates of the manifest have the same issuer and subject: with the same names neither is known for itself, and on a
/// server whose transport uses them connectors name both (facts 5.1, 7.4).
pub(super) fn certificates_alike(_: &Manifest, desired: Option<&Desired>) -> Vec<Finding> {
    let Some(desired) = desired else { return Vec::new() };
    let identities = shared(desired);
    if identities.is_empty() {
        return Vec::new();
    }
    let mut order: BTreeMap<&CertificateName, usize> = BTreeMap::new();
    for (at, id) in desired.certificates.keys().enumerate() {
        order.entry(&id.name).or_insert(at);
    }
    let mut pairs = Pairs { desired, order, confused: BTreeMap::new() };
    pairs.with_the_same_names(&identities);
    for server in desired.servers.values() {
        pairs.on(server, &identities);
    }
    let found = pairs.confused.into_values();
    found.map(|(first, second, why)| finding(first, second, why)).collect()
}

/// The certificates whose identity another entry of the manifest has too.
fn shared(desired: &Desired) -> BTreeMap<&CertificateId, Identity<'_>> {
    // Most certificates have a subject that no other has.
    let mut subjects: HashMap<u64, (&CertificateName, bool)> =
        HashMap::with_capacity(desired.certificates.len());
    for DesiredCertificate { id, subject, .. } in desired.certificates.values() {
        let (first, shared) = subjects.entry(subject.meaning_hash()).or_insert((&id.name, false));
        *shared |= **first != id.name;
    }
    subjects.retain(|_, (_, shared)| *shared);
    if subjects.is_empty() {
        return BTreeMap::new();
    }
    let mut known: HashMap<Identity<'_>, Vec<&CertificateId>> = HashMap::new();
    for certificate in desired.certificates.values() {
        if subjects.contains_key(&certificate.subject.meaning_hash()) {
            known.entry(identity(certificate)).or_default().push(&certificate.id);
        }
    }
    let is_shared = |ids: &[&CertificateId]| ids.iter().any(|id| id.name != ids[0].name);
    let known = known.into_iter().filter(|(_, ids)| is_shared(ids));
    known.flat_map(|(identity, ids)| ids.into_iter().map(move |id| (id, identity.clone()))).collect()
}

fn finding(first: &DesiredCertificate, second: &DesiredCertificate, why: &str) -> Finding {
    let (one, other) = (&first.id.name, &second.id.name);
    let path = DocPath::of(&["certificates"]).key(other);
    let what = format!("`{one}` and `{other}` have the same issuer and subject, {}", second.subject);
    let hint = "give one of the two a `subject` of its own, such as the name that only it has; or make them one certificate with \
                all names";
    Finding::new("", Severity::Error, path, what, why).hinted(hint)
}

/// What Exchange knows a certificate by: its CA and its subject. One with an RSA key and one on a curve are a pair: clients get
/// what they can use.
type Identity<'a> = (Ca<'a>, Meaning, bool);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Ca<'a> {
    Known(Meaning),
    /// Each is its own issuer.
    Itself,
    Of(&'a IssuerName),
}

fn identity(certificate: &DesiredCertificate) -> Identity<'_> {
    let ca = match &certificate.origin {
        Origin::LocalCa { subject: Some(subject), .. } => Ca::Known(subject.meaning()),
        Origin::SelfSigned => Ca::Itself,
        Origin::LocalCa { subject: None, .. } | Origin::Csr { .. } | Origin::Pfx { .. } => {
            Ca::Of(&certificate.issuer)
        }
    };
    (ca, certificate.subject.meaning(), matches!(certificate.key, KeySpec::Rsa(_)))
}

/// A pair that is confused, and why.
type Confused<'a> = (&'a DesiredCertificate, &'a DesiredCertificate, &'static str);

struct Pairs<'a> {
    desired: &'a Desired,
    /// Where the first certificate of each entry of the manifest is.
    order: BTreeMap<&'a CertificateName, usize>,
    /// By the places of the second and the first in the manifest.
    confused: BTreeMap<(usize, usize), Confused<'a>>,
}

impl Pairs<'_> {
    fn with_the_same_names(&mut self, identities: &BTreeMap<&CertificateId, Identity<'_>>) {
        let mut known: BTreeMap<(&Identity<'_>, BTreeSet<String>), &CertificateId> = BTreeMap::new();
        for (id, certificate) in &self.desired.certificates {
            let Some(identity) = identities.get(id) else { continue };
            let names = certificate.names.iter().map(|name| name.as_str().to_ascii_lowercase()).collect();
            let first = *known.entry((identity, names)).or_insert(id);
            self.confuse(
                [first, id],
                "With the same names too, nothing tells which certificate on a server is which of the two, and what is issued for \
                 one stands for the other.",
            );
        }
    }

    fn on(&mut self, server: &DesiredServer, identities: &BTreeMap<&CertificateId, Identity<'_>>) {
        let mut alike: BTreeMap<&Identity<'_>, BTreeSet<&CertificateId>> = BTreeMap::new();
        for id in server.uses() {
            if let Some(identity) = identities.get(id) {
                alike.entry(identity).or_default().insert(id);
            }
        }
        for ids in alike.into_values().filter(|ids| ids.len() > 1) {
            let ids: Vec<&CertificateId> = ids.into_iter().collect();
            for (index, one) in ids.iter().enumerate() {
                for other in
                    ids[index + 1..].iter().filter(|other| names_one(self.desired, server, [one, other]))
                {
                    self.confuse(
                        [one, other],
                        "A connector names its certificate by issuer and subject, and of two that have them Exchange presents the \
                         newer one, or none where that has no SMTP.",
                    );
                }
            }
        }
    }

    /// Notes a pair, unless it is told of already. The certificates that one entry makes for many servers are no pair.
    fn confuse(&mut self, [one, other]: [&CertificateId; 2], why: &'static str) {
        let places = (self.order.get(&one.name), self.order.get(&other.name));
        let (Some(&one), Some(&other)) = places else { return };
        if one == other {
            return;
        }
        let (first, second) = (one.min(other), one.max(other));
        let all = &self.desired.certificates;
        self.confused.entry((second, first)).or_insert((&all[first], &all[second], why));
    }
}

/// Whether a connector of the server names one of the two, or SMTP may use both.
fn names_one(desired: &Desired, server: &DesiredServer, ids: [&CertificateId; 2]) -> bool {
    let is_one = |id: &CertificateId| ids.contains(&id);
    let sends = desired.send_connectors.values().flatten().chain(&desired.hybrid).any(is_one);
    let receives = server.receive_connectors.values().flatten().any(is_one);
    let smtp = server.services.get(&Service::Smtp).map(Vec::as_slice).unwrap_or_default();
    receives || sends || ids.iter().all(|id| smtp.contains(id))
}
