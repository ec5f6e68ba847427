//! Reasons: why a change is made. One variant for each rule; the sentence stands in `Display`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    action::{ConnectorRef, MailService, StepId},
    dn::{DistinguishedName, TlsCertificateName},
    key::{KeySpec, PublicKey},
    manifest::BalancerName,
    names::{ConnectorName, DnsName, IssuerName, OverrideName, ServerName},
    server::UmStartupMode,
    service::{Restartable, Service, Services},
    site::SiteBinding,
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// Why something has to change. The first group is about a certificate itself, the second about where it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Reason {
    /// No certificate fits.
    NotPresent,
    /// It is there without its private key.
    PrivateKeyMissing,
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

    /// A newer certificate of the same names, which the manifest does not want, is chosen in its place: a new one is
    /// chosen before both.
    Shadowed {
        /// The server.
        server: ServerName,
        /// The newer certificate.
        by: Thumbprint,
        /// The place that chooses it.
        place: String,
    },
    /// There is an answer of the CA, but to another request.
    AnswerOfAnotherRequest,
    /// The CA's answer would have to be replaced as soon as it is there.
    AnswerDoesNotFit {
        /// Its file, without the ending.
        file: String,
        /// What is wrong with it.
        problems: Vec<Self>,
    },
    /// What would decide it could not be seen.
    CannotSee {
        /// On which server.
        server: ServerName,
        /// What.
        what: String,
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
    /// them fails (facts 5.1, 15 no. 10).
    ChosenBySmtp {
        /// The server.
        server: ServerName,
        /// The connectors.
        connectors: Vec<ConnectorName>,
    },
    /// It is enabled for services that the manifest does not give it, and nothing but removing it takes them away
    /// (facts 3.1).
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
    /// The site that the management shell comes through has no certificate, and without the shell nothing can be done on
    /// the server (facts 4.3).
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
    /// The default SMTP certificate, which could not be kept, is put back (facts 3.2).
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
    /// A setting override names a certificate that IIS does not use any more (facts 15, no. 35).
    ImCertificateDiffers {
        /// The setting override.
        name: OverrideName,
        /// What it names.
        have: Thumbprint,
    },
    /// Something is not as the Hybrid Configuration Wizard leaves it (facts 9).
    HybridNotApplied {
        /// What, each as a sentence.
        missing: Vec<String>,
    },
    /// An Edge server and its site do not trust each other (facts 10).
    EdgeDistrusts {
        /// The Edge server.
        edge: ServerName,
        /// Why, each as a sentence.
        why: Vec<String>,
    },
    /// Microsoft 365 was not told of the Auth certificate, as far as the manifest says (facts 15, no. 28).
    AuthNotTold,
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
        what: Restartable,
    },
    /// A handshake met a certificate that the service has loaded once and would not choose today: it was not restarted
    /// since (facts 15, no. 16).
    ServesStill {
        /// The server.
        server: ServerName,
        /// What it serves.
        have: Thumbprint,
    },
    /// What was changed is proved by handshakes.
    Proof,
    /// It was replaced, and nothing uses it.
    Superseded {
        /// Since when.
        since: Timestamp,
    },
    /// A send connector that names both the old and the new certificate must let go of the old one first (facts 7.2).
    BlocksRemoval {
        /// The certificate to be removed.
        certificate: Thumbprint,
    },
    /// It was the Auth certificate before the current one, and no token that it signed is valid any more.
    PreviousNotNeeded {
        /// Since when the current one is.
        since: Timestamp,
    },
    /// The connector gets its certificate back after the old one was removed (facts 7.2).
    Reattach,
    /// It takes back what a step of an earlier run did.
    TakesBack {
        /// The step of that run.
        step: StepId,
    },
}

impl Reason {
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
            | Self::AnswerOfAnotherRequest
            | Self::AnswerDoesNotFit { .. }
            | Self::CannotSee { .. }
            | Self::RestartNeeded { .. }
            | Self::ServesStill { .. }
            | Self::Proof
            | Self::DefaultSmtpRestored { .. }
            | Self::BlocksRemoval { .. }
            | Self::PreviousNotNeeded { .. }
            | Self::AuthNotTold
            | Self::Reattach
            | Self::TakesBack { .. } => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPresent => f.write_str("no certificate fits"),
            Self::PrivateKeyMissing => f.write_str("its private key is missing"),
            Self::Revoked => f.write_str("its CA has revoked it"),
            Self::Expired { not_after } => write!(f, "expired {}", not_after.date()),
            Self::Expires { not_after, renew_from } => {
                write!(f, "expires {}; renewal opened {}", not_after.date(), renew_from.date())
            }
            Self::NotYetValid { not_before } => write!(f, "not valid before {not_before}"),
            Self::NamesNotCovered { missing } => write!(f, "names missing: {}", joined(missing)),
            Self::KeyTooWeak { have, want } => write!(f, "key is {have}, manifest asks for {want}"),
            Self::IssuerDiffers { have, want } => write!(f, "issued by {have}, manifest asks for {want}"),
            Self::SubjectDiffers { have, want } => write!(f, "subject is {have}, manifest asks for {want}"),
            Self::NotForServers => f.write_str("its extended key usage does not allow TLS servers"),
            Self::NotDistributable { missing } => {
                write!(f, "missing on {}, and its key cannot be exported", joined(missing))
            }
            Self::Shadowed { server, by, place } => {
                write!(
                    f,
                    "{place} on {server} chooses {} in its place, which is newer and does not fit",
                    by.short()
                )
            }
            Self::AnswerOfAnotherRequest => f.write_str(
                "the CA's answer that lies there belongs to another request: its key is another one",
            ),
            Self::AnswerDoesNotFit { file, problems } => {
                let problems = joined(problems);
                write!(f, "the CA's answer to {file}.csr does not do ({problems}); ask the CA for another")
            }
            Self::CannotSee { server, what, why } => write!(f, "{what} of {server} cannot be seen: {why}"),
            Self::NotOnServer { server } => write!(f, "not on {server}"),
            Self::NotBound { server, service, have: Some(have) } => {
                write!(f, "{service} on {server} uses {}", have.short())
            }
            Self::NotBound { server, service, have: None } => {
                write!(f, "not enabled for {service} on {server}")
            }
            Self::ChosenBySmtp { server, connectors } => {
                write!(
                    f,
                    "{} on {server} will choose it by its names and cannot use it without SMTP",
                    joined(connectors)
                )
            }
            Self::ExtraServices { server, services } => {
                let services: Vec<_> = services.iter().collect();
                write!(f, "enabled for {} on {server}, which the manifest does not say", joined(&services))
            }
            Self::SiteDiffers { server, site, have } => write!(f, "{site} on {server} uses {}", shown(*have)),
            Self::ShellDown { server, site } => write!(
                f,
                "{site} on {server} has no certificate, and without it the management shell does not answer"
            ),
            Self::X509CertificateNameDiffers { server, service, have: Some(have), want } => {
                write!(f, "{service} on {server} looks for {have}, not {want}")
            }
            Self::X509CertificateNameDiffers { server, service, have: None, want } => {
                write!(f, "{service} on {server} looks for no name, not {want}")
            }
            Self::InternalTransportDiffers { server, have } => {
                write!(f, "the internal transport certificate of {server} is {}", shown(*have))
            }
            Self::UmStartupModeDiffers { server, service, have, want } => {
                write!(f, "{service} on {server} starts in the mode {have}, not {want}")
            }
            Self::DefaultSmtpRestored { server } => write!(
                f,
                "Exchange on {server} cannot be answered No here, so the default SMTP certificate was replaced and is put back"
            ),
            Self::ConnectorDiffers { connector, have: Some(have) } => write!(f, "{connector} names {have}"),
            Self::ConnectorDiffers { connector, have: None } => write!(f, "{connector} names no certificate"),
            Self::ImCertificateDiffers { name, have } => f.write_str(&im_differs(name, *have)),
            Self::HybridNotApplied { missing } | Self::EdgeDistrusts { why: missing, .. } => {
                f.write_str(&missing.join("; "))
            }
            Self::AuthNotTold => {
                f.write_str("the organization is hybrid, and Microsoft 365 takes no token of a certificate it does not know")
            }
            Self::BalancerDiffers { balancer, have } => {
                write!(f, "load balancer {balancer} has {}", shown(*have))
            }
            Self::RestartNeeded { what } => f.write_str(what.why()),
            Self::ServesStill { server, have } => {
                write!(f, "{server} serves {} still, which it loaded before it was given another", have.short())
            }
            Self::Proof => f.write_str("what clients get is what counts"),
            Self::Superseded { since } => write!(f, "superseded since {}, used by nothing", since.date()),
            Self::BlocksRemoval { certificate } => {
                write!(f, "names {} too, which Exchange refuses to remove while it does", certificate.short())
            }
            Self::PreviousNotNeeded { since } => {
                let since = since.date();
                write!(f, "the one before is not needed since the present one took effect by {since}")
            }
            Self::TakesBack { step } => write!(f, "takes back step {step}"),
            Self::Reattach => f.write_str("names the new certificate again, now that the old one is gone"),
        }
    }
}

fn joined<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn im_differs(name: &OverrideName, have: Thumbprint) -> String {
    format!(
        "setting override {name} names {}, which IIS does not use any more: nobody signs in to instant messaging in \
         Outlook on the web with it",
        have.short()
    )
}

fn shown(have: Option<Thumbprint>) -> String {
    have.map_or("no certificate".into(), Thumbprint::short)
}
