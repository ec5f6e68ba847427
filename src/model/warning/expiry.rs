//! The end of what is in use, declared or not.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::model::{
    certificate_id::CertificateId,
    diagnostic::{Coded, Diagnostic, Severity, Subject},
    ending::Ending,
    schema::JsonSchema,
    thumbprint::Thumbprint,
    time::{Span, Timestamp},
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
    /// `renewBefore` says a span that is not shorter than the certificate's whole life.
    RenewBeforeTooLong {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The certificate that stands for it.
        thumbprint: Thumbprint,
        /// What the manifest says.
        declared: String,
        /// How long it lives.
        lives: Span,
        /// From when on it is renewed.
        from: Timestamp,
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
            Self::RenewBeforeTooLong { certificate, thumbprint, declared, lives, from } => Diagnostic::new(
                self.into(),
                Severity::Warning,
                Subject::certificate(certificate).thumbprint(*thumbprint),
                format!(
                    "`renewBefore: {declared}` is not shorter than the {} that {certificate} ({}) lives, so a third of its life \
                     counts: it is renewed from {} on",
                    lives.rounded(),
                    thumbprint.short(),
                    from.date()
                ),
            )
            .hinted("write a shorter span, or a part of the lifetime: `renewBefore: 33%`"),
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
