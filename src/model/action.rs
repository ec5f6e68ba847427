//! Actions: what a step of a plan can do. Each is one verb of Exchange, IIS or Windows, or of certwright itself.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    certificate::{Certificate, Der},
    dn::{DistinguishedName, TlsCertificateName},
    endpoint::Endpoint,
    key::{KeySpec, PublicKey, Signature},
    names::{ConnectorName, DnsName, FriendlyName, IssuerName, ServerName},
    server::UmStartupMode,
    service::{Restartable, Services},
    site::SiteBinding,
    thumbprint::Thumbprint,
    time::{Span, Timestamp},
};

/// What a step does. Each is one verb of Exchange, IIS or Windows, or of certwright itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// certwright makes a key and has a CA sign the certificate. Nothing changes on any server.
    Issue {
        /// The CA.
        issuer: IssuerName,
        /// What is asked of it.
        request: CertificateRequest,
        /// The CA's subject, which becomes the certificate's issuer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issued_by: Option<DistinguishedName>,
    },
    /// `New-ExchangeCertificate -GenerateRequest`: the server makes a key and a request for a CA, which is written to a
    /// file.
    Request {
        /// The server.
        server: ServerName,
        /// What is asked of the CA.
        request: CertificateRequest,
        /// The file, without the ending.
        file: String,
    },
    /// Waiting for something that happens outside. The run ends here for now, and the next one goes on.
    Await {
        /// What ends the waiting.
        until: Condition,
    },
    /// `Import-ExchangeCertificate` of the CA's answer, on the server that holds the request: the request disappears and a
    /// certificate with its key appears (facts 8.1). And in the same step what an import enables.
    Complete {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: CertRef,
        /// The file of the answer, without the ending.
        file: String,
        /// The answer, when it is there already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Der>,
        /// What Windows shows beside it.
        friendly_name: FriendlyName,
        /// Services to enable in the same step.
        enable: Services,
        /// The answer about the default SMTP certificate.
        default_smtp: DefaultSmtp,
    },
    /// Removes a request that no certificate will come for.
    RemoveRequest {
        /// The server.
        server: ServerName,
        /// The request, by its stand-in certificate.
        request: CertRef,
    },
    /// `New-ExchangeCertificate`: the server makes and signs a certificate.
    Create {
        /// The server.
        server: ServerName,
        /// What it makes.
        request: CertificateRequest,
        /// Services to enable in the same call.
        enable: Services,
        /// The answer about the default SMTP certificate.
        default_smtp: DefaultSmtp,
    },
    /// `Import-ExchangeCertificate`, and in the same step `Enable-ExchangeCertificate` for what would otherwise choose
    /// the certificate before it can be used: between the two, SMTP presents a newer certificate of the same names whose
    /// key it cannot read (facts 15, no. 10).
    Import {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: CertRef,
        /// Where it comes from.
        from: BundleSource,
        /// What Windows shows beside it.
        friendly_name: FriendlyName,
        /// Whether its key may leave the server again.
        exportable: bool,
        /// Services to enable in the same step.
        enable: Services,
        /// The answer about the default SMTP certificate.
        default_smtp: DefaultSmtp,
    },
    /// `Enable-ExchangeCertificate`. There is no way to disable a service again (facts 3.1).
    Bind {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: CertRef,
        /// The services.
        services: Services,
        /// The answer about the default SMTP certificate.
        default_smtp: DefaultSmtp,
    },
    /// `AddSslCertificate` on a binding of an IIS site: what `Enable-ExchangeCertificate` never does for Exchange Back End.
    BindSite {
        /// The server.
        server: ServerName,
        /// The binding.
        site: SiteBinding,
        /// The certificate.
        certificate: CertRef,
    },
    /// `Set-PopSettings` or `Set-ImapSettings -X509CertificateName`.
    SetX509CertificateName {
        /// The server.
        server: ServerName,
        /// Which of the two.
        service: MailService,
        /// The name.
        name: Option<DnsName>,
    },
    /// `Set-UMService` or `Set-UMCallRouterSettings -UMStartupMode`.
    SetUmStartupMode {
        /// The server.
        server: ServerName,
        /// Whether it is the call router's.
        call_router: bool,
        /// The mode.
        mode: UmStartupMode,
    },
    /// `Enable-ExchangeCertificate -Services SMTP -Force`, for the sake of the internal transport certificate.
    SetInternalTransport {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: CertRef,
    },
    /// `Set-SendConnector` or `Set-ReceiveConnector -TlsCertificateName`.
    Repoint {
        /// The connector.
        connector: ConnectorRef,
        /// The new name; none clears it.
        to: Option<TlsName>,
    },
    /// `Restart-Service`.
    Restart {
        /// The server.
        server: ServerName,
        /// What.
        what: Restartable,
        /// The Windows services, in this order.
        services: Vec<String>,
    },
    /// Real handshakes with endpoints, comparing the certificate they serve.
    Verify {
        /// The server.
        server: ServerName,
        /// The endpoints, and what each should serve.
        expect: Vec<Expectation>,
    },
    /// `Export-ExchangeCertificate` into the run's folder.
    BackUp {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: Thumbprint,
        /// Whether the key can be exported with it.
        with_key: bool,
    },
    /// `Remove-ExchangeCertificate`.
    Remove {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: CertRef,
    },
    /// Something that only a person can do, with the condition by which a later observation sees that it was done.
    Manual {
        /// The server it is about, if it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<ServerName>,
        /// What to do.
        what: String,
        /// What ends it.
        until: Condition,
    },
    /// Something that should be done and cannot be.
    CannotApply {
        /// The server it is about, if it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<ServerName>,
        /// What and why.
        why: String,
    },
}

/// Something outside of certwright that a plan waits for. Each can be checked by a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Condition {
    /// The CA's answer to a request lies beside it.
    Answer {
        /// The file, without the ending.
        file: String,
        /// The server that holds the request.
        server: ServerName,
        /// The request, by its stand-in certificate.
        request: CertRef,
        /// SHA-256 of the request's public key, when the request is there already: an answer with another key belongs to
        /// another request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        public_key: Option<String>,
    },
    /// A moment has come.
    Moment {
        /// Which.
        at: Timestamp,
    },
}

/// A certificate, possibly one that a step of the same plan makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CertRef {
    /// It exists.
    Known(Thumbprint),
    /// The certificate that this step makes.
    FromStep(StepId),
}

/// A step's number, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct StepId(pub u32);

/// What a connector's `TlsCertificateName` becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TlsName {
    /// This text.
    Exactly(TlsCertificateName),
    /// The name of this certificate.
    Of(CertRef),
}

/// A connector of the organization or of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ConnectorRef {
    /// A send connector.
    Send {
        /// Its name.
        name: ConnectorName,
    },
    /// A receive connector.
    Receive {
        /// Its server.
        server: ServerName,
        /// Its name.
        name: ConnectorName,
    },
}

/// Where the certificate and key of an import come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BundleSource {
    /// The step that issued it.
    Issued(StepId),
    /// The server that has it already, whose key can be exported.
    Server(ServerName),
    /// The backup that a step of an earlier run made.
    Backup {
        /// The run; absent for the run that does this step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<String>,
        /// Its step.
        step: StepId,
        /// The certificate, so that the plan can be checked without the file.
        der: Der,
    },
}

/// Exchange asks whether SMTP's new certificate becomes the default SMTP certificate, which is also the internal
/// transport certificate (facts 3.2). This is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DefaultSmtp {
    /// No: the present one stays.
    Keep,
    /// Yes: the new one takes its place.
    Replace,
}

/// POP or IMAP, whose certificate is chosen by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MailService {
    /// `Set-PopSettings`.
    #[serde(rename = "POP")]
    Pop,
    /// `Set-ImapSettings`.
    #[serde(rename = "IMAP")]
    Imap,
}

/// What a new certificate should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateRequest {
    /// The subject.
    pub subject: DistinguishedName,
    /// The DNS names of its subject alternative name.
    pub names: Vec<DnsName>,
    /// The key.
    pub key: KeySpec,
    /// Whether the key may leave the server.
    pub exportable: bool,
    /// What Windows shows beside it.
    pub friendly_name: FriendlyName,
    /// How long it lives, when the requester decides that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Span>,
}

/// An endpoint and the certificate it should serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The name that a client asks for (SNI) and finds in the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DnsName>,
    /// The certificate.
    pub certificate: CertRef,
}

/// Something that Exchange does on its own, or leaves undone, when a step is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SideEffect {
    /// Exchange asks to overwrite the default SMTP certificate; the answer is No.
    DefaultSmtpKept {
        /// The one that stays.
        current: Thumbprint,
    },
    /// The default SMTP certificate is overwritten.
    DefaultSmtpReplaced {
        /// The one before, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Thumbprint>,
    },
    /// The network service gets read access to the private key.
    KeyAccess,
    /// POP or IMAP uses, from its next start, the certificate that has this name.
    X509CertificateName {
        /// Which of the two.
        service: MailService,
        /// The name that is set.
        name: DnsName,
    },
    /// The certificate is not enabled for POP or IMAP because its subject is a wildcard (facts 3.3).
    WildcardNotForMailAccess {
        /// Which of the two.
        service: MailService,
    },
    /// Exchange Back End keeps the certificate it has.
    BackEndLeftBehind {
        /// The certificate on it.
        current: Thumbprint,
    },
    /// All client protocols and remote PowerShell of the server drop while IIS restarts.
    ClientsDrop,
    /// Mail to and from the server waits while transport restarts.
    MailWaits,
}

impl Action {
    /// The server it acts on; none when it acts on the organization or on nothing at all.
    pub fn server(&self) -> Option<&ServerName> {
        match self {
            Self::Create { server, .. }
            | Self::Request { server, .. }
            | Self::Complete { server, .. }
            | Self::RemoveRequest { server, .. }
            | Self::SetUmStartupMode { server, .. }
            | Self::Import { server, .. }
            | Self::Bind { server, .. }
            | Self::BindSite { server, .. }
            | Self::SetX509CertificateName { server, .. }
            | Self::SetInternalTransport { server, .. }
            | Self::Restart { server, .. }
            | Self::Verify { server, .. }
            | Self::BackUp { server, .. }
            | Self::Remove { server, .. }
            | Self::Repoint { connector: ConnectorRef::Receive { server, .. }, .. } => Some(server),
            Self::CannotApply { server, .. } | Self::Manual { server, .. } => server.as_ref(),
            Self::Issue { .. }
            | Self::Await { .. }
            | Self::Repoint { connector: ConnectorRef::Send { .. }, .. } => None,
        }
    }

    /// The server, the services that are enabled, and the answer about the default SMTP certificate, of an action that can
    /// bring the question up.
    pub fn enabling(&mut self) -> Option<(&ServerName, &Services, &mut DefaultSmtp)> {
        match self {
            Self::Create { server, enable, default_smtp, .. }
            | Self::Import { server, enable, default_smtp, .. }
            | Self::Complete { server, enable, default_smtp, .. }
            | Self::Bind { server, services: enable, default_smtp, .. } => {
                Some((server, enable, default_smtp))
            }
            Self::Issue { .. }
            | Self::Request { .. }
            | Self::Await { .. }
            | Self::RemoveRequest { .. }
            | Self::BindSite { .. }
            | Self::SetX509CertificateName { .. }
            | Self::SetUmStartupMode { .. }
            | Self::SetInternalTransport { .. }
            | Self::Repoint { .. }
            | Self::Restart { .. }
            | Self::Verify { .. }
            | Self::BackUp { .. }
            | Self::Remove { .. }
            | Self::Manual { .. }
            | Self::CannotApply { .. } => None,
        }
    }

    /// The verb, as it is shown.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Issue { .. } => "issue",
            Self::Request { .. } => "request",
            Self::Await { .. } => "await",
            Self::Complete { .. } => "complete",
            Self::RemoveRequest { .. } => "drop request",
            Self::SetUmStartupMode { .. } => "set mode",
            Self::Manual { .. } => "by hand",
            Self::Create { .. } => "create",
            Self::Import { .. } => "import",
            Self::Bind { .. } => "bind",
            Self::BindSite { .. } => "bind site",
            Self::SetX509CertificateName { .. } => "set name",
            Self::SetInternalTransport { .. } => "internal TLS",
            Self::Repoint { .. } => "repoint",
            Self::Restart { .. } => "restart",
            Self::Verify { .. } => "verify",
            Self::BackUp { .. } => "back up",
            Self::Remove { .. } => "remove",
            Self::CannotApply { .. } => "cannot",
        }
    }
}

impl CertRef {
    /// The reference that a thumbprint in a foreseen organization stands for.
    pub fn of(thumbprint: Thumbprint) -> Self {
        thumbprint.placeholder_step().map_or(Self::Known(thumbprint), |step| Self::FromStep(StepId(step)))
    }
}

impl CertificateRequest {
    /// The certificate this would become, as far as it can be foreseen: what plans are checked against before anything
    /// is done.
    pub fn foreseen(
        &self,
        step: StepId,
        issuer: &DistinguishedName,
        now: Timestamp,
        lifetime: Span,
    ) -> Certificate {
        let key = match self.key {
            KeySpec::Rsa(bits) => PublicKey::Rsa(bits.into()),
            KeySpec::EcP256 => PublicKey::Ec(PublicKey::P256.into()),
        };
        Certificate {
            thumbprint: Thumbprint::placeholder(step.0),
            subject: self.subject.clone(),
            issuer: issuer.clone(),
            serial: String::new(),
            names: self.names.clone(),
            not_before: now,
            not_after: now.plus(lifetime),
            key,
            public_key: String::new(),
            signature: Signature::Strong("sha256RSA".into()),
            usages: Some(vec!["serverAuth".into()]),
            subject_key_id: None,
            is_ca: false,
            der: Der(Vec::new()),
        }
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}", self.0)
    }
}

impl fmt::Display for CertRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(thumbprint) => f.write_str(&thumbprint.short()),
            Self::FromStep(step) => write!(f, "certificate of step {step}"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer { file, .. } => write!(f, "the CA's answer to {file}.csr as {file}.cer"),
            Self::Moment { at } => write!(f, "{at}"),
        }
    }
}

impl fmt::Display for TlsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(name) => write!(f, "{name}"),
            Self::Of(certificate) => write!(f, "{certificate}"),
        }
    }
}

impl fmt::Display for ConnectorRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { name } => write!(f, "{name}"),
            Self::Receive { server, name } => write!(f, "{server}\\{name}"),
        }
    }
}

impl fmt::Display for MailService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pop => "POP",
            Self::Imap => "IMAP",
        })
    }
}

impl fmt::Display for SideEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DefaultSmtpKept { current } => {
                write!(
                    f,
                    "Exchange asks to replace the default SMTP certificate; the answer is No, {} stays",
                    current.short()
                )
            }
            Self::DefaultSmtpReplaced { before: Some(before) } => {
                write!(
                    f,
                    "becomes the default SMTP (internal transport) certificate in place of {}",
                    before.short()
                )
            }
            Self::DefaultSmtpReplaced { before: None } => {
                f.write_str("becomes the default SMTP (internal transport) certificate")
            }
            Self::KeyAccess => f.write_str("the network service may read its key from now on"),
            Self::X509CertificateName { service, name } => {
                write!(f, "{service} uses the name {name} from its next start")
            }
            Self::WildcardNotForMailAccess { service } => {
                write!(f, "Exchange warns and does not enable a wildcard subject for {service}")
            }
            Self::BackEndLeftBehind { current } => {
                write!(f, "Exchange Back End:444 keeps {}", current.short())
            }
            Self::ClientsDrop => {
                f.write_str("all clients and remote PowerShell of the server drop for the restart")
            }
            Self::MailWaits => f.write_str("mail of this server waits for the restart"),
        }
    }
}
