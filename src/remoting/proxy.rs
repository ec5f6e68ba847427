//! A way out through a proxy: it is asked to `CONNECT`, and TLS goes to the host behind it as if nobody stood between.

use std::{
    fmt,
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
};

use percent_encoding::percent_decode_str;
use url::Url;

use super::{authentication, deadline::Deadline, error::RemotingError};
use crate::{model::secret::Secret, wire::wsman::http};

/// A proxy.
#[derive(Clone)]
pub struct Proxy {
    host: String,
    port: u16,
    login: Option<(String, Secret)>,
}

/// Why an address is none of a proxy. It may hold a password, so nothing repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Not an address.
    #[error("it is not like http://proxy.contoso.com:3128")]
    NoAddress,
    /// Another kind of proxy.
    #[error("only proxies whose address begins with http:// are used; TLS goes through them to the end")]
    Scheme,
}

impl Proxy {
    /// The proxy at an address like `http://proxy.contoso.com:3128` or `proxy.contoso.com:3128`.
    pub fn new(address: &str) -> Result<Self, ProxyError> {
        let whole = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
        let url = Url::parse(&whole).map_err(|_| ProxyError::NoAddress)?;
        if url.scheme() != "http" {
            return Err(ProxyError::Scheme);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(ProxyError::NoAddress)?.to_owned();
        let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
        let user = String::from_utf8(decoded(url.username())).map_err(|_| ProxyError::NoAddress)?;
        let login =
            (!user.is_empty()).then(|| (user, Secret::new(url.password().map(decoded).unwrap_or_default())));
        Ok(Self { host, port: url.port().unwrap_or(80), login })
    }

    /// The name of its host.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Asks for a way to a host, on a connection to the proxy.
    pub(super) fn connect(
        &self,
        socket: &mut TcpStream,
        host: &str,
        port: u16,
        deadline: Deadline,
    ) -> Result<(), RemotingError> {
        let login = self.login.as_ref().map(|(user, password)| authentication::basic(user, password));
        let head = http::connect(&format!("{host}:{port}"), login.as_ref().map(|login| login.as_str()));
        let broken = |source: io::Error| match source.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => {
                RemotingError::DeadlineExceeded { host: self.to_string() }
            }
            _ => RemotingError::Unreachable { host: self.to_string(), source },
        };
        let mut answer = Vec::new();
        let mut write = || {
            socket.set_write_timeout(Some(deadline.left().ok_or(ErrorKind::TimedOut)?))?;
            socket.write_all(head.as_bytes())
        };
        write().map_err(broken)?;
        let status = loop {
            let mut buffer = [0; 1024];
            let mut read = || {
                socket.set_read_timeout(Some(deadline.left().ok_or(ErrorKind::TimedOut)?))?;
                socket.read(&mut buffer)
            };
            let count = match read().map_err(broken)? {
                0 => return Err(broken(ErrorKind::UnexpectedEof.into())),
                count => count,
            };
            answer.extend_from_slice(&buffer[..count]);
            let read = http::connected(&answer)
                .map_err(|error| RemotingError::Protocol { host: self.to_string(), source: error.into() })?;
            if let Some(status) = read {
                break status;
            }
        };
        match status {
            200..=299 => Ok(()),
            status => {
                Err(RemotingError::ProxyRefuses { proxy: self.to_string(), host: host.to_owned(), status })
            }
        }
    }
}

impl fmt::Display for Proxy {
    /// Without who logs in there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_and_logins_not_shown() {
        let proxy = Proxy::new("http://svc%40contoso:p%3Aw@proxy.contoso.com:3128/").unwrap();
        assert_eq!(proxy.to_string(), "the proxy proxy.contoso.com:3128");
        let (user, password) = proxy.login.clone().unwrap();
        assert_eq!((user.as_str(), password.expose_text()), ("svc@contoso", Some("p:w")));
        assert!(!format!("{proxy:?}").contains("p:w"));
        let plain = Proxy::new("proxy:8080").unwrap();
        assert_eq!((plain.host(), plain.port(), plain.login.is_none()), ("proxy", 8080, true));
        assert_eq!(Proxy::new("http://proxy").unwrap().port(), 80);
        for (address, error) in [
            ("https://proxy:3128", ProxyError::Scheme),
            ("socks5://me:hunter2@proxy", ProxyError::Scheme),
            ("http://", ProxyError::NoAddress),
            ("", ProxyError::NoAddress),
            ("proxy:many", ProxyError::NoAddress),
        ] {
            assert_eq!(Proxy::new(address).unwrap_err(), error, "{address}");
        }
    }
}
