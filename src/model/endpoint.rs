//! Endpoints: the places where clients meet a certificate.

use std::{fmt, str::FromStr};

/// A port of a server and how TLS starts there. Written `https:443`, `smtp:25`, `imaps:993`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// How TLS starts.
    pub protocol: Protocol,
    /// The port that Exchange uses for it; a lab serves it on another one.
    pub port: u16,
}

/// How a client comes to speak TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TLS at once, then HTTP.
    Https,
    /// SMTP, then `STARTTLS`.
    Smtp,
    /// TLS at once, then SMTP.
    Smtps,
    /// SMTP, then `X-ANONYMOUSTLS`: Exchange servers among themselves, with the internal transport certificate
    /// (facts 5.2).
    SmtpAnonymousTls,
    /// POP3, then `STLS`.
    Pop,
    /// TLS at once, then POP3.
    Pops,
    /// IMAP4, then `STARTTLS`.
    Imap,
    /// TLS at once, then IMAP4.
    Imaps,
    /// TLS at once, then LDAP: what `EdgeSync` speaks with an Edge server (facts 10).
    Ldaps,
}

/// A text that names no endpoint.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an endpoint; write PROTOCOL:PORT with one of {known}", known = known())]
pub struct EndpointError(String);

impl Endpoint {
    /// The endpoint of this protocol at this port.
    pub const fn new(protocol: Protocol, port: u16) -> Self {
        Self { protocol, port }
    }
}

impl Protocol {
    /// Every protocol, in the order certwright shows them.
    pub const ALL: [Self; 9] = [
        Self::Https,
        Self::Smtp,
        Self::Smtps,
        Self::SmtpAnonymousTls,
        Self::Pop,
        Self::Pops,
        Self::Imap,
        Self::Imaps,
        Self::Ldaps,
    ];

    /// The scheme by which certwright writes it.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Smtp => "smtp",
            Self::Smtps => "smtps",
            Self::SmtpAnonymousTls => "smtp-x",
            Self::Pop => "pop",
            Self::Pops => "pops",
            Self::Imap => "imap",
            Self::Imaps => "imaps",
            Self::Ldaps => "ldaps",
        }
    }

    /// What the protocol is called on a screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Https => "HTTPS",
            Self::Smtp => "SMTP STARTTLS",
            Self::Smtps => "SMTP over TLS",
            Self::SmtpAnonymousTls => "SMTP X-ANONYMOUSTLS",
            Self::Pop => "POP3 STLS",
            Self::Pops => "POP3 over TLS",
            Self::Imap => "IMAP STARTTLS",
            Self::Imaps => "IMAP over TLS",
            Self::Ldaps => "LDAP over TLS",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.protocol.scheme(), self.port))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let error = || EndpointError(text.chars().take(60).collect());
        let (scheme, port) = text.split_once(':').ok_or_else(error)?;
        let protocol = scheme.parse().map_err(|_| error())?;
        Ok(Self { protocol, port: port.parse().map_err(|_| error())? })
    }
}

impl FromStr for Protocol {
    type Err = EndpointError;

    fn from_str(scheme: &str) -> Result<Self, EndpointError> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.scheme().eq_ignore_ascii_case(scheme))
            .ok_or_else(|| EndpointError(scheme.chars().take(60).collect()))
    }
}

fn known() -> String {
    Protocol::ALL.map(Protocol::scheme).join(", ")
}

text_type!(Endpoint, "An endpoint: https:443, smtp:25, imaps:993.", Some("^[a-z-]+:[0-9]{1,5}$"));
