//! Names: of servers, connectors, certificates in the manifest, DNS. Parsed once, compared as Exchange compares them. They are
//! copied wherever something is said of a server or a connector, so that a copy shares the text.

mod balancer;
mod look_alikes;

use std::{fmt, net::Ipv4Addr, str::FromStr, sync::Arc};

pub use self::balancer::{BalancerName, PeerName};
use self::look_alikes::look_alike;
use super::text::on_one_line;

/// Why a text is not the name it should be.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// Empty, or only blanks.
    #[error("the {0} is empty; write one, or take the entry out")]
    Empty(&'static str),
    /// Longer than Exchange or DNS takes.
    #[error("this {what} has {length} characters; shorten it to {limit}: `{start}…`")]
    TooLong {
        /// Which kind of name.
        what: &'static str,
        /// Its length in characters.
        length: usize,
        /// How many are allowed.
        limit: usize,
        /// How it begins.
        start: String,
    },
    /// Holds a character that no such name can hold.
    #[error("`{text}` cannot be {article} {what}: {why}", article = article(what))]
    Malformed {
        /// Which kind of name.
        what: &'static str,
        /// The text.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// Not the name of a load balancer.
    #[error(
        "`{0}` is not the name of a load balancer; letters, digits, `-` and `_` are fine, at most 63, and it begins with a letter, a digit or `_`"
    )]
    Balancer(String),
}

/// A DNS name, or a wildcard for one label such as `*.contoso.com`. Compared without regard to case; keeps its spelling.
///
/// `New-ExchangeCertificate -DomainName` takes names of at most 255 characters made of letters, digits and hyphens
/// (facts 1.1); DNS itself takes 253 (RFC 1035: 255 octets with the lengths of the labels). A single label is a name too: certificates of setup carry the NetBIOS name. Underscores are let in
/// because certificates in the field have them.
#[derive(Clone)]
pub struct DnsName(Arc<str>);

/// The name of an Exchange server, as `Get-ExchangeServer` shows it (its NetBIOS name).
#[derive(Clone)]
pub struct ServerName(Arc<str>);

/// The name of a send or receive connector, without the `SERVER\` in front.
#[derive(Clone)]
pub struct ConnectorName(Arc<str>);

/// The name of a setting override (`Get-SettingOverride`).
#[derive(Clone)]
pub struct OverrideName(Arc<str>);

/// The name a manifest gives a certificate. It is ours alone; Exchange never sees it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateName(Arc<str>);

/// The name a manifest gives an issuer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerName(Arc<str>);

/// The name a manifest gives the organization. It is typed to confirm what cannot be undone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationName(Arc<str>);

/// What Windows shows beside a certificate. Exchange takes fewer than 64 characters (facts 1.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FriendlyName(Arc<str>);

impl DnsName {
    /// Whether this name, taken from a certificate, is good for `host`. A wildcard stands for exactly one label
    /// (RFC 6125 section 6.4.3; what Exchange does with more is unverified, facts 5.1).
    pub fn covers(&self, host: &Self) -> bool {
        if self == host {
            return true;
        }
        let Some(domain) = self.0.strip_prefix("*.") else { return false };
        if host.is_address() {
            return false;
        }
        host.0.split_once('.').is_some_and(|(label, rest)| label != "*" && rest.eq_ignore_ascii_case(domain))
    }

    /// Whether it stands for all names below a domain.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// Whether it is an IPv4 address, which certificates have as an iPAddress and not as a name (facts 1.9).
    pub fn is_address(&self) -> bool {
        self.0.parse::<Ipv4Addr>().is_ok()
    }

    /// Whether it has only characters that host names have: DNS takes more, such as underscores.
    pub fn is_host_name(&self) -> bool {
        self.0.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.'))
    }

    /// Whether it has only one label, as NetBIOS names do.
    pub fn is_single_label(&self) -> bool {
        !self.0.contains('.')
    }
}

impl FromStr for DnsName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "DNS name";
        let malformed = |why: String| NameError::Malformed { what: WHAT, text: shortened(text), why };
        bounded(WHAT, text, 253)?;
        if let Some(odd) = text.chars().find(|char| !char.is_ascii()) {
            return Err(malformed(match look_alike(odd) {
                Some(told) => format!("it holds {told}"),
                None if odd.is_alphabetic() => format!(
                    "it holds `{}`; write international names in their ASCII form, xn--…",
                    odd.escape_debug()
                ),
                None => format!(
                    "it holds `{}`, which is no letter, digit or hyphen; take it out",
                    odd.escape_debug()
                ),
            }));
        }
        if text == "*" {
            return Err(malformed(
                "it stands for every name there is; write `*.` and a domain: *.contoso.com".into(),
            ));
        }
        if text.trim_matches(['[', ']']).parse::<std::net::Ipv6Addr>().is_ok() {
            return Err(malformed(
                "it is an IPv6 address, which no certificate of certwright names; write a name that leads to it".into(),
            ));
        }
        if let Some(rest) = text.strip_suffix('.').filter(|rest| rest.parse::<Self>().is_ok()) {
            return Err(malformed(format!("it ends in a dot, which no certificate has; write `{rest}`")));
        }
        if let Some(rest) = text.strip_prefix('.').filter(|rest| rest.parse::<Self>().is_ok()) {
            return Err(malformed(format!(
                "it begins with a dot; write `*.{rest}` for all names of the domain, or `{rest}`"
            )));
        }
        let labels = text.strip_prefix("*.").unwrap_or(text);
        for label in labels.split('.') {
            let odd = label.chars().find(|char| !char.is_ascii_alphanumeric() && !matches!(char, '-' | '_'));
            match odd {
                Some('*') => return Err(malformed("a `*` stands alone, as the first label".into())),
                Some(odd) => return Err(malformed(format!("it holds `{}`", odd.escape_debug()))),
                None if label.is_empty() => {
                    return Err(malformed("a label between two dots is empty".into()));
                }
                None if label.len() > 63 => {
                    return Err(malformed("a label has more than 63 characters".into()));
                }
                None if label.starts_with('-') || label.ends_with('-') => {
                    return Err(malformed("a label begins or ends with a hyphen".into()));
                }
                None => {}
            }
        }
        Ok(Self(text.into()))
    }
}

impl ServerName {
    /// How many characters a NetBIOS name has at most (Microsoft Learn, "Naming conventions in Active Directory").
    pub const LONGEST_NETBIOS: usize = 15;
}

impl FromStr for ServerName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        const WHAT: &str = "server name";
        bounded(WHAT, text, 63)?;
        match text.chars().find(|char| !char.is_ascii_alphanumeric() && !matches!(char, '-' | '_')) {
            Some('.') => Err(NameError::Malformed {
                what: WHAT,
                text: shortened(text),
                why: "it holds a dot; write the short name here and the full one as `fqdn`".into(),
            }),
            Some(odd) => Err(NameError::Malformed {
                what: WHAT,
                text: shortened(text),
                why: match look_alike(odd) {
                    Some(told) => format!("it holds {told}"),
                    None => format!(
                        "it holds `{}`; write the short name as `Get-ExchangeServer` shows it: letters, digits and hyphens",
                        odd.escape_debug()
                    ),
                },
            }),
            None => Ok(Self(text.into())),
        }
    }
}

/// Names that are free text, but for control characters and length.
macro_rules! free_text {
    ($type:ident, $what:literal, $limit:expr) => {
        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                bounded($what, text, $limit)?;
                match text.chars().find(|char| char.is_control()) {
                    Some(odd) => Err(NameError::Malformed {
                        what: $what,
                        text: shortened(text),
                        why: format!("it holds the control character `{}`", odd.escape_debug()),
                    }),
                    None => Ok(Self(text.into())),
                }
            }
        }
    };
}

/// Names of ours: what can also be a file name on every system.
macro_rules! identifier {
    ($type:ident, $what:literal) => {
        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                bounded($what, text, 64)?;
                let odd = text
                    .chars()
                    .find(|char| !char.is_ascii_alphanumeric() && !matches!(char, '-' | '_' | '.'));
                match odd {
                    None if !text.starts_with(['.', '-']) => Ok(Self(text.into())),
                    None => Err(NameError::Malformed {
                        what: $what,
                        text: shortened(text),
                        why: "it begins with a dot or a hyphen".into(),
                    }),
                    Some(odd) => Err(NameError::Malformed {
                        what: $what,
                        text: shortened(text),
                        why: format!(
                            "it holds `{}`; letters, digits, `-`, `_` and `.` are fine",
                            odd.escape_debug()
                        ),
                    }),
                }
            }
        }
    };
}

/// Length of a name, and that it is not blank.
fn bounded(what: &'static str, text: &str, limit: usize) -> Result<(), NameError> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        Err(NameError::Empty(what))
    } else if length > limit {
        Err(NameError::TooLong { what, length, limit, start: text.chars().take(24).collect() })
    } else {
        Ok(())
    }
}

fn article(what: &str) -> &'static str {
    if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

fn shortened(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    on_one_line(&short).into_owned()
}

/// Text that is shown as it is.
macro_rules! shown_as_is {
    ($type:ident) => {
        impl $type {
            /// The text as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($type), self.0)
            }
        }
    };
}

shown_as_is!(FriendlyName);
shown_as_is!(OrganizationName);
shown_as_is!(CertificateName);
shown_as_is!(IssuerName);

free_text!(ConnectorName, "connector name", 255);
free_text!(OverrideName, "setting override's name", 255);
free_text!(FriendlyName, "friendly name", 63);
free_text!(OrganizationName, "organization name", 64);
identifier!(CertificateName, "name of a certificate");
identifier!(IssuerName, "name of an issuer");
caseless!(DnsName);
caseless!(ServerName);
caseless!(ConnectorName);
caseless!(OverrideName);
text_type!(
    DnsName,
    "A DNS name of at most 253 characters, or a wildcard for one label: *.contoso.com.",
    Some(r"^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$")
);
text_type!(
    ServerName,
    "The short (NetBIOS) name of an Exchange server, as Get-ExchangeServer shows it.",
    Some("^[A-Za-z0-9_-]{1,63}$")
);
text_type!(ConnectorName, "The name of a connector, without the server in front.", None);
text_type!(OverrideName, "The name of a setting override.", None);
text_type!(
    CertificateName,
    "The name of a certificate in this manifest.",
    Some("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")
);
text_type!(IssuerName, "The name of an issuer in this manifest.", Some("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"));
text_type!(
    FriendlyName,
    "What Windows shows beside the certificate; fewer than 64 characters.",
    Some("^.{1,63}$")
);

text_type!(OrganizationName, "The name of the organization, at most 64 characters.", Some("^.{1,64}$"));

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(text: &str) -> DnsName {
        text.parse().unwrap()
    }

    #[test]
    fn covering() {
        for (what, certificate, host, covered) in [
            ("the same name", "mail.contoso.com", "mail.contoso.com", true),
            ("case is no difference", "Mail.Contoso.COM", "mail.contoso.com", true),
            ("wildcard covers one label", "*.contoso.com", "mail.contoso.com", true),
            ("wildcard covers one label only", "*.contoso.com", "a.b.contoso.com", false),
            ("wildcard does not cover the domain itself", "*.contoso.com", "contoso.com", false),
            ("wildcard does not cover a wildcard above it", "*.contoso.com", "*.com", false),
            ("wildcard covers the same wildcard", "*.contoso.com", "*.CONTOSO.com", true),
            ("a name does not cover a wildcard", "mail.contoso.com", "*.contoso.com", false),
            ("single labels are equal or not", "EX01", "ex01", true),
            ("wildcard does not cover a single label", "*.contoso.com", "EX01", false),
        ] {
            assert_eq!(dns(certificate).covers(&dns(host)), covered, "{what}");
        }
    }

    #[test]
    fn names_that_are_none() {
        let long = format!("{}.com", "a".repeat(252));
        for (text, says) in [
            ("", "is empty"),
            ("mail contoso", "it holds ` `"),
            ("mail..com", "empty"),
            (".com", "begins with a dot; write `*.com`"),
            ("mail.com.", "ends in a dot, which no certificate has; write `mail.com`"),
            ("..com", "empty"),
            ("“mail.com”", "no letter"),
            ("-a.com", "hyphen"),
            ("a.*.com", "stands alone"),
            ("*a.com", "stands alone"),
            ("münchen.de", "xn--"),
            ("https://mail.contoso.com", "it holds `:`"),
            (&long, "has 256 characters; shorten it to 253"),
        ] {
            let error = text.parse::<DnsName>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert!("ex01.contoso.com".parse::<ServerName>().unwrap_err().to_string().contains("`fqdn`"));
        assert!("x".repeat(64).parse::<FriendlyName>().is_err());
        assert!("../up".parse::<CertificateName>().is_err());
        assert!("Default\u{7}".parse::<ConnectorName>().is_err());
    }

    #[test]
    fn connectors_and_servers_compare_without_case() {
        assert_eq!("EX01".parse::<ServerName>().unwrap(), "ex01".parse().unwrap());
        assert_eq!(
            "Default Frontend EX01".parse::<ConnectorName>().unwrap(),
            "default frontend ex01".parse().unwrap()
        );
    }
}
