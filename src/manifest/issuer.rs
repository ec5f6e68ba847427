//! Issuers: where new certificates come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{policy::RequestEncoding, schema::JsonSchema, secret::SecretRef, time::Span};

/// Where new certificates come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IssuerSpec {
    /// The server signs its own certificate (`New-ExchangeCertificate`). Good inside the organization only.
    SelfSigned(SelfSignedSpec),
    /// A CA whose key certwright can use: certwright makes the key and the certificate and imports them as PFX.
    LocalCa(LocalCaSpec),
    /// A CA that takes a request and answers hours or days later: the server makes the key, the request is written to a
    /// file, and the run that finds the answer beside it goes on.
    Csr(CsrSpec),
    /// A PFX file: one certificate with its key, which somebody got elsewhere. certwright imports it; when another one is to
    /// follow, somebody puts it in the place of the file.
    Pfx(PfxSpec),
}

/// Nothing to say: the server decides validity (five years; Exchange 2007: one).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelfSignedSpec {}

/// A CA whose key certwright can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalCaSpec {
    /// The CA's certificate in PEM, relative to the manifest's directory. Certificates that follow it in the file are
    /// its own chain.
    #[schemars(example = &"ca/issuing.crt")]
    pub certificate: PathBuf,
    /// The CA's private key in PEM (PKCS#8).
    #[schemars(example = serde_json::json!({ "file": "/run/secrets/issuing.key" }))]
    pub key: SecretRef,
    /// How long its certificates live.
    #[serde(default = "LocalCaSpec::default_lifetime")]
    pub lifetime: Span,
}

/// A CA that answers a request by file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CsrSpec {
    /// Where requests are written as `NAME.csr` and answers are looked for as `NAME.cer`, `.crt`, `.pem` or `.p7b`;
    /// relative to the manifest's directory. For certificates of scope `server` it is `NAME-SERVER.csr`.
    #[serde(default = "CsrSpec::default_directory")]
    pub directory: PathBuf,
    /// Whether it is a public CA, which signs no internal names and no IP addresses.
    #[serde(default = "yes")]
    pub publicly_trusted: bool,
    /// How requests are written. Answers are read in PEM, DER and PKCS#7, whatever they are called.
    #[serde(default, skip_serializing_if = "RequestEncoding::is_default")]
    pub encoding: RequestEncoding,
}

/// A PFX file with one certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PfxSpec {
    /// The file, relative to the manifest's directory. It belongs into no repository.
    #[schemars(example = &"/srv/certificates/mail.pfx")]
    pub file: PathBuf,
    /// Its password. Without it the file has an empty one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = serde_json::json!({ "env": "MAIL_PFX_PASSWORD" }))]
    pub password: Option<SecretRef>,
    /// Whether it is of a public CA.
    #[serde(default = "yes")]
    pub publicly_trusted: bool,
}

impl CsrSpec {
    fn default_directory() -> PathBuf {
        "requests".into()
    }
}

impl LocalCaSpec {
    /// 200 days: the longest that public CAs have been allowed since March 2026, so that nobody gets used to more.
    fn default_lifetime() -> Span {
        Span::days(200)
    }
}

const fn yes() -> bool {
    true
}
