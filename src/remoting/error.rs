//! What can go wrong between this machine and PowerShell on another one.

use certwright_gssapi::GssError;
use strum::VariantNames;

use crate::wire::{
    psrp::{ErrorRecord, PsrpError},
    readable,
    wsman::{Fault, WsmanError, http::HttpError},
};

/// Why there is no session, or no output. What cmdlets say is no error here but in the output. Their names in snake case are what
/// `docs/connectivity.md` calls them.
#[derive(Debug, thiserror::Error, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum RemotingError {
    /// An address that is none.
    #[error("`{url}` is no address of a PowerShell endpoint: {reason}")]
    BadEndpoint {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It would not be safe.
    #[error("{0}")]
    InsecureTransport(&'static str),
    /// The server's TLS certificate is not trusted.
    #[error("{host} presents a TLS certificate that is not trusted")]
    TlsUntrusted {
        /// The server.
        host: String,
        /// Why not.
        #[source]
        source: rustls::Error,
    },
    /// TLS could not be set up, here.
    #[error("TLS cannot be used: {0}")]
    Tls(String),
    /// Nobody answers there.
    #[error("{host} cannot be reached")]
    Unreachable {
        /// The server.
        host: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A proxy that does not let us through.
    #[error("{proxy} does not connect to {host}: HTTP status {status}{}", if *status == 407 { ", it wants a user and a password" } else { "" })]
    ProxyRefuses {
        /// The proxy.
        proxy: String,
        /// The server behind it.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server, or what stands before it, has no time.
    #[error("{host} is busy (HTTP {status})")]
    Busy {
        /// The server.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server does not believe that we are who we say.
    #[error("{host} does not accept these credentials")]
    AuthenticationFailed {
        /// The server.
        host: String,
    },
    /// There is no way to authenticate that the server offers and we take.
    #[error("{host} offers {offered} to authenticate, and none of that can be used {transport}")]
    NoCommonAuthentication {
        /// The server.
        host: String,
        /// What it offers.
        offered: String,
        /// Over what.
        transport: &'static str,
    },
    /// Kerberos has no ticket, or does not trust the server.
    #[error("Kerberos does not work with {host}")]
    Kerberos {
        /// The server.
        host: String,
        /// What the system says.
        #[source]
        source: GssError,
    },
    /// There is no PowerShell at this address.
    #[error("{host} has no PowerShell endpoint there: {detail}")]
    EndpointNotFound {
        /// The server.
        host: String,
        /// What it says.
        detail: String,
    },
    /// The server knows us, and we may not.
    #[error("{host} does not let this user in: {detail}")]
    AccessDenied {
        /// The server.
        host: String,
        /// What it says.
        detail: String,
    },
    /// The user has as many sessions as it may, or the server has.
    #[error("{host} has too many sessions")]
    TooManySessions {
        /// The server.
        host: String,
        /// What it says.
        #[source]
        source: Box<WsmanError>,
    },
    /// PowerShell did not open the session.
    #[error("PowerShell on {host} did not open a session: {}", readable(&reason.message))]
    NotOpened {
        /// The server.
        host: String,
        /// Why not.
        reason: Box<ErrorRecord>,
    },
    /// The server does not keep to the protocol.
    #[error("{host} does not answer as PowerShell does")]
    Protocol {
        /// The server.
        host: String,
        /// In what way.
        #[source]
        source: ProtocolError,
    },
    /// The session is gone.
    #[error("the session with {host} is gone: {detail}")]
    SessionDied {
        /// The server.
        host: String,
        /// What was noticed.
        detail: String,
    },
    /// It took too long.
    #[error("{host} did not finish in time")]
    DeadlineExceeded {
        /// The server.
        host: String,
    },
    /// The server sends more than we take.
    #[error("the command puts out more than {0}")]
    TooMuchOutput(&'static str),
    /// A question that nobody expected.
    #[error("the server asks something that this program does not answer ({method}): {question}")]
    UnexpectedPrompt {
        /// What it calls, like `PromptForChoice`.
        method: String,
        /// What it asks.
        question: String,
    },
    /// The cmdlet may have run, or may still.
    #[error("nobody knows whether {command} was carried out on {host}")]
    OutcomeUnknown {
        /// The cmdlet.
        command: String,
        /// The server.
        host: String,
        /// What happened.
        #[source]
        source: Box<Self>,
    },
}

/// In what way a server does not keep to the protocol.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// HTTP.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A status that WS-Management has no use for.
    #[error("it answers with HTTP status {0}")]
    Status(u16),
    /// WS-Management.
    #[error(transparent)]
    Wsman(#[from] WsmanError),
    /// PSRP.
    #[error(transparent)]
    Psrp(#[from] PsrpError),
    /// A message that is not sealed as it should be.
    #[error("a message is not sealed as it should be")]
    Seal(#[source] GssError),
    /// A message that is not sealed at all.
    #[error("a message over plain HTTP is not sealed")]
    NotSealed,
}

impl RemotingError {
    /// Whether the same may go well a little later, and nothing was begun.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy { .. } | Self::TooManySessions { .. })
    }

    /// Whether the same fails again until somebody does something about it.
    pub fn lasts(&self) -> bool {
        match self {
            Self::BadEndpoint { .. }
            | Self::InsecureTransport(_)
            | Self::TlsUntrusted { .. }
            | Self::Tls(_)
            | Self::ProxyRefuses { .. }
            | Self::AuthenticationFailed { .. }
            | Self::NoCommonAuthentication { .. }
            | Self::Kerberos { .. }
            | Self::EndpointNotFound { .. }
            | Self::AccessDenied { .. }
            | Self::NotOpened { .. }
            | Self::TooMuchOutput(_)
            | Self::UnexpectedPrompt { .. } => true,
            Self::Unreachable { .. }
            | Self::Busy { .. }
            | Self::TooManySessions { .. }
            | Self::Protocol { .. }
            | Self::SessionDied { .. }
            | Self::DeadlineExceeded { .. }
            | Self::OutcomeUnknown { .. } => false,
        }
    }

    /// Whether a session that was open is gone.
    pub fn is_of_lost_session(&self) -> bool {
        match self {
            Self::SessionDied { .. } | Self::Unreachable { .. } => true,
            Self::OutcomeUnknown { source, .. } => source.is_of_lost_session(),
            Self::BadEndpoint { .. }
            | Self::InsecureTransport(_)
            | Self::TlsUntrusted { .. }
            | Self::Tls(_)
            | Self::ProxyRefuses { .. }
            | Self::Busy { .. }
            | Self::AuthenticationFailed { .. }
            | Self::NoCommonAuthentication { .. }
            | Self::Kerberos { .. }
            | Self::EndpointNotFound { .. }
            | Self::AccessDenied { .. }
            | Self::TooManySessions { .. }
            | Self::NotOpened { .. }
            | Self::Protocol { .. }
            | Self::DeadlineExceeded { .. }
            | Self::TooMuchOutput(_)
            | Self::UnexpectedPrompt { .. } => false,
        }
    }

    /// What a fault means to whoever wants a session.
    pub(super) fn of_fault(host: &str, fault: Fault) -> Self {
        use crate::wire::wsman::FaultKind;
        let host = host.to_owned();
        let detail = fault.to_string();
        match fault.kind() {
            FaultKind::TooMany => Self::TooManySessions { host, source: Box::new(WsmanError::Fault(fault)) },
            FaultKind::AccessDenied => Self::AccessDenied { host, detail },
            FaultKind::NoSuchEndpoint => Self::EndpointNotFound { host, detail },
            FaultKind::ShellGone => Self::SessionDied { host, detail },
            FaultKind::NothingYet => Self::DeadlineExceeded { host },
            FaultKind::Other => {
                Self::Protocol { host, source: ProtocolError::Wsman(WsmanError::Fault(fault)) }
            }
        }
    }
}
