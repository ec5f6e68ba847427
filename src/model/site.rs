//! Bindings of IIS sites (facts 11.1).

use std::{fmt, net::Ipv4Addr, str::FromStr};

use super::names::DnsName;

/// One https binding of an IIS site. Written `Default Web Site:443`, with an address `Default Web Site:127.0.0.1:443`,
/// with a host name (SNI) `Default Web Site:443:autodiscover.contoso.com`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteBinding {
    /// The site's name.
    pub site: String,
    /// The IP address; absent when it listens on all of them, which IIS writes as an empty text or `*`.
    pub address: Option<String>,
    /// The port.
    pub port: u16,
    /// The host name it is chosen by (SNI); absent when it answers to any.
    pub host: Option<DnsName>,
}

/// A text that is not a binding of an IIS site.
#[derive(Debug, thiserror::Error)]
pub enum SiteBindingError {
    /// It is written in another way.
    #[error(
        "`{0}` is not an IIS binding; write SITE:PORT, SITE:ADDRESS:PORT or SITE:PORT:HOST, like Default Web Site:443"
    )]
    Form(String),
    /// Its port is a number that no port has.
    #[error("`{0}` has a port that does not exist; write a port from 1 to 65535")]
    Port(String),
}

impl SiteBinding {
    /// `Default Web Site`, port 443, all addresses.
    pub fn default_web_site() -> Self {
        Self::new(Self::DEFAULT_WEB_SITE, 443)
    }

    /// `Exchange Back End`, port 444, all addresses.
    pub fn back_end() -> Self {
        Self::new(Self::BACK_END, 444)
    }

    /// A binding on all addresses, for any host name.
    pub fn new(site: &str, port: u16) -> Self {
        Self { site: site.into(), address: None, port, host: None }
    }

    /// The site that clients come to.
    pub const DEFAULT_WEB_SITE: &str = "Default Web Site";
    /// The site that the front end proxies to.
    pub const BACK_END: &str = "Exchange Back End";
}

impl fmt::Display for SiteBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { site, address, port, host } = self;
        f.write_str(site)?;
        if let Some(address) = address {
            write!(f, ":{address}")?;
        }
        write!(f, ":{port}")?;
        host.as_ref().map_or(Ok(()), |host| write!(f, ":{host}"))
    }
}

impl fmt::Debug for SiteBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SiteBinding({self})")
    }
}

impl FromStr for SiteBinding {
    type Err = SiteBindingError;

    fn from_str(text: &str) -> Result<Self, SiteBindingError> {
        let shown = || text.chars().take(120).collect();
        let error = || SiteBindingError::Form(shown());
        let is_number = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let (site, rest) = text.split_once(':').ok_or_else(error)?;
        // An IPv6 address stands in brackets and holds colons of its own.
        let (address, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, rest)) => {
                (Some(format!("[{address}]")), rest.strip_prefix(':').ok_or_else(error)?)
            }
            None => match rest.split_once(':') {
                Some((head, tail)) if head.parse::<u16>().is_err() => (Some(head.to_owned()), tail),
                _ => (None, rest),
            },
        };
        let (port, host) = rest.split_once(':').map_or((rest, None), |(port, host)| (port, Some(host)));
        let host = host.filter(|host| !host.is_empty()).map(str::parse).transpose().map_err(|_| error())?;
        let port = match port.parse() {
            Ok(0) => return Err(SiteBindingError::Port(shown())),
            Ok(port) => port,
            Err(_) if is_number(port) => return Err(SiteBindingError::Port(shown())),
            Err(_) => return Err(error()),
        };
        if address.as_deref().is_some_and(|address| !is_address(address)) || host_is_number(host.as_ref()) {
            return Err(error());
        }
        let address = address.filter(|address| !matches!(address.as_str(), "" | "*" | "0.0.0.0"));
        if site.trim().is_empty() {
            Err(error())
        } else {
            Ok(Self { site: site.into(), address, port, host })
        }
    }
}

/// Whether a text is what IIS writes for an address: one in numbers, one in brackets, or all of them.
fn is_address(text: &str) -> bool {
    matches!(text, "" | "*") || text.starts_with('[') || text.parse::<Ipv4Addr>().is_ok()
}

/// A second port where the host name stands.
fn host_is_number(host: Option<&DnsName>) -> bool {
    host.is_some_and(|host| host.as_str().bytes().all(|byte| byte.is_ascii_digit()))
}

text_type!(
    SiteBinding,
    "A binding of an IIS site: SITE:PORT, SITE:ADDRESS:PORT or SITE:PORT:HOST.",
    Some("^[^:]+:.*[0-9]")
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_go_both_ways() {
        for text in [
            "Default Web Site:443",
            "Default Web Site:127.0.0.1:443",
            "Exchange Back End:444",
            "Default Web Site:443:autodiscover.contoso.com",
            "Default Web Site:10.0.0.5:443:mail.contoso.com",
            "Default Web Site:[::1]:443",
        ] {
            assert_eq!(text.parse::<SiteBinding>().unwrap().to_string(), text);
        }
        // IIS writes "all addresses" in three ways; http.sys knows one of them (facts 11.1).
        for text in ["Exchange Back End:*:444", "Exchange Back End:0.0.0.0:444:", "Exchange Back End::444:"] {
            assert_eq!(text.parse::<SiteBinding>().unwrap(), SiteBinding::back_end(), "{text}");
        }
        for text in
            ["", "Default Web Site", ":443", "Site:x", "Site:0", "Site:[::1:443", "Site:443:not a host"]
                .into_iter()
                .chain(["Site:443:444", "Site:10.0.0.999:443"])
        {
            assert!(text.parse::<SiteBinding>().is_err(), "{text}");
        }
    }
}
