//! Addresses of mail, as they are said in SMTP.

use std::{fmt, str::FromStr};

/// An address such as `admin@contoso.com`, without anything that could end a command of SMTP or a line of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAddress(String);

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no mail address; write one such as admin@contoso.com")]
pub struct NoMailAddress(String);

impl MailAddress {
    /// The part behind the sign.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for MailAddress {
    type Err = NoMailAddress;

    /// Quoted local parts are not taken: nobody's test mailbox has one.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|char| char.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(char))
        };
        match text.split_once('@') {
            Some((local, domain)) if plain(local) && plain(domain) && text.len() <= LONGEST => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NoMailAddress(text.escape_debug().take(LONGEST).collect())),
        }
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 5321 section 4.5.3.1.3, without the angle brackets.
const LONGEST: usize = 254;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_end_a_command_is_no_address() {
        for text in [
            "",
            "admin",
            "@contoso.com",
            "admin@",
            "a b@contoso.com",
            "a@b@c",
            "a>@contoso.com",
            "a@contoso.com\r\nDATA",
        ] {
            assert!(text.parse::<MailAddress>().is_err(), "{text:?}");
        }
        assert_eq!("o'neil+test@contoso.com".parse::<MailAddress>().unwrap().domain(), "contoso.com");
    }
}
