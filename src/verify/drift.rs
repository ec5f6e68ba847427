//! Drift: what is different from the manifest now, by what the servers say and by what they serve.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use indexmap::IndexMap;
use serde::Serialize;

pub use super::verdict::{ENDED, NOT_TAKEN, UNHEALTHY};
use super::{row::Row, verdict::Verdict};
use crate::{
    manifest::IgnoreSpec,
    model::{
        action::Action,
        cannot::Cannot,
        desired::CertificateId,
        diagnostic::{Coded, Diagnostic, Severity, Subject},
        ending::Ending,
        names::ServerName,
        pattern::fits,
        plan::{ChangeKind, Plan},
        reason::Reason,
        schema::JsonSchema,
        server_left_out::ServerLeftOut,
        time::Timestamp,
        unfinished_run::UnfinishedRun,
        unseen::{NotSeen, Unseen, UnseenPart},
        warning::{
            AuthWarning, ExpiryNotice, FederationCertificate, RunWarning, SelectionWarning, ServerWarning,
            Warning,
        },
    },
};

/// What is different from the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// The format of this file.
    pub version: u32,
    /// The organization.
    pub organization: String,
    /// When it was looked at.
    pub at: Timestamp,
    /// Whether anything is different that is not overlooked.
    pub drifted: bool,
    /// What is different.
    pub differences: Vec<Difference>,
    /// What is in use and ends soon, and no change replaces: declared or not. It becomes a difference when it has ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ending: Vec<Ending>,
    /// Servers of which nobody could see whether they differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_seen: Vec<NotSeen>,
    /// Servers that the manifest leaves out: whether they differ is not asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<ServerLeftOut>,
    /// What is different and overlooked.
    pub ignored: Vec<Ignored>,
    /// The newest run, when it did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished_run: Option<UnfinishedRun>,
    /// What the endpoints serve, when they were met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// One thing that is different from the manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Its name, by which it can be overlooked: `EX01/siteDiffers/Default Web Site:443`, `EX01/served/smtp:25`.
    pub id: String,
    /// The codes of what is different; `certwright explain CODE` tells more.
    pub codes: Vec<String>,
    /// What is different, in one sentence without a full stop.
    pub message: String,
    /// The certificate of the manifest that it is about: forges show it at its line.
    #[serde(skip)]
    #[schemars(skip)]
    pub certificate: Option<CertificateId>,
    /// The server that it is about, where it is one.
    #[serde(skip)]
    #[schemars(skip)]
    pub server: Option<ServerName>,
    /// What clients get wrongly is an error; what is to be changed is a warning.
    #[serde(skip)]
    #[schemars(skip)]
    pub severity: Severity,
}

/// A difference that is overlooked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ignored {
    /// What is different.
    #[serde(flatten)]
    pub difference: Difference,
    /// Why it is overlooked.
    pub because: String,
}

impl Drift {
    /// What the plan would change and what the endpoints serve wrongly, without what is overlooked.
    pub fn new(plan: &Plan, verdict: Option<Verdict>, ignore: &[IgnoreSpec], at: Timestamp) -> Self {
        let unseen: BTreeSet<ServerName> = plan.not_seen().map(|not_seen| not_seen.server).collect();
        let is_seen = |reason: &Reason| !reason.is_for_want_of_sight(&unseen);
        let planned = plan
            .changes
            .iter()
            .filter(|change| change.kind != ChangeKind::NoOp)
            .flat_map(|change| change.reasons.iter().map(|reason| (Some(&change.certificate), reason)));
        let others = plan
            .steps
            .iter()
            .filter(|step| step.certificate.is_none())
            .flat_map(|step| step.why.iter().map(|reason| (None, reason)));
        let mut all: BTreeSet<Difference> = planned
            .chain(others)
            .filter(|(_, reason)| is_seen(reason))
            .filter_map(|(certificate, reason)| difference(certificate, reason))
            .collect();
        all.extend(plan.steps.iter().filter_map(|step| match &step.action {
            Action::CannotApply { why, .. } if !why.is_for_want_of_sight(&unseen) => Some(cannot(why)),
            _ => None,
        }));
        let rows = || verdict.iter().flat_map(|verdict| &verdict.rows);
        let differs = |row: &&Row| !row.is_good() && server_out_of_sight(row).is_none();
        all.extend(rows().filter(differs).map(served));
        let not_seen = not_seen(plan, rows());
        let unhealthy = verdict.iter().flat_map(|verdict| &verdict.health).filter(|row| !row.healthy);
        all.extend(unhealthy.map(|row| {
            let id = format!("{}/health{}", row.server, row.page);
            Difference::met(
                &row.server,
                id,
                vec![UNHEALTHY.to_owned()],
                row.problem.clone().unwrap_or_default(),
            )
        }));
        let (ended, ending): (Vec<Ending>, Vec<Ending>) =
            plan.endings().cloned().partition(|ending| ending.expired);
        all.extend(ended.iter().map(|ending| {
            let id = format!("{}/ended/{}", first(ending.server.as_ref()), ending.certificate);
            Difference::planned(ending.server.clone(), id, ENDED, ending.to_string())
        }));
        all.extend(plan.warnings.iter().filter_map(warned));
        all.extend(plan.warnings.iter().flat_map(|warning| match warning {
            Warning::Selection(selection) => misserving(selection, verdict.as_ref()),
            _ => Vec::new(),
        }));
        let (mut differences, mut ignored) = (Vec::new(), Vec::new());
        for difference in all {
            match ignore.iter().find(|rule| fits(&rule.difference, &difference.id)) {
                Some(rule) => {
                    ignored.push(Ignored { difference, because: rule.because.clone() });
                }
                None => differences.push(difference),
            }
        }
        Self {
            version: 1,
            organization: plan.organization.clone(),
            at,
            drifted: !differences.is_empty(),
            differences,
            ending,
            not_seen,
            left_out: Vec::new(),
            ignored,
            unfinished_run: None,
            verdict,
        }
    }
}

/// The servers that were not seen, or not in whole. Of one whose endpoints were not found, nobody knows what they serve: that is said
/// once, and is no difference.
fn not_seen<'a>(plan: &Plan, rows: impl Iterator<Item = &'a Row>) -> Vec<NotSeen> {
    let mut all: IndexMap<ServerName, Vec<Unseen>> =
        plan.not_seen().map(|not_seen| (not_seen.server, not_seen.unseen)).collect();
    let mut endpoints: BTreeMap<ServerName, String> = BTreeMap::new();
    for row in rows {
        if let (Some(server), Some(problem)) = (server_out_of_sight(row), row.wrong().next()) {
            endpoints.entry(server).or_insert_with(|| problem.to_string());
        }
    }
    for (server, why) in endpoints {
        let unseen = all.entry(server).or_default();
        if !unseen.iter().any(|unseen| unseen.part == UnseenPart::Server) {
            unseen.push(Unseen { part: UnseenPart::Endpoints, why });
        }
    }
    all.into_iter().map(|(server, unseen)| NotSeen { server, unseen }).collect()
}

/// The server of an endpoint that was not found from here. A host that clients know is found, or that is the difference.
fn server_out_of_sight(row: &Row) -> Option<ServerName> {
    row.server.parse().ok().filter(|_| row.is_out_of_sight())
}

/// What is wrong now and no step changes: what is missing, and compromised keys that stay.
fn warned(warning: &Warning) -> Option<Difference> {
    let (server, about, advised) = match warning {
        Warning::Expiry(ExpiryNotice::AuthCertificateMissing { .. }) => (None, None, true),
        Warning::Auth(AuthWarning::FederationCertificateMissing {
            server,
            which: FederationCertificate::Current,
            ..
        }) => (Some(server), None, true),
        Warning::Expiry(ExpiryNotice::InternalTransportMissing { missing }) => {
            (Some(&missing.server), None, true)
        }
        Warning::Expiry(ExpiryNotice::PlaceWithoutCertificate { place }) => {
            (Some(&place.server), Some(place.place.to_string()), true)
        }
        Warning::Run(RunWarning::CompromisedKept { server, thumbprint }) => {
            (Some(server), Some(thumbprint.to_string()), false)
        }
        _ => return None,
    };
    let Diagnostic { code, message, hint, .. } = warning.diagnostic();
    let message = with_advice(message, hint.filter(|_| advised));
    Some(Difference::planned(server.cloned(), named(server, &code, about), code, message))
}

/// What is wrong, and what to do about it.
fn with_advice(message: String, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{message}; {hint}"),
        None => message,
    }
}

/// Places that present something else than they should although everything is set: the observation shows it. What a handshake met
/// there is told by that.
fn misserving(warning: &SelectionWarning, verdict: Option<&Verdict>) -> Vec<Difference> {
    let Some((server, places)) = warning.misserving() else { return Vec::new() };
    let is_met = |place: &String| {
        let mut rows = verdict.iter().flat_map(|verdict| &verdict.rows);
        rows.any(|row| !row.is_good() && row.server == server.as_str() && row.service.as_ref() == Some(place))
    };
    let Diagnostic { code, message, hint, .. } = warning.diagnostic();
    let message = with_advice(message, hint);
    let different = |place: String| {
        let id = named(Some(server), &code, Some(place));
        Difference::planned(Some(server.clone()), id, code.clone(), message.clone())
    };
    places.into_iter().filter(|place| !is_met(place)).map(different).collect()
}

/// What the manifest asks for and nobody can do.
fn cannot(why: &Cannot) -> Difference {
    let Diagnostic {
        code,
        subject: Subject { server, certificate, connector, balancer, place, .. },
        message,
        ..
    } = why.diagnostic();
    let about = place
        .or_else(|| connector.map(|name| name.to_string()))
        .or_else(|| balancer.map(|name| name.to_string()))
        .or_else(|| certificate.as_ref().map(|id| id.name.to_string()));
    let id = named(server.as_ref(), &code, about);
    Difference { certificate, ..Difference::planned(server, id, code, message) }
}

impl Difference {
    /// It in the shape that all messages share.
    pub fn diagnostic(&self) -> Diagnostic {
        let Self { id, codes, message, certificate, server, severity } = self;
        let subject =
            Subject { server: server.clone(), certificate: certificate.clone(), ..Subject::default() };
        let code = codes.first().cloned().unwrap_or_else(|| "drift".to_owned());
        let (code, message, severity) = (Cow::Owned(code), message.clone(), *severity);
        Diagnostic { code, severity, subject: subject.place(id), message, hint: None, location: None }
    }

    /// What is to be changed on a server, or in the organization.
    fn planned(server: Option<ServerName>, id: String, code: impl Into<String>, message: String) -> Self {
        let (codes, severity) = (vec![code.into()], Severity::Warning);
        Self { id, codes, message, certificate: None, server, severity }
    }

    /// What a client was shown by a server or a host.
    fn met(by: &str, id: String, codes: Vec<String>, message: String) -> Self {
        let (server, severity) = (by.parse().ok(), Severity::Error);
        Self { id, codes, message, certificate: None, server, severity }
    }
}

/// A server that was not seen, in the shape that all messages share: the same as the warning of the plan.
pub fn unseen(not_seen: &NotSeen) -> Diagnostic {
    let NotSeen { server, unseen } = not_seen.clone();
    ServerWarning::ServerNotSeen { server, unseen }.diagnostic()
}

/// The first part of the ids of what belongs to no one server.
const ORGANIZATION: &str = "organization";

/// A reason as a difference. None for what follows from other changes only.
fn difference(certificate: Option<&CertificateId>, reason: &Reason) -> Option<Difference> {
    if follows(reason) {
        return None;
    }
    let message = match certificate {
        Some(certificate) if reason.subject().server.is_some() => format!("{}: {reason}", certificate.name),
        Some(certificate) => format!("{certificate}: {reason}"),
        None => reason.to_string(),
    };
    let own = Difference::planned(place_of(reason).server, id(certificate, reason), reason.code(), message);
    Some(Difference { certificate: certificate.cloned(), ..own })
}

/// The name of a difference: `SERVER/code/subject`. People write it under `drift: { ignore }`, so it never changes: what
/// belongs to no one server is of the `organization`, and a connector goes by the certificate that it should name.
pub fn id(certificate: Option<&CertificateId>, reason: &Reason) -> String {
    let Subject { server, place, .. } = place_of(reason);
    named(server.as_ref(), reason.code(), place.or_else(|| certificate.map(|id| id.name.to_string())))
}

/// Where something is different, as the name of the difference says it.
fn place_of(reason: &Reason) -> Subject {
    match reason {
        Reason::ConnectorDiffers { .. }
        | Reason::ImCertificateDiffers { .. }
        | Reason::EdgeDistrusts { .. }
        | Reason::BalancerDiffers { .. } => Subject::default(),
        _ => reason.subject(),
    }
}

/// The parts of the name of a difference.
fn named(server: Option<&ServerName>, code: &str, about: Option<String>) -> String {
    let parts = [Some(first(server)), Some(in_camel_case(code)), about];
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

fn first(server: Option<&ServerName>) -> String {
    server.map_or_else(|| ORGANIZATION.to_owned(), ToString::to_string)
}

/// As the ids of differences spell codes: `siteDiffers`.
fn in_camel_case(code: &str) -> String {
    let mut words = code.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        text + &head.to_ascii_uppercase() + tail
    })
}

/// Whether it is the reason of a step that is there for the sake of other steps.
fn follows(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::Proof
            | Reason::RestartNeeded { .. }
            | Reason::BlocksRemoval { .. }
            | Reason::Reattach
            | Reason::DefaultSmtpRestored { .. }
    )
}

fn served(row: &Row) -> Difference {
    let problems: Vec<String> = row.wrong().map(ToString::to_string).collect();
    let cause = row.cause.as_ref().map_or(String::new(), |cause| format!(" ({})", cause.message));
    let id = format!("{}/served/{}", row.server, row.endpoint);
    let codes = row.wrong().map(|problem| problem.code().to_owned()).collect();
    Difference::met(&row.server, id, codes, format!("{}{cause}", problems.join("; ")))
}
