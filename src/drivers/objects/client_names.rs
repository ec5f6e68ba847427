//! The URLs and host names of virtual directories, Outlook Anywhere and Autodiscover.

use super::bag::Bag;
use crate::model::{client_names::ClientNames, names::DnsName};

/// Reads the names that an object sends clients to over TLS. What is no name of a host is nobody's to cover.
pub fn client_names(bag: &Bag<'_>) -> ClientNames {
    let hosts = |properties: &[&'static str]| {
        properties.iter().filter_map(|property| bag.text(property).and_then(host)).collect()
    };
    ClientNames {
        internal: hosts(&["InternalUrl", "InternalHostname", "AutoDiscoverServiceInternalUri"]),
        external: hosts(&["ExternalUrl", "ExternalHostname"]),
    }
}

/// The host of an https URL, or a host name by itself. Without TLS no certificate is asked.
fn host(text: &str) -> Option<DnsName> {
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest,
        Some(_) => return None,
        None => text,
    };
    let host = rest.split(['/', ':', '?', '#']).next()?;
    host.parse::<DnsName>().ok().filter(|name| name.as_str().contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_behind_tls_count() {
        for (text, expected) in [
            ("https://mail.contoso.com/owa", Some("mail.contoso.com")),
            ("HTTPS://Mail.contoso.com:443/ews", Some("mail.contoso.com")),
            ("mail.contoso.com", Some("mail.contoso.com")),
            ("http://ex01.contoso.com/powershell", None),
            ("https://ex01/owa", None),
            ("", None),
        ] {
            let found = host(text).map(|name| name.as_str().to_lowercase());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
