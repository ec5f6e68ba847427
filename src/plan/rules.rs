//! Why a certificate does not do, or will not for long: one function for each reason.

use crate::model::{
    certificate::Certificate,
    desired::{DesiredCertificate, Origin, Untrusted},
    organization::Organization,
    reason::Reason,
    server::{CertificateStatus, StoredCertificate},
    time::Timestamp,
};

/// What a rule may look at.
pub(super) struct RuleInput<'a> {
    pub(super) desired: &'a DesiredCertificate,
    pub(super) current: &'a StoredCertificate,
    pub(super) now: Timestamp,
}

pub(super) type Rule = fn(&RuleInput<'_>) -> Option<Reason>;

/// All rules, the most important first: that is the order in which reasons are shown. First what makes the certificate
/// useless, then what makes it the wrong one, last what will only matter later.
pub(super) static RULES: &[Rule] = &[
    private_key_missing,
    key_compromised,
    revoked,
    expired,
    not_yet_valid,
    names_not_covered,
    not_for_servers,
    subject_differs,
    issuer_differs,
    key_too_weak,
    expires,
];

/// Every reason why this certificate does not do; none when it does.
pub(super) fn reasons(input: &RuleInput<'_>) -> Vec<Reason> {
    RULES.iter().filter_map(|rule| rule(input)).collect()
}

/// Every reason why a certificate that people have brought does not do in the place of one that is replaced for these reasons.
pub(super) fn reasons_against(
    desired: &DesiredCertificate,
    brought: &Certificate,
    due: &[Reason],
    now: Timestamp,
) -> Vec<Reason> {
    let current = StoredCertificate::without_services(brought.clone());
    let mut problems = reasons(&RuleInput { desired, current: &current, now });
    // Replaced for its end alone, it serves longer than what comes.
    if let [Reason::Expires { not_after, .. }] = due
        && *not_after >= brought.not_after
    {
        problems.push(Reason::EndsNoLater { not_after: brought.not_after, replaced: *not_after });
    }
    problems
}

/// Why clients will not trust what people have brought in this file: the handshakes that prove it would fail, when its clients are
/// on it already.
pub(super) fn not_trusted(
    desired: &DesiredCertificate,
    file: &str,
    organization: &Organization,
) -> Option<Reason> {
    let not_trusted = |why: &String| Reason::NotTrusted { file: file.to_owned(), why: why.clone() };
    match desired.untrusted.as_ref()? {
        Untrusted::Always { why } => Some(not_trusted(why)),
        Untrusted::Incomplete { issuer, why } => {
            let servers = desired.servers.iter().filter_map(|name| organization.servers.get(name));
            let mut stores = servers.filter_map(|server| server.authorities.known());
            stores.any(|store| store.iter().all(|ca| !ca.subject.means(issuer))).then(|| not_trusted(why))
        }
    }
}

/// When the renewal of this certificate opens.
pub(super) fn renew_from(desired: &DesiredCertificate, current: &StoredCertificate) -> Timestamp {
    let certificate = &current.certificate;
    let lifetime = certificate.not_after.since(certificate.not_before);
    certificate.not_after.minus(desired.renew_before.of_lifetime(lifetime))
}

fn private_key_missing(input: &RuleInput<'_>) -> Option<Reason> {
    (!input.current.has_private_key).then_some(Reason::PrivateKeyMissing)
}

/// Somebody says so: no date and no status tells it.
fn key_compromised(input: &RuleInput<'_>) -> Option<Reason> {
    let named = input.desired.compromised.contains(&input.current.certificate.thumbprint);
    named.then_some(Reason::KeyCompromised)
}

fn revoked(input: &RuleInput<'_>) -> Option<Reason> {
    (input.current.status.known() == Some(&CertificateStatus::Revoked)).then_some(Reason::Revoked)
}

/// By NotAfter and not by `Status`, which says `DateInvalid` or `Invalid` for it (facts 2.4).
fn expired(input: &RuleInput<'_>) -> Option<Reason> {
    let not_after = input.current.certificate.not_after;
    (not_after < input.now).then_some(Reason::Expired { not_after })
}

fn not_yet_valid(input: &RuleInput<'_>) -> Option<Reason> {
    let certificate = &input.current.certificate;
    let not_before = certificate.not_before;
    certificate.begins_after(input.now).then_some(Reason::NotYetValid { not_before })
}

fn names_not_covered(input: &RuleInput<'_>) -> Option<Reason> {
    let missing: Vec<_> = input
        .desired
        .names
        .iter()
        .filter(|name| !input.current.certificate.is_accepted_for(name))
        .cloned()
        .collect();
    (!missing.is_empty()).then_some(Reason::NamesNotCovered { missing })
}

fn not_for_servers(input: &RuleInput<'_>) -> Option<Reason> {
    (!input.current.certificate.is_for_servers()).then_some(Reason::NotForServers)
}

/// CAs that are asked by request write the subject as they see fit: many keep only the common name. What they wrote is no
/// reason to ask again.
fn subject_differs(input: &RuleInput<'_>) -> Option<Reason> {
    if matches!(input.desired.origin, Origin::Csr { .. } | Origin::Pfx { .. }) {
        return None;
    }
    let (have, want) = (&input.current.certificate.subject, &input.desired.subject);
    (!have.means(want)).then(|| Reason::SubjectDiffers { have: have.clone(), want: want.clone() })
}

/// A CA whose certificate is not at hand cannot be compared: what is unknown does not differ.
pub(super) fn issuer_differs(input: &RuleInput<'_>) -> Option<Reason> {
    let certificate = &input.current.certificate;
    let fits = match &input.desired.origin {
        Origin::SelfSigned => certificate.is_self_signed(),
        Origin::LocalCa { subject: Some(subject), .. } => certificate.issuer.means(subject),
        Origin::LocalCa { subject: None, .. } | Origin::Csr { .. } => !certificate.is_self_signed(),
        // Somebody chose it.
        Origin::Pfx { .. } => true,
    };
    let want = input.desired.issuer.clone();
    (!fits).then(|| Reason::IssuerDiffers { have: certificate.issuer.clone(), want })
}

fn key_too_weak(input: &RuleInput<'_>) -> Option<Reason> {
    let (have, want) = (&input.current.certificate.key, input.desired.key);
    (!want.is_met_by(have)).then(|| Reason::KeyTooWeak { have: have.clone(), want })
}

fn expires(input: &RuleInput<'_>) -> Option<Reason> {
    let not_after = input.current.certificate.not_after;
    let renew_from = renew_from(input.desired, input.current);
    (renew_from <= input.now && input.now <= not_after).then_some(Reason::Expires { not_after, renew_from })
}
