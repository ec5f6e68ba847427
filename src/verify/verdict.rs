//! The verdict: for each service of each server what is declared, configured and served, with the likely cause, and all
//! that was seen as evidence.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    absence::Absence,
    check::{Check, Peer},
    diagnosis,
    health::HealthRow,
    mail_flow::MailRow,
    not_provable::NotProvable,
    row::{Cause, Row},
    smtp_log::SmtpLogSummary,
};
use crate::model::{
    certificate::Certificate,
    desired::Desired,
    diagnostic::{Coded, Diagnostic, Severity, Subject},
    edge_distrust::EdgeDistrust,
    ending::{Ending, MissingAuth, MissingFederation, MissingInternalTransport},
    endpoint::Endpoint,
    handshake::endpoint_finding::{EndpointFinding, EndpointSeverity},
    organization::Observed,
    schema::JsonSchema,
    thumbprint::Thumbprint,
    time::Timestamp,
    unfinished_run::UnfinishedRun,
    without_certificate::WithoutCertificate,
};

/// What endpoints serve, compared with what they should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The format of this file.
    pub version: u32,
    /// The organization; absent when endpoints were named on the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// When it was looked at.
    pub at: Timestamp,
    /// Whether every endpoint serves what it should.
    pub good: bool,
    /// Each service of each server.
    pub services: Vec<ServiceVerdict>,
    /// Each endpoint.
    pub rows: Vec<Row>,
    /// The certificates that were presented, by their thumbprints, as far as they can be read.
    pub certificates: BTreeMap<Thumbprint, Certificate>,
    /// What the pages behind HTTPS answer, when they were asked.
    pub health: Vec<HealthRow>,
    /// What servers said to a test message, when one was handed over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mail_flow: Vec<MailRow>,
    /// What SMTP protocol logs say was shown to partners, when they were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smtp_log: Option<SmtpLogSummary>,
    /// What ends of all that is in use on the servers, declared or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ending: Vec<Ending>,
    /// Where the Auth certificate is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_auth: Option<MissingAuth>,
    /// Servers whose internal transport certificate is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_internal_transport: Vec<MissingInternalTransport>,
    /// Places that name a certificate, present none, and are not declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_certificate: Vec<WithoutCertificate>,
    /// Servers that lack the current certificate of the federation trust.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_federation: Vec<MissingFederation>,
    /// Why Edge servers and the servers of their sites do not trust each other: mail between them and EdgeSync stand still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edge_distrust: Vec<EdgeDistrust>,
    /// The newest run, when it did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished_run: Option<UnfinishedRun>,
    /// What the manifest declares and no endpoint could be asked about.
    #[serde(serialize_with = "crate::model::diagnostic::list::serialize")]
    #[schemars(with = "Vec<crate::model::diagnostic::Written<NotProvable>>")]
    pub not_provable: Vec<NotProvable>,
}

/// A service of a server: the endpoints behind which the same place of the server presents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceVerdict {
    /// The server or host.
    pub server: String,
    /// The service, by a name that is the same on all servers.
    pub service: String,
    /// How it is.
    pub state: State,
    /// How it is, in a few words: `until 2026-05-01`, `expired 2026-03-01`, `another certificate`.
    pub message: String,
    /// The certificate that the manifest declares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<Thumbprint>,
    /// The certificate that the server is configured to present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured: Option<Thumbprint>,
    /// The certificates that are presented; more than one when its endpoints do not agree.
    pub served: Vec<Thumbprint>,
    /// When the first of them ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// The likely cause of what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// How a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It serves what it should, and clients accept it.
    Good,
    /// So it does, and something is not as it should be.
    Warning,
    /// It does not serve what it should, or clients refuse it.
    Wrong,
}

impl Verdict {
    /// Joins the rows of these checks with what was observed.
    pub fn new(
        checks: &[Check],
        mut rows: Vec<Row>,
        seen: Option<(&Desired, &Observed)>,
        at: Timestamp,
    ) -> Self {
        for (check, row) in checks.iter().zip(&mut rows) {
            let (Some(presenter), Peer::Server { name, .. }) = (&check.presenter, &check.peer) else {
                continue;
            };
            let Some((desired, observed)) = seen else { continue };
            let Some(server) = observed.organization.servers.get(name) else { continue };
            row.configured = Some(diagnosis::configured(server, presenter, at));
            let otherwise = diagnosis::configured_otherwise_than_served(row, server, presenter, at);
            row.problems.extend(otherwise);
            row.cause = diagnosis::cause(row, (server, desired.restarts), presenter, at);
        }
        let certificates = rows
            .iter()
            .flat_map(|row| &row.sent)
            .filter_map(|sent| sent.certificate.as_ref().ok())
            .map(|certificate| (certificate.thumbprint, certificate.clone()))
            .collect();
        Self {
            version: 1,
            organization: seen.map(|(desired, _)| desired.organization.clone()),
            at,
            good: rows.iter().all(Row::is_good),
            services: services(&rows),
            rows,
            certificates,
            health: Vec::new(),
            mail_flow: Vec::new(),
            smtp_log: None,
            ending: Vec::new(),
            missing_auth: None,
            missing_internal_transport: Vec::new(),
            without_certificate: Vec::new(),
            missing_federation: Vec::new(),
            edge_distrust: Vec::new(),
            unfinished_run: None,
            not_provable: Vec::new(),
        }
    }

    /// All that is missing or broken, the worst first.
    pub fn absences(&self) -> Vec<Absence<'_>> {
        let auth = self.missing_auth.iter().map(Absence::Auth);
        let transport = self.missing_internal_transport.iter().map(Absence::InternalTransport);
        let places = self.without_certificate.iter().map(Absence::Place);
        let edges = self.edge_distrust.iter().map(Absence::EdgeTrust);
        let federation = self.missing_federation.iter().map(Absence::Federation);
        auth.chain(transport).chain(places).chain(edges).chain(federation).collect()
    }

    /// The worst of it as a headline.
    pub fn worst_absence(&self) -> Option<String> {
        Some(match self.absences().first()? {
            Absence::Auth(_) => "the Auth certificate is missing".into(),
            Absence::InternalTransport(_) => "an internal transport certificate is missing".into(),
            Absence::Place(_) => match self.without_certificate.len() {
                1 => "1 place presents no certificate".into(),
                number => format!("{number} places present no certificate"),
            },
            Absence::EdgeTrust(_) => "an Edge subscription is broken".into(),
            Absence::Federation(_) => "the certificate of the federation trust is missing".into(),
        })
    }

    /// What is wrong and what is warned of, in the shape that all messages share.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let rows = self.rows.iter().flat_map(Row::diagnostics);
        let unproved = self.not_provable.iter().map(Coded::diagnostic);
        let unhealthy = self.health.iter().filter(|row| !row.healthy).map(|row| {
            let subject = Subject { server: row.server.parse().ok(), ..Subject::default() };
            let message =
                format!("{}: {}", row.server, row.problem.as_deref().unwrap_or("no problem is told"));
            Diagnostic::new(UNHEALTHY, Severity::Error, subject.place(&row.page), message)
        });
        let not_taken = self.mail_flow.iter().filter(|row| !row.accepted).map(|row| {
            let subject = Subject { server: row.server.parse().ok(), ..Subject::default() };
            let message =
                format!("{}: {}", row.server, row.problem.as_deref().unwrap_or("no problem is told"));
            Diagnostic::new(NOT_TAKEN, Severity::Error, subject.place(row.endpoint), message)
        });
        let ending = self.ending.iter().map(|ending| {
            let Ending { server, certificate, expired, .. } = ending;
            let subject = Subject { server: server.clone(), ..Subject::default() };
            let subject = Subject { thumbprint: Some(*certificate), ..subject };
            let severity = if *expired { Severity::Error } else { Severity::Warning };
            Diagnostic::new(ENDED, severity, subject, ending.to_string())
        });
        let absences = self.absences();
        let missing = absences.iter().map(Absence::diagnostic);
        let unfinished = self.unfinished_run.iter().map(UnfinishedRun::diagnostic);
        let rest = unproved.chain(unhealthy).chain(not_taken).chain(ending).chain(missing);
        rows.chain(rest).chain(unfinished).collect()
    }
}

/// The code of a page behind HTTPS that does not answer as a healthy Exchange does.
pub const UNHEALTHY: &str = "unhealthy";

/// The code of a test message that a server did not take.
pub const NOT_TAKEN: &str = "mail-not-taken";

/// The code of a certificate in use that ends soon, or has ended.
pub const ENDED: &str = "ends-in-use";

/// The rows that stand for one service, joined. Servers and services keep the order of the rows.
fn services(rows: &[Row]) -> Vec<ServiceVerdict> {
    let mut groups: Vec<((&str, String), Vec<&Row>)> = Vec::new();
    for row in rows {
        let key = (row.server.as_str(), column(row));
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((key, vec![row])),
        }
    }
    groups.into_iter().map(|((server, service), rows)| join(server, service, &rows)).collect()
}

/// The name of a row's service without that of the server, so that it is the same on all servers.
fn column(row: &Row) -> String {
    let Some(service) = &row.service else { return row.endpoint.to_string() };
    let without = service.replace(&row.server, "");
    let short = without.split_whitespace().collect::<Vec<_>>().join(" ");
    if short.is_empty() { service.clone() } else { short }
}

fn join(server: &str, service: String, rows: &[&Row]) -> ServiceVerdict {
    let state = rows.iter().map(|row| row_state(row)).max().unwrap_or(State::Good);
    let not_after = rows.iter().filter_map(|row| row.not_after).min();
    let mut served: Vec<Thumbprint> = rows.iter().filter_map(|row| row.served).collect();
    served.sort_unstable();
    served.dedup();
    ServiceVerdict {
        server: server.to_owned(),
        service,
        state,
        message: says(rows, state, not_after),
        declared: rows.iter().find_map(|row| row.declared),
        configured: rows.iter().find_map(|row| row.configured.as_ref()?.certificate),
        served,
        not_after,
        cause: rows.iter().find_map(|row| row.cause.clone()),
        endpoints: rows.iter().map(|row| row.endpoint).collect(),
    }
}

fn says(rows: &[&Row], state: State, not_after: Option<Timestamp>) -> String {
    let problems = || rows.iter().flat_map(|row| &row.problems);
    let first = |severity: EndpointSeverity| {
        let mut problems: Vec<&EndpointFinding> =
            problems().filter(|problem| problem.severity() == severity).collect();
        problems.sort_by_key(|problem| !matches!(problem, EndpointFinding::Expired { .. }));
        problems.first().map(|problem| problem.word())
    };
    let until = not_after.map(|end| format!("until {}", end.date()));
    match state {
        State::Good => until.unwrap_or_else(|| "met".into()),
        State::Warning => first(EndpointSeverity::Warning).unwrap_or_else(|| "warning".into()),
        State::Wrong => first(EndpointSeverity::Wrong).unwrap_or_else(|| "wrong".into()),
    }
}

/// How a row is.
pub fn row_state(row: &Row) -> State {
    match row.problems.iter().map(EndpointFinding::severity).min() {
        None => State::Good,
        Some(EndpointSeverity::Warning) => State::Warning,
        Some(EndpointSeverity::Wrong) => State::Wrong,
    }
}

impl State {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}
