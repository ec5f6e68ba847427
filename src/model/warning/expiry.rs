//! The end of what is in use, declared or not.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::model::{
    diagnostic::{Coded, Diagnostic, Severity, Subject},
    ending::Ending,
    schema::JsonSchema,
    thumbprint::Thumbprint,
};

/// The end of what is in use, declared or not.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ExpiryNotice {
    /// A certificate in use ends, and no step of the plan replaces it.
    // facts 4.7
    EndsInUse {
        /// The certificate and what uses it.
        ending: Ending,
    },
    /// The Auth certificate is on no server.
    // facts 4.4
    AuthCertificateMissing {
        /// The certificate.
        thumbprint: Thumbprint,
    },
}

impl Coded for ExpiryNotice {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::EndsInUse { ending } => {
                let severity = if ending.expired { Severity::Error } else { Severity::Warning };
                let subject = match &ending.server {
                    Some(server) => Subject::server(server),
                    None => Subject::default(),
                };
                Diagnostic::new(
                    self.into(),
                    severity,
                    subject.thumbprint(ending.certificate),
                    format!("{ending}; no step of this plan replaces it there"),
                )
                .hinted("declare it, or a successor for these places; `expiryWarning` says from when on this is told")
            }
            Self::AuthCertificateMissing { thumbprint } => Diagnostic::new(
                self.into(),
                Severity::Error,
                Subject::default().thumbprint(*thumbprint),
                format!(
                    "the Auth certificate {} is on no server: tokens cannot be signed, and sign-in to Outlook on the web, \
                     the management shell and hybrid features fail",
                    thumbprint.short()
                ),
            )
            .hinted("declare `authCertificate`, and the plan makes another"),
        }
    }
}
