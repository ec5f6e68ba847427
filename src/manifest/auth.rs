//! What a manifest says about the Auth certificate.

use serde::{Deserialize, Serialize};

use crate::model::{
    key::KeySpec, policy::RenewBefore, schema::JsonSchema, thumbprint::Thumbprint, time::Span,
};

/// The Auth certificate: the self-signed "Microsoft Exchange Server Auth Certificate", one for the organization, which signs
/// OAuth tokens and, since 2023, what remote PowerShell sends. It is never used for TLS. Exchange decides its subject and
/// how long it lives (five years).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthCertificateSpec {
    /// Its key, which is RSA and exportable: every server has a copy.
    #[serde(default, skip_serializing_if = "AuthKeyRequest::is_default")]
    pub key: AuthKeyRequest,
    /// How long before its end a successor is staged: a span (`60d`) or a part of its lifetime (`10%`).
    #[serde(default = "AuthCertificateSpec::default_renew_before")]
    pub renew_before: RenewBefore,
    /// How long the successor is staged before it takes effect, rounded up to a whole day: at least 48 hours, so that
    /// every server has it by then. Without it: 48 hours, and 14 days in a hybrid organization, where it has to be
    /// uploaded to Microsoft 365 before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_after: Option<Span>,
    /// How long after that the one before is still accepted.
    #[serde(default = "AuthCertificateSpec::default_clear_previous_after")]
    pub clear_previous_after: Span,
    /// In a hybrid organization: the Auth certificate that Microsoft 365 knows. After you upload a new one, by
    /// `ConfigureExchangeHybridApplication.ps1 -UpdateCertificate` or the Hybrid Configuration Wizard, write its
    /// thumbprint here; nothing on the servers shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microsoft365: Option<Thumbprint>,
}

/// The key of the Auth certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthKeyRequest {
    /// Bits of RSA.
    #[serde(default)]
    pub size: AuthKeySize,
}

/// Bits of the Auth certificate's RSA key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u16", into = "u16")]
#[schemars(with = "u16", extend("enum" = [2048, 4096]))]
pub enum AuthKeySize {
    /// What setup takes.
    #[default]
    Rsa2048,
    /// Twice that.
    Rsa4096,
}

impl AuthCertificateSpec {
    /// When Microsoft's own script begins to stage a successor.
    fn default_renew_before() -> RenewBefore {
        RenewBefore::Span(Span::days(60))
    }

    fn default_clear_previous_after() -> Span {
        Span::days(7)
    }
}

impl AuthKeyRequest {
    /// The key in the terms of [`KeySpec`].
    pub fn spec(&self) -> KeySpec {
        KeySpec::Rsa(self.size.into())
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl From<AuthKeySize> for u16 {
    fn from(size: AuthKeySize) -> Self {
        match size {
            AuthKeySize::Rsa2048 => 2048,
            AuthKeySize::Rsa4096 => 4096,
        }
    }
}

impl TryFrom<u16> for AuthKeySize {
    type Error = String;

    fn try_from(bits: u16) -> Result<Self, String> {
        match bits {
            2048 => Ok(Self::Rsa2048),
            4096 => Ok(Self::Rsa4096),
            _ => Err(format!("{bits} bits are not possible for the Auth certificate; write 2048 or 4096")),
        }
    }
}
