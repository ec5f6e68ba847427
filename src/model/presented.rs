//! What a client gets from a place that should present a certificate.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{connector::AuthMechanism, schema::JsonSchema, thumbprint::Thumbprint};

/// What a client gets from a place that should present a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Presented {
    /// This certificate.
    Certificate(Thumbprint),
    /// A handshake that fails, because the certificate that was chosen cannot be used.
    Failing {
        /// The certificate.
        certificate: Thumbprint,
        /// Why it cannot be used.
        why: Failing,
    },
    /// No TLS at all.
    Nothing(Nothing),
    /// It cannot be foreseen, because this is not known.
    Unknown(String),
}

/// Why a certificate that was chosen cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Failing {
    /// It is not in the store.
    NotInStore,
    /// It has no private key (`NoCredentials` in the protocol log).
    NoPrivateKey,
    /// The network service may not read its key: SMTP is not enabled for it (`UnknownCredentials`).
    NoKeyAccess,
}

/// Why TLS is not offered at all.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Nothing {
    /// The server has no such connector, service or binding.
    NotThere,
    /// It is switched off.
    Disabled,
    /// The connector's `AuthMechanism` does not contain the mechanism.
    NotInAuthMechanism(AuthMechanism),
    /// No certificate fits this name.
    NoMatch(String),
    /// Nothing says which certificate.
    NotConfigured,
    /// The send connector does not lead to Exchange servers.
    NotToExchange,
    /// IIS has its certificate from here, where Exchange does not see it.
    Elsewhere(String),
}

impl fmt::Display for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(thumbprint) => f.write_str(&thumbprint.short()),
            Self::Failing { certificate, why } => write!(f, "{}, which {why}", certificate.short()),
            Self::Nothing(why) => write!(f, "nothing: {why}"),
            Self::Unknown(why) => write!(f, "unknown: {why}"),
        }
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotInStore => "is not in the store",
            Self::NoPrivateKey => "has no private key",
            Self::NoKeyAccess => "is not enabled for SMTP",
        })
    }
}

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere => f.write_str("it is not there"),
            Self::Disabled => f.write_str("it is disabled"),
            Self::NotInAuthMechanism(mechanism) => {
                write!(f, "AuthMechanism does not contain {}", mechanism.name())
            }
            Self::NoMatch(name) => write!(f, "no certificate fits {name}"),
            Self::NotConfigured => f.write_str("no certificate is configured"),
            Self::Elsewhere(store) => write!(f, "its certificate is in {store}, which Exchange does not see"),
            Self::NotToExchange => f.write_str("the connector does not lead to Exchange servers"),
        }
    }
}
