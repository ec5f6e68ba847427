//! What should be done and cannot be.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::{
    certificate_id::CertificateId,
    certificate_use::CertificateUse,
    diagnostic::{Coded, Diagnostic, FromSentence, Severity, Subject},
    lack::Lacking,
    names::{BalancerName, ConnectorName, DnsName, ServerName},
    recorded::Recorded,
    schema::JsonSchema,
    service::Service,
    site::SiteBinding,
    thumbprint::Thumbprint,
    time::Timestamp,
    version::Release,
};

/// What should be done and cannot be, and why.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Cannot {
    /// Exchange would refuse a step.
    StepRefused {
        /// What the step does.
        verb: String,
        /// Why it would be refused.
        why: String,
        /// The server.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<ServerName>,
    },
    /// A server has no such binding.
    NoBinding {
        /// The server.
        server: ServerName,
        /// The binding.
        site: SiteBinding,
    },
    /// A server has no such receive connector.
    NoReceiveConnector {
        /// The server.
        server: ServerName,
        /// How the manifest names it.
        connector: String,
    },
    /// The organization has no such send connector.
    NoSendConnector {
        /// Its name.
        connector: ConnectorName,
    },
    /// The connectors of a source server have no `TlsCertificateName`.
    // facts 1.7
    NoTlsCertificateName {
        /// The send connector.
        connector: ConnectorName,
        /// The source server.
        server: ServerName,
        /// What it runs.
        release: Release,
        /// The certificate of the manifest.
        certificate: CertificateId,
    },
    /// Source servers of a send connector lack its certificate.
    // facts 15, no. 9
    SourceServersLack {
        /// The send connector.
        connector: ConnectorName,
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The servers.
        servers: Vec<ServerName>,
        /// Whether some of them cannot be read.
        unread: bool,
    },
    /// Source servers of a send connector lack its certificate and are not in the manifest.
    SourceServersNotDeclared {
        /// The send connector.
        connector: ConnectorName,
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The servers.
        servers: Vec<ServerName>,
    },
    /// A server cannot be read, and so a certificate is not brought there.
    ServerUnread {
        /// The server.
        server: ServerName,
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// Why it cannot be read.
        why: String,
    },
    /// A copy without its key stands in the way of an import.
    // facts 8.3
    KeylessCopy {
        /// The server.
        server: ServerName,
        /// The certificate.
        thumbprint: Thumbprint,
    },
    /// A receive connector calls itself by what no host name can be, and nothing can be enabled for SMTP.
    // facts 3.10
    ConnectorFqdn {
        /// The server.
        server: ServerName,
        /// The connector.
        connector: ConnectorName,
        /// Its `Fqdn`.
        fqdn: DnsName,
    },
    /// IIS should get a certificate whose key CNG keeps.
    // facts 8.5
    KeyInCngNotBound {
        /// The server.
        server: ServerName,
        /// The certificate.
        thumbprint: Thumbprint,
    },
    /// Whether a service uses a certificate cannot be seen.
    UseUnseen {
        /// The server.
        server: ServerName,
        /// The service.
        service: Service,
        /// The certificate.
        thumbprint: Thumbprint,
        /// Why not.
        why: String,
    },
    /// The Auth certificate has ended, Exchange tells no details of certificates, and the manifest does not say that another one
    /// may be made.
    // facts 2.5, 4.4
    AuthEnded {
        /// The Auth certificate.
        thumbprint: Thumbprint,
        /// When it ended.
        not_after: Timestamp,
    },
    /// The certificate of a load balancer cannot be seen.
    BalancerUnseen {
        /// The load balancer.
        balancer: BalancerName,
        /// Why not.
        why: String,
    },
    /// A load balancer was not observed.
    BalancerNotObserved {
        /// The load balancer.
        balancer: BalancerName,
    },
    /// A load balancer gets its certificate after the servers, and some will not have it.
    // facts 11.3
    BalancerWaits {
        /// The load balancer.
        balancer: BalancerName,
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The servers that will not have it.
        servers: Vec<ServerName>,
    },
    /// No server may export the key that a load balancer needs.
    BalancerKeyUnavailable {
        /// The load balancer.
        balancer: BalancerName,
        /// The certificate of the manifest.
        certificate: CertificateId,
    },
    /// The manifest says `hybrid`, and the organization is not.
    NotHybrid,
    /// A certificate for hybrid mail is not enabled for SMTP on servers that it goes through.
    HybridServersWithoutSmtp {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The servers, at least one.
        servers: Vec<ServerName>,
    },
    /// Servers that hybrid mail goes through lack its certificate.
    HybridServersLack {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The servers.
        servers: Vec<ServerName>,
    },
    /// The Hybrid Configuration Wizard has a connector name the hybrid certificate, and the manifest declares another for it.
    // facts 9
    ConnectorOfWizard {
        /// The connector.
        connector: ConnectorName,
        /// The server of a receive connector; absent for a send connector.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<ServerName>,
        /// The certificate that the manifest declares for it; absent where it is to name none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<CertificateId>,
        /// The certificate that the manifest declares for hybrid mail.
        hybrid: CertificateId,
    },
    /// Small Business Server has wizards that manage its certificates.
    SmallBusinessServer {
        /// The server.
        server: ServerName,
    },
    /// The back end has no certificate, and so the management shell does not answer.
    // facts 4.3
    BackEndWithoutCertificate {
        /// The server.
        server: ServerName,
        /// The binding.
        site: SiteBinding,
    },
    /// The version of a server does not have what is asked of it.
    // facts 1.7
    VersionLacks {
        /// The server.
        server: ServerName,
        /// What it runs.
        release: Release,
        /// What is missing.
        what: Lacking,
    },
    /// A certificate whose key others may have is in use, and no step replaces it.
    CompromisedInUse {
        /// The server.
        server: ServerName,
        /// The certificate.
        thumbprint: Thumbprint,
        /// What uses it when all steps are done.
        by: Vec<Recorded<CertificateUse>>,
    },
    /// What certwright 0.1 wrote, as a sentence alone.
    Other {
        /// The sentence.
        text: String,
    },
}

impl Cannot {
    /// Whether it might well be done, had these servers been seen. What could not be seen is said of the server.
    pub fn is_for_want_of_sight(&self, unseen: &BTreeSet<ServerName>) -> bool {
        match self {
            Self::ServerUnread { server, .. } => unseen.contains(server),
            Self::SourceServersLack { servers, unread: true, .. } => {
                servers.iter().all(|own| unseen.contains(own))
            }
            _ => false,
        }
    }

    /// Its stable code, which `certwright explain` knows.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    fn error(&self, subject: Subject, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.code(), Severity::Error, subject, message)
    }
}

impl FromSentence for Cannot {
    fn from_sentence(text: String) -> Self {
        Self::Other { text }
    }
}

impl Coded for Cannot {
    #[expect(clippy::too_many_lines, reason = "one arm for each of them")]
    fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::StepRefused { verb, why, server } => {
                self.error(server.as_ref().map(Subject::server).unwrap_or_default(), format!("{verb}: {why}"))
            }
            Self::NoBinding { server, site } => {
                self.error(Subject::server(server).place(site), format!("{server} has no https binding {site}"))
            }
            Self::NoReceiveConnector { server, connector } => self.error(
                Subject::server(server).place(connector),
                format!("{server} has no receive connector {connector}"),
            ),
            Self::NoSendConnector { connector } => self.error(
                Subject::default().named(connector),
                format!("the organization has no send connector {connector}"),
            ),
            Self::NoTlsCertificateName { connector, server, release, certificate } => self
                .error(
                    Subject::server(server).named(connector).of(certificate),
                    format!(
                        "{connector} sends from {server}, which runs {release}: its connectors have no TlsCertificateName \
                         and choose by their Fqdn"
                    ),
                )
                .hinted(format!("leave {connector} out, and give {certificate} the name of its Fqdn")),
            Self::SourceServersLack { connector, certificate, servers, unread } => self
                .error(
                    Subject::certificate(certificate).named(connector),
                    format!("{connector} sends from {}, where {certificate} is not seen", joined(servers)),
                )
                .hinted(if *unread { "see why it cannot be read" } else { "declare it there first" }),
            Self::SourceServersNotDeclared { connector, certificate, servers } => self
                .error(
                    Subject::certificate(certificate).named(connector),
                    format!(
                        "{connector} sends from {}, which the manifest does not have, and {certificate} is not there: mail \
                         would wait there, so the connector goes on naming what it names",
                        joined(servers)
                    ),
                )
                .hinted(format!(
                    "take the server out of the connector, `Set-SendConnector \"{connector}\" -SourceTransportServers ...`, or \
                     bring it back into the manifest"
                )),
            Self::ServerUnread { server, certificate, why } => self.error(
                Subject::server(server).of(certificate),
                format!("{server} cannot be read, and so {certificate} is not brought there: {why}"),
            ),
            Self::KeylessCopy { server, thumbprint } => self
                .error(
                    Subject::server(server).thumbprint(*thumbprint),
                    format!(
                        "{server} holds a copy of {} without its private key, which no cmdlet shows and every import \
                         stumbles over (\"already exists\")",
                        thumbprint.short()
                    ),
                )
                .hinted(format!("on the server, delete it: certutil -delstore my {thumbprint}")),
            Self::UseUnseen { server, service, thumbprint, why } => self.error(
                Subject::server(server).place(service).thumbprint(*thumbprint),
                format!("whether {service} on {server} uses {} cannot be seen: {why}", thumbprint.short()),
            ),
            Self::AuthEnded { thumbprint, not_after } => self
                .error(
                    Subject::default().thumbprint(*thumbprint),
                    format!(
                        "the Auth certificate {} ended on {}, and Exchange tells no details of any certificate before there is \
                         another one: nothing else is changed until then",
                        thumbprint.short(),
                        not_after.date(),
                    ),
                )
                .hinted("write `authCertificate: {}` into the manifest, and the next plan begins with a new one"),
            Self::ConnectorFqdn { server, connector, fqdn } => self
                .error(
                    Subject::server(server).named(connector),
                    format!(
                        "no certificate can be enabled for SMTP on {server}: {connector} has the `Fqdn` {fqdn}, and \
                         Enable-ExchangeCertificate fails for characters that no host name has (0xe0434352)"
                    ),
                )
                .hinted(format!(
                    "rename it first, `Set-ReceiveConnector \"{server}\\{connector}\" -Fqdn NAME`; nothing is imported there \
                     before"
                )),
            Self::KeyInCngNotBound { server, thumbprint } => self
                .error(
                    Subject::server(server).thumbprint(*thumbprint),
                    format!(
                        "{server} keeps the key of {} with a key storage provider (CNG), and Outlook on the web and the admin \
                         center cannot use it: it is not bound to IIS",
                        thumbprint.short()
                    ),
                )
                .hinted("bring the key into a CSP first, or have the certificate renewed"),
            Self::BalancerUnseen { balancer, why } => self.error(
                Subject::balancer(balancer),
                format!("the certificate of load balancer {balancer} cannot be seen: {why}"),
            ),
            Self::BalancerNotObserved { balancer } => {
                self.error(Subject::balancer(balancer), format!("load balancer {balancer} was not observed"))
            }
            Self::BalancerWaits { balancer, certificate, servers } => self.error(
                Subject::balancer(balancer).of(certificate),
                format!(
                    "load balancer {balancer} gets {certificate} only after {}, which will not have it",
                    joined(servers)
                ),
            ),
            Self::BalancerKeyUnavailable { balancer, certificate } => self.error(
                Subject::balancer(balancer).of(certificate),
                format!("load balancer {balancer} needs the key of {certificate}, and no server may export it"),
            ),
            Self::NotHybrid => self
                .error(
                    Subject::default().place("hybrid configuration"),
                    "the organization has no hybrid configuration",
                )
                .hinted("run the Hybrid Configuration Wizard first"),
            Self::HybridServersWithoutSmtp { certificate, servers } => self
                .error(
                    Subject::certificate(certificate),
                    format!(
                        "hybrid mail goes through {}, where {certificate} is not enabled for SMTP: the wizard says \"The \
                         Secure Mail Certificate on server {} is not bound to the SMTP Service\"",
                        joined(servers),
                        servers.first().map_or_else(String::new, ToString::to_string)
                    ),
                )
                .hinted("declare it under `services` first"),
            Self::HybridServersLack { certificate, servers } => self
                .error(
                    Subject::certificate(certificate),
                    format!(
                        "hybrid mail goes through {}, where {certificate} is not or cannot be seen",
                        joined(servers)
                    ),
                )
                .hinted("declare it there first"),
            Self::ConnectorOfWizard { connector, server, certificate, hybrid } => {
                let subject = server.as_ref().map(Subject::server).unwrap_or_default().named(connector);
                let place = match server {
                    Some(server) => format!("{server}\\{connector} takes the mail from Microsoft 365"),
                    None => format!("{connector} sends to Microsoft 365"),
                };
                let declared = certificate.as_ref().map_or("none".to_owned(), ToString::to_string);
                self.error(
                    subject,
                    format!(
                        "{place}, so the Hybrid Configuration Wizard has it name {hybrid}; the manifest declares {declared} for it, and \
                         it can name one only: it is left as it is, to the wizard"
                    ),
                )
                .hinted(match server {
                    Some(server) => format!(
                        "declare {hybrid} for it, or take {server} out of the servers that receive: `Set-HybridConfiguration \
                         -ReceivingTransportServers ...`"
                    ),
                    None => format!("declare {hybrid} for it"),
                })
            }
            Self::SmallBusinessServer { server } => self.error(
                Subject::server(server),
                format!("{server} runs Windows Small Business Server: {SMALL_BUSINESS_SERVER}"),
            ),
            Self::BackEndWithoutCertificate { server, site } => self
                .error(
                    Subject::server(server).place(site),
                    format!(
                        "{server}: {site} has no certificate, and so the management shell does not answer and nothing can \
                         be done"
                    ),
                )
                .hinted("say under `iis` which certificate belongs there"),
            Self::VersionLacks { server, release, what } => self
                .error(Subject::server(server), format!("{server}: {}", what.sentence(*release)))
                .hinted(what.advice()),
            Self::CompromisedInUse { server, thumbprint, by } => {
                let by: Vec<String> = by.iter().map(ToString::to_string).collect();
                self.error(
                    Subject::server(server).thumbprint(*thumbprint),
                    format!(
                        "others may have the key of {}, and on {server} it stays in use by {}: the manifest declares no \
                         certificate there",
                        thumbprint.short(),
                        by.join(", ")
                    ),
                )
                .hinted("declare what these places use (`authCertificate` for the Auth configuration), and plan again")
            }
            Self::Other { text } => self.error(Subject::default(), text),
        }
    }
}

impl fmt::Display for Cannot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic().fmt(f)
    }
}

fn joined<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The article's advice: its wizards set more than certificates and overwrite what others set.
const SMALL_BUSINESS_SERVER: &str = "its own wizard \"Add a trusted certificate\" (before 2008: \"Connect to the Internet\") \
                                     manages certificates there, and undoes what anything else sets";
