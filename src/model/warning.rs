//! Warnings: what the reader of a plan should know, though no step does anything about it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::{
    action::StepId,
    certificate_id::CertificateId,
    diagnostic::{Coded, Diagnostic, FromSentence, Severity, Subject},
    dn::TlsCertificateName,
    names::{CertificateName, ConnectorName, DnsName, OverrideName, ServerName},
    no_way_back::NoWayBack,
    server::RootType,
    service::{self, MailService, Service, Services},
    site::SiteBinding,
    thumbprint::Thumbprint,
    time::Timestamp,
    version::Release,
};

/// Something that the reader of a plan should know.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Warning {
    /// A server runs another release than the manifest says.
    OtherVersion {
        /// The server.
        server: ServerName,
        /// What the manifest says.
        declared: Release,
        /// What it runs.
        found: Release,
    },
    /// The certificate of Exchange Back End lacks the server's own name, under which the front end proxies.
    // facts 4.3
    BackEndNameMissing {
        /// The server.
        server: ServerName,
        /// The binding.
        site: SiteBinding,
        /// The certificate.
        certificate: Thumbprint,
        /// Whom it names.
        named: String,
    },
    /// A server sends clients to names that its certificate for IIS lacks.
    ClientNamesMissing {
        /// The server.
        server: ServerName,
        /// The certificate.
        thumbprint: Thumbprint,
        /// Whom it names.
        named: String,
        /// The names, each with where it is set.
        missing: Vec<String>,
    },
    /// A connector for mail clients calls itself by a name that its certificate lacks.
    // facts 6.2
    ClientConnectorName {
        /// The server.
        server: ServerName,
        /// The connector.
        connector: ConnectorName,
        /// Its `Fqdn`.
        fqdn: DnsName,
        /// The certificate that the manifest gives it.
        certificate: CertificateId,
        /// A name that clients use and that is in it.
        better: DnsName,
    },
    /// A connector for mail between servers calls itself by another name than the server's.
    // facts 6.1
    DefaultConnectorRenamed {
        /// The server.
        server: ServerName,
        /// The connector.
        connector: ConnectorName,
        /// Its `Fqdn`.
        fqdn: DnsName,
        /// The server's own name.
        own: DnsName,
    },
    /// A server cannot build the chain of a certificate (event 12014).
    // facts 2.4
    ChainNotBuilt {
        /// The server.
        server: ServerName,
        /// The certificate in its store.
        thumbprint: Thumbprint,
        /// The one of the manifest that it stands for.
        certificate: CertificateId,
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
    /// A server does not trust Microsoft 365 and may not fetch the root.
    // facts 14
    OnlineRootMissing {
        /// The server.
        server: ServerName,
    },
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
    /// The key of a certificate for IIS is where this release cannot use it.
    // facts 8.4
    WebKeyInCng {
        /// The server.
        server: ServerName,
        /// The certificate.
        thumbprint: Thumbprint,
        /// What the server runs.
        release: Release,
        /// Whether its key may leave the server, as far as that is known.
        exportable: Option<bool>,
    },
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
        found: String,
        /// What Exchange will log about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<LoggedEvent>,
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
        /// What it will choose, and why it fails.
        found: String,
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
    /// POP or IMAP is declared on a server where it does not run.
    // facts 3.9
    MailServiceStopped {
        /// The server.
        server: ServerName,
        /// POP or IMAP.
        service: MailService,
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
    /// Whether the organization is hybrid cannot be seen.
    HybridUnseen {
        /// Why not.
        why: String,
    },
    /// Whether hybrid mail has what it needs cannot be seen.
    HybridMailUnseen {
        /// What cannot be seen, and why.
        unseen: Vec<String>,
    },
    /// The hybrid configuration names the predecessor of a certificate, and the manifest does not say `hybrid`.
    HybridNotDeclared {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// What the hybrid configuration names.
        name: TlsCertificateName,
    },
    /// The Hybrid Configuration Wizard will not list a certificate.
    // facts 2.3, 9
    HybridRootHidden {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// A server on which its root is of another kind.
        server: ServerName,
        /// The kind.
        root: RootType,
    },
    /// Exchange Online knows another subject.
    HybridSubjectChanged {
        /// The certificate of the manifest.
        certificate: CertificateId,
    },
    /// A certificate keeps services that the manifest does not give it.
    ExtraServicesHeld {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The server.
        server: ServerName,
        /// The services.
        services: Services,
        /// What uses it; nothing when its key cannot be exported.
        used_by: Vec<String>,
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
    /// A server holds a request that the plan does not wait for.
    RequestNotAwaited {
        /// The server.
        server: ServerName,
        /// The request, by its stand-in.
        thumbprint: Thumbprint,
        /// Whom it names.
        named: String,
        /// When it was made.
        since: Timestamp,
        /// The certificate of the manifest that it could be for.
        certificate: CertificateId,
    },
    /// People have to sign in again while servers behind one load balancer have different certificates.
    SignInAgain {
        /// The certificate of the manifest.
        certificate: CertificateId,
        /// The servers that do not have it yet.
        servers: Vec<ServerName>,
    },
    /// A step of a run cannot be taken back, or not in full.
    NotTakenBack {
        /// The run.
        run: String,
        /// The step.
        step: StepId,
        /// What it did.
        verb: String,
        /// Its server.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<ServerName>,
        /// Whether part of it is taken back.
        partly: bool,
        /// Why not.
        #[serde(with = "super::diagnostic::one")]
        #[schemars(with = "super::diagnostic::Coding<NoWayBack>")]
        why: NoWayBack,
    },
    /// Something about the look itself: what could not be read, and why.
    Observation {
        /// It, as a sentence.
        note: String,
    },
    /// What certwright 0.1 wrote, as a sentence alone.
    Other {
        /// The sentence.
        text: String,
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

/// An event that Exchange will write.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoggedEvent {
    /// Its number.
    pub id: u16,
    /// Its text, in Exchange's words.
    pub text: String,
}

impl Warning {
    /// Its stable code, which `certwright explain` knows.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    fn warn(&self, subject: Subject, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.code(), Severity::Warning, subject, message)
    }

    fn notice(&self, subject: Subject, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.code(), Severity::Notice, subject, message)
    }
}

impl FromSentence for Warning {
    fn from_sentence(text: String) -> Self {
        Self::Other { text }
    }
}

impl Coded for Warning {
    #[expect(clippy::too_many_lines, reason = "one arm for each warning")]
    fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::OtherVersion { server, declared, found } => self.warn(
                Subject::server(server),
                format!("the manifest says that {server} runs {declared}, and it runs {found}"),
            ),
            Self::BackEndNameMissing { server, site, certificate, named } => self
                .warn(
                    Subject::server(server).place(site).thumbprint(*certificate),
                    format!(
                        "{site} on {server} has {} ({named}), in which the server's own name is missing",
                        certificate.short()
                    ),
                )
                .hinted("give the site a self-signed certificate of the server"),
            Self::ClientNamesMissing { server, thumbprint, named, missing } => self
                .warn(
                    Subject::server(server).thumbprint(*thumbprint),
                    format!(
                        "{server} sends clients to names that its certificate for IIS ({}, {named}) does not have: {}",
                        thumbprint.short(),
                        missing.join(", ")
                    ),
                )
                .hinted("add them to the certificate, or change the URLs"),
            Self::ClientConnectorName { server, connector, fqdn, certificate, better } => self
                .warn(
                    Subject::server(server).named(connector).of(certificate),
                    format!(
                        "{connector} on {server} calls itself {fqdn}, which is no name of {certificate}: mail clients that \
                         compare them complain"
                    ),
                )
                .hinted(format!("`Set-ReceiveConnector \"{server}\\{connector}\" -Fqdn {better}` ends it")),
            Self::DefaultConnectorRenamed { server, connector, fqdn, own } => self
                .warn(
                    Subject::server(server).named(connector),
                    format!(
                        "{connector} on {server} takes mail from other Exchange servers and calls itself {fqdn}: with any \
                         name but {own} there, mail between servers fails"
                    ),
                )
                .hinted("give clients a connector of their own"),
            Self::ChainNotBuilt { server, thumbprint, certificate } => self
                .warn(
                    Subject::server(server).of(certificate).thumbprint(*thumbprint),
                    format!(
                        "{server} cannot build the chain of {} ({certificate}): SMTP leaves it out, and clients that lack \
                         the intermediate fail",
                        thumbprint.short()
                    ),
                )
                .hinted(format!(
                    "add the certificates of its CA on {server} with `certutil -addstore CA FILE`, a private root with \
                     `certutil -addstore Root FILE`"
                )),
            Self::FederationCertificateMissing { server, which, thumbprint } => self
                .warn(
                    Subject::server(server).thumbprint(*thumbprint),
                    format!(
                        "{server} does not have the {which} certificate of the federation trust, {}: Exchange fails with \
                         `Federation certificate with the thumbprint \"{thumbprint}\" cannot be found.`",
                        thumbprint.short()
                    ),
                )
                .hinted("import it there with its key, before anything is published"),
            Self::OnlineRootMissing { server } => self
                .warn(
                    Subject::server(server),
                    format!(
                        "{server} does not trust DigiCert Global Root G2, and a policy forbids Windows to fetch it \
                         (DisableRootAutoUpdate): mail to Microsoft 365 fails from 2026-03-15 on"
                    ),
                )
                .hinted(format!(
                    "fetch https://cacerts.digicert.com/DigiCertGlobalRootG2.crt and add it on {server} with `certutil \
                     -addstore AuthRoot DigiCertGlobalRootG2.crt` (thumbprint \
                     DF3C24F9BFD666761B268073FE06D1CC8D4F82A4), or end the policy"
                )),
            Self::AuthKeyInCng { server, thumbprint, exportable } => self.warn(
                Subject::server(server).thumbprint(*thumbprint),
                format!(
                    "{server} keeps the key of the Auth certificate {} with a key storage provider (CNG), where Exchange \
                     cannot use it: tokens cannot be signed. Make another with `New-ExchangeCertificate`{}",
                    thumbprint.short(),
                    or_to_csp(*thumbprint, *exportable)
                ),
            ),
            Self::WebKeyInCng { server, thumbprint, release, exportable } => self.warn(
                Subject::server(server).thumbprint(*thumbprint),
                format!(
                    "{server} keeps the key of {} with a key storage provider (CNG), which {release} cannot use: people \
                     who sign in to Outlook on the web or to the admin center come back to the sign-in page. Have it \
                     renewed{}",
                    thumbprint.short(),
                    or_to_csp(*thumbprint, *exportable)
                ),
            ),
            Self::OtherPresented { server, place, certificate, presented, self_signed } => self.warn(
                Subject::server(server).place(place).of(certificate).thumbprint(*presented),
                format!("{place} on {server} will present {}, not {certificate}", shown(*presented, *self_signed)),
            ),
            Self::NothingPresented { server, place, certificate, found, event } => {
                let event = event.as_ref().map_or(String::new(), |LoggedEvent { id, text }| {
                    format!("; Exchange will log event {id}: {text}")
                });
                self.warn(
                    Subject::server(server).place(place).of(certificate),
                    format!("{place} on {server} will present {found}, not {certificate}{event}"),
                )
            }
            Self::Outranked { server, certificate, fqdn, winner, self_signed, connectors } => self.warn(
                Subject::server(server).thumbprint(*winner),
                format!(
                    "{certificate} on {server}: This certificate will not be used for external TLS connections with an \
                     FQDN of '{fqdn}' because the {} certificate with thumbprint '{winner}' takes precedence. The \
                     following connectors match that FQDN: {}.",
                    kind(*self_signed),
                    joined(connectors)
                ),
            ),
            Self::OtherSent { connector, server, certificate, presented, self_signed } => self.warn(
                Subject::server(server).named(connector).of(certificate).thumbprint(*presented),
                format!(
                    "{connector} will send from {server} with {}, not with {certificate}",
                    shown(*presented, *self_signed)
                ),
            ),
            Self::SendFails { connector, server, certificate, found } => self.warn(
                Subject::server(server).named(connector).of(certificate),
                format!("{connector} will send from {server} with {found}, not with {certificate}"),
            ),
            Self::SendWithoutCertificate { connector, server, error } => self.warn(
                Subject::server(server).named(connector),
                format!("{connector} finds no certificate on {server}, and mail will wait: {error}"),
            ),
            Self::MailServiceStopped { server, service } => self
                .warn(
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
            Self::UmWithoutTls { server, service } => self
                .warn(
                    Subject::server(server).place(service),
                    format!("{service} on {server} starts in the mode TCP and uses no certificate"),
                )
                .hinted("set `umStartupMode: Dual` or TLS"),
            Self::ImOverrideAmbiguous { name, thumbprint } => self
                .warn(
                    Subject::default().place(name).thumbprint(*thumbprint),
                    format!(
                        "setting override {name} names {} for servers whose IIS has different certificates, so nobody signs \
                         in to instant messaging on some of them",
                        thumbprint.short()
                    ),
                )
                .hinted("make one override for each server, `New-SettingOverride -Server`"),
            Self::ImOverrideOutdated { name, thumbprint, certificate, missing } => self.warn(
                Subject::certificate(certificate).place(name).thumbprint(*thumbprint),
                format!(
                    "setting override {name} goes on naming {}: {certificate} is not on {}, for which it is too",
                    thumbprint.short(),
                    joined(missing)
                ),
            ),
            Self::SharedWithEdge { edge, server, thumbprint } => self
                .warn(
                    Subject::server(server).place(edge).thumbprint(*thumbprint),
                    format!("{edge} and {server} both present {} (event 10104)", thumbprint.short()),
                )
                .hinted("each needs an internal transport certificate of its own"),
            Self::HybridUnseen { why } => self.warn(
                Subject::default().place(HYBRID),
                format!("whether the organization is hybrid cannot be seen: {why}"),
            ),
            Self::HybridMailUnseen { unseen } => self.warn(
                Subject::default().place(HYBRID),
                format!("whether hybrid mail has what it needs cannot be seen ({})", unseen.join("; ")),
            ),
            Self::HybridNotDeclared { certificate, name } => self.warn(
                Subject::certificate(certificate).place(HYBRID),
                format!(
                    "the hybrid configuration names {name} and not {certificate}, and the manifest does not say `hybrid`: \
                     mail with Microsoft 365 goes on with the one before until it expires"
                ),
            ),
            Self::HybridRootHidden { certificate, server, root } => self
                .warn(
                    Subject::server(server).of(certificate),
                    format!(
                        "the Hybrid Configuration Wizard will not list {certificate}: on {server} its root is of the kind \
                         {root:?} and not ThirdParty"
                    ),
                )
                .hinted(
                    "take the root out of the computer's trusted roots, where somebody put it by hand, and let Windows \
                     fetch it",
                ),
            Self::HybridSubjectChanged { certificate } => self.warn(
                Subject::certificate(certificate).place(HYBRID),
                format!(
                    "{certificate} has another subject than the certificate that Exchange Online knows: run the Hybrid \
                     Configuration Wizard afterwards, or its inbound connector (TlsSenderCertificateName) refuses mail of \
                     this organization"
                ),
            ),
            Self::ExtraServicesHeld { certificate, server, services, used_by } => {
                let why = match used_by.as_slice() {
                    [] => "its key cannot be exported".to_owned(),
                    used_by => format!("used by {}", used_by.join(", ")),
                };
                self.warn(
                    Subject::server(server).of(certificate),
                    format!(
                        "{certificate} on {server} has {}, which the manifest does not give it, and keeps it until it is \
                         renewed: {why}",
                        service::list(services)
                    ),
                )
            }
            Self::AuthIsForTls { thumbprint, named, effective } => {
                let date = effective.map_or("its date".to_owned(), |at| at.to_string());
                self.warn(
                    Subject::default().thumbprint(*thumbprint),
                    format!(
                        "{} ({named}) is staged as the next Auth certificate, and Exchange will publish it on {date}: it is \
                         made for TLS, and every token would hang on it",
                        thumbprint.short(),
                    ),
                )
            }
            Self::AuthNotDeclared { thumbprint, not_after, expired } => self.warn(
                Subject::default().thumbprint(*thumbprint),
                format!(
                    "the Auth certificate {} {} on {}, and the manifest does not say `authCertificate`: sign-in to Outlook \
                     on the web, the management shell and hybrid features fail without it",
                    thumbprint.short(),
                    if *expired { "has expired" } else { "expires" },
                    not_after.date(),
                ),
            ),
            Self::RequestNotAwaited { server, thumbprint, named, since, certificate } => self
                .notice(
                    Subject::server(server).of(certificate).thumbprint(*thumbprint),
                    format!(
                        "{server} holds a request of {} for {named}, which {certificate} does not wait for",
                        since.date()
                    ),
                )
                .hinted(format!("when no answer will come, remove {thumbprint}")),
            Self::SignInAgain { certificate, servers } => self.notice(
                Subject::certificate(certificate),
                format!(
                    "until {} has {certificate} too, people whom a load balancer sends from one server to another have to \
                     sign in to Outlook on the web again: it encrypts its cookie with the certificate",
                    joined(servers)
                ),
            ),
            Self::NotTakenBack { run, step, verb, server, partly, why } => {
                let on = server.as_ref().map_or(String::new(), |server| format!(" on {server}"));
                let how = if *partly { "cannot be taken back in full" } else { "cannot be taken back" };
                let subject = server.as_ref().map(Subject::server).unwrap_or_default();
                self.warn(
                    subject.place(format!("step {step}")),
                    format!("step {step} of run {run} ({verb}{on}) {how}: {why}"),
                )
            }
            Self::Observation { note } => self.notice(Subject::default(), note),
            Self::Other { text } => self.warn(Subject::default(), text),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic().fmt(f)
    }
}

impl fmt::Display for FederationCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "current",
            Self::Next => "next",
        })
    }
}

/// The same certificate and key once more, into the provider that Exchange's own cmdlets use; nothing to say of a key that
/// may not leave.
fn or_to_csp(thumbprint: Thumbprint, exportable: Option<bool>) -> String {
    if exportable == Some(false) {
        return "; its key may not leave the server".into();
    }
    format!(
        ", or bring the key to where it belongs: `certutil -exportPFX My {thumbprint} key.pfx`, then `certutil -delstore My \
         {thumbprint}`, then `certutil -csp \"Microsoft RSA SChannel Cryptographic Provider\" -importPFX key.pfx \
         AT_KEYEXCHANGE`, and enable its services again"
    )
}

fn shown(thumbprint: Thumbprint, self_signed: bool) -> String {
    format!("the {} certificate {}", kind(self_signed), thumbprint.short())
}

fn kind(self_signed: bool) -> &'static str {
    if self_signed { "self-signed" } else { "CA-signed" }
}

fn joined<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

const HYBRID: &str = "hybrid configuration";
