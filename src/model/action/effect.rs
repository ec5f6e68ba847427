//! Side effects: what Exchange does on its own, or leaves undone, when a step is done.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    names::{DnsName, ServerName},
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
    /// All client protocols and remote PowerShell of the server drop while IIS restarts.
    ClientsDrop,
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
            Self::EdgeDistrusts { edge } => write!(
                f,
                "EdgeSync and mail with {edge} stop until it is subscribed anew (events 10104, 1036)"
            ),
            Self::TooLongForEdge { characters } => write!(
                f,
                "EdgeSync cannot carry the name to Edge servers: it has {characters} characters, and there is room for 256"
            ),
            Self::ClientsDrop => {
                f.write_str("all clients and remote PowerShell of the server drop for the restart")
            }
            Self::MailWaits => f.write_str("mail of this server waits for the restart"),
        }
    }
}
