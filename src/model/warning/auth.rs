//! The certificates that sign tokens: Auth's, and those of the federation trust.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::words::or_to_csp;
use crate::model::{
    diagnostic::{Coded, Diagnostic, Severity, Subject},
    list::joined,
    names::ServerName,
    schema::JsonSchema,
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// The certificates that sign tokens: Auth's, and those of the federation trust.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum AuthWarning {
    /// The key of the Auth certificate is where Exchange cannot use it.
    // facts 8.4
    AuthKeyInCng {
        /// The server.
        server: ServerName,
        /// The certificate.
        thumbprint: Thumbprint,
        /// Whether its key may leave the server, as far as that is known.
        exportable: Option<bool>,
    },
    /// A certificate for TLS is staged as the next Auth certificate.
    AuthIsForTls {
        /// The certificate.
        thumbprint: Thumbprint,
        /// Whom it names.
        named: String,
        /// When Exchange will publish it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        effective: Option<Timestamp>,
    },
    /// The Auth certificate ends, and the manifest says nothing of it.
    AuthNotDeclared {
        /// The certificate.
        thumbprint: Thumbprint,
        /// When it ends.
        not_after: Timestamp,
        /// Whether that is over.
        expired: bool,
    },
    /// A server that the manifest does not have needs the new Auth certificate too.
    // facts 4.6
    AuthNeededElsewhere {
        /// The servers.
        servers: Vec<ServerName>,
    },
    /// A server lacks a certificate of the federation trust.
    // facts 4.4
    FederationCertificateMissing {
        /// The server.
        server: ServerName,
        /// Which of the two.
        which: FederationCertificate,
        /// The certificate.
        thumbprint: Thumbprint,
    },
}

/// A certificate of the federation trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FederationCertificate {
    /// The current one.
    Current,
    /// The next one.
    Next,
}

impl fmt::Display for FederationCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "current",
            Self::Next => "next",
        })
    }
}

impl Coded for AuthWarning {
    fn diagnostic(&self) -> Diagnostic {
        let warn =
            |subject, message: String| Diagnostic::new(self.into(), Severity::Warning, subject, message);
        match self {
            Self::AuthKeyInCng { server, thumbprint, exportable } => warn(
                Subject::server(server).thumbprint(*thumbprint),
                format!(
                    "{server} keeps the key of the Auth certificate {} with a key storage provider (CNG), where Exchange \
                     cannot use it: tokens cannot be signed. Make another with `New-ExchangeCertificate`{}",
                    thumbprint.short(),
                    or_to_csp(*thumbprint, *exportable)
                ),
            ),
            Self::AuthIsForTls { thumbprint, named, effective } => {
                let date = effective.map_or("its date".to_owned(), |at| at.to_string());
                warn(
                    Subject::default().thumbprint(*thumbprint),
                    format!(
                        "{} ({named}) is staged as the next Auth certificate, and Exchange will publish it on {date}: it is \
                         made for TLS, and every token would hang on it",
                        thumbprint.short(),
                    ),
                )
            }
            Self::AuthNotDeclared { thumbprint, not_after, expired } => warn(
                Subject::default().thumbprint(*thumbprint),
                format!(
                    "the Auth certificate {} {} on {}, and the manifest does not say `authCertificate`: sign-in to Outlook \
                     on the web, the management shell and hybrid features fail without it",
                    thumbprint.short(),
                    if *expired { "has expired" } else { "expires" },
                    not_after.date(),
                ),
            ),
            Self::AuthNeededElsewhere { servers } => warn(
                Subject::default(),
                format!(
                    "the Auth certificate belongs to the organization, and {} needs the new one too, which the manifest does not \
                     have: Exchange copies it there by itself, but not always, and without it sign-in and tokens fail there",
                    joined(servers)
                ),
            )
            .hinted("add the servers to the manifest, or look for it there before it is published: `Get-ExchangeCertificate -Server`"),
            Self::FederationCertificateMissing { server, which, thumbprint } => warn(
                    Subject::server(server).thumbprint(*thumbprint),
                    format!(
                        "{server} does not have the {which} certificate of the federation trust, {}: Exchange fails with \
                         `Federation certificate with the thumbprint \"{thumbprint}\" cannot be found.`",
                        thumbprint.short()
                    ),
                )
                .hinted("import it there with its key, before anything is published"),
        }
    }
}
