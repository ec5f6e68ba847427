//! What is wrong with how services are set up.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::model::{
    certificate_id::CertificateId,
    certificate_use::CertificateUse,
    diagnostic::{Coded, Diagnostic, Severity, Subject},
    endpoint::Endpoint,
    handshake::endpoint_finding::EndpointFinding,
    list::{joined, listed},
    names::{ConnectorName, DnsName, OverrideName, ServerName},
    schema::JsonSchema,
    service::{self, MailService, Service, Services},
    thumbprint::Thumbprint,
};

/// What is wrong with how services are set up.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ServiceWarning {
    /// A certificate keeps services that the manifest does not give it.
    ExtraServicesHeld {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The server.
        server: ServerName,
        /// The services.
        services: Services,
        /// What uses it; nothing when its key cannot be exported.
        used_by: Vec<CertificateUse>,
    },
    /// POP or IMAP is declared on a server where it does not run.
    // facts 3.9
    MailServiceStopped {
        /// The server.
        server: ServerName,
        /// POP or IMAP.
        service: MailService,
    },
    /// POP or IMAP is offered to users by names that the certificate which it presents lacks.
    // facts 3.4
    MailNamesMissing {
        /// The server.
        server: ServerName,
        /// POP or IMAP.
        service: MailService,
        /// The certificate.
        thumbprint: Thumbprint,
        /// The names.
        missing: Vec<DnsName>,
    },
    /// Transport restarts without being drained, although the manifest wants that: nobody takes over its messages.
    // facts 3.11
    NotDrained {
        /// The server.
        server: ServerName,
    },
    /// A handshake showed that an endpoint does not serve what it should, and no step of the plan changes anything there.
    ServedWrongly {
        /// The server.
        server: ServerName,
        /// The endpoint.
        endpoint: Endpoint,
        /// What is wrong; `certwright explain CODE` tells more of each.
        problems: Vec<EndpointFinding>,
    },
    /// Unified Messaging starts in a mode without TLS.
    UmWithoutTls {
        /// The server.
        server: ServerName,
        /// UM, or its call router.
        service: Service,
    },
    /// One setting override serves servers whose IIS has different certificates.
    // facts 15, no. 35
    ImOverrideAmbiguous {
        /// The setting override.
        name: OverrideName,
        /// What it names.
        thumbprint: Thumbprint,
    },
    /// A setting override goes on naming the old certificate, since a server lacks the new one.
    ImOverrideOutdated {
        /// The setting override.
        name: OverrideName,
        /// What it names.
        thumbprint: Thumbprint,
        /// The certificate that it should name.
        certificate: CertificateId,
        /// The servers that lack it.
        missing: Vec<ServerName>,
    },
    /// An Edge server and a server of its site present the same certificate (event 10104).
    // facts 10
    SharedWithEdge {
        /// The Edge server.
        edge: ServerName,
        /// The server of the site.
        server: ServerName,
        /// The certificate.
        thumbprint: Thumbprint,
    },
    /// An Edge server acts by a copy of a send connector that chooses another certificate than the connector does.
    // facts 10.1
    EdgeConnectorBehind {
        /// The Edge server.
        edge: ServerName,
        /// The send connector.
        connector: ConnectorName,
        /// A server of the subscribed site, by which `EdgeSync` is started; absent where none is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<ServerName>,
    },
    /// Mail with an Edge server waits until a person has done a step.
    // facts 10.4
    EdgeNeedsPerson {
        /// The Edge server.
        edge: ServerName,
    },
}

impl Coded for ServiceWarning {
    fn diagnostic(&self) -> Diagnostic {
        let warn =
            |subject, message: String| Diagnostic::new(self.into(), Severity::Warning, subject, message);
        match self {
            Self::ExtraServicesHeld { certificate, server, services, used_by } => {
                let why = match used_by.as_slice() {
                    [] => "its key cannot be exported".to_owned(),
                    used_by => format!("used by {}", joined(used_by)),
                };
                warn(
                    Subject::server(server).of(certificate),
                    format!(
                        "{certificate} on {server} has {}, which the manifest does not give it, and keeps it until it is \
                         renewed: {why}",
                        service::list(services)
                    ),
                )
            }
            Self::MailServiceStopped { server, service } => warn(
                Subject::server(server).place(service),
                format!(
                    "the manifest declares {service} on {server}, where it does not run: its certificate is set, and \
                     nobody can meet it"
                ),
            )
            .hinted(format!(
                "start it there, `Set-Service {windows} -StartupType Automatic`, or take {service} out of the manifest",
                windows = service.windows_service()
            )),
            Self::MailNamesMissing { server, service, thumbprint, missing } => {
                let (message, hint) = mail_names(server, *service, *thumbprint, missing);
                warn(Subject::server(server).place(service).thumbprint(*thumbprint), message).hinted(hint)
            }
            Self::NotDrained { server } => warn(
                Subject::server(server),
                format!(
                    "transport on {server} restarts without being drained: no other Mailbox server of the manifest and of \
                     its site could take over its messages"
                ),
            ),
            Self::ServedWrongly { server, endpoint, problems } => warn(
                Subject::server(server).place(endpoint),
                format!("{endpoint} of {server}: {}; no step of this plan changes that", listed(problems, "; ")),
            )
            .hinted("`certwright verify` tells the likely cause"),
            Self::UmWithoutTls { server, service } => warn(
                    Subject::server(server).place(service),
                    format!("{service} on {server} starts in the mode TCP and uses no certificate"),
                )
                .hinted("set `umStartupMode: Dual` or TLS"),
            Self::ImOverrideAmbiguous { name, thumbprint } => warn(
                    Subject::default().place(name).thumbprint(*thumbprint),
                    format!(
                        "setting override {name} names {} for servers whose IIS has different certificates, so nobody signs \
                         in to instant messaging on some of them",
                        thumbprint.short()
                    ),
                )
                .hinted("make one override for each server, `New-SettingOverride -Server`"),
            Self::ImOverrideOutdated { name, thumbprint, certificate, missing } => warn(
                Subject::certificate(certificate).place(name).thumbprint(*thumbprint),
                format!(
                    "setting override {name} goes on naming {}: {certificate} is not on {}, for which it is too",
                    thumbprint.short(),
                    joined(missing)
                ),
            ),
            Self::SharedWithEdge { edge, server, thumbprint } => warn(
                    Subject::server(server).place(edge).thumbprint(*thumbprint),
                    format!("{edge} and {server} both present {} (event 10104)", thumbprint.short()),
                )
                .hinted("each needs an internal transport certificate of its own"),
            Self::EdgeConnectorBehind { edge, connector, by } => {
                let by = by.as_ref().map_or("a server of its site", ServerName::as_str);
                warn(
                    Subject::server(edge).place(connector),
                    format!(
                        "{edge} sends through {connector} by a copy of its own, which has another TlsCertificateName or Fqdn than \
                         the organization's: EdgeSync has not brought it there, and until then {edge} keeps the certificate that \
                         its copy names"
                    ),
                )
                .hinted(format!(
                    "on {by}, Start-EdgeSynchronization -Server {by}, then Test-EdgeSynchronization, which says what is wrong"
                ))
            }
            Self::EdgeNeedsPerson { edge } => warn(
                    Subject::default().place(edge),
                    format!(
                        "mail with {edge} and EdgeSync stop when the default SMTP certificate is replaced, and wait until \
                         somebody has subscribed {edge} anew"
                    ),
                )
                .hinted(format!(
                    "have somebody ready with administrators' rights on {edge} and on a Mailbox server before you begin"
                )),
        }
    }
}

/// What users are told for POP or IMAP, against what it presents, and what to do.
fn mail_names(
    server: &ServerName,
    service: MailService,
    thumbprint: Thumbprint,
    missing: &[DnsName],
) -> (String, String) {
    let message = format!(
        "{service} on {server} is offered to users as {} (`ExternalConnectionSettings`), and {}, which it presents, does not have {}",
        joined(missing),
        thumbprint.short(),
        if missing.len() == 1 { "that name" } else { "those names" }
    );
    let cmdlet = match service {
        MailService::Pop => "Set-PopSettings",
        MailService::Imap => "Set-ImapSettings",
    };
    let hint = format!(
        "add them to the certificate, or tell users another name: `{cmdlet} -Server {server} -ExternalConnectionSettings`"
    );
    (message, hint)
}
