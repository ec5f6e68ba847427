//! What certwright needs from Exchange servers: to see, and to act. Seeing and acting are two traits, so that what must
//! only look gets something that cannot do more.

use std::{collections::BTreeSet, sync::Arc};

use super::{BoxError, FoundDrained, enrolment::NewRequest, evidence::Verified};
use crate::{
    exchange::{cmdlet::Capability, refusal::Refusal},
    model::{
        action::{CertificateRequest, DefaultSmtp, NamedConnector, ServerServices, ServiceGroup},
        bundle::{Answer, Bundle},
        certificate::Certificate,
        desired::Desired,
        diagnosis::ServerDiagnosis,
        dn::TlsCertificateName,
        endpoint::Endpoint,
        names::{ConnectorName, DnsName, FriendlyName, OverrideName, ServerName},
        organization::Observed,
        server::{Server, UmStartupMode},
        service::{MailService, Restartable, Services},
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// Sees an organization.
pub trait Observer: Send + Sync {
    /// The time at the organization. A lab has a clock of its own.
    fn now(&self) -> Timestamp;

    /// Looks at the servers and at the organization. What cannot be seen is `Unknown` in the answer; an error means that
    /// nothing could be seen at all.
    fn observe(&self, wanted: Wanted<'_>) -> Result<Observed, DriverError>;

    /// Where an endpoint of a server can be reached from here, as `host:port`. `fqdn` is the server's full name.
    fn address(&self, server: &ServerName, fqdn: &DnsName, endpoint: Endpoint)
    -> Result<String, DriverError>;

    /// Whether it shows what was seen once, and not what is: as old as it is, as much may have changed since.
    fn is_snapshot(&self) -> bool {
        false
    }

    /// Examines the way to every server, with nothing changed; none where there is no way to examine, as in a lab.
    fn examine(&self) -> Option<Vec<ServerDiagnosis>> {
        None
    }

    /// Every Exchange server of the organization, where it can say so at once; a server that is not among them does not exist.
    fn listed_servers(&self) -> Option<Vec<ServerName>> {
        None
    }

    /// CAs that only this organization knows, as roots that its clients trust: those of a lab. Real organizations have
    /// theirs in the root store of the computer that asks.
    fn own_roots(&self) -> Vec<Certificate> {
        Vec::new()
    }
}

/// Acts on an organization: one verb for each cmdlet. A verb returns when its effect is there, or an error.
pub trait Driver: Observer {
    /// Whether what is not there now may be there a little later, so that a run pauses before it tries again. A lab's clock
    /// stands still.
    fn needs_pauses(&self) -> bool {
        true
    }

    /// What the way to a server can do. A plan that needs more is refused before anything of it is done.
    fn capabilities(&self, _: &ServerName) -> BTreeSet<Capability> {
        Capability::ALL.into()
    }

    /// Why the way to a server cannot do something that it is there for: what the server said when it was looked at.
    fn refusal(&self, _: &ServerName, _: Capability) -> Option<String> {
        None
    }

    /// `New-ExchangeCertificate`, without any service. Returns the new certificate's thumbprint and end.
    fn create(
        &self,
        server: &ServerName,
        request: &CertificateRequest,
    ) -> Result<(Thumbprint, Timestamp), DriverError>;

    /// `New-ExchangeCertificate -GenerateRequest`: a key and a request for a CA.
    fn request(&self, server: &ServerName, request: &CertificateRequest) -> Result<NewRequest, DriverError>;

    /// `Import-ExchangeCertificate` of a CA's answer on the server that holds the request. Without that request there
    /// Exchange would import a certificate without key (facts 8.1), so it is an error here.
    fn complete(
        &self,
        server: &ServerName,
        answer: &Answer,
        friendly_name: &FriendlyName,
    ) -> Result<(), DriverError>;

    /// `Remove-ExchangeCertificate` of a pending request.
    fn remove_request(&self, server: &ServerName, request: Thumbprint) -> Result<(), DriverError>;

    /// `Import-ExchangeCertificate`, of a certificate with its key. Importing one that is there already is an error:
    /// Exchange refuses it (facts 8.3).
    fn import(
        &self,
        server: &ServerName,
        bundle: &Bundle,
        friendly_name: &FriendlyName,
        exportable: bool,
    ) -> Result<(), DriverError>;

    /// `Export-ExchangeCertificate`. Without `with_key` only the certificate.
    fn export(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        with_key: bool,
    ) -> Result<Bundle, DriverError>;

    /// `Enable-ExchangeCertificate`. Additive; there is no way to disable.
    fn bind(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        services: &Services,
        default_smtp: DefaultSmtp,
    ) -> Result<(), DriverError>;

    /// `AddSslCertificate` on an existing https binding.
    fn bind_site(
        &self,
        server: &ServerName,
        site: &SiteBinding,
        certificate: Thumbprint,
    ) -> Result<(), DriverError>;

    /// `Set-PopSettings` or `Set-ImapSettings -X509CertificateName`.
    fn set_x509_certificate_name(
        &self,
        server: &ServerName,
        service: MailService,
        name: Option<&DnsName>,
    ) -> Result<(), DriverError>;

    /// `Set-UMService` or `Set-UMCallRouterSettings -UMStartupMode`.
    fn set_um_startup_mode(
        &self,
        server: &ServerName,
        call_router: bool,
        mode: UmStartupMode,
    ) -> Result<(), DriverError>;

    /// `Set-ReceiveConnector -TlsCertificateName`.
    fn repoint_receive(
        &self,
        server: &ServerName,
        connector: &ConnectorName,
        to: Option<&TlsCertificateName>,
    ) -> Result<(), DriverError>;

    /// `Set-SendConnector -TlsCertificateName`.
    fn repoint_send(
        &self,
        connector: &ConnectorName,
        to: Option<&TlsCertificateName>,
    ) -> Result<(), DriverError>;

    /// `Set-AuthConfig -NewCertificateThumbprint -NewCertificateEffectiveDate`. Without a date it is from
    /// now on, with `-Force`; a date that is less than 48 hours ahead is an error.
    fn stage_auth(&self, certificate: Thumbprint, effective: Option<Timestamp>) -> Result<(), DriverError>;

    /// `Set-AuthConfig -PublishCertificate`.
    fn publish_auth(&self) -> Result<(), DriverError>;

    /// `Set-AuthConfig -ClearPreviousCertificate`.
    fn clear_previous_auth(&self) -> Result<(), DriverError>;

    /// `Set-HybridConfiguration -TlsCertificateName`.
    fn repoint_hybrid(&self, to: Option<&TlsCertificateName>) -> Result<(), DriverError>;

    /// `Set-SettingOverride`: `IMCertificateThumbprint` becomes this certificate, the other parameters stay. Then
    /// `Get-ExchangeDiagnosticInfo -Process Microsoft.Exchange.Directory.TopologyService -Component VariantConfiguration
    /// -Argument Refresh` on each server.
    fn set_im_certificate(
        &self,
        name: &OverrideName,
        certificate: Thumbprint,
        servers: &[ServerName],
    ) -> Result<(), DriverError>;

    /// `Start-EdgeSynchronization` on a Mailbox server. Returns when its Edge servers have what was set.
    // facts 10.1
    fn synchronize_edge(&self, server: &ServerName) -> Result<(), DriverError>;

    /// `Restart-Service`, of those of these Windows services that run, in this order: POP and IMAP are stopped unless
    /// somebody has started them, and stay so. Returns when they run again.
    fn restart(&self, server: &ServerName, what: Restartable, services: &[String])
    -> Result<(), DriverError>;

    /// `Start-Service`, of those of these Windows services that do not run and are not disabled: a restart or a removal that was
    /// begun, and of which nobody saw the end, may have left them stopped. Returns when they run.
    fn start(&self, server: &ServerName, services: &[String]) -> Result<(), DriverError>;

    /// `Set-ServerComponentState -Component HubTransport -State Draining` and `Redirect-Message` to the server of this full name;
    /// then the queues are waited for until they are empty, or a while has passed. Whatever becomes of that, the component is
    /// active again when this returns, and transport takes that up when it restarts: the caller restarts it next (facts 3.11).
    /// What somebody else drains is refused and left as it is.
    fn drain_transport(
        &self,
        server: &ServerName,
        redirect_to: &DnsName,
        found: FoundDrained,
    ) -> Result<(), DriverError>;

    /// `Remove-ExchangeCertificate` of what the caller has just imported or made and could not enable: nothing uses it yet.
    fn take_back(&self, server: &ServerName, certificate: Thumbprint) -> Result<(), DriverError>;

    /// `Remove-ExchangeCertificate` of certificates that send connectors name, on all their servers: what is to be stopped is
    /// stopped, the names are cleared, and each server is waited for until its domain controller shows that (facts 7.4, 12.7);
    /// then they are removed. Whatever becomes of that, the names are set again and what was stopped is started. What is gone
    /// already is left out.
    fn remove_named(&self, removal: &NamedRemoval<'_>, proofs: &[Arc<Verified>]) -> Result<(), DriverError>;

    /// `Remove-ExchangeCertificate`. Whoever calls it must hold the evidence that what replaces the certificate serves.
    ///
    /// `Stop-Service` and `Start-Service` of what has loaded it come before and after, in one call that the server carries
    /// out to its end whatever becomes of the caller: it never answers without a certificate, and never stays stopped.
    fn remove(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        while_stopped: &[ServiceGroup],
        proof: &Verified,
    ) -> Result<(), DriverError>;
}

/// Certificates that send connectors name, to be removed while they name none.
#[derive(Clone, Debug)]
pub struct NamedRemoval<'a> {
    /// The certificates and their servers.
    pub certificates: Vec<(ServerName, Thumbprint)>,
    /// The send connectors, and what they name again afterwards.
    pub connectors: &'a [NamedConnector],
    /// What is stopped before and started after.
    pub while_stopped: &'a [ServerServices],
}

/// Which part of an organization is to be observed.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// All that the driver knows of.
    Everything,
    /// The servers of a manifest, and the organization.
    Of(&'a Desired),
    /// These servers, and the organization.
    Servers(&'a BTreeSet<ServerName>),
    /// What belongs to no server: send connectors, the hybrid configuration, subscriptions.
    Organization,
    /// The certificates of one server. The rest may be left out.
    Store(&'a ServerName),
}

impl<'a> Wanted<'a> {
    /// Of the servers that are known, those that nobody asked for and that sign and check tokens like all others.
    pub fn others<'s>(self, known: impl Iterator<Item = (&'s ServerName, &'s Server)>) -> Vec<ServerName> {
        let Self::Of(desired) = self else { return Vec::new() };
        let is_other = |(name, server): &(&ServerName, &Server)| {
            !desired.servers.contains_key(*name) && server.version.known().is_some() && server.signs_tokens()
        };
        known.filter(is_other).map(|(name, _)| name.clone()).collect()
    }

    /// The servers that are named; none when every server is wanted.
    pub fn servers(self) -> Option<BTreeSet<&'a ServerName>> {
        match self {
            Self::Everything => None,
            Self::Of(desired) => Some(desired.servers.keys().collect()),
            Self::Servers(names) => Some(names.iter().collect()),
            Self::Organization => Some(BTreeSet::new()),
            Self::Store(name) => Some(BTreeSet::from([name])),
        }
    }
}

/// Why a driver could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// Exchange says no. Nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The server does not answer. Nothing has changed.
    #[error("{server} cannot be reached")]
    Unreachable {
        /// The server.
        server: ServerName,
        /// Whether it stays so until somebody does something about it: the server does not take the account.
        lasts: bool,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// It went wrong before anything changed.
    #[error("{operation} failed")]
    Failed {
        /// What was tried, on what.
        operation: String,
        /// Whether it stays so until somebody does something about it: what the plan rests on is not so any more, or the
        /// account may not do it.
        lasts: bool,
        /// Why it failed.
        #[source]
        source: BoxError,
    },
    /// It went wrong, and whether it was done is unknown: look before doing anything else.
    #[error("{operation} was interrupted, and whether it was done is unknown")]
    OutcomeUnknown {
        /// What was tried, on what.
        operation: String,
        /// What went wrong.
        #[source]
        source: BoxError,
    },
}

impl DriverError {
    /// Something that failed before anything changed, and may succeed a little later.
    pub fn failed(what: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::Failed { operation: what.into(), lasts: false, source: source.into() }
    }

    /// Something that failed before anything changed, and that fails again until somebody does something about it.
    pub fn barred(what: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::Failed { operation: what.into(), lasts: true, source: source.into() }
    }

    /// Whether the same may succeed a little later. What Exchange refuses it refuses again.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Unreachable { lasts, .. } | Self::Failed { lasts, .. } => !lasts,
            Self::OutcomeUnknown { .. } => true,
        }
    }
}
