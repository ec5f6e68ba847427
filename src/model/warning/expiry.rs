//! The end of what is in use, declared or not.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::model::{
    certificate_id::CertificateId,
    diagnostic::{Coded, Diagnostic, Severity, Subject},
    ending::{Ending, MissingAuth, MissingInternalTransport},
    names::ServerName,
    schema::JsonSchema,
    server_left_out::TAKE_BACK,
    thumbprint::Thumbprint,
    time::{Span, Timestamp},
    without_certificate::WithoutCertificate,
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
        /// The certificate of the manifest that is to replace it there, and does not in this plan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        awaited: Option<CertificateId>,
        /// Servers that the manifest leaves out: what uses it waits for them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left_out: Vec<ServerName>,
        /// What renews it, where no manifest does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        elsewhere: Option<RenewedElsewhere>,
        /// The certificate of the manifest that it is, where its renewal is still to come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        renewal: Option<RenewalToCome>,
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
    /// The internal transport certificate of a server is missing.
    // facts 5.2
    InternalTransportMissing {
        /// The server, and what its directory names.
        missing: MissingInternalTransport,
    },
    /// A place names a certificate and presents none.
    // facts 5.1, 5.4, 7.3, 11.2
    PlaceWithoutCertificate {
        /// The place, and why.
        place: WithoutCertificate,
    },
    /// The Auth certificate is missing, on some servers or on all.
    // facts 4.4
    AuthCertificateMissing {
        /// The certificate.
        thumbprint: Thumbprint,
        /// Where it is missing; nothing stands for all servers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        servers: Vec<ServerName>,
    },
}

/// A renewal that the manifest brings in time, and not yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RenewalToCome {
    /// The certificate of the manifest.
    pub certificate: CertificateId,
    /// From when on it is renewed.
    pub from: Timestamp,
}

/// What gives a place its certificate that no manifest declares.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RenewedElsewhere {
    /// `Set-FederationTrust` does, for the federation trust.
    FederationTrust {},
    /// Programs beside Exchange have settings of their own.
    Programs {
        /// The programs, at least one.
        programs: Vec<String>,
        /// Whether nothing of Exchange uses the certificate besides them.
        alone: bool,
    },
}

impl RenewedElsewhere {
    fn advice(&self) -> String {
        match self {
            Self::FederationTrust {} => "no manifest declares it: create its successor and stage it, `Set-FederationTrust -Identity \
                                         \"Microsoft Federation Gateway\" -Thumbprint ...`; once `Test-FederationTrustCertificate` \
                                         finds it on every server, publish it with `-PublishFederationCertificate`"
                .to_owned(),
            Self::Programs { programs, alone } => {
                let rest = if *alone { "" } else { "; declare it, or a successor, for the other places" };
                format!(
                    "no manifest declares what {} presents: give it another certificate in its own settings (`netsh http` for \
                     http.sys, the Remote Desktop settings for Remote Desktop){rest}",
                    programs.join(", ")
                )
            }
        }
    }
}

impl Coded for ExpiryNotice {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::EndsInUse { ending, awaited, left_out, elsewhere, renewal } => {
                let severity = if ending.expired { Severity::Error } else { Severity::Warning };
                let subject = match &ending.server {
                    Some(server) => Subject::server(server),
                    None => Subject::default(),
                };
                let message = match renewal {
                    _ if ending.left_out => ending.to_string(),
                    Some(RenewalToCome { certificate, from }) => {
                        format!("{ending}; {certificate} is renewed from {} on", from.date())
                    }
                    None => format!("{ending}; no step of this plan replaces it there"),
                };
                Diagnostic::new(self.into(), severity, subject.thumbprint(ending.certificate), message).hinted(match awaited {
                    _ if ending.left_out => TAKE_BACK.to_owned(),
                    Some(id) => format!("{id} is to replace it; the plan shows with {id} why it cannot do so yet"),
                    None if !left_out.is_empty() => {
                        let servers: Vec<&str> = left_out.iter().map(ServerName::as_str).collect();
                        format!(
                            "it changes with {}, which `leftOut` keeps as it is: a send connector has one name for all its servers",
                            servers.join(", ")
                        )
                    }
                    None => match elsewhere {
                        Some(elsewhere) => elsewhere.advice(),
                        None if renewal.is_some() => {
                            "`renewBefore` sets when that is; `expiryWarning` sets when this warning begins".to_owned()
                        }
                        None => "declare it, or a successor for these places; `expiryWarning` sets when this warning begins"
                            .to_owned(),
                    },
                })
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
            Self::InternalTransportMissing { missing } => {
                let subject = Subject::server(&missing.server);
                let subject = match missing.certificate {
                    Some(certificate) => subject.thumbprint(certificate),
                    None => subject,
                };
                Diagnostic::new(self.into(), Severity::Error, subject, missing.to_string())
                    .hinted(missing.advice())
            }
            Self::PlaceWithoutCertificate { place } => {
                let subject = Subject::server(&place.server).place(&place.place);
                let subject = match place.why.certificate() {
                    Some(certificate) => subject.thumbprint(certificate),
                    None => subject,
                };
                Diagnostic::new(self.into(), Severity::Error, subject, place.to_string()).hinted(place.advice())
            }
            Self::AuthCertificateMissing { thumbprint, servers } => {
                let missing = MissingAuth {
                    certificate: *thumbprint,
                    servers: servers.clone(),
                    everywhere: servers.is_empty(),
                };
                Diagnostic::new(
                    self.into(),
                    Severity::Error,
                    Subject::default().thumbprint(*thumbprint),
                    missing.to_string(),
                )
                .hinted(if servers.is_empty() {
                    "declare `authCertificate`, and the plan makes another"
                } else {
                    "declare `authCertificate`, and the plan imports it there, or creates another"
                })
            }
        }
    }
}
