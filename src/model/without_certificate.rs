//! Places that name a certificate and present none.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    binding_point::BindingPoint,
    connector::AuthMechanism,
    names::{ConnectorName, ServerName},
    schema::JsonSchema,
    server_left_out::{KeptBy, TAKE_BACK},
    service::MailService,
    site::SiteBinding,
    thumbprint::Thumbprint,
};

/// A place of a server that names a certificate and presents none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WithoutCertificate {
    /// The server.
    pub server: ServerName,
    /// The place.
    pub place: NamingPlace,
    /// Why it presents none.
    pub why: NonePresented,
    /// Whether the manifest leaves the server out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
}

/// A place that names its certificate, by thumbprint or by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NamingPlace {
    /// An https binding of an IIS site.
    Site(SiteBinding),
    /// A receive connector with a `TlsCertificateName`.
    ReceiveConnector(ConnectorName),
    /// A receive connector without one, which chooses by its `Fqdn`.
    ReceivingByFqdn(ConnectorName),
    /// A send connector with a `TlsCertificateName`, on one of its source servers.
    SendConnector(ConnectorName),
    /// The POP3 service.
    Pop,
    /// The IMAP4 service.
    Imap,
}

/// Why a place presents none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum NonePresented {
    /// The certificate is not in the store.
    NotInStore {
        /// The certificate.
        certificate: Thumbprint,
    },
    /// The certificate has no private key there.
    NoPrivateKey {
        /// The certificate.
        certificate: Thumbprint,
    },
    /// The network service may not read the key: the certificate is not enabled for SMTP.
    NoKeyAccess {
        /// The certificate.
        certificate: Thumbprint,
    },
    /// No certificate that can be used has the name.
    NoneFits {
        /// The name.
        name: String,
    },
    /// The connector offers no STARTTLS, whatever it names.
    // facts 5.1, 5.8
    NotOffered {
        /// Its `AuthMechanism`, which lacks Tls.
        auth: Vec<AuthMechanism>,
    },
    /// The connector is disabled.
    Disabled {},
}

impl WithoutCertificate {
    /// What to do about it.
    pub fn advice(&self) -> String {
        if self.left_out {
            return TAKE_BACK.into();
        }
        let connector = format!("\"{}\\{}\"", self.server, self.place);
        match &self.why {
            NonePresented::NotOffered { auth } => {
                let auth = auth.iter().copied().chain([AuthMechanism::Tls]).map(AuthMechanism::name);
                let auth = auth.collect::<Vec<_>>().join(", ");
                return format!(
                    "`Set-ReceiveConnector {connector} -AuthMechanism {auth}` has it offer STARTTLS; or take it out of \
                     `receiveConnectors`"
                );
            }
            NonePresented::Disabled {} => {
                return format!(
                    "enable it, `Set-ReceiveConnector {connector} -Enabled $true`, or take it out of `receiveConnectors`"
                );
            }
            NonePresented::NotInStore { .. }
            | NonePresented::NoPrivateKey { .. }
            | NonePresented::NoKeyAccess { .. }
            | NonePresented::NoneFits { .. } => {}
        }
        match &self.place {
            NamingPlace::Site(_) => {
                "declare the service IIS or the binding under `iis`, or remove the binding when nobody needs it".into()
            }
            NamingPlace::ReceiveConnector(_) => {
                "declare it under `receiveConnectors`, or clear its name: `Set-ReceiveConnector -TlsCertificateName $null`".into()
            }
            NamingPlace::ReceivingByFqdn(_) => format!(
                "declare it under `receiveConnectors`, or give it an Fqdn that a certificate for SMTP has: `Set-ReceiveConnector \
                 {connector} -Fqdn NAME`"
            ),
            NamingPlace::SendConnector(_) => {
                "declare it under `sendConnectors`, or clear its name: `Set-SendConnector -TlsCertificateName $null`".into()
            }
            NamingPlace::Pop => other_name(MailService::Pop),
            NamingPlace::Imap => other_name(MailService::Imap),
        }
    }
}

fn other_name(service: MailService) -> String {
    format!("declare it among `services`, or set another name: {}", service.renaming())
}

impl NamingPlace {
    /// The place where clients meet it; none for a send connector, which nobody calls.
    pub fn met_at(&self) -> Option<BindingPoint> {
        Some(match self {
            Self::Site(binding) => BindingPoint::Site(binding.clone()),
            Self::ReceiveConnector(name) | Self::ReceivingByFqdn(name) => {
                BindingPoint::Connector(name.clone())
            }
            Self::SendConnector(_) => return None,
            Self::Pop => BindingPoint::Pop,
            Self::Imap => BindingPoint::Imap,
        })
    }

    /// What follows for those who use it.
    // facts 5.1, 7.3, 9, 11.2
    const fn follows(&self) -> &'static str {
        match self {
            Self::Site(_) => "handshakes with it fail (event 15021)",
            Self::ReceiveConnector(_) | Self::ReceivingByFqdn(_) => "it offers no STARTTLS (event 12014)",
            Self::SendConnector(_) => "mail through it waits (454 4.7.5)",
            Self::Pop | Self::Imap => "clients get no TLS",
        }
    }
}

impl NonePresented {
    /// The certificate that is named, where a thumbprint names it.
    pub const fn certificate(&self) -> Option<Thumbprint> {
        match self {
            Self::NotInStore { certificate }
            | Self::NoPrivateKey { certificate }
            | Self::NoKeyAccess { certificate } => Some(*certificate),
            Self::NoneFits { .. } | Self::NotOffered { .. } | Self::Disabled {} => None,
        }
    }
}

impl fmt::Display for WithoutCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, place, why, left_out } = self;
        let kept = KeptBy(left_out.then_some(server));
        match why {
            NonePresented::NotOffered { .. } => write!(
                f,
                "{place} on {server} is declared, and offers no STARTTLS and presents no certificate: {why}{kept}"
            ),
            NonePresented::Disabled {} => {
                write!(f, "{place} on {server} is declared, and presents no certificate: {why}{kept}")
            }
            NonePresented::NotInStore { .. }
            | NonePresented::NoPrivateKey { .. }
            | NonePresented::NoKeyAccess { .. }
            | NonePresented::NoneFits { .. } => {
                write!(f, "{place} on {server} presents no certificate: {why}; {}{kept}", place.follows())
            }
        }
    }
}

impl fmt::Display for NamingPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site(binding) => binding.fmt(f),
            Self::ReceiveConnector(name) | Self::ReceivingByFqdn(name) | Self::SendConnector(name) => {
                name.fmt(f)
            }
            Self::Pop => f.write_str("POP"),
            Self::Imap => f.write_str("IMAP"),
        }
    }
}

impl fmt::Display for NonePresented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInStore { certificate } => write!(f, "{} is not in the store", certificate.short()),
            Self::NoPrivateKey { certificate } => {
                write!(f, "{} has no private key", certificate.short())
            }
            Self::NoKeyAccess { certificate } => {
                write!(f, "{} is not enabled for SMTP", certificate.short())
            }
            Self::NotOffered { .. } => f.write_str("its AuthMechanism lacks Tls"),
            Self::Disabled {} => f.write_str("it is disabled"),
            Self::NoneFits { name } => write!(f, "no usable certificate in the store fits {name}"),
        }
    }
}
