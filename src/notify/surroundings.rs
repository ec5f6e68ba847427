//! Which proxy leads to a host, as the environment says it: `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, as curl reads them.

use std::net::IpAddr;

use url::Host;

use crate::remoting::{Proxy, ProxyError};

/// Why a variable names no proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} names no proxy that can be used")]
pub struct BadProxy {
    /// The variable.
    pub variable: &'static str,
    /// Why not.
    #[source]
    pub source: ProxyError,
}

/// The proxy to this host and port, out of these variables. This machine is never behind one.
pub(super) fn proxy(
    variable: impl Fn(&str) -> Option<String>,
    host: &Host<&str>,
    port: u16,
) -> Result<Option<Proxy>, BadProxy> {
    let set = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let is_out = NO_PROXY.iter().find_map(|name| set(name)).is_some_and(|list| is_exempt(&list, host, port));
    if is_this_machine(host) || is_out {
        return Ok(None);
    }
    let named = PROXY.iter().find_map(|name| set(name).map(|address| (*name, address)));
    let Some((variable, address)) = named else { return Ok(None) };
    Proxy::new(&address).map(Some).map_err(|source| BadProxy { variable, source })
}

/// Whether an address is this machine's own.
pub(super) fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether a list has this host: a name with all below it, an address, either with a port, or `*`.
fn is_exempt(list: &str, host: &Host<&str>, port: u16) -> bool {
    list.split([',', ' ']).map(str::trim).filter(|item| !item.is_empty()).any(|item| {
        if item == "*" {
            return true;
        }
        let (name, only) = match item.rsplit_once(':') {
            // An address of IPv6 has colons of its own.
            Some((name, only)) if !name.contains(':') || name.ends_with(']') => (name, Some(only)),
            _ => (item, None),
        };
        if only.is_some_and(|only| only.parse() != Ok(port)) {
            return false;
        }
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let same = |address: IpAddr| name.parse() == Ok(address);
        match host {
            Host::Ipv4(address) => same((*address).into()),
            Host::Ipv6(address) => same((*address).into()),
            Host::Domain(host) => {
                let name = name.trim_start_matches('.').trim_end_matches('.').to_ascii_lowercase();
                let above = host.strip_suffix(name.as_str());
                !name.is_empty() && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
        }
    })
}

/// Those that name a proxy for `https`, the first that is set.
const PROXY: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const NO_PROXY: [&str; 2] = ["no_proxy", "NO_PROXY"];

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn proxy_to(url: &str, variables: &[(&str, &str)]) -> Result<Option<String>, BadProxy> {
        let url = Url::parse(url).unwrap();
        let of = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let found = proxy(of, &url.host().unwrap(), url.port_or_known_default().unwrap());
        found.map(|proxy| proxy.map(|proxy| proxy.to_string()))
    }

    #[test]
    fn the_environment_names_a_proxy_and_who_is_not_behind_it() {
        let hook = "https://hooks.example.com/x";
        let https = ("HTTPS_PROXY", "http://proxy:3128");
        let through = Ok(Some("the proxy proxy:3128".to_owned()));
        assert_eq!(proxy_to(hook, &[]), Ok(None));
        assert_eq!(proxy_to(hook, &[("HTTPS_PROXY", "")]), Ok(None));
        assert_eq!(proxy_to(hook, &[https]), through);
        assert_eq!(proxy_to(hook, &[("all_proxy", "proxy:3128")]), through);
        // HTTP_PROXY is for http://, which goes to this machine only.
        assert_eq!(proxy_to(hook, &[("HTTP_PROXY", "http://proxy:3128")]), Ok(None));
        for machine in ["http://localhost:1/", "https://127.0.0.1/", "https://[::1]/"] {
            assert_eq!(proxy_to(machine, &[https]), Ok(None));
        }
        for out in [
            "*",
            "example.com",
            ".example.com",
            "x, HOOKS.example.com",
            "example.com:443",
            "a hooks.example.com",
        ] {
            assert_eq!(proxy_to(hook, &[https, ("no_proxy", out)]), Ok(None), "{out}");
        }
        for not in ["ample.com", "example.com:8443", "other.example.com", "10.0.0.1", ",", "com.example"] {
            assert_eq!(proxy_to(hook, &[https, ("NO_PROXY", not)]), through, "{not}");
        }
        for (url, out) in [
            ("https://10.0.0.1/", "10.0.0.1"),
            ("https://[fd00::1]/", "fd00::1"),
            ("https://[fd00::1]:8/", "[fd00::1]:8"),
        ] {
            assert_eq!(proxy_to(url, &[https, ("NO_PROXY", out)]), Ok(None), "{out}");
            assert_eq!(proxy_to(url, &[https, ("NO_PROXY", "10.0.0.2,fd00::2")]), through, "{out}");
        }
        let wrong = proxy_to(hook, &[("HTTPS_PROXY", "socks5://me:hunter2@proxy")]).unwrap_err();
        assert_eq!(wrong, BadProxy { variable: "HTTPS_PROXY", source: ProxyError::Scheme });
    }
}
