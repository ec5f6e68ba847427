//! The one shape of everything that certwright tells people and programs about: findings of `check`, warnings of plans, what
//! cannot be done or proved, and what endpoints serve wrongly. Formats (SARIF, JUnit, annotations of a forge) are made of this
//! and never of sentences.
//!
//! To add a warning, add one variant to the enum of its subject in [`warning`](super::warning), one arm to its `diagnostic`
//! (severity, subject, message, hint), and one section to `src/explain/warnings.md`. The code is the variant's name in kebab case; the compiler and
//! `tests/catalogue.rs` name what is missing. [`Cannot`](super::cannot::Cannot) and the others work alike.

mod written;

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

pub use self::written::{Coded, Coding, FromSentence, Written, list, one};
use super::{
    certificate_id::CertificateId,
    names::{BalancerName, ConnectorName, ServerName},
    thumbprint::Thumbprint,
};
use crate::model::schema::JsonSchema;

/// How much something matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// What was asked for cannot be done, or is not so.
    Error,
    /// It works, and will probably disappoint.
    Warning,
    /// Worth knowing.
    Notice,
}

/// One message with everything that a format needs of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// Its stable code in kebab case. `certwright explain CODE` tells more.
    pub code: Cow<'static, str>,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Subject::is_empty")]
    pub subject: Subject,
    /// What is so, in one sentence without a full stop.
    pub message: String,
    /// What to do, as the end of that sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where it is written, when a file is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// What a message is about: as much of it as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// The certificate of the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateId>,
    /// The certificate in a store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<Thumbprint>,
    /// The connector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<ConnectorName>,
    /// The load balancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balancer: Option<BalancerName>,
    /// The binding, service, setting, endpoint or path of the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// A place in a file. Line and column count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// The file, as it was named on the command line.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Diagnostic {
    /// A message without a hint.
    pub fn new(code: &'static str, severity: Severity, subject: Subject, message: impl Into<String>) -> Self {
        let (code, message) = (Cow::Borrowed(code), message.into());
        Self { code, severity, subject, message, hint: None, location: None }
    }

    /// The same with what to do.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Subject {
    /// A server.
    pub fn server(server: &ServerName) -> Self {
        Self { server: Some(server.clone()), ..Self::default() }
    }

    /// A certificate of the manifest.
    pub fn certificate(id: &CertificateId) -> Self {
        Self::default().of(id)
    }

    /// A load balancer.
    pub fn balancer(balancer: &BalancerName) -> Self {
        Self { balancer: Some(balancer.clone()), ..Self::default() }
    }

    /// The same, of this connector.
    #[must_use]
    pub fn named(mut self, connector: &ConnectorName) -> Self {
        self.connector = Some(connector.clone());
        self
    }

    /// The same, of this certificate of the manifest.
    #[must_use]
    pub fn of(mut self, id: &CertificateId) -> Self {
        self.certificate = Some(id.clone());
        self
    }

    /// The same, of this certificate in a store.
    #[must_use]
    pub fn thumbprint(mut self, thumbprint: Thumbprint) -> Self {
        self.thumbprint = Some(thumbprint);
        self
    }

    /// The same, at this place.
    #[must_use]
    pub fn place(mut self, place: impl fmt::Display) -> Self {
        self.place = Some(place.to_string());
        self
    }

    /// Whether nothing is known of it: it is about the whole organization.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        })
    }
}

impl fmt::Display for Diagnostic {
    /// The message, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}
