//! Making the outlook: what is known of each certificate of a manifest, and what a plan does with it.

use std::collections::{BTreeMap, BTreeSet};

use super::{CertificateOutlook, Current, Next, OtherCertificate, Outlook, PlaceInUse, Renewal};
use crate::{
    exchange::{
        binding_points::{binding_points, presented},
        ending,
        selection::Presented,
    },
    model::{
        action::Action,
        cannot::Cannot,
        certificate::CertificateFacts,
        desired::{CertificateId, Desired, DesiredCertificate, Origin},
        fact::Fact,
        names::ServerName,
        organization::{Observed, Organization},
        plan::{Change, ChangeKind, Plan},
        server::StoredCertificate,
        thumbprint::Thumbprint,
        time::{Span, Timestamp},
    },
    plan::{Decision, Supply, plan, plan_certificate, restarts_due, rules},
};

/// The outlook of an organization.
pub fn outlook(desired: &Desired, observed: &Observed, now: Timestamp) -> Outlook {
    let plan = plan(desired, observed, now);
    let organization = &observed.organization;
    let view = View::new(desired, observed, &plan, now);
    let own = desired.certificates.values().filter(|certificate| !certificate.servers.is_empty());
    let mut certificates: Vec<CertificateOutlook> =
        own.map(|certificate| view.of_certificate(certificate)).collect();
    certificates.extend(desired.auth.as_ref().map(|auth| {
        let standing = organization.auth.known().and_then(|auth| auth.as_ref()?.current);
        view.told(&auth.certificate, standing, None)
    }));
    let auth_effective = organization.auth.known().and_then(|auth| auth.as_ref()?.next_effective);
    let others = others(organization, &certificates, now);
    Outlook {
        others,
        organization: desired.organization.clone(),
        at: now,
        observed_at: observed.at,
        certificates,
        not_seen: plan.not_seen().collect(),
        left_out: desired.left_out().collect(),
        ending: plan.endings().cloned().collect(),
        restarts_due: restarts_due::planned(&plan),
        unfinished_run: None,
        diagnostics: plan.diagnostics(),
        obstacles: plan.obstacles().len(),
        left_alone: plan.left_alone,
        auth_effective: auth_effective.filter(|at| *at > now),
        in_use: ending::in_use(organization, desired, desired.servers.keys(), now),
        blind: blind(desired, organization),
    }
}

/// Why nothing can be planned any more: of no certificate of the manifest's servers it is known what uses it.
fn blind(desired: &Desired, organization: &Organization) -> Option<String> {
    let servers = desired.servers.keys().filter_map(|name| organization.servers.get(name));
    let mut why = None;
    for server in servers {
        let store = match &server.certificates {
            Fact::Known(store) => store,
            Fact::Unknown(unseen) => {
                why.get_or_insert_with(|| unseen.why.clone());
                continue;
            }
        };
        for stored in store.0.values() {
            match &stored.services {
                Fact::Known(_) => return None,
                Fact::Unknown(unseen) => drop(why.get_or_insert_with(|| unseen.why.clone())),
            }
        }
    }
    why
}

/// What lies in the stores besides the certificates that stand for those of the manifest.
fn others(
    organization: &Organization,
    certificates: &[CertificateOutlook],
    now: Timestamp,
) -> Vec<OtherCertificate> {
    let standing: BTreeSet<Thumbprint> = certificates
        .iter()
        .filter_map(|certificate| Some(certificate.current.as_ref()?.thumbprint))
        .collect();
    let mut others: BTreeMap<Thumbprint, OtherCertificate> = BTreeMap::new();
    for (name, server) in &organization.servers {
        for stored in server.certificates.known().into_iter().flat_map(|store| store.0.values()) {
            let CertificateFacts { thumbprint, subject, not_after, .. } = &*stored.certificate;
            if standing.contains(thumbprint) {
                continue;
            }
            let other = others.entry(*thumbprint).or_insert_with(|| OtherCertificate {
                thumbprint: *thumbprint,
                subject: subject.to_string(),
                not_after: *not_after,
                days_left: days(not_after.since(now)),
                servers: Vec::new(),
            });
            other.servers.push(name.clone());
        }
    }
    let mut others: Vec<OtherCertificate> = others.into_values().collect();
    others.sort_by_key(|other| (other.not_after, other.thumbprint));
    others
}

/// What the outlook of each certificate is made of.
pub(super) struct View<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    /// What the plan does with each certificate.
    changes: BTreeMap<&'a CertificateId, &'a Change>,
    /// What cannot be done for each certificate, and whether anything can.
    outcomes: BTreeMap<&'a CertificateId, (Option<&'a Cannot>, bool)>,
    /// Everything that presents a certificate, on whichever server.
    places: BTreeMap<Thumbprint, Vec<PlaceInUse>>,
    now: Timestamp,
}

impl<'a> View<'a> {
    pub(super) fn new(desired: &'a Desired, observed: &'a Observed, plan: &'a Plan, now: Timestamp) -> Self {
        Self {
            desired,
            observed,
            changes: plan.changes.iter().rev().map(|change| (&change.certificate, change)).collect(),
            outcomes: outcomes(plan),
            places: places(&observed.organization, now),
            now,
        }
    }

    pub(super) fn of_certificate(&self, certificate: &DesiredCertificate) -> CertificateOutlook {
        let decision = plan_certificate(&certificate.id, self.desired, self.observed, self.now);
        let standing = decision.as_ref().and_then(Decision::standing);
        let waits = decision
            .as_ref()
            .is_some_and(|it| matches!(it.supply, Supply::Requested { answered: false, .. }));
        let file = match &certificate.origin {
            Origin::Csr { file, .. } if waits => Some(file.clone()),
            Origin::Csr { .. } | Origin::SelfSigned | Origin::LocalCa { .. } | Origin::Pfx { .. } => None,
        };
        self.told(certificate, standing, file)
    }

    /// `request` is the file of a request that waits for its answer.
    pub(super) fn told(
        &self,
        certificate: &DesiredCertificate,
        standing: Option<Thumbprint>,
        request: Option<String>,
    ) -> CertificateOutlook {
        let organization = &self.observed.organization;
        let stored = standing.and_then(|thumbprint| stored(organization, &certificate.servers, thumbprint));
        let current = stored.map(|stored| current(certificate, stored, organization, self.now));
        let places = standing.and_then(|thumbprint| self.places.get(&thumbprint));
        let from_file = match &certificate.origin {
            Origin::Pfx { file, .. } => Some(file.clone()),
            Origin::SelfSigned | Origin::LocalCa { .. } | Origin::Csr { .. } => None,
        };
        let renewal = Renewal { before: certificate.renew_before, origin: certificate.origin.clone() };
        CertificateOutlook {
            certificate: certificate.id.clone(),
            issuer: certificate.issuer.clone(),
            next: self.next(certificate, request, current.as_ref()),
            current,
            servers: certificate.servers.clone(),
            places: places.cloned().unwrap_or_default(),
            file: from_file,
            renewal,
        }
    }

    fn next(
        &self,
        certificate: &DesiredCertificate,
        request: Option<String>,
        current: Option<&Current>,
    ) -> Next {
        let by_hand = matches!(certificate.origin, Origin::Csr { .. } | Origin::Pfx { .. });
        let (cannot, can) = self.outcomes.get(&certificate.id).copied().unwrap_or((None, false));
        match (request, self.changes.get(&certificate.id)) {
            (Some(file), _) => Next::Answer { file },
            (None, Some(Change { kind: ChangeKind::Blocked, reasons, .. })) => {
                let why = reasons.first().map(ToString::to_string).or(cannot.map(ToString::to_string));
                Next::Blocked { message: why.unwrap_or_else(|| "it is blocked".to_owned()) }
            }
            (None, Some(Change { kind: ChangeKind::NoOp, .. }) | None) => match current {
                Some(current) => Next::Wait { until: current.renews, by_hand },
                None => Next::Blocked { message: "it cannot be seen".to_owned() },
            },
            (None, Some(Change { kind, .. })) => match cannot {
                Some(cannot) if !can => Next::Blocked { message: cannot.to_string() },
                Some(_) | None => {
                    let renews = matches!(kind, ChangeKind::Create | ChangeKind::Replace);
                    Next::Apply { change: *kind, by_hand: by_hand && renews }
                }
            },
        }
    }
}

/// What cannot be done for each certificate, the first of it, and whether anything can.
fn outcomes(plan: &Plan) -> BTreeMap<&CertificateId, (Option<&Cannot>, bool)> {
    let mut outcomes: BTreeMap<&CertificateId, (Option<&Cannot>, bool)> = BTreeMap::new();
    for step in &plan.steps {
        let Some(certificate) = &step.certificate else { continue };
        let (cannot, can) = outcomes.entry(certificate).or_default();
        if let Action::CannotApply { why, .. } = &step.action {
            cannot.get_or_insert(why);
        } else {
            *can = true;
        }
    }
    outcomes
}

fn current(
    certificate: &DesiredCertificate,
    stored: &StoredCertificate,
    organization: &Organization,
    now: Timestamp,
) -> Current {
    let CertificateFacts { thumbprint, not_before, not_after, .. } = &*stored.certificate;
    Current {
        thumbprint: *thumbprint,
        not_before: *not_before,
        not_after: *not_after,
        days_left: days(not_after.since(now)),
        renews: rules::renew_from(certificate, stored),
        servers: holders(organization, &certificate.servers, *thumbprint),
    }
}

fn stored<'a>(
    organization: &'a Organization,
    servers: &[ServerName],
    thumbprint: Thumbprint,
) -> Option<&'a StoredCertificate> {
    let known = |name| organization.servers.get(name)?.certificates.known()?.0.get(&thumbprint);
    servers.iter().find_map(known)
}

/// Those of these servers that have the certificate with its key, as far as anybody has seen.
fn holders(organization: &Organization, servers: &[ServerName], thumbprint: Thumbprint) -> Vec<ServerName> {
    let has = |name: &&ServerName| {
        let stored = organization.servers.get(name).and_then(|server| server.certificate(thumbprint));
        stored.is_some_and(|stored| stored.has_private_key)
    };
    servers.iter().filter(has).cloned().collect()
}

/// Everything that presents a certificate, on whichever server, by that certificate.
fn places(organization: &Organization, now: Timestamp) -> BTreeMap<Thumbprint, Vec<PlaceInUse>> {
    let mut places: BTreeMap<Thumbprint, Vec<PlaceInUse>> = BTreeMap::new();
    for (name, server) in &organization.servers {
        for point in binding_points(server) {
            match presented(server, &point, now) {
                Presented::Certificate(served) => {
                    let place = PlaceInUse { server: name.clone(), place: point.to_string() };
                    places.entry(served).or_default().push(place);
                }
                Presented::Failing { .. } | Presented::Nothing(_) | Presented::Unknown(_) => {}
            }
        }
    }
    places
}

/// Whole days; what began counts for a span that is over.
fn days(span: Span) -> i64 {
    span.as_seconds().div_euclid(86_400)
}
