//! What certificates say, as data.

use std::{borrow::Cow, fmt};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{
    dn::DistinguishedName,
    key::{PublicKey, Signature},
    names::DnsName,
    schema::JsonSchema,
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// A certificate: the facts certwright decides by, and the bytes they were read from. Two certificates are equal when
/// their bytes are.
///
/// In JSON it shows all of them for the reader, and only `der` is read back: everything else is computed from it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Certificate")]
pub struct CertificateFacts {
    /// SHA-1 of the DER.
    pub thumbprint: Thumbprint,
    /// Whom it names.
    pub subject: DistinguishedName,
    /// Who signed it.
    pub issuer: DistinguishedName,
    /// The serial number, upper-case hexadecimal as Windows shows it.
    pub serial: String,
    /// `CertificateDomains`, and IPv4 addresses: the DNS names of the subject alternative name, and the common name when it looks like a
    /// DNS name (Microsoft Learn, Get-ExchangeCertificate).
    // facts 2.1
    pub names: Vec<DnsName>,
    /// The one of them that the subject alternative name leaves out although it has DNS names: Exchange chooses by it, and no client
    /// accepts it (RFC 9525, section 6.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_in_subject: Option<DnsName>,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// Its public key.
    pub key: PublicKey,
    /// SHA-256 of the public key (SubjectPublicKeyInfo) in hexadecimal: tells which request a certificate answers.
    pub public_key: String,
    /// How it is signed.
    pub signature: Signature,
    /// The extended key usages by their short names or object identifiers; absent means that any use is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usages: Option<Vec<String>>,
    /// The subject key identifier in hexadecimal, by which certificates below it name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_key_id: Option<String>,
    /// Whether it may sign other certificates.
    pub is_ca: bool,
    /// The bytes.
    pub der: Der,
}

/// Bytes in DER; base64 in JSON.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Der(pub Vec<u8>);

/// Why bytes are not a certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// X.509 could not be parsed.
    #[error("these {length} bytes are not an X.509 certificate: {reason}")]
    NotX509 {
        /// How many bytes there were.
        length: usize,
        /// What the parser says.
        reason: String,
    },
    /// More follows after the certificate.
    #[error("{0} bytes follow after the certificate")]
    TrailingBytes(usize),
    /// No certificate is this large.
    #[error("{0} bytes are too many for a certificate; the limit is 64 KiB")]
    TooLarge(usize),
}

impl Serialize for Der {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Der {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schemas")]
impl JsonSchema for Der {
    fn schema_name() -> Cow<'static, str> {
        "Der".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "contentEncoding": "base64", "description": "Bytes in DER." })
    }
}

impl fmt::Debug for Der {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Der({} bytes)", self.0.len())
    }
}
