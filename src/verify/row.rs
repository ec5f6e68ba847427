//! What became of one check.

use serde::{Deserialize, Serialize};

use super::{check::Check, path_validation::Trust};
use crate::{
    model::{
        diagnostic::{Diagnostic, Subject},
        endpoint::Endpoint,
        handshake::{
            endpoint_finding::{self, EndpointFinding, EndpointSeverity},
            tls::TlsVersion,
        },
        names::DnsName,
        schema::JsonSchema,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    ports::prober::{Sent, Took},
};

/// One row of a verdict: what should be served and what is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The server or host.
    pub server: String,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The place of the server that presents there: a site's binding, a connector, a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Where it was met, as `host:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The name that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<DnsName>,
    /// The certificate that the manifest declares there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<Thumbprint>,
    /// What the server is configured to present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured: Option<Configured>,
    /// The certificate that was presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<Thumbprint>,
    /// Until when the presented certificate is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// The certificates in the order in which they were sent.
    pub chain: Vec<Thumbprint>,
    /// The version of TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<TlsVersion>,
    /// The cipher suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// The group of the key exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether clients trust it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// How long the meeting took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<Milliseconds>,
    /// How often the meeting was tried again.
    pub retries: u32,
    /// What is wrong; none when nothing is.
    #[serde(serialize_with = "endpoint_finding::told::serialize")]
    #[schemars(with = "Vec<endpoint_finding::Told>")]
    pub problems: Vec<EndpointFinding>,
    /// The likely cause of what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The certificates themselves.
    #[serde(skip)]
    pub sent: Vec<Sent>,
}

/// How long the parts of a meeting took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Milliseconds {
    /// From the name to the connection.
    pub connect: u64,
    /// The words in the clear before TLS.
    pub greeting: u64,
    /// The TLS handshake.
    pub handshake: u64,
}

impl Row {
    /// Whether the endpoint serves what it should, and clients take it. Warnings do not count.
    pub fn is_good(&self) -> bool {
        self.wrong().next().is_none()
    }

    /// Whether nothing is wrong but that the endpoint was not found from here: what it serves is not known.
    pub fn is_out_of_sight(&self) -> bool {
        !self.is_good() && self.wrong().all(EndpointFinding::is_of_lookup)
    }

    /// What is wrong in the shape that all messages share.
    pub fn diagnostics(&self) -> impl Iterator<Item = Diagnostic> + '_ {
        let server = self.server.parse().ok();
        let place = match &server {
            Some(_) => self.endpoint.to_string(),
            None => format!("{} {}", self.server, self.endpoint),
        };
        let subject = Subject { server, thumbprint: self.served, place: Some(place), ..Subject::default() };
        self.problems.iter().map(move |problem| problem.diagnostic(subject.clone()))
    }

    /// The problems that count.
    pub fn wrong(&self) -> impl Iterator<Item = &EndpointFinding> {
        self.problems.iter().filter(|problem| problem.severity() == EndpointSeverity::Wrong)
    }

    pub(super) fn new(check: &Check) -> Self {
        Self {
            server: check.peer.to_string(),
            endpoint: check.endpoint,
            service: check.presenter.as_ref().map(ToString::to_string),
            address: None,
            name: check.name.clone(),
            declared: check.expected,
            configured: None,
            served: None,
            not_after: None,
            chain: Vec::new(),
            version: None,
            cipher: None,
            group: None,
            trust: None,
            milliseconds: None,
            retries: 0,
            problems: Vec::new(),
            cause: None,
            sent: Vec::new(),
        }
    }
}

impl From<Took> for Milliseconds {
    fn from(took: Took) -> Self {
        let milliseconds =
            |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self {
            connect: milliseconds(took.connect),
            greeting: milliseconds(took.greeting),
            handshake: milliseconds(took.handshake),
        }
    }
}

/// What a place of a server is configured to present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Configured {
    /// The certificate; absent when it is none, or not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certificate: Option<Thumbprint>,
    /// What that means, in words: the certificate, and what is wrong with it, or why there is none.
    pub message: String,
}

/// The likely reason for what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Which kind of reason.
    pub kind: CauseKind,
    /// The reason, in one sentence without a full stop.
    pub message: String,
}

/// Which kind of reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CauseKind {
    /// The service keeps what it started with.
    NotRestarted,
    /// Something between the client and the server answers: a load balancer, a proxy.
    InBetween,
    /// The configuration names another certificate than the manifest.
    NotConfigured,
    /// Exchange chooses another certificate for this place, by its own rules.
    Preferred,
    /// Exchange has nothing that it could present there.
    NothingToPresent,
    /// The service is one that is stopped by default, and nobody saw whether it runs.
    MayNotRun,
    /// The server ends the handshake, as where it cannot read the key that it says to have.
    KeyMayBeUnreadable,
    /// The declared certificate itself is the problem.
    Declared,
}
