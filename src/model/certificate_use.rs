//! Uses of a certificate.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    binding_point::BindingPoint,
    names::{BalancerName, ConnectorName, OverrideName},
    schema::JsonSchema,
    service::Restartable,
    unseen::Unseen,
};

/// One use of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CertificateUse {
    /// A place presents it.
    Presented(BindingPoint),
    /// A send connector's `TlsCertificateName` selects it: Exchange refuses to remove it.
    // facts 7.2
    SendConnector(ConnectorName),
    /// A send connector without a `TlsCertificateName` would choose it by name.
    OutboundByName(ConnectorName),
    /// An Edge server's copy of a send connector chooses it: `EdgeSync` has not brought the connector there that chooses another.
    // facts 10.1
    ConnectorCopy(ConnectorName),
    /// Unified Messaging uses it.
    UnifiedMessaging,
    /// It signs OAuth tokens, will, or did until lately.
    Auth,
    /// It belongs to the federation trust.
    Federation,
    /// An Edge subscription was made with it.
    EdgeSubscription,
    /// The hybrid configuration selects it.
    Hybrid,
    /// A setting override names it: Outlook on the web signs in to Skype for Business with it.
    InstantMessaging(OverrideName),
    /// A load balancer holds a copy of it: clients that come through it would meet another one than the server's.
    Balancer(BalancerName),
    /// A program beside Exchange names it: http.sys outside of IIS, `WinRM`, Remote Desktop.
    // facts 0.5
    OtherProgram(String),
    /// Something that would tell could not be seen.
    Unknown(Unseen),
}

impl CertificateUse {
    /// Whether Exchange chooses another certificate for it by itself once this one is gone: by name, or by issuer and
    /// subject, the newest that fits.
    pub fn moves_on(&self) -> bool {
        self.loaded_by().is_some()
    }

    /// What could not be seen, where it may be used by that.
    pub fn unseen(&self) -> Option<&Unseen> {
        if let Self::Unknown(unseen) = self { Some(unseen) } else { None }
    }

    /// What has loaded it, where Exchange chooses another certificate by itself once this one is gone.
    pub fn loaded_by(&self) -> Option<Restartable> {
        match self {
            Self::Presented(BindingPoint::Connector(_)) | Self::OutboundByName(_) => {
                Some(Restartable::Transport)
            }
            Self::Presented(BindingPoint::Pop) => Some(Restartable::Pop),
            Self::Presented(BindingPoint::Imap) => Some(Restartable::Imap),
            Self::Presented(BindingPoint::Site(_) | BindingPoint::InternalTransport)
            | Self::SendConnector(_)
            | Self::ConnectorCopy(_)
            | Self::UnifiedMessaging
            | Self::Auth
            | Self::Federation
            | Self::EdgeSubscription
            | Self::Hybrid
            | Self::InstantMessaging(_)
            | Self::Balancer(_)
            | Self::OtherProgram(_)
            | Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for CertificateUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Presented(presenter) => write!(f, "{presenter}"),
            Self::SendConnector(name) => write!(f, "{name}"),
            Self::OutboundByName(name) => write!(f, "{name} (by its name)"),
            Self::ConnectorCopy(name) => write!(f, "the Edge server's own copy of {name}"),
            Self::UnifiedMessaging => f.write_str("Unified Messaging"),
            Self::Auth => f.write_str("the Auth configuration"),
            Self::Federation => f.write_str("the federation trust"),
            Self::EdgeSubscription => f.write_str("an Edge subscription"),
            Self::Hybrid => f.write_str("the hybrid configuration"),
            Self::InstantMessaging(name) => write!(f, "setting override {name} (instant messaging)"),
            Self::Balancer(name) => write!(f, "load balancer {name}"),
            Self::OtherProgram(program) => write!(f, "{program} (not Exchange)"),
            Self::Unknown(what) => write!(f, "unknown ({what})"),
        }
    }
}
