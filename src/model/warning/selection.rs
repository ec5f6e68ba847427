//! Which certificates places will present, where that is not what the manifest says.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use crate::model::{
    certificate_id::CertificateId,
    diagnostic::{Coded, Diagnostic, Severity, Subject},
    list::joined,
    names::{CertificateName, ConnectorName, DnsName, ServerName},
    presented::{Failing, Presented},
    schema::JsonSchema,
    service::MailService,
    site::SiteBinding,
    thumbprint::Thumbprint,
};

/// Which certificates places will present, where that is not what the manifest says.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum SelectionWarning {
    /// A place for which the manifest names a certificate will present another.
    OtherPresented {
        /// The server.
        server: ServerName,
        /// The place.
        place: String,
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// What it will present.
        presented: Thumbprint,
        /// Whether that one signs itself.
        self_signed: bool,
    },
    /// A place for which the manifest names a certificate will present none that works.
    NothingPresented {
        /// The server.
        server: ServerName,
        /// The place.
        place: String,
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// What it will present.
        found: Presented,
        /// What Exchange will log about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<LoggedEvent>,
    },
    /// A binding that the manifest does not declare answers clients who ask for a name of the certificate of another one.
    // facts 11.4
    NameTaken {
        /// The server.
        server: ServerName,
        /// The declared place.
        place: String,
        /// The certificate of the manifest there.
        certificate: CertificateId,
        /// The host name of the other binding.
        host: DnsName,
        /// The other binding.
        by: String,
        /// What it presents; absent where it presents nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        presented: Option<Thumbprint>,
    },
    /// `Enable-ExchangeCertificate` will warn that another certificate takes precedence.
    // facts 3.3
    Outranked {
        /// The server.
        server: ServerName,
        /// The certificate of the manifest.
        certificate: CertificateName,
        /// The name for which the other one is chosen.
        fqdn: DnsName,
        /// The other one.
        winner: Thumbprint,
        /// Whether that one signs itself.
        self_signed: bool,
        /// The connectors that call themselves so.
        connectors: Vec<ConnectorName>,
        /// Whether transport cannot use the other one, so that the connectors offer no STARTTLS.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unusable: bool,
        /// Whether clients of these connectors should get the certificate of the manifest: `verify` and `drift` expect it there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        expected: bool,
    },
    /// A send connector will prove this organization with another certificate.
    OtherSent {
        /// The connector.
        connector: ConnectorName,
        /// The source server.
        server: ServerName,
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// What it will present.
        presented: Thumbprint,
        /// Whether that one signs itself.
        self_signed: bool,
    },
    /// A send connector will choose a certificate that it cannot use.
    SendFails {
        /// The connector.
        connector: ConnectorName,
        /// The source server.
        server: ServerName,
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// What it will choose.
        chosen: Thumbprint,
        /// Why that fails.
        why: Failing,
    },
    /// A send connector finds no certificate, and mail waits.
    // facts 7.1
    SendWithoutCertificate {
        /// The connector.
        connector: ConnectorName,
        /// The source server.
        server: ServerName,
        /// What the queue will say.
        error: String,
    },
    /// POP or IMAP is not declared, and will choose another certificate than today.
    // facts 3.4, 3.9
    UndeclaredChanges {
        /// The server.
        server: ServerName,
        /// POP, IMAP, or both.
        services: Vec<MailService>,
        /// What it presents today.
        before: Thumbprint,
        /// What it will present.
        presented: Thumbprint,
    },
    /// A binding with a certificate of its own, which the manifest does not declare, and that enabling IIS sets too.
    // facts 11.1
    BindingTakenAlong {
        /// The server.
        server: ServerName,
        /// The binding.
        place: SiteBinding,
        /// The certificate that it has today.
        before: Thumbprint,
        /// The certificate of the manifest that it gets.
        certificate: CertificateId,
    },
}

/// An event that Exchange will write.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoggedEvent {
    /// Its number.
    pub id: u16,
    /// Its text, in Exchange's words.
    pub text: String,
}

impl SelectionWarning {
    /// The places of a server that will present something else than is declared there, or than clients should get by their names.
    pub fn misserving(&self) -> Option<(&ServerName, Vec<String>)> {
        match self {
            Self::OtherPresented { server, place, .. } | Self::NothingPresented { server, place, .. } => {
                Some((server, vec![place.clone()]))
            }
            Self::Outranked { server, connectors, expected: true, .. } => {
                Some((server, connectors.iter().map(ToString::to_string).collect()))
            }
            Self::OtherSent { server, connector, .. }
            | Self::SendFails { server, connector, .. }
            | Self::SendWithoutCertificate { server, connector, .. } => {
                Some((server, vec![connector.to_string()]))
            }
            Self::NameTaken { .. }
            | Self::Outranked { .. }
            | Self::UndeclaredChanges { .. }
            | Self::BindingTakenAlong { .. } => None,
        }
    }
}

impl Coded for SelectionWarning {
    fn diagnostic(&self) -> Diagnostic {
        let warn =
            |subject, message: String| Diagnostic::new(self.into(), Severity::Warning, subject, message);
        let notice =
            |subject, message: String| Diagnostic::new(self.into(), Severity::Notice, subject, message);
        match self {
            Self::OtherPresented { server, place, certificate, presented, self_signed } => warn(
                Subject::server(server).place(place).of(certificate).thumbprint(*presented),
                format!(
                    "{place} on {server} will present {}, not {certificate}",
                    shown(*presented, *self_signed)
                ),
            ),
            Self::NothingPresented { server, place, certificate, found, event } => {
                let event = event.as_ref().map_or(String::new(), |LoggedEvent { id, text }| {
                    format!("; Exchange will log event {id}: {text}")
                });
                warn(
                    Subject::server(server).place(place).of(certificate),
                    format!("{place} on {server} is to present {certificate}, and will present {found}{event}"),
                )
            }
            Self::NameTaken { server, place, certificate, host, by, presented } => warn(
                Subject::server(server).place(by).of(certificate),
                format!(
                    "clients of {host} meet {by} on {server}, which the manifest does not declare, and not {place}: they get {}, not \
                     {certificate}",
                    presented.map_or_else(|| "no certificate".to_owned(), Thumbprint::short)
                ),
            )
            .hinted(format!("declare it under `iis`: `\"{by}\": {}`, or take the host name off the binding", certificate.name)),
            Self::Outranked { server, certificate, fqdn, winner, self_signed, connectors, unusable, expected: _ } => warn(
                Subject::server(server).thumbprint(*winner),
                format!(
                    "{certificate} on {server}: This certificate will not be used for external TLS connections with an \
                     FQDN of '{fqdn}' because the {} certificate {} takes precedence. The following connectors match \
                     that FQDN: {}{}",
                    kind(*self_signed),
                    match winner.placeholder_step() {
                        Some(step) => format!("of step {step}"),
                        None => format!("with thumbprint '{winner}'"),
                    },
                    joined(connectors),
                    if *unusable { "; none of them offers STARTTLS, since transport cannot use that one" } else { "" }
                ),
            )
            .hinted(format!(
                "name {certificate} at the connectors with `receiveConnectors`, or remove the other one if nothing needs it"
            )),
            Self::OtherSent { connector, server, certificate, presented, self_signed } => warn(
                Subject::server(server).named(connector).of(certificate).thumbprint(*presented),
                format!(
                    "{connector} will send from {server} with {}, not with {certificate}",
                    shown(*presented, *self_signed)
                ),
            ),
            Self::SendFails { connector, server, certificate, chosen, why } => warn(
                Subject::server(server).named(connector).of(certificate).thumbprint(*chosen),
                format!("{connector} will send from {server} with {}, which {why}, not with {certificate}", chosen.short()),
            ),
            Self::SendWithoutCertificate { connector, server, error } => warn(
                Subject::server(server).named(connector),
                format!("{connector} finds no certificate on {server}, and mail will wait: {error}"),
            ),
            Self::UndeclaredChanges { server, services, before, presented } => notice(
                Subject::server(server).place(joined(services)).thumbprint(*presented),
                format!(
                    "{} on {server}, which the manifest does not declare, will present {} instead of {}: the name in its settings \
                     selects it",
                    joined(services),
                    presented.short(),
                    before.short()
                ),
            )
            .hinted(format!(
                "declare {} among the services of {server}, or set another name: {}",
                if services.len() == 1 { "it" } else { "them" },
                services.iter().copied().map(MailService::renaming).collect::<Vec<_>>().join(" and ")
            )),
            Self::BindingTakenAlong { server, place, before, certificate } => warn(
                Subject::server(server).place(place).of(certificate).thumbprint(*before),
                format!(
                    "{place} on {server} has {}, a certificate of its own, and gets {certificate}: \
                     `Enable-ExchangeCertificate -Services IIS` sets this binding too",
                    before.short()
                ),
            )
            .hinted(format!(
                "to keep its certificate, declare that and name it for the binding: `iis: {{ \"{place}\": NAME }}`; the plan then \
                 sets it back"
            )),
        }
    }
}

fn shown(thumbprint: Thumbprint, self_signed: bool) -> String {
    format!("the {} certificate {}", kind(self_signed), thumbprint.short())
}

fn kind(self_signed: bool) -> &'static str {
    if self_signed { "self-signed" } else { "CA-signed" }
}
