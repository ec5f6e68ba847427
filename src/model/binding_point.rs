//! Places of a server where clients meet a certificate.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    names::{ConnectorName, DnsName},
    schema::JsonSchema,
    service::Restartable,
    site::SiteBinding,
};

/// A place of a server where clients meet a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BindingPoint {
    /// An https binding of an IIS site.
    Site(SiteBinding),
    /// A receive connector, after STARTTLS.
    Connector(ConnectorName),
    /// The receive connectors that take mail from other Exchange servers, after X-ANONYMOUSTLS.
    InternalTransport,
    /// The POP3 service.
    Pop,
    /// The IMAP4 service.
    Imap,
}

impl BindingPoint {
    /// The host name of a binding: it answers for that name alone, and the binding of the port for all others (facts 11.4).
    pub fn host(&self) -> Option<&DnsName> {
        match self {
            Self::Site(binding) => binding.host.as_ref(),
            Self::Connector(_) | Self::InternalTransport | Self::Pop | Self::Imap => None,
        }
    }

    /// What keeps the certificate that it started with until it is restarted; none for a site, whose binding counts at once
    /// (facts 11.2).
    pub fn loaded_by(&self) -> Option<Restartable> {
        match self {
            Self::Site(_) => None,
            Self::Connector(_) | Self::InternalTransport => Some(Restartable::Transport),
            Self::Pop => Some(Restartable::Pop),
            Self::Imap => Some(Restartable::Imap),
        }
    }
}

impl fmt::Display for BindingPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site(binding) => write!(f, "{binding}"),
            Self::Connector(name) => write!(f, "{name}"),
            Self::InternalTransport => f.write_str("internal transport"),
            Self::Pop => f.write_str("POP"),
            Self::Imap => f.write_str("IMAP"),
        }
    }
}
