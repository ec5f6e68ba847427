//! What can be wrong with what an endpoint serves.

use serde::{Deserialize, Serialize, Serializer};
use strum::{IntoStaticStr, VariantNames};

use super::{
    distrust::Distrust,
    probe_error::{Phase, ProbeError, Unproved},
    tls::TlsVersion,
};
use crate::model::{
    diagnostic::{Diagnostic, Severity, Subject},
    names::DnsName,
    presented::Presented,
    schema::JsonSchema,
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum EndpointSeverity {
    /// The endpoint does not serve what it should, or clients refuse it.
    Wrong,
    /// It serves what it should, and some clients will have trouble, or soon will.
    Warning,
}

/// One thing that is wrong with what an endpoint serves.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Hash,
    thiserror::Error,
    Serialize,
    Deserialize,
    JsonSchema,
    IntoStaticStr,
    VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum EndpointFinding {
    /// It is not known where the endpoint is.
    #[error("where it is cannot be found out: {why}")]
    NoAddress {
        /// Why not.
        why: String,
    },
    /// The endpoint could not be met, or not to the end.
    #[error("{error}")]
    NotMet {
        /// Why not.
        error: ProbeError,
    },
    /// There is no certificate at all.
    #[error("it presents no certificate")]
    NoCertificate,
    /// A certificate cannot be read.
    #[error("certificate {place} of its chain cannot be read: {why}")]
    Unreadable {
        /// Its place in the chain, counted from 1.
        place: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Another certificate is served.
    #[error("serves {} ({subject}), not {}", served.short(), expected.short())]
    OtherCertificate {
        /// The certificate that is served.
        served: Thumbprint,
        /// Whom it names.
        subject: String,
        /// The one that should be.
        expected: Thumbprint,
    },
    /// The place is configured with another one than it serves: the next restart changes what clients get.
    // facts 11.4
    #[error(
        "serves it and is configured with {configured}: it serves another after the next restart, or another place answered"
    )]
    ConfiguredOtherwise {
        /// What it is configured with.
        configured: Presented,
    },
    /// Its time is over.
    #[error("expired {}", not_after.date())]
    Expired {
        /// When.
        not_after: Timestamp,
    },
    /// Its time has not come.
    #[error("not valid before {not_before}")]
    NotYetValid {
        /// When it will.
        not_before: Timestamp,
    },
    /// The name that clients ask for is not in it.
    #[error("does not cover {name}")]
    NotCovered {
        /// The name.
        name: DnsName,
    },
    /// The name is in the subject only.
    #[error("names {name} in its subject only, where browsers and newer clients do not look")]
    CommonNameOnly {
        /// The name.
        name: DnsName,
    },
    /// It is not for TLS servers.
    #[error("is not for TLS servers: serverAuth is missing in its extended key usage")]
    NotForServers,
    /// A key is too short.
    #[error("certificate {place} of its chain has an RSA key of {bits} bits; clients want 2048")]
    WeakKey {
        /// Its place in the chain, counted from 1.
        place: usize,
        /// The length of the key.
        bits: u32,
    },
    /// A signature is forgeable.
    #[error("certificate {place} of its chain is signed with {algorithm}, which can be forged")]
    WeakSignature {
        /// Its place in the chain, counted from 1.
        place: usize,
        /// The algorithm.
        algorithm: String,
    },
    /// Whoever answers does not hold the key.
    #[error("the server does not hold the key of the certificate that it presents")]
    NotItsKey,
    /// Whether the server holds the key is not known.
    #[error("whether the server holds the key is not proved: {why}")]
    KeyNotProved {
        /// Why not.
        why: Unproved,
    },
    /// A certificate is sent twice.
    #[error("certificate {place} of its chain is sent twice: {subject}")]
    Duplicate {
        /// Its place in the chain, counted from 1.
        place: usize,
        /// Whom it names.
        subject: String,
    },
    /// An issuer stands before what it issued.
    #[error("certificate {place} of its chain stands before what it issued: {subject}")]
    WrongOrder {
        /// Its place in the chain, counted from 1.
        place: usize,
        /// Whom it names.
        subject: String,
    },
    /// The root is sent along.
    #[error("certificate {place} of its chain is a root, which clients have or do not trust: {subject}")]
    RootSent {
        /// Its place in the chain, counted from 1.
        place: usize,
        /// Whom it names.
        subject: String,
    },
    /// A certificate has nothing to do with the others.
    #[error("certificate {place} of its chain has issued none of the others: {subject}")]
    Unrelated {
        /// Its place in the chain, counted from 1.
        place: usize,
        /// Whom it names.
        subject: String,
    },
    /// A certificate of a CA is not valid now.
    #[error("the CA {subject} is valid from {not_before} until {not_after} only")]
    IssuerOutOfDate {
        /// Whom it names.
        subject: String,
        /// From when it is valid.
        not_before: Timestamp,
        /// Until when.
        not_after: Timestamp,
    },
    /// The issuer is neither sent nor trusted.
    #[error("sends no intermediate certificate, and its issuer {issuer} is no trusted root")]
    MissingIntermediate {
        /// The issuer.
        issuer: String,
    },
    /// It signs itself.
    #[error("signs itself, so that clients trust it only when they were told to")]
    SelfSigned {
        /// Whether the manifest declares it all the same.
        declared: bool,
    },
    /// Its chain leads to no trusted root.
    #[error("its chain is not trusted: {why}")]
    Untrusted {
        /// Why not.
        why: Distrust,
    },
    /// The best that the server speaks is withdrawn.
    #[error("speaks {version}, which clients of today refuse")]
    OldProtocol {
        /// The version.
        version: TlsVersion,
    },
    /// The cipher suite that the server chooses is old.
    #[error("chooses the old cipher suite {cipher}")]
    OldCipher {
        /// The cipher suite.
        cipher: String,
    },
}

impl EndpointFinding {
    /// Its stable code, which `certwright explain` knows.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// Whether the endpoint was not even found: it says more of where certwright runs than of the endpoint.
    pub fn is_of_lookup(&self) -> bool {
        matches!(
            self,
            Self::NoAddress { .. }
                | Self::NotMet {
                    error: ProbeError::UnknownHost { .. }
                        | ProbeError::NoRoute { .. }
                        | ProbeError::TimedOut { phase: Phase::Lookup }
                }
        )
    }

    /// It in the shape that all messages share, for what was met there.
    pub fn diagnostic(&self, subject: Subject) -> Diagnostic {
        let severity = match self.severity() {
            EndpointSeverity::Wrong => Severity::Error,
            EndpointSeverity::Warning => Severity::Warning,
        };
        let message = Diagnostic::new(self.code(), severity, subject, self.to_string());
        match self.advice() {
            Some(advice) => message.hinted(advice),
            None => message,
        }
    }

    /// The problem in two or three words, for a cell of a table.
    pub fn word(&self) -> String {
        match self {
            Self::NoAddress { .. } => "no address".into(),
            Self::NotMet { error } => error.word().into(),
            Self::NoCertificate => "no certificate".into(),
            Self::Unreadable { .. } => "unreadable".into(),
            Self::OtherCertificate { .. } => "another certificate".into(),
            Self::ConfiguredOtherwise { .. } => "configured otherwise".into(),
            Self::Expired { not_after } => format!("expired {}", not_after.date()),
            Self::NotYetValid { .. } => "not yet valid".into(),
            Self::NotCovered { .. } => "wrong name".into(),
            Self::CommonNameOnly { .. } => "name in subject only".into(),
            Self::NotForServers => "not for servers".into(),
            Self::WeakKey { .. } => "weak key".into(),
            Self::WeakSignature { .. } => "weak signature".into(),
            Self::NotItsKey => "not its key".into(),
            Self::KeyNotProved { .. } => "key not proved".into(),
            Self::Duplicate { .. } | Self::WrongOrder { .. } | Self::Unrelated { .. } => {
                "untidy chain".into()
            }
            Self::RootSent { .. } => "root sent".into(),
            Self::IssuerOutOfDate { .. } => "CA out of date".into(),
            Self::MissingIntermediate { .. } => "intermediate missing".into(),
            Self::SelfSigned { .. } => "self-signed".into(),
            Self::Untrusted { why: Distrust::Revoked { .. }, .. } => "revoked".into(),
            Self::Untrusted { .. } => "not trusted".into(),
            Self::OldProtocol { version } => format!("{version} only"),
            Self::OldCipher { .. } => "old cipher".into(),
        }
    }

    /// What somebody can do who knows better: a CA of one's own, whose root clients get by a policy, is trusted once its
    /// root is named.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::MissingIntermediate { .. }
            | Self::Untrusted { why: Distrust::UnknownIssuer { .. } | Distrust::UnknownRoot { .. } } => {
                Some(NAME_THE_ROOT)
            }
            _ => None,
        }
    }

    /// How much it matters.
    pub fn severity(&self) -> EndpointSeverity {
        match self {
            Self::NoAddress { .. }
            | Self::NotMet { .. }
            | Self::NoCertificate
            | Self::OtherCertificate { .. }
            | Self::ConfiguredOtherwise { .. }
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::NotCovered { .. }
            | Self::NotForServers
            | Self::NotItsKey
            | Self::MissingIntermediate { .. }
            | Self::Untrusted { .. }
            | Self::OldProtocol { .. } => EndpointSeverity::Wrong,
            Self::Unreadable { place, .. } => {
                if *place == 1 {
                    EndpointSeverity::Wrong
                } else {
                    EndpointSeverity::Warning
                }
            }
            // Exchange signs certificates itself, for what its servers show each other.
            Self::SelfSigned { declared: true } => EndpointSeverity::Warning,
            Self::SelfSigned { declared: false } => EndpointSeverity::Wrong,
            Self::KeyNotProved { why } => match why {
                // Nothing was signed, so that anybody could have sent this certificate: no evidence.
                Unproved::NotSigned => EndpointSeverity::Wrong,
                Unproved::Unreadable { .. } | Unproved::Algorithm { .. } | Unproved::ShortKey { .. } => {
                    EndpointSeverity::Warning
                }
            },
            // Exchange works with these, and HealthChecker complains (facts 14).
            Self::CommonNameOnly { .. }
            | Self::WeakKey { .. }
            | Self::WeakSignature { .. }
            | Self::Duplicate { .. }
            | Self::WrongOrder { .. }
            | Self::RootSent { .. }
            | Self::Unrelated { .. }
            | Self::IssuerOutOfDate { .. }
            | Self::OldCipher { .. } => EndpointSeverity::Warning,
        }
    }
}

/// A problem as it is written, with its severity and its sentence.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointFinding")]
pub struct Told {
    /// How much it matters.
    severity: EndpointSeverity,
    /// What is wrong, in one sentence without a full stop.
    message: String,
    #[serde(flatten)]
    problem: EndpointFinding,
}

/// Writes problems as they are told.
pub(crate) mod told {
    use super::{EndpointFinding, Serialize, Serializer, Told};

    pub(crate) fn serialize<S: Serializer>(
        problems: &[EndpointFinding],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let told = problems.iter().map(|problem| Told {
            severity: problem.severity(),
            message: problem.to_string(),
            problem: problem.clone(),
        });
        told.collect::<Vec<_>>().serialize(serializer)
    }
}

const NAME_THE_ROOT: &str = "where clients trust a CA of your own, name its root in the manifest, `verify: { roots: \
                             [FILE] }`, or for `certwright verify` alone with --roots FILE";
