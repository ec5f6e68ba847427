//! Parts of a manifest that no handshake can prove.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::model::{
    desired::CertificateId,
    diagnostic::{Coded, Diagnostic, Severity, Subject},
    names::{BalancerName, ConnectorName, ServerName},
    schema::JsonSchema,
    server_left_out::ServerLeftOut,
    thumbprint::Thumbprint,
    unmet::UnmetPlace,
    unseen::{Unseen, without_sight},
};

/// What cannot be proved, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum NotProvable {
    /// A server was not observed.
    ServerNotObserved {
        /// The server.
        server: ServerName,
    },
    /// A server could not be seen, or not all of what the manifest says something of.
    ServerNotSeen {
        /// The server.
        server: ServerName,
        /// What could not be seen, and why.
        unseen: Vec<Unseen>,
    },
    /// The manifest leaves a server out: nothing is asked of it.
    ServerLeftOut {
        /// The server.
        server: ServerName,
        /// Why, as the manifest says.
        because: String,
    },
    /// A place serves a certificate of the manifest and cannot be probed from here.
    // facts 5.7, 11.5
    PlaceNotMet {
        /// The server.
        server: ServerName,
        /// The place, and why it cannot be met.
        place: UnmetPlace,
        /// The certificate that it is configured to serve.
        thumbprint: Thumbprint,
    },
    /// A server has a copy without its key of what the name of a connector selects: which of them Exchange takes no handshake from
    /// here proves for long.
    // facts 5.9
    KeylessCopyNamed {
        /// The server.
        server: ServerName,
        /// The connector.
        connector: ConnectorName,
        /// The copy.
        thumbprint: Thumbprint,
    },
    /// A declared send connector proves itself with another certificate, as its settings and the store say.
    // facts 5.4
    SendsAnother {
        /// The source server.
        server: ServerName,
        /// The connector.
        connector: ConnectorName,
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// What it presents.
        thumbprint: Thumbprint,
    },
    /// A declared send connector has no certificate that it could present.
    // facts 5.4
    SendsNone {
        /// The source server.
        server: ServerName,
        /// The connector.
        connector: ConnectorName,
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// Why not.
        why: String,
    },
    /// A certificate does not exist yet.
    NotIssued {
        /// A server that should use it.
        server: ServerName,
        /// The certificate of the manifest.
        certificate: CertificateId,
    },
    /// The certificate of a load balancer does not exist yet.
    NotIssuedForBalancer {
        /// The load balancer.
        balancer: BalancerName,
        /// The certificate of the manifest.
        certificate: CertificateId,
    },
    /// A certificate is not on a server that should use it.
    NotInStore {
        /// The server.
        server: ServerName,
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The one that stands for it.
        thumbprint: Thumbprint,
    },
}

impl NotProvable {
    /// Its stable code, which `certwright explain` knows.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// The server that it is about; none for a load balancer.
    pub fn server(&self) -> Option<&ServerName> {
        match self {
            Self::ServerNotObserved { server }
            | Self::ServerNotSeen { server, .. }
            | Self::ServerLeftOut { server, .. }
            | Self::PlaceNotMet { server, .. }
            | Self::KeylessCopyNamed { server, .. }
            | Self::SendsAnother { server, .. }
            | Self::SendsNone { server, .. }
            | Self::NotIssued { server, .. }
            | Self::NotInStore { server, .. } => Some(server),
            Self::NotIssuedForBalancer { .. } => None,
        }
    }

    /// Whether something is missing; what can be met from somewhere else only is not.
    pub fn is_error(&self) -> bool {
        self.diagnostic().severity == Severity::Error
    }

    /// Whether it is known without a handshake that a send connector is wrong.
    pub fn is_of_sender(&self) -> bool {
        match self {
            Self::SendsAnother { .. } | Self::SendsNone { .. } => true,
            Self::ServerNotObserved { .. }
            | Self::ServerNotSeen { .. }
            | Self::ServerLeftOut { .. }
            | Self::PlaceNotMet { .. }
            | Self::KeylessCopyNamed { .. }
            | Self::NotIssued { .. }
            | Self::NotInStore { .. }
            | Self::NotIssuedForBalancer { .. } => false,
        }
    }

    /// A server that the manifest leaves out.
    pub fn left_out(server: ServerLeftOut) -> Self {
        let ServerLeftOut { server, because } = server;
        Self::ServerLeftOut { server, because }
    }

    fn error(&self, subject: Subject, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.code(), Severity::Error, subject, message)
    }
}

impl Coded for NotProvable {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::ServerNotObserved { server } => {
                self.error(Subject::server(server), format!("{server}: the server was not observed"))
            }
            Self::ServerNotSeen { server, unseen } => self.error(
                Subject::server(server),
                format!("{}: what it serves is not known", without_sight(server, unseen)),
            ),
            Self::ServerLeftOut { server, because } => {
                let told = ServerLeftOut { server: server.clone(), because: because.clone() };
                Diagnostic::new(self.code(), Severity::Notice, Subject::server(server), told.to_string())
            }
            Self::PlaceNotMet { server, place, thumbprint } => Diagnostic::new(
                self.code(),
                Severity::Warning,
                Subject::server(server).place(&place.place).thumbprint(*thumbprint),
                format!("{server}: {place} cannot be probed from here; it is to serve {}", thumbprint.short()),
            ),
            Self::KeylessCopyNamed { server, connector, thumbprint } => Diagnostic::new(
                self.code(),
                Severity::Warning,
                Subject::server(server).named(connector).thumbprint(*thumbprint),
                format!(
                    "{server}: the name of {connector} selects {} too, which has no private key there: Exchange may take it \
                     (`NoCredentials` in the protocol log), and mail waits",
                    thumbprint.short()
                ),
            )
            .hinted(format!("remove the copy on {server} with `certutil -delstore My {thumbprint}`")),
            Self::SendsAnother { server, connector, certificate, thumbprint } => self
                .error(
                    Subject::server(server).named(connector).of(certificate).thumbprint(*thumbprint),
                    format!("{server}: {connector} sends with {}, not with {certificate}", thumbprint.short()),
                )
                .hinted(SEE_PLAN),
            Self::SendsNone { server, connector, certificate, why } => self
                .error(
                    Subject::server(server).named(connector).of(certificate),
                    format!(
                        "{server}: {connector} is to send with {certificate}, and has no certificate: {why}; mail through it \
                         waits (454 4.7.5)"
                    ),
                )
                .hinted(SEE_PLAN),
            Self::NotIssued { server, certificate } => self
                .error(
                    Subject::server(server).of(certificate),
                    format!("{server}: {certificate} does not exist yet"),
                )
                .hinted(SEE_PLAN),
            Self::NotIssuedForBalancer { balancer, certificate } => self
                .error(
                    Subject::balancer(balancer).of(certificate),
                    format!("{balancer}: {certificate} does not exist yet"),
                )
                .hinted(SEE_PLAN),
            Self::NotInStore { server, certificate, thumbprint } => self
                .error(
                    Subject::server(server).of(certificate).thumbprint(*thumbprint),
                    format!("{server}: {certificate} ({}) is not on this server", thumbprint.short()),
                )
                .hinted(SEE_PLAN),
        }
    }
}

impl fmt::Display for NotProvable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic().fmt(f)
    }
}

const SEE_PLAN: &str = "`certwright plan` tells more";
