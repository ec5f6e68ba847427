//! Which certificates of a store belong to one of the manifest, in any generation, and which are nobody's to touch.

use std::cmp::Reverse;

use super::usages::usages;
use crate::{
    exchange::builtin,
    model::{
        desired::{CertificateId, Desired, DesiredCertificate, DesiredServer, Origin},
        names::DnsName,
        protection::{Fit, Protection},
        server::{Server, StoredCertificate},
        time::Timestamp,
    },
};

/// Whether a certificate in a server's store is this one of the manifest, in any generation: the same common name and
/// a name in common, and no other certificate of the manifest on this server is nearer to it. Of two that are as near,
/// as when one CA follows another, it is the one in whose places it is.
pub(super) fn same_lineage(
    certificate: &DesiredCertificate,
    desired: &Desired,
    (server, observed): (&DesiredServer, &Server),
    stored: &StoredCertificate,
    now: Timestamp,
) -> bool {
    let built_in = builtin::recognise(&stored.certificate).is_some();
    let affinity =
        |one: &DesiredCertificate| affinity(one, stored, &|| stands(one, (server, observed), stored, now));
    if built_in || is_protected(&desired.protect, stored) || affinity(certificate).is_none() {
        return false;
    }
    let rivals: Vec<_> = used_on(desired, server)
        .filter_map(|rival| affinity(rival).map(|nearness| (nearness, rival)))
        .collect();
    let Some(nearness) = rivals.iter().map(|(nearness, _)| *nearness).max() else { return false };
    let mut nearest = rivals.iter().filter(|(other, _)| *other == nearness).map(|(_, rival)| *rival);
    if nearest.clone().all(|rival| rival.id != certificate.id) {
        return false;
    }
    if nearest.clone().nth(1).is_none() {
        return nearest.next().is_some();
    }
    let thumbprint = Some(stored.certificate.thumbprint);
    let places = |rival: &DesiredCertificate| {
        usages(server, observed, &rival.id, now).into_iter().filter(|holder| *holder == thumbprint).count()
    };
    let order = |rival: &DesiredCertificate| Reverse(desired.certificates.get_index_of(&rival.id));
    let nearest = nearest.max_by_key(|rival| (places(rival), order(rival)));
    nearest.is_some_and(|nearest| nearest.id == certificate.id)
}

/// Whether any certificate of the manifest that the server uses has to do with a stored one.
pub(super) fn is_managed(desired: &Desired, server: &DesiredServer, stored: &StoredCertificate) -> bool {
    used_on(desired, server).any(|certificate| affinity(certificate, stored, &|| false).is_some())
}

fn used_on<'a>(desired: &'a Desired, server: &DesiredServer) -> impl Iterator<Item = &'a DesiredCertificate> {
    let mut ids: Vec<&CertificateId> = server.uses().collect();
    ids.sort_unstable();
    ids.dedup();
    let found: Vec<&DesiredCertificate> =
        ids.into_iter().filter_map(|id| desired.certificates.get(id)).collect();
    found.into_iter()
}

/// How near a stored certificate is to one of the manifest; none when it has nothing to do with it. The kind of the key
/// tells two with the same names apart: some clients get ECC, the others RSA.
///
/// What people bring for it, from a CA or in a file, may have another common name: a wildcard, most often. Then it belongs to it where
/// it is what they brought, or already stands in its places.
fn affinity(
    certificate: &DesiredCertificate,
    stored: &StoredCertificate,
    stands: &dyn Fn() -> bool,
) -> Option<(bool, bool, usize, bool)> {
    let facts = &stored.certificate;
    // CAs have begun to leave the common name out; the first name takes its place.
    let first_name = || facts.names.first().map(DnsName::as_str);
    let common_name = facts.subject.common_name().or_else(first_name)?;
    let wanted = certificate.subject.common_name();
    let is_brought = certificate.in_hand().is_some_and(|brought| brought.der == facts.der);
    if !wanted.is_some_and(|wanted| wanted.eq_ignore_ascii_case(common_name)) && !is_brought && !stands() {
        return None;
    }
    let shared = certificate.names.iter().filter(|name| facts.covers(name)).count();
    (shared > 0).then(|| {
        let same_kind = facts.is_self_signed() == certificate.origin.is_self_signed();
        let same_subject = is_brought || facts.subject.means(&certificate.subject);
        (same_kind, same_subject, shared, certificate.key.is_of_kind(&facts.key))
    })
}

/// Whether a certificate that people brought stands in a place that is declared for it, with all its names.
fn stands(
    certificate: &DesiredCertificate,
    (server, observed): (&DesiredServer, &Server),
    stored: &StoredCertificate,
    now: Timestamp,
) -> bool {
    let facts = &stored.certificate;
    matches!(certificate.origin, Origin::Csr { .. } | Origin::Pfx { .. })
        && !facts.is_self_signed()
        && certificate.names.iter().all(|name| facts.covers(name))
        && usages(server, observed, &certificate.id, now).contains(&Some(facts.thumbprint))
}

/// Whether a certificate that signs itself may be another program's: no service of Exchange is enabled for it. Agents make
/// certificates with the server's name as well, and keep their thumbprint where no observation sees it.
pub(super) fn may_be_foreign(certificate: &DesiredCertificate, stored: &StoredCertificate) -> bool {
    certificate.origin.is_self_signed() && stored.is_enabled_for_any() == Some(false)
}

/// Whether the manifest protects a certificate from every change.
pub(super) fn is_protected(protect: &[Protection], stored: &StoredCertificate) -> bool {
    protect.iter().any(|rule| protects(rule, stored) == Fit::Yes)
}

/// Whether the manifest protects a certificate, or may mean it, for its friendly name was not read. What may be protected serves on
/// where it serves, and is neither removed nor put anywhere by itself.
pub(super) fn may_be_protected(protect: &[Protection], stored: &StoredCertificate) -> bool {
    protect.iter().any(|rule| protects(rule, stored) >= Fit::Perhaps)
}

/// Whether all that the rule says fits.
pub(super) fn protects(rule: &Protection, stored: &StoredCertificate) -> Fit {
    let facts = &stored.certificate;
    if rule.thumbprint.is_some_and(|thumbprint| thumbprint != facts.thumbprint) {
        return Fit::No;
    }
    rule.fits(&facts.subject, stored.friendly_name.known().map(String::as_str))
}
