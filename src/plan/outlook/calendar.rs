//! What is due on which day: renewals with those that follow them, removals, ends of certificates that nobody renews.

use serde::Serialize;

use super::{
    CertificateOutlook, Next, Outlook,
    lifetimes::{LIMITS, begin, limit_of_public_cas},
};
use crate::model::{
    desired::{CertificateId, Origin},
    ending::Ending,
    names::ServerName,
    plan::LeftBecause,
    schema::JsonSchema,
    thumbprint::Thumbprint,
    time::{Span, Timestamp},
    unfinished_run::UnfinishedRun,
};

/// What is due in an organization until a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Calendar {
    /// The format of this file.
    pub version: u32,
    /// The organization.
    pub organization: String,
    /// The moment from which it looks ahead.
    pub from: Timestamp,
    /// The moment to which it looks ahead.
    pub until: Timestamp,
    /// The newest run, when it did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished_run: Option<UnfinishedRun>,
    /// What is due, the next first.
    pub events: Vec<Event>,
}

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// From when it can be done; for an end, when it comes.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// Who has to do something.
    pub who: Who,
    /// The certificate of the manifest; absent for what is about no one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateId>,
    /// The server, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// The certificate, where it is about one that is in a store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<Thumbprint>,
    /// The day by which it has to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
    /// What is due, in one sentence without a full stop.
    pub message: String,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum EventKind {
    /// Something is to be done since now: the servers are not as the manifest says.
    Apply,
    /// A CA has to answer.
    Answer,
    /// A certificate is to be renewed.
    Renew,
    /// A staged Auth certificate takes effect.
    Effective,
    /// A certificate that was replaced is to be removed.
    Remove,
    /// A certificate that no manifest names ends.
    End,
    /// From this day on public CAs give shorter lifetimes.
    Limit,
}

/// Who has to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Who {
    /// certwright: the next `apply` does it.
    Certwright,
    /// A person: carries a request to a CA, or decides.
    Person,
    /// Nobody: it happens.
    Nobody,
}

/// What is due until that moment. Renewals that follow others are reckoned: each on the day on which it opens, with the
/// lifetime that its issuer gives then.
pub fn calendar(outlook: &Outlook, until: Timestamp) -> Calendar {
    let from = outlook.at;
    let mut events: Vec<Event> = Vec::new();
    for certificate in &outlook.certificates {
        events.extend(present(certificate, from));
        events.extend(renewals(certificate, from, until));
    }
    events.extend(outlook.auth_effective.filter(|at| *at <= until).map(|at| Event {
        at,
        kind: EventKind::Effective,
        who: Who::Certwright,
        certificate: None,
        server: None,
        thumbprint: None,
        before: None,
        message: "the next Auth certificate takes effect; `certwright apply` publishes it".into(),
    }));
    for left in &outlook.left_alone {
        let event = |at, kind, who, message| Event {
            at,
            kind,
            who,
            certificate: None,
            server: Some(left.server.clone()),
            thumbprint: Some(left.certificate),
            before: None,
            message,
        };
        let named = format!("{} ({})", left.certificate.short(), left.subject);
        match &left.why {
            LeftBecause::Until { from: at, .. } if *at <= until => {
                let message = format!("{named} on {} may be removed", left.server);
                events.push(event((*at).max(from), EventKind::Remove, Who::Certwright, message));
            }
            LeftBecause::Unmanaged if left.not_after >= from && left.not_after <= until => {
                let message = format!("{named} on {} ends, and no manifest names it", left.server);
                events.push(event(left.not_after, EventKind::End, Who::Person, message));
            }
            _ => {}
        }
    }
    events.extend(undeclared(outlook, until));
    let public = |certificate: &CertificateOutlook| {
        matches!(certificate.renewal.origin, Origin::Csr { public: true, .. })
    };
    if outlook.certificates.iter().any(public) {
        let begun = LIMITS.iter().map(|(day, days)| (begin(day), days));
        events.extend(begun.filter(|(at, _)| *at > from && *at <= until).map(|(at, days)| Event {
            at,
            kind: EventKind::Limit,
            who: Who::Nobody,
            certificate: None,
            server: None,
            thumbprint: None,
            before: None,
            message: format!("public CAs issue for {days} days at most from here on (SC-081)"),
        }));
    }
    events.sort();
    let (organization, unfinished_run) = (outlook.organization.clone(), outlook.unfinished_run.clone());
    Calendar { version: 1, organization, from, until, unfinished_run, events }
}

/// The ends of what the organization itself uses, where no certificate of the manifest stands for it: the Auth certificate, with
/// which every detail of the others goes, and that of the federation trust. And the ends of what servers present that are left out:
/// nothing is renewed there. An end that is over is due now.
fn undeclared(outlook: &Outlook, until: Timestamp) -> Vec<Event> {
    let declared = |thumbprint| {
        outlook
            .certificates
            .iter()
            .any(|own| own.current.as_ref().is_some_and(|current| current.thumbprint == thumbprint))
    };
    let of_organization = outlook.in_use.iter().filter(|used| used.server.is_none());
    let own = of_organization.filter(|used| !declared(used.certificate));
    let left_out = outlook.in_use.iter().filter(|used| used.left_out);
    let event = |used: &Ending| Event {
        at: used.not_after.max(outlook.at),
        kind: EventKind::End,
        who: Who::Person,
        certificate: None,
        server: used.server.clone(),
        thumbprint: Some(used.certificate),
        before: None,
        message: if used.left_out {
            used.to_string()
        } else {
            format!("{used}, and the manifest does not renew it")
        },
    };
    own.chain(left_out).filter(|used| used.not_after <= until).map(event).collect()
}

/// What is to be done now.
fn present(certificate: &CertificateOutlook, now: Timestamp) -> Option<Event> {
    let name = &certificate.certificate;
    let (kind, who, message) = match &certificate.next {
        Next::Wait { .. } => return None,
        Next::Apply { by_hand: false, .. } => {
            (EventKind::Apply, Who::Certwright, format!("{name}: `certwright apply` has something to do"))
        }
        Next::Apply { by_hand: true, .. } => (
            EventKind::Apply,
            Who::Person,
            format!(
                "{name}: `certwright apply` writes a request, which a person takes to {}",
                certificate.issuer
            ),
        ),
        Next::Answer { file } => (
            EventKind::Answer,
            Who::Person,
            format!("{name}: {} has to answer {file}.csr", certificate.issuer),
        ),
        Next::Blocked { message } => (EventKind::Apply, Who::Person, format!("{name}: {message}")),
    };
    let end = certificate.current.as_ref().map(|current| current.not_after);
    let ended = end.filter(|end| *end < now);
    let message = ended
        .map_or_else(|| message.clone(), |end| format!("{message}; the one in use ended {}", end.date()));
    let before = end.filter(|end| *end >= now);
    Some(Event {
        at: now,
        kind,
        who,
        certificate: Some(name.clone()),
        server: None,
        thumbprint: None,
        before,
        message,
    })
}

/// The renewals of a certificate and of those that follow it.
fn renewals(certificate: &CertificateOutlook, from: Timestamp, until: Timestamp) -> Vec<Event> {
    let CertificateOutlook { certificate: name, issuer, current, renewal, next, .. } = certificate;
    let Some(current) = current else { return Vec::new() };
    let mut events = Vec::new();
    let (mut opens, mut ends) = (current.renews.max(from), current.not_after);
    // What is done now is said apart; its successor counts from now.
    let mut is_said = !matches!(next, Next::Wait { .. });
    while opens <= until && events.len() < MOST {
        let lifetime = match &renewal.origin {
            Origin::SelfSigned => opens.plus_years(5).since(opens),
            Origin::LocalCa { lifetime, .. } => *lifetime,
            Origin::Csr { public: true, .. } | Origin::Pfx { public: true, .. } => limit_of_public_cas(opens),
            Origin::Csr { public: false, .. } | Origin::Pfx { public: false, .. } => {
                current.not_after.since(current.not_before)
            }
        };
        if lifetime.as_seconds() <= 0 {
            break;
        }
        if !is_said {
            let (who, how) = match &renewal.origin {
                Origin::SelfSigned | Origin::LocalCa { .. } => {
                    (Who::Certwright, "`certwright apply` renews it".to_owned())
                }
                Origin::Csr { file, .. } => (
                    Who::Person,
                    format!("`certwright apply` writes {file}.csr, which a person takes to {issuer}"),
                ),
                Origin::Pfx { file, .. } => (
                    Who::Person,
                    format!(
                        "a person puts the next one in the place of {file}, and `certwright apply` imports it"
                    ),
                ),
            };
            let message = format!(
                "{name}: renewal opens; {how}; the new one lives {} days",
                lifetime.as_seconds() / 86_400
            );
            events.push(Event {
                at: opens,
                kind: EventKind::Renew,
                who,
                certificate: Some(name.clone()),
                server: None,
                thumbprint: None,
                before: Some(ends),
                message,
            });
        }
        is_said = false;
        ends = opens.plus(lifetime);
        let next = ends.minus(renewal.before.of_lifetime(lifetime));
        // A policy that renews at once would never come to an end here.
        opens = next.max(opens.plus(Span::days(1)));
    }
    events
}

/// More renewals of one certificate nobody reads.
const MOST: usize = 400;
