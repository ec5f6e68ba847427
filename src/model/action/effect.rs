//! Side effects: what Exchange does on its own, or leaves undone, when a step is done.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{
    names::{BalancerName, DnsName, ServerName},
    schema::JsonSchema,
    service::MailService,
    thumbprint::Thumbprint,
};

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
    /// The certificate is not enabled for POP or IMAP because its subject is a wildcard (Microsoft Learn,
    /// Set-PopSettings).
    // facts 3.3
    WildcardNotForMailAccess {
        /// Which of the two.
        service: MailService,
    },
    /// Exchange Back End keeps the certificate it has.
    BackEndLeftBehind {
        /// The certificate on it.
        current: Thumbprint,
    },
    /// The Default Web Site goes on without "Require SSL", so that http is redirected to https as before.
    // facts 3.5
    RequireSslKept,
    /// The Default Web Site requires SSL from now on, and a redirection from http to https ends.
    // facts 3.5
    RequireSslSet,
    /// An Edge server and its site do not trust each other any more, until it is subscribed anew (Microsoft Learn,
    /// "Edge Subscriptions").
    // facts 10
    EdgeDistrusts {
        /// The Edge server.
        edge: ServerName,
    },
    /// `EdgeSync` cannot carry the name to Edge servers: their directory has room for 256 characters (KB4052493).
    // facts 6.4
    TooLongForEdge {
        /// How many it has.
        characters: usize,
    },
    /// `EdgeSync` is started and waited for: until then an Edge server acts by its own, older copy of the connector.
    // facts 10.1
    CarriedToEdge {
        /// The Edge server.
        edge: ServerName,
        /// The server of its site.
        by: ServerName,
        /// Whether nobody sees that copy from here.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unseen: bool,
    },
    /// All client protocols and remote PowerShell of the server drop while IIS restarts.
    ClientsDrop,
    /// With Extended Protection clients that sign in with Windows authentication are refused through a load balancer that
    /// presents another certificate than the server.
    // facts 11.7
    SignInRefused {
        /// The load balancer.
        balancer: BalancerName,
    },
    /// Mail to and from the server waits while transport restarts.
    MailWaits,
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
            Self::RequireSslKept => {
                f.write_str("\"Require SSL\" of the Default Web Site stays off (-DoNotRequireSsl)")
            }
            Self::RequireSslSet => f.write_str(
                "the Default Web Site requires SSL from now on: take \"Require SSL\" off again where http is redirected to \
                 https",
            ),
            Self::EdgeDistrusts { edge } => write!(
                f,
                "EdgeSync and mail with {edge} stop until it is resubscribed (events 10104, 1036)"
            ),
            Self::TooLongForEdge { characters } => write!(
                f,
                "EdgeSync cannot carry the name to Edge servers: it has {characters} characters, and there is room for 256"
            ),
            Self::CarriedToEdge { edge, by, unseen: false } => write!(
                f,
                "EdgeSync carries it to {edge} at once (Start-EdgeSynchronization on {by}), and the step waits until {edge} shows \
                 it; until then that acts by its own copy"
            ),
            Self::CarriedToEdge { edge, by, unseen: true } => write!(
                f,
                "EdgeSync carries it to {edge} at once (Start-EdgeSynchronization on {by}); until then that acts by its own copy, \
                 which nobody sees from here: Test-EdgeSynchronization on {by} tells whether it has come"
            ),
            Self::ClientsDrop => {
                f.write_str("all clients and remote PowerShell of the server drop for the restart")
            }
            Self::SignInRefused { balancer } => write!(
                f,
                "Extended Protection: until {balancer} has it too, sign-in with Windows authentication (MAPI, EWS, Autodiscover) \
                 fails through it on this server; take the server out of {balancer} until then (one that is put back before refuses again), but \
                 not the last one: that one changes together with {balancer}, in a quiet hour"
            ),
            Self::MailWaits => f.write_str("mail of this server waits for the restart"),
        }
    }
}
