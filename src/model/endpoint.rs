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

/// An endpoint of a host that no manifest names. Written `smtp://mail.contoso.com:25`; the port may be left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndpointUrl {
    /// The host: a name or an address, one of IPv6 without brackets.
    pub host: String,
    /// The endpoint there.
    pub endpoint: Endpoint,
}

/// A text that is no address of an endpoint.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not the address of an endpoint; write PROTOCOL://HOST[:PORT] with one of {known}", known = known())]
pub struct EndpointUrlError(String);

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

    /// Whether TLS begins with the first byte, and not after words in the clear.
    pub const fn is_implicit(self) -> bool {
        match self {
            Self::Https | Self::Smtps | Self::Pops | Self::Imaps | Self::Ldaps => true,
            Self::Smtp | Self::SmtpAnonymousTls | Self::Pop | Self::Imap => false,
        }
    }

    /// The port that it has where nobody says otherwise. LDAP has that of AD LDS on an Edge server (facts 10).
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Smtp | Self::SmtpAnonymousTls => 25,
            Self::Smtps => 465,
            Self::Pop => 110,
            Self::Pops => 995,
            Self::Imap => 143,
            Self::Imaps => 993,
            Self::Ldaps => 50636,
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
        let port: u16 = port.parse().map_err(|_| error())?;
        // Nobody listens at port 0.
        if port == 0 { Err(error()) } else { Ok(Self { protocol, port }) }
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

impl EndpointUrl {
    /// Where it is, as `host:port`.
    pub fn address(&self) -> String {
        let Self { host, endpoint } = self;
        if host.contains(':') {
            format!("[{host}]:{}", endpoint.port)
        } else {
            format!("{host}:{}", endpoint.port)
        }
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.endpoint.protocol.scheme(), self.address())
    }
}

impl FromStr for EndpointUrl {
    type Err = EndpointUrlError;

    fn from_str(text: &str) -> Result<Self, EndpointUrlError> {
        let error = || EndpointUrlError(text.chars().take(60).collect());
        let (scheme, rest) = text.split_once("://").ok_or_else(error)?;
        let protocol: Protocol = scheme.parse().map_err(|_| error())?;
        let rest = rest.trim_end_matches('/');
        let (host, port) = match rest.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, port))) => (host, port.strip_prefix(':')),
            Some(None) => return Err(error()),
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Ok(protocol.default_port()), str::parse).map_err(|_| error())?;
        let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_' | ':');
        if host.is_empty() || host.len() > 255 || !host.chars().all(allowed) {
            return Err(error());
        }
        Ok(Self { host: host.to_owned(), endpoint: Endpoint::new(protocol, port) })
    }
}

fn known() -> String {
    Protocol::ALL.map(Protocol::scheme).join(", ")
}

text_type!(Endpoint, "An endpoint: https:443, smtp:25, imaps:993.", Some("^[a-z-]+:[0-9]{1,5}$"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_endpoints() {
        for (text, address) in [
            ("smtp://mail.contoso.com:587", Some("mail.contoso.com:587")),
            ("smtp://mail.contoso.com", Some("mail.contoso.com:25")),
            ("https://mail.contoso.com/", Some("mail.contoso.com:443")),
            ("IMAPS://10.0.0.5", Some("10.0.0.5:993")),
            ("https://[2001:db8::1]:8443", Some("[2001:db8::1]:8443")),
            ("ldaps://edge01", Some("edge01:50636")),
            ("mail.contoso.com:25", None),
            ("ftp://mail.contoso.com", None),
            ("smtp://", None),
            ("smtp://mail.contoso.com:70000", None),
            ("smtp://mail contoso.com", None),
            ("https://[2001:db8::1", None),
            ("https://mail.contoso.com/owa", None),
        ] {
            let parsed = text.parse::<EndpointUrl>().ok();
            assert_eq!(parsed.as_ref().map(EndpointUrl::address).as_deref(), address, "{text}");
            let again = parsed.as_ref().map(|url| url.to_string().parse::<EndpointUrl>().unwrap());
            assert_eq!(parsed, again, "{text}");
        }
    }
}
