//! Which certificate a server should use, out of those that are there.
//!
//! A certificate is found by what the manifest wants of it (subject, names, issuer, key, dates), never by thumbprint.
//! When several do, the order is: on all the servers that need it or able to get there; in use, and of the declared CA;
//! used in the most places already, since nothing changes without a reason; the longest life; the newest; the lowest
//! thumbprint, so that the choice is at least the same every time. Where a PFX file holds one of them, that one comes first.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    from_file,
    lineage::{may_be_foreign, same_lineage},
    pending_requests, precedence,
    rules::{self, RuleInput},
    usages::usages,
};
use crate::{
    model::{
        desired::{CertificateId, Desired, DesiredCertificate, DesiredServer, Origin},
        fact::Fact,
        history::History,
        names::ServerName,
        organization::Organization,
        reason::Reason,
        recorded::Recorded,
        server::StoredCertificate,
        service::Service,
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
        unseen::UnseenPart,
    },
    plan::decision::{Decision, Supply},
};

/// A certificate that would do, on some of the servers.
struct Candidate<'a> {
    stored: &'a StoredCertificate,
    on: BTreeSet<ServerName>,
    /// From where its key can be copied, and how willingly.
    exportable_from: Option<(ServerName, (bool, bool))>,
    /// A server that has its key, where whether the key can leave cannot be seen.
    export_unseen: Option<Reason>,
    used_in: usize,
    /// Whether it may be another program's: it signs itself, and Exchange knows nothing of it.
    foreign: bool,
    /// Whether IIS is to have it and cannot use its key (facts 8.4).
    unfit_for_iis: bool,
}

pub(super) fn choose<'a>(
    certificate: &'a DesiredCertificate,
    desired: &Desired,
    (organization, history): (&Organization, Option<&History>),
    now: Timestamp,
) -> Decision<'a> {
    let not_observed = Fact::unknown("the server was not observed");
    let (mut lineage, mut unseen) = (BTreeMap::new(), unseen_names(certificate));
    let mut candidates: BTreeMap<Thumbprint, Candidate<'_>> = BTreeMap::new();
    for name in &certificate.servers {
        let server = organization.servers.get(name);
        let (server, store) = match (server, server.map_or(&not_observed, |server| &server.certificates)) {
            (Some(server), Fact::Known(store)) => (server, store),
            (_, fact) => {
                let why = fact.why_unknown().unwrap_or_default().to_owned();
                unseen.push(Reason::CannotSee {
                    server: name.clone(),
                    subject: UnseenPart::Store.into(),
                    why,
                });
                continue;
            }
        };
        let own = &desired.servers[name];
        let held = usages(own, server, &certificate.id, now);
        let for_iis = is_for_iis(own, &certificate.id);
        for stored in
            store.0.values().filter(|stored| same_lineage(certificate, desired, (own, server), stored, now))
        {
            let thumbprint = stored.certificate.thumbprint;
            lineage.entry(name.clone()).or_insert_with(Vec::new).push(thumbprint);
            let candidate = candidates.entry(thumbprint).or_insert_with(|| Candidate {
                stored,
                on: BTreeSet::new(),
                exportable_from: None,
                export_unseen: None,
                used_in: 0,
                foreign: true,
                unfit_for_iis: false,
            });
            candidate.unfit_for_iis |= for_iis && stored.is_rsa_in_cng();
            // A copy without its key is no copy (facts 8.3).
            if stored.has_private_key {
                candidate.on.insert(name.clone());
                candidate.stored = stored;
            }
            candidate.foreign &= may_be_foreign(certificate, stored)
                && !history.is_some_and(|history| history.issued.contains(&thumbprint));
            candidate.used_in += held.iter().filter(|holder| **holder == Some(thumbprint)).count();
            if let (true, Some(why)) = (stored.has_private_key, stored.exportable.why_unknown()) {
                candidate.export_unseen.get_or_insert_with(|| Reason::CannotSee {
                    server: name.clone(),
                    subject: UnseenPart::Exportable(thumbprint).into(),
                    why: why.to_owned(),
                });
            }
            let can_leave = stored.has_private_key && stored.exportable.known() == Some(&true);
            // The one that the manifest wants; else the first, and one that is left out for now only where no other has it.
            let rank = (own.left_out.is_some(), certificate.copy_from.as_ref() != Some(name));
            if can_leave && candidate.exportable_from.as_ref().is_none_or(|(_, held)| rank < *held) {
                candidate.exportable_from = Some((name.clone(), rank));
            }
        }
    }
    candidates.retain(|_, candidate| !candidate.foreign);
    // By its bytes: one that a plan brings goes by its step until it is there.
    let from_file = certificate.in_hand().filter(|_| matches!(certificate.origin, Origin::Pfx { .. }));
    let in_file = from_file
        .and_then(|held| candidates.values().find(|candidate| candidate.stored.certificate.der == held.der));
    let is_there = in_file.map(|candidate| candidate.stored.certificate.thumbprint);
    let decision = decide(certificate, is_there, candidates.into_values().collect(), lineage, unseen, now);
    let decision = match decision.supply {
        Supply::Have { thumbprint, .. } => {
            match precedence::shadowed(certificate, thumbprint, desired, organization, now) {
                None => decision,
                Some(reason) => Decision { supply: Supply::New, reasons: vec![reason], ..decision },
            }
        }
        Supply::New | Supply::Requested { .. } | Supply::Blocked => decision,
    };
    match (&decision.supply, &certificate.origin) {
        (Supply::New, Origin::Csr { file, answer, .. }) => {
            let unread = answer.as_ref().and_then(Fact::why_unknown);
            pending_requests::already(decision, organization, file, unread, now)
        }
        (_, Origin::Pfx { file, holds, .. }) => {
            from_file::settle(decision, organization, (file, holds), is_there.is_some(), now)
        }
        _ => decision,
    }
}

fn decide<'a>(
    certificate: &'a DesiredCertificate,
    in_file: Option<Thumbprint>,
    mut candidates: Vec<Candidate<'_>>,
    lineage: BTreeMap<ServerName, Vec<Thumbprint>>,
    unseen: Vec<Reason>,
    now: Timestamp,
) -> Decision<'a> {
    candidates.sort_by_key(|candidate| {
        let facts = &candidate.stored.certificate;
        let is_in_file = in_file == Some(facts.thumbprint);
        // Of another CA, it is what is wrong in the places of this one.
        let is_own = candidate.used_in > 0
            && rules::issuer_differs(&RuleInput { desired: certificate, current: candidate.stored, now })
                .is_none();
        (
            Reverse((is_in_file, is_own, candidate.used_in, facts.not_after, facts.not_before)),
            facts.thumbprint,
        )
    });
    let incumbent = candidates.first().map(|candidate| candidate.stored.certificate.thumbprint);
    let missing = |candidate: &Candidate<'_>| -> Vec<ServerName> {
        certificate.servers.iter().filter(|name| !candidate.on.contains(name)).cloned().collect()
    };
    // What is not used yet and cannot be used everywhere takes no place that has to be filled.
    let is_due = candidates.first().is_some_and(|first| {
        !rules::reasons(&RuleInput { desired: certificate, current: first.stored, now }).is_empty()
    });
    let is_out = |candidate: &Candidate<'_>| is_due && candidate.unfit_for_iis && candidate.used_in == 0;
    let fitting = candidates.iter().filter(|candidate| !is_out(candidate)).find(|candidate| {
        let input = RuleInput { desired: certificate, current: candidate.stored, now };
        let reaches_all = candidate.exportable_from.is_some() || missing(candidate).is_empty();
        rules::reasons(&input).is_empty() && reaches_all
    });
    if let Some(candidate) = fitting {
        let thumbprint = candidate.stored.certificate.thumbprint;
        // What is not seen is not different: a server that cannot be read is left out, and said so.
        let unread: BTreeSet<&ServerName> = unseen
            .iter()
            .filter_map(|reason| match reason {
                Reason::CannotSee { server, .. } => Some(server),
                _ => None,
            })
            .collect();
        let missing = missing(candidate).into_iter().filter(|name| !unread.contains(name)).collect();
        let from = candidate.exportable_from.as_ref().map(|(from, _)| from.clone());
        let supply = Supply::Have { thumbprint, missing, from };
        return Decision { certificate, supply, reasons: unseen, incumbent: Some(thumbprint), lineage };
    }
    // It may do everywhere, once its key can be seen to leave: nothing is issued for not knowing.
    let export_unseen = candidates.iter().find_map(|candidate| {
        let input = RuleInput { desired: certificate, current: candidate.stored, now };
        candidate.export_unseen.clone().filter(|_| rules::reasons(&input).is_empty())
    });
    if let Some(reason) = export_unseen {
        let reasons = unseen.into_iter().chain([reason]).collect();
        return Decision { certificate, supply: Supply::Blocked, reasons, incumbent, lineage };
    }
    let due = candidates.first().map_or_else(Vec::new, |candidate| {
        rules::reasons(&RuleInput { desired: certificate, current: candidate.stored, now })
    });
    // Where nothing is seen that could be renewed, the certificate may well be on the server that cannot be read.
    let all_unread_are_servers = unseen.iter().all(is_unread_store);
    if !unseen.is_empty() && (due.is_empty() || !all_unread_are_servers) {
        return Decision { certificate, supply: Supply::Blocked, reasons: unseen, incumbent, lineage };
    }
    if !unseen.is_empty() {
        let reasons = due.into_iter().chain(unseen).collect();
        return Decision { certificate, supply: Supply::New, reasons, incumbent, lineage };
    }
    let reasons = match candidates.first() {
        None => vec![Reason::NotPresent],
        Some(candidate) => {
            let input = RuleInput { desired: certificate, current: candidate.stored, now };
            let reasons = rules::reasons(&input);
            let undistributable = || vec![Reason::NotDistributable { missing: missing(candidate) }];
            if reasons.is_empty() { undistributable() } else { reasons }
        }
    };
    Decision { certificate, supply: Supply::New, reasons, incumbent, lineage }
}

/// Whether the manifest wants a certificate for a web site with a sign-in page (facts 8.4).
fn is_for_iis(own: &DesiredServer, id: &CertificateId) -> bool {
    let sites = own.sites.iter().filter(|(site, _)| site.site != SiteBinding::BACK_END);
    own.services.get(&Service::Iis).is_some_and(|ids| ids.contains(id))
        || sites.map(|(_, own)| own).any(|own| own == id)
}

/// Whether a server is out of sight as a whole: the others go on without it.
fn is_unread_store(reason: &Reason) -> bool {
    matches!(reason, Reason::CannotSee { subject: Recorded::Data(UnseenPart::Store), .. })
}

/// Names that come from accepted domains which could not be seen.
fn unseen_names(certificate: &DesiredCertificate) -> Vec<Reason> {
    let (first, why) = (certificate.servers.first(), certificate.includes.unseen.as_ref());
    let unseen = first.zip(why).map(|(server, why)| Reason::CannotSee {
        server: server.clone(),
        subject: UnseenPart::AcceptedDomains.into(),
        why: why.clone(),
    });
    unseen.into_iter().collect()
}
