//! Actions: what a step of a plan can do. Each is one verb of Exchange, IIS or Windows, or of certwright itself.

mod effect;
mod facts;
mod known;
mod parts;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::{
    effect::SideEffect,
    facts::{ActionFacts, Recovery},
    parts::{
        BundleSource, CertRef, CertificateRequest, Condition, ConnectorRef, DefaultSmtp, Drain, Expectation,
        Milestone, NamedConnector, ServerServices, ServiceGroup, StepId, StoredOn, TlsName,
    },
};
use super::{
    cannot::Cannot,
    certificate::Der,
    dn::DistinguishedName,
    names::{BalancerName, DnsName, FriendlyName, IssuerName, OverrideName, ServerName},
    server::UmStartupMode,
    service::{MailService, Restartable, Services},
    site::SiteBinding,
    time::Timestamp,
};
use crate::model::schema::JsonSchema;

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
        /// The certificate, where it lies in a PFX file and nothing has to be signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<Der>,
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
    /// `Import-ExchangeCertificate` of the CA's answer, on the server that holds the request: the request disappears
    /// and a certificate with its key appears. And in the same step what an import enables.
    // facts 8.1
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
    /// the certificate before it can be used: between the two, SMTP presents a newer certificate of the same names
    /// whose key it cannot read.
    // facts 15, no. 10
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
    /// `Enable-ExchangeCertificate`. There is no way to disable a service again.
    // facts 3.1
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
    /// `Set-SendConnector`, `Set-ReceiveConnector` or `Set-HybridConfiguration -TlsCertificateName`.
    Repoint {
        /// The connector.
        connector: ConnectorRef,
        /// The new name; none clears it.
        to: Option<TlsName>,
    },
    /// `Set-SettingOverride` with another `IMCertificateThumbprint`, and `Get-ExchangeDiagnosticInfo -Argument Refresh`
    /// on each server, which reads setting overrides anew (Microsoft Learn, "Configure instant messaging integration
    /// with Outlook on the web").
    // facts 11.2
    SetImCertificate {
        /// The setting override.
        name: OverrideName,
        /// The certificate.
        certificate: CertRef,
        /// The servers that it is for.
        servers: Vec<ServerName>,
    },
    /// `Restart-Service`.
    Restart {
        /// The server.
        server: ServerName,
        /// What.
        #[serde(alias = "what")]
        service: Restartable,
        /// The Windows services, in this order.
        services: Vec<String>,
        /// It is not done where all these endpoints serve that already, after a while.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unless_served: Vec<Expectation>,
        /// What the server is taken out of meanwhile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        drain: Option<Drain>,
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
        #[serde(with = "parts::backed_up")]
        #[schemars(with = "parts::backed_up::Written")]
        certificate: CertRef,
        /// Whether the key can be exported with it.
        with_key: bool,
    },
    /// `Set-AuthConfig -NewCertificateThumbprint -NewCertificateEffectiveDate`: the certificate becomes the next Auth
    /// certificate.
    StageAuth {
        /// The certificate.
        certificate: CertRef,
        /// From when it is the current one; without a date from now, which takes `-Force`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        effective: Option<Timestamp>,
    },
    /// `Set-AuthConfig -PublishCertificate`: the next Auth certificate becomes the current one.
    PublishAuth {
        /// The certificate.
        certificate: CertRef,
    },
    /// `Set-AuthConfig -ClearPreviousCertificate`: the Auth certificate before the current one is not accepted any more.
    ClearPreviousAuth {},
    /// `Remove-ExchangeCertificate`.
    Remove {
        /// The server.
        server: ServerName,
        /// The certificate.
        certificate: CertRef,
        /// What has loaded it and goes over to another one: it is stopped before and started after, in one go.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        while_stopped: Vec<ServiceGroup>,
    },
    /// `Remove-ExchangeCertificate` of certificates that send connectors name, on all servers at once. While the connectors
    /// name none, transport of every server from which they send stands still: what Microsoft 365 would be shown
    /// otherwise is the server's own certificate. Then they name what they named.
    // facts 6.10, 7.2
    RemoveNamed {
        /// The certificates.
        certificates: Vec<StoredOn>,
        /// The send connectors.
        connectors: Vec<NamedConnector>,
        /// What is stopped before and started after.
        while_stopped: Vec<ServerServices>,
    },
    /// Gives a load balancer a certificate with its chain and key, and makes it serve it. What it had is backed up first,
    /// where it can be read.
    Install {
        /// The load balancer.
        balancer: BalancerName,
        /// The certificate.
        certificate: CertRef,
        /// Where it comes from.
        from: BundleSource,
    },
    /// Real handshakes with a load balancer, at the address that clients meet.
    VerifyBalancer {
        /// The load balancer.
        balancer: BalancerName,
        /// The endpoints, and what each should serve.
        expect: Vec<Expectation>,
    },
    /// Something that only a person can do, with the condition by which a later observation sees that it was done.
    Manual {
        /// The server it is about, if it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<ServerName>,
        /// What to do.
        #[serde(alias = "what")]
        task: String,
        /// What ends it.
        until: Condition,
    },
    /// Opens when every step that it comes after is done. Steps that all wait for the same ones, such as the removals of a
    /// certificate that many servers share, wait for one gate: a plan grows with its servers and not with their square.
    Gate {
        /// What is reached then.
        all: Milestone,
    },
    /// Something that should be done and cannot be.
    CannotApply {
        /// The server it is about, if it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<ServerName>,
        /// What and why.
        #[serde(with = "crate::model::diagnostic::one")]
        #[schemars(with = "crate::model::diagnostic::Coding<Cannot>")]
        why: Cannot,
    },
}

impl Action {
    /// The removal of a certificate that nothing has loaded.
    pub fn remove(server: &ServerName, certificate: CertRef) -> Self {
        Self::Remove { server: server.clone(), certificate, while_stopped: Vec::new() }
    }

    /// What it removes, with the servers.
    pub fn removals(&self) -> Vec<(&ServerName, CertRef)> {
        match self {
            Self::Remove { server, certificate, .. } => vec![(server, *certificate)],
            Self::RemoveNamed { certificates, .. } => {
                certificates.iter().map(|StoredOn { server, certificate }| (server, *certificate)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The servers that it acts on: its own, or those of a step of the organization that is done on several.
    pub fn servers(&self) -> BTreeSet<&ServerName> {
        match self {
            Self::RemoveNamed { certificates, while_stopped, .. } => {
                let removing = certificates.iter().map(|stored| &stored.server);
                removing.chain(while_stopped.iter().map(|stopped| &stopped.server)).collect()
            }
            _ => self.server().into_iter().collect(),
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
            | Self::SetImCertificate { .. }
            | Self::Restart { .. }
            | Self::Verify { .. }
            | Self::BackUp { .. }
            | Self::StageAuth { .. }
            | Self::PublishAuth { .. }
            | Self::ClearPreviousAuth {}
            | Self::Remove { .. }
            | Self::RemoveNamed { .. }
            | Self::Install { .. }
            | Self::VerifyBalancer { .. }
            | Self::Manual { .. }
            | Self::Gate { .. }
            | Self::CannotApply { .. } => None,
        }
    }
}
