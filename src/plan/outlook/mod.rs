//! The outlook: for each certificate of a manifest how long it lasts, where it is used and what comes next; and from that what
//! is due on which day.

mod calendar;
mod lifetimes;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use self::{
    calendar::{Calendar, Event, EventKind, Who, calendar},
    lifetimes::{LIMITS, limit_of_public_cas},
};
use super::{Supply, plan, plan_certificate, rules};
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
        diagnostic::Diagnostic,
        ending::Ending,
        fact::Fact,
        names::{IssuerName, ServerName},
        organization::{Observed, Organization},
        plan::{Change, ChangeKind, LeftAlone, Plan},
        schema::JsonSchema,
        server::StoredCertificate,
        thumbprint::Thumbprint,
        time::{Span, Timestamp},
        unseen::NotSeen,
    },
};

/// How the certificates of an organization are, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outlook {
    /// The organization.
    pub organization: String,
    /// The moment that days are counted from.
    pub at: Timestamp,
    /// When the organization was observed.
    pub observed_at: Timestamp,
    /// The certificates of the manifest, in its order.
    pub certificates: Vec<CertificateOutlook>,
    /// Every other certificate in the stores of the servers, the one that ends first at the beginning.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherCertificate>,
    /// Servers of which nobody could see how they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_seen: Vec<NotSeen>,
    /// What cannot be done and what is warned of.
    pub diagnostics: Vec<Diagnostic>,
    /// Certificates that stay for now or that no manifest names.
    #[serde(skip)]
    pub(super) left_alone: Vec<LeftAlone>,
    /// When a staged Auth certificate takes effect.
    #[serde(skip)]
    pub(super) auth_effective: Option<Timestamp>,
    /// Everything that something uses, declared or not, with its end.
    #[serde(skip)]
    pub in_use: Vec<Ending>,
    /// Why nothing is known of any certificate but its own facts; none while something is.
    #[serde(skip)]
    pub blind: Option<String>,
}

/// A certificate in a store that stands for none of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OtherCertificate {
    /// Which.
    pub thumbprint: Thumbprint,
    /// Whom it names.
    pub subject: String,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// Whole days left; negative when it has expired.
    pub days_left: i64,
    /// The servers that have it.
    pub servers: Vec<ServerName>,
}

/// How one certificate of the manifest is, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateOutlook {
    /// Which one.
    pub certificate: CertificateId,
    /// Who issues it.
    pub issuer: IssuerName,
    /// The one that stands for it now; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<Current>,
    /// The servers that use it.
    pub servers: Vec<ServerName>,
    /// Where it is presented.
    pub places: Vec<PlaceInUse>,
    /// What comes next.
    pub next: Next,
    /// The PFX file that it comes from, if it does.
    #[serde(skip)]
    pub file: Option<String>,
    /// How its successors come.
    #[serde(skip)]
    pub(super) renewal: Renewal,
}

/// The certificate that stands for one of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Current {
    /// Its thumbprint.
    pub thumbprint: Thumbprint,
    /// Since when it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// Whole days left; negative when it has expired.
    pub days_left: i64,
    /// When its renewal opens.
    pub renews: Timestamp,
    /// The servers that are to use it and were seen to have it with its key.
    pub servers: Vec<ServerName>,
}

/// A place that presents a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaceInUse {
    /// The server.
    pub server: ServerName,
    /// A site's binding, a connector, a service.
    pub place: String,
}

/// What comes next for a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Next {
    /// Nothing, until its renewal opens.
    Wait {
        /// When.
        until: Timestamp,
        /// Whether a person has to carry a request to a CA then.
        by_hand: bool,
    },
    /// Something is to be done now: `certwright apply`.
    Apply {
        /// What kind of change.
        change: ChangeKind,
        /// Whether a person has to carry a request to a CA.
        by_hand: bool,
    },
    /// A CA has to answer a request.
    Answer {
        /// The request's file, without the ending.
        file: String,
    },
    /// Nothing can be done.
    Blocked {
        /// Why.
        message: String,
    },
}

/// How the successors of a certificate come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Renewal {
    /// How long before its end it is renewed.
    pub(super) before: crate::model::policy::RenewBefore,
    /// Where it comes from.
    pub(super) origin: Origin,
}

/// The outlook of an organization.
pub fn outlook(desired: &Desired, observed: &Observed, now: Timestamp) -> Outlook {
    let plan = plan(desired, observed, now);
    let organization = &observed.organization;
    let view = View {
        desired,
        observed,
        changes: plan.changes.iter().rev().map(|change| (&change.certificate, change)).collect(),
        outcomes: outcomes(&plan),
        places: places(organization, now),
        now,
    };
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
        diagnostics: plan.diagnostics(),
        left_alone: plan.left_alone,
        auth_effective: auth_effective.filter(|at| *at > now),
        in_use: ending::in_use(organization, desired.servers.keys(), now),
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
struct View<'a> {
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

impl View<'_> {
    fn of_certificate(&self, certificate: &DesiredCertificate) -> CertificateOutlook {
        let decision = plan_certificate(&certificate.id, self.desired, self.observed, self.now);
        let standing = decision.as_ref().and_then(super::Decision::standing);
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
    fn told(
        &self,
        certificate: &DesiredCertificate,
        standing: Option<Thumbprint>,
        request: Option<String>,
    ) -> CertificateOutlook {
        let organization = &self.observed.organization;
        let stored = standing.and_then(|thumbprint| stored(organization, &certificate.servers, thumbprint));
        let current = stored.map(|stored| Current {
            servers: holders(organization, &certificate.servers, stored.certificate.thumbprint),
            ..current(certificate, stored, self.now)
        });
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

fn current(certificate: &DesiredCertificate, stored: &StoredCertificate, now: Timestamp) -> Current {
    let CertificateFacts { thumbprint, not_before, not_after, .. } = &*stored.certificate;
    Current {
        thumbprint: *thumbprint,
        not_before: *not_before,
        not_after: *not_after,
        days_left: days(not_after.since(now)),
        renews: rules::renew_from(certificate, stored),
        servers: Vec::new(),
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
