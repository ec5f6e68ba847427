//! What clients trust.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::schema::JsonSchema;

/// What clients trust, so that `verify`, `drift` and the handshakes of `apply` can tell whether they accept a certificate.
/// The CAs under `issuers` are trusted anyway; certificates of a CA that is not `publiclyTrusted` are judged only when
/// there are `roots`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifySpec {
    /// Files with further trusted roots (PEM, or one in DER), relative to the manifest's directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<PathBuf>,
    /// Whether the roots of the system that certwright runs on are trusted.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub system_roots: bool,
    /// Files with lists of revoked certificates (CRLs in PEM, or one in DER), relative to the manifest's directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revocation_lists: Vec<PathBuf>,
}

impl VerifySpec {
    /// Whether it says what is so anyway.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for VerifySpec {
    fn default() -> Self {
        Self { roots: Vec::new(), system_roots: true, revocation_lists: Vec::new() }
    }
}

fn yes() -> bool {
    true
}
