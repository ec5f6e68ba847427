//! Why clients do not trust a chain.

use serde::{Deserialize, Serialize};

use crate::model::{schema::JsonSchema, time::Timestamp};

/// Why a chain is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Distrust {
    /// The chain as sent ends below a CA that is no root.
    #[error("it ends at {issuer}, which was not sent and is no trusted root")]
    UnknownIssuer {
        /// The CA's subject.
        issuer: String,
    },
    /// The chain ends at a root that is not trusted.
    #[error("it ends at {root}, which is no trusted root")]
    UnknownRoot {
        /// The root's subject.
        root: String,
    },
    /// A certificate of the chain is not valid at this time.
    #[error("{subject} is valid from {not_before} until {not_after} only")]
    OutOfDate {
        /// The certificate.
        subject: String,
        /// From when it is valid.
        #[serde(rename = "notBefore")]
        not_before: Timestamp,
        /// Until when.
        #[serde(rename = "notAfter")]
        not_after: Timestamp,
    },
    /// A signature in the chain is of a kind that clients do not take.
    #[error("a certificate in it is signed in a way that clients do not accept, such as SHA-1")]
    WeakSignature,
    /// A certificate is not signed by the CA that it names.
    #[error("a certificate in it was not signed with the key of the CA that it names")]
    BadSignature,
    /// A CA in the chain may not sign this certificate.
    #[error("a CA in it is not allowed to sign what it signs ({rule})")]
    NotAllowed {
        /// The rule, by the name path building has for it.
        rule: String,
    },
    /// The certificate is not for TLS servers.
    #[error("it is not for TLS servers")]
    Usage,
    /// A CA took a certificate of the chain back.
    #[error("{subject} was revoked by its CA")]
    Revoked {
        /// The certificate.
        subject: String,
    },
    /// The list of a CA is older than the CA lets it be used.
    #[error("the list of revoked certificates of one of its CAs is out of date")]
    OldRevocationList,
    /// Something else.
    #[error("path building ends with {why}")]
    Other {
        /// What path building says.
        why: String,
    },
}
