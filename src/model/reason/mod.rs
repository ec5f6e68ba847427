//! Reasons: why a change is made. One variant for each rule; the sentences stand in `words`.

mod subject;
mod words;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

use super::{
    action::{ConnectorRef, StepId},
    dn::{DistinguishedName, TlsCertificateName},
    edge_distrust::EdgeDistrust,
    hybrid_gap::HybridGap,
    key::{KeySpec, PublicKey},
    names::{BalancerName, ConnectorName, DnsName, IssuerName, OverrideName, ServerName},
    recorded::Recorded,
    server::UmStartupMode,
    service::{MailService, Restartable, Service, Services},
    site::SiteBinding,
    thumbprint::Thumbprint,
    time::Timestamp,
    unseen::UnseenPart,
};
use crate::model::schema::JsonSchema;

/// Why something has to change. The first group is about a certificate itself, the second about where it is used.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "code", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Reason {
    /// No certificate fits.
    NotPresent,
    /// It is there without its private key.
    PrivateKeyMissing,
    /// Others may have its key, as somebody says.
    KeyCompromised,
    /// Its CA has revoked it.
    Revoked,
    /// It is not valid any more.
    Expired {
        /// Since when.
        not_after: Timestamp,
    },
    /// Its time for renewal has come.
    Expires {
        /// When it ends.
        not_after: Timestamp,
        /// Since when it should be renewed.
        renew_from: Timestamp,
    },
    /// It is not valid yet.
    NotYetValid {
        /// From when it is.
        not_before: Timestamp,
    },
    /// Names are missing in it.
    NamesNotCovered {
        /// Which.
        missing: Vec<DnsName>,
    },
    /// Its key is weaker than asked for, or of another kind.
    KeyTooWeak {
        /// Its key.
        have: PublicKey,
        /// The key asked for.
        want: KeySpec,
    },
    /// Somebody else issued it.
    IssuerDiffers {
        /// Who.
        have: DistinguishedName,
        /// Who should.
        want: IssuerName,
    },
    /// Its subject is another one.
    SubjectDiffers {
        /// Its subject.
        have: DistinguishedName,
        /// The subject asked for.
        want: DistinguishedName,
    },
    /// TLS servers may not use it.
    NotForServers,
    /// It is not on every server that needs it, and its key cannot be exported.
    NotDistributable {
        /// The servers that lack it.
        missing: Vec<ServerName>,
    },

    /// Another certificate of the same names is chosen in its place: a new one is chosen before both.
    Shadowed {
        /// The server.
        server: ServerName,
        /// The other certificate.
        by: Thumbprint,
        /// The place that chooses it.
        place: String,
        /// Whether that is no newer than the one that should be chosen.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        no_newer: bool,
        /// Whether that would do for itself.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        fits: bool,
        /// The one that should be chosen, where the server has it without its private key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        without_key: Option<Thumbprint>,
    },
    /// There is an answer of the CA, but to another request.
    AnswerOfAnotherRequest {
        /// The request's file, without the ending.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
        /// Whom the certificate names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<DistinguishedName>,
        /// Until when it is valid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_after: Option<Timestamp>,
    },
    /// There is an answer of the CA that nobody can read.
    AnswerUnread {
        /// Its file, without the ending.
        file: String,
        /// Why not.
        why: String,
    },
    /// A certificate that was brought ends no later than the one that it is to replace.
    EndsNoLater {
        /// When it ends.
        not_after: Timestamp,
        /// When the other one ends.
        replaced: Timestamp,
    },
    /// Clients will not trust a certificate that was brought.
    NotTrusted {
        /// The file.
        file: String,
        /// What is wrong with its chain.
        why: String,
    },
    /// The CA's answer would have to be replaced as soon as it is there.
    AnswerDoesNotFit {
        /// Its file, without the ending.
        file: String,
        /// What is wrong with it.
        problems: Vec<Self>,
    },
    /// The PFX file that it comes from could not be read.
    FileUnread {
        /// The file.
        file: String,
        /// Why not.
        why: String,
    },
    /// The certificate in the PFX file would have to be replaced as soon as it is there.
    FileDoesNotFit {
        /// The file.
        file: String,
        /// What is wrong with it.
        problems: Vec<Self>,
    },
    /// The PFX file holds the certificate that is there already.
    FileHoldsTheSame {
        /// The file.
        file: String,
    },
    /// The PFX file holds another certificate than the servers use.
    FileHoldsAnother {
        /// The file.
        file: String,
        /// Until when the one in the file is valid.
        not_after: Timestamp,
    },
    /// What would decide it could not be seen.
    CannotSee {
        /// On which server.
        server: ServerName,
        /// What.
        #[serde(alias = "what")]
        subject: Recorded<UnseenPart>,
        /// Why not.
        why: String,
    },

    /// A server does not have it.
    NotOnServer {
        /// The server.
        server: ServerName,
    },
    /// A service does not use it.
    NotBound {
        /// The server.
        server: ServerName,
        /// The service.
        service: Service,
        /// What the service uses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        have: Option<Thumbprint>,
    },
    /// Receive connectors will choose the certificate by its names; unless SMTP is enabled for it, every handshake with
    /// them fails (Microsoft Learn, "Selection of inbound STARTTLS certificates").
    // facts 5.1, 15 no. 10
    ChosenBySmtp {
        /// The server.
        server: ServerName,
        /// The connectors.
        connectors: Vec<ConnectorName>,
    },
    /// It is enabled for services that the manifest does not give it, and nothing but removing it takes them away
    /// (Microsoft Learn, Enable-ExchangeCertificate).
    // facts 3.1
    ExtraServices {
        /// The server.
        server: ServerName,
        /// The services.
        services: Services,
    },
    /// A binding of an IIS site uses another certificate.
    SiteDiffers {
        /// The server.
        server: ServerName,
        /// The binding.
        site: SiteBinding,
        /// What it uses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        have: Option<Thumbprint>,
    },
    /// The site that the management shell comes through has no certificate, and without the shell nothing can be done
    /// on the server (KB2779694).
    // facts 4.3
    ShellDown {
        /// The server.
        server: ServerName,
        /// The binding.
        site: SiteBinding,
    },
    /// The name by which POP or IMAP finds its certificate is another one.
    X509CertificateNameDiffers {
        /// The server.
        server: ServerName,
        /// Which of the two.
        service: MailService,
        /// The name that is set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        have: Option<DnsName>,
        /// The name that should be.
        want: DnsName,
    },
    /// Another certificate is the internal transport certificate.
    InternalTransportDiffers {
        /// The server.
        server: ServerName,
        /// Which.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        have: Option<Thumbprint>,
    },
    /// Unified Messaging starts in another mode.
    UmStartupModeDiffers {
        /// The server.
        server: ServerName,
        /// UM, or its call router.
        service: Service,
        /// The mode it starts in.
        have: UmStartupMode,
        /// The mode it should.
        want: UmStartupMode,
    },
    /// The default SMTP certificate, which could not be kept, is put back.
    // facts 3.2
    DefaultSmtpRestored {
        /// The server.
        server: ServerName,
    },
    /// A connector names another certificate, or none.
    ConnectorDiffers {
        /// The connector.
        connector: ConnectorRef,
        /// What it names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        have: Option<TlsCertificateName>,
    },
    /// A setting override names a certificate that IIS does not use any more.
    // facts 15, no. 35
    ImCertificateDiffers {
        /// The setting override.
        name: OverrideName,
        /// What it names.
        have: Thumbprint,
    },
    /// Something is not as the Hybrid Configuration Wizard leaves it.
    // facts 9
    HybridNotApplied {
        /// What.
        missing: Vec<Recorded<HybridGap>>,
    },
    /// An Edge server and its site do not trust each other (Microsoft Learn, "Edge Subscriptions").
    // facts 10
    EdgeDistrusts {
        /// The Edge server.
        edge: ServerName,
        /// Why.
        why: Vec<Recorded<EdgeDistrust>>,
    },
    /// Microsoft 365 was not told of the Auth certificate, as far as the manifest says.
    // facts 15, no. 28
    AuthNotTold,
    /// Exchange Online was not told of a certificate with another subject, as far as the manifest says.
    // facts 9.1
    OnlineNotTold {
        /// The subject that it knows.
        known: String,
    },
    /// A load balancer has another certificate, or none.
    BalancerDiffers {
        /// The load balancer.
        balancer: BalancerName,
        /// What it has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        have: Option<Thumbprint>,
    },
    /// Something must be restarted before it serves what it was given.
    RestartNeeded {
        /// What.
        #[serde(alias = "what")]
        service: Restartable,
    },
    /// A handshake met a certificate that the service has loaded once and would not choose today: it was not restarted
    /// since.
    // facts 15, no. 16
    ServesStill {
        /// The server.
        server: ServerName,
        /// What it serves.
        have: Thumbprint,
    },
    /// A run changed the certificate of a service and did not come to its restart, and no later run has restarted it.
    // facts 3.7
    NotRestarted {
        /// The server.
        server: ServerName,
        /// What was to be restarted.
        service: Restartable,
        /// The run.
        run: String,
        /// When it made the change.
        since: Timestamp,
    },
    /// What was changed is proved by handshakes.
    Proof,
    /// It was replaced, and nothing uses it when its turn comes.
    Superseded {
        /// Since when that is proved; absent when the same plan moves its uses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
    },
    /// A send connector that names both the old and the new certificate must let go of the old one first (Microsoft
    /// Learn, Remove-ExchangeCertificate).
    // facts 7.2
    BlocksRemoval {
        /// The certificate to be removed.
        certificate: Thumbprint,
    },
    /// It was the Auth certificate before the current one, and no token that it signed is valid any more.
    PreviousNotNeeded {
        /// Since when the current one is.
        since: Timestamp,
    },
    /// The new certificate is kept as a file too, in case its servers are lost.
    SafeKeeping,
    /// The connector gets its certificate back after the old one was removed.
    // facts 7.2
    Reattach,
    /// It takes back what a step of an earlier run did.
    TakesBack {
        /// The step of that run.
        step: StepId,
    },
}

impl Reason {
    /// Whether it says no more than that one of these servers was not seen.
    pub fn is_for_want_of_sight(&self, unseen: &BTreeSet<ServerName>) -> bool {
        matches!(self, Self::CannotSee { server, .. } if unseen.contains(server))
    }

    /// Its stable code, which `certwright explain` knows.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// Whether it is about a place that uses the certificate, rather than about the certificate or the order of things.
    pub fn is_about_use(&self) -> bool {
        match self {
            Self::NotOnServer { .. }
            | Self::NotBound { .. }
            | Self::ChosenBySmtp { .. }
            | Self::ExtraServices { .. }
            | Self::SiteDiffers { .. }
            | Self::ShellDown { .. }
            | Self::X509CertificateNameDiffers { .. }
            | Self::InternalTransportDiffers { .. }
            | Self::UmStartupModeDiffers { .. }
            | Self::ConnectorDiffers { .. }
            | Self::ImCertificateDiffers { .. }
            | Self::HybridNotApplied { .. }
            | Self::EdgeDistrusts { .. }
            | Self::BalancerDiffers { .. }
            | Self::Superseded { .. } => true,
            Self::NotPresent
            | Self::PrivateKeyMissing
            | Self::Revoked
            | Self::KeyCompromised
            | Self::Expired { .. }
            | Self::Expires { .. }
            | Self::NotYetValid { .. }
            | Self::NamesNotCovered { .. }
            | Self::KeyTooWeak { .. }
            | Self::IssuerDiffers { .. }
            | Self::SubjectDiffers { .. }
            | Self::NotForServers
            | Self::NotDistributable { .. }
            | Self::Shadowed { .. }
            | Self::AnswerOfAnotherRequest { .. }
            | Self::AnswerUnread { .. }
            | Self::EndsNoLater { .. }
            | Self::NotTrusted { .. }
            | Self::AnswerDoesNotFit { .. }
            | Self::FileUnread { .. }
            | Self::FileDoesNotFit { .. }
            | Self::FileHoldsTheSame { .. }
            | Self::FileHoldsAnother { .. }
            | Self::SafeKeeping
            | Self::CannotSee { .. }
            | Self::RestartNeeded { .. }
            | Self::ServesStill { .. }
            | Self::NotRestarted { .. }
            | Self::Proof
            | Self::DefaultSmtpRestored { .. }
            | Self::BlocksRemoval { .. }
            | Self::PreviousNotNeeded { .. }
            | Self::AuthNotTold
            | Self::OnlineNotTold { .. }
            | Self::Reattach
            | Self::TakesBack { .. } => false,
        }
    }
}
