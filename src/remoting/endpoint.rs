//! Where to, who is trusted there, who we are, and how much is too much.

use std::{fmt, net::SocketAddr};

use certwright_gssapi::Source;
use url::Url;

use super::{error::RemotingError, proxy::Proxy};
use crate::model::secret::Secret;

/// The address of a PowerShell endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub(super) url: Url,
    pub(super) trust: Trust,
    pub(super) resource: String,
    pub(super) connect_to: Option<SocketAddr>,
    pub(super) proxy: Option<Proxy>,
}

/// Which TLS certificates of a server are taken. There is no way to take any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those that chain to a root that the system trusts, and name the host.
    System,
    /// Those that chain to one of these certificates (DER), and name the host.
    Authorities(Vec<Vec<u8>>),
    /// The one with this SHA-256 fingerprint, whatever it says.
    Fingerprint([u8; 32]),
}

/// Who we are.
#[derive(Clone)]
pub enum Credentials {
    /// Kerberos: over plain HTTP with every message sealed, or inside TLS.
    Kerberos(Tickets),
    /// Basic, inside TLS only.
    Basic {
        /// The user, like `CONTOSO\svc-certwright` or `svc-certwright@contoso.com`.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// Where Kerberos tickets come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tickets {
    /// The cache or keytab.
    pub source: Source,
    /// Whose they are, like `svc-certwright@CONTOSO.COM`; by default whoever the source is for.
    pub principal: Option<String>,
}

/// Bounds for what a server may send. What goes beyond one is an error, never cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one answer.
    pub answer: usize,
    /// Bytes of one object or record.
    pub message: usize,
    /// Bytes of everything that one command puts out.
    pub output: usize,
    /// Objects and records that one command puts out.
    pub records: usize,
}

impl Endpoint {
    /// The endpoint at a URL like `http://ex01.contoso.com/PowerShell/`, of the kind that Exchange has. The host is the
    /// server's own name, for Kerberos asks for a ticket to it.
    pub fn new(url: &str, trust: Trust) -> Result<Self, RemotingError> {
        let refused =
            |reason: &str| RemotingError::BadEndpoint { url: url.to_owned(), reason: reason.to_owned() };
        let parsed = Url::parse(url).map_err(|error| refused(&error.to_string()))?;
        // The text may be shown, and a password in it too.
        if !parsed.username().is_empty() || parsed.password().is_some() {
            let reason = "credentials do not belong into an address".to_owned();
            return Err(RemotingError::BadEndpoint { url: "…".to_owned(), reason });
        }
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(refused("it has to begin with http:// or https://"));
        }
        if parsed.host_str().is_none_or(str::is_empty) {
            return Err(refused("it names no host"));
        }
        if parsed.fragment().is_some() {
            return Err(refused("it has a part after #"));
        }
        Ok(Self {
            url: parsed,
            trust,
            resource: MICROSOFT_EXCHANGE.to_owned(),
            connect_to: None,
            proxy: None,
        })
    }

    /// The same endpoint at another address than its name has in DNS.
    #[must_use]
    pub fn at(mut self, address: SocketAddr) -> Self {
        self.connect_to = Some(address);
        self
    }

    /// The same endpoint behind a proxy, which connects to it and resolves its name.
    #[must_use]
    pub fn through(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// The name of the host.
    pub fn host(&self) -> &str {
        self.url.host_str().expect("an endpoint has a host")
    }

    /// Whether messages travel inside TLS.
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(super) fn port(&self) -> u16 {
        self.url.port_or_known_default().expect("http and https have a port")
    }

    /// What stands in the request line.
    pub(super) fn target(&self) -> String {
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        self.url.path().to_owned() + &query
    }

    /// What stands in `Host`.
    pub(super) fn authority(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { answer: 8 << 20, message: 64 << 20, output: 256 << 20, records: 100_000 }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kerberos(tickets) => f.debug_tuple("Kerberos").field(tickets).finish(),
            Self::Basic { user, password: _ } => {
                f.debug_struct("Basic").field("user", user).finish_non_exhaustive()
            }
        }
    }
}

const MICROSOFT_EXCHANGE: &str = "http://schemas.microsoft.com/powershell/Microsoft.Exchange";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let url = "http://ex01.contoso.com/PowerShell/?serializationLevel=Full;ExchClientVer=15.2";
        let endpoint = Endpoint::new(url, Trust::System).unwrap();
        assert_eq!((endpoint.host(), endpoint.port(), endpoint.is_tls()), ("ex01.contoso.com", 80, false));
        assert_eq!(endpoint.target(), "/PowerShell/?serializationLevel=Full;ExchClientVer=15.2");
        assert_eq!(endpoint.authority(), "ex01.contoso.com");
        let endpoint = Endpoint::new("https://ex01:8443/PowerShell", Trust::System).unwrap();
        assert_eq!((endpoint.port(), endpoint.authority().as_str()), (8443, "ex01:8443"));
    }

    #[test]
    fn other_addresses_are_refused_and_passwords_not_shown() {
        for url in ["", "ex01.contoso.com", "ftp://ex01/", "http://", "https://ex01/#x"] {
            assert!(
                matches!(Endpoint::new(url, Trust::System), Err(RemotingError::BadEndpoint { .. })),
                "{url}"
            );
        }
        let error = Endpoint::new("https://me:hunter2@ex01/", Trust::System).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        let credentials =
            Credentials::Basic { user: "me".into(), password: Secret::new(b"hunter2".to_vec()) };
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}
