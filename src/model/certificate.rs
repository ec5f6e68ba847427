//! Certificates.

mod facts;
mod read;

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::facts::{CertificateError, CertificateFacts, Der};
use super::{
    dn::{TlsCertificateName, same_but_for_case},
    names::DnsName,
    time::{Span, Timestamp},
};

/// A certificate: its facts, which all who name it share. A copy costs nothing, and organizations are copied to be tried out
/// on. Two certificates are equal when their bytes are.
#[derive(Clone)]
pub struct Certificate(Arc<Shared>);

#[derive(Clone)]
struct Shared {
    facts: CertificateFacts,
    /// Made when somebody asks for the first time; connectors ask again and again.
    texts: OnceLock<Texts>,
}

/// Its names as connectors write them.
#[derive(Clone)]
struct Texts {
    issuer: String,
    subject: String,
}

impl Certificate {
    /// Reads a certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        read::facts(der).map(Self::from)
    }

    /// Whether it signs itself: issuer and subject are equal, as `IsSelfSigned` has it (facts 2.1).
    pub fn is_self_signed(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether `moment` lies within its validity.
    pub fn is_valid_at(&self, moment: Timestamp) -> bool {
        self.not_before <= moment && moment <= self.not_after
    }

    /// Whether it is not valid yet, seen by a clock that may be a little behind that of its maker.
    pub fn begins_after(&self, moment: Timestamp) -> bool {
        moment.plus(Self::CLOCK_SKEW) < self.not_before
    }

    /// How far the clocks of two machines may be apart: as much as the CAs of Windows allow for (`ClockSkewMinutes`).
    pub const CLOCK_SKEW: Span = Span::seconds(600);

    /// Whether one of its names is good for `host`, as Exchange sees it: the common name always counts (facts 5.1).
    pub fn covers(&self, host: &DnsName) -> bool {
        self.names.iter().any(|name| name.covers(host))
    }

    /// Whether clients accept it for `host`: beside the DNS names of the subject alternative name no common name counts.
    pub fn is_accepted_for(&self, host: &DnsName) -> bool {
        self.accepted_names().any(|name| name.covers(host))
    }

    /// The names for which clients accept it.
    pub fn accepted_names(&self) -> impl Iterator<Item = &DnsName> {
        self.names.iter().filter(|name| self.only_in_subject.as_ref() != Some(*name))
    }

    /// Whether a TLS server may use it.
    pub fn is_for_servers(&self) -> bool {
        self.allows("serverAuth")
    }

    /// Whether a TLS client may use it, as a connector does that proves who it is.
    pub fn is_for_clients(&self) -> bool {
        self.allows("clientAuth")
    }

    fn texts(&self) -> &Texts {
        let facts = &self.0.facts;
        let texts = || Texts { issuer: facts.issuer.to_string(), subject: facts.subject.to_string() };
        self.0.texts.get_or_init(texts)
    }

    fn allows(&self, usage: &str) -> bool {
        self.usages.as_ref().is_none_or(|usages| usages.iter().any(|have| have == usage || have == "any"))
    }
}

impl From<CertificateFacts> for Certificate {
    fn from(facts: CertificateFacts) -> Self {
        Self(Arc::new(Shared { facts, texts: OnceLock::new() }))
    }
}

impl Deref for Certificate {
    type Target = CertificateFacts;

    fn deref(&self) -> &CertificateFacts {
        &self.0.facts
    }
}

impl DerefMut for Certificate {
    fn deref_mut(&mut self) -> &mut CertificateFacts {
        let shared = Arc::make_mut(&mut self.0);
        shared.texts = OnceLock::new();
        &mut shared.facts
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.facts.fmt(f)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.thumbprint, &self.der) == (other.thumbprint, &other.der)
    }
}

impl Serialize for Certificate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.facts.serialize(serializer)
    }
}

#[cfg(feature = "schemas")]
impl schemars::JsonSchema for Certificate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        <CertificateFacts as schemars::JsonSchema>::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        <CertificateFacts as schemars::JsonSchema>::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <CertificateFacts as schemars::JsonSchema>::json_schema(generator)
    }
}

impl Eq for Certificate {}

impl<'de> Deserialize<'de> for Certificate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Everything but the bytes is for readers, so that nobody can make us believe it.
        #[derive(Deserialize)]
        struct Written {
            der: Der,
        }
        let Written { der } = Written::deserialize(deserializer)?;
        Self::from_der(&der.0).map_err(serde::de::Error::custom)
    }
}

impl TlsCertificateName {
    /// The name that selects this certificate: the documented `"<I>$($c.Issuer)<S>$($c.Subject)"`.
    pub fn of(certificate: &Certificate) -> Self {
        let Texts { issuer, subject } = certificate.texts().clone();
        Self { issuer, subject }
    }

    /// Whether it selects this certificate.
    pub fn selects(&self, certificate: &Certificate) -> bool {
        let Texts { issuer, subject } = certificate.texts();
        same_but_for_case(&self.subject, subject) && same_but_for_case(&self.issuer, issuer)
    }
}
