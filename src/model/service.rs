//! The services that use certificates, and the Windows services that have to be restarted for them.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    schema::JsonSchema,
    version::{Release, Role},
};

/// A value of `Enable-ExchangeCertificate -Services`, in the order certwright shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Service {
    /// Outlook on the web, Exchange ActiveSync, Outlook: the Default Web Site.
    #[serde(rename = "IIS")]
    Iis,
    /// Mail flow: the network service may read the key, so that connectors can choose the certificate.
    #[serde(rename = "SMTP")]
    Smtp,
    /// POP3 clients.
    #[serde(rename = "POP")]
    Pop,
    /// IMAP4 clients.
    #[serde(rename = "IMAP")]
    Imap,
    /// Unified Messaging; Exchange 2007 to 2016.
    #[serde(rename = "UM")]
    Um,
    /// The Unified Messaging call router; Exchange 2013 and 2016.
    #[serde(rename = "UMCallRouter")]
    UmCallRouter,
    /// The federation trust. Shown on its certificate; never enabled by hand.
    // facts 3.4
    #[serde(rename = "Federation")]
    Federation,
}

/// A set of services.
pub type Services = BTreeSet<Service>;

/// Windows services that are restarted together, because together they hold one certificate in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Restartable {
    /// Mail flow, both halves.
    Transport,
    /// Delivery to mailboxes and submission from them, which prove themselves with the internal transport certificate.
    // facts 3.7
    MailboxTransport,
    /// POP3, both halves.
    Pop,
    /// IMAP4, both halves.
    Imap,
    /// Unified Messaging.
    Um,
    /// The Unified Messaging call router.
    UmCallRouter,
    /// The web server: every client protocol and remote PowerShell of the server drop for the time of the restart.
    Iis,
    /// The service that runs the certificate cmdlets and copies the Auth certificate.
    // facts 0.4, 4.4
    ServiceHost,
    /// The application pools of Outlook on the web and the admin center, which cache the Auth certificate.
    // facts 4.4
    WebApps,
}

/// A text that is no service.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a service of Exchange; they are IIS, SMTP, POP, IMAP, UM, UMCallRouter and Federation")]
pub struct NotAService(String);

impl Service {
    /// Every service, in the order certwright shows them.
    pub const ALL: [Self; 7] =
        [Self::Iis, Self::Smtp, Self::Pop, Self::Imap, Self::Um, Self::UmCallRouter, Self::Federation];

    /// The name that Exchange gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iis => "IIS",
            Self::Smtp => "SMTP",
            Self::Pop => "POP",
            Self::Imap => "IMAP",
            Self::Um => "UM",
            Self::UmCallRouter => "UMCallRouter",
            Self::Federation => "Federation",
        }
    }

    /// Its bit in the flags of `AllowedServices` (facts 2.2). UM, Federation and UMCallRouter are inferred from the
    /// documented order; the others were captured.
    pub const fn flag(self) -> u32 {
        match self {
            Self::Imap => 1,
            Self::Pop => 2,
            Self::Um => 4,
            Self::Iis => 8,
            Self::Smtp => 16,
            Self::Federation => 32,
            Self::UmCallRouter => 64,
        }
    }

    /// The services whose bits are set in `flags`.
    pub fn from_flags(flags: u32) -> Services {
        Self::ALL.into_iter().filter(|service| flags & service.flag() != 0).collect()
    }

    /// What has to be restarted before the service shows a certificate that it was just given.
    pub const fn restartable(self) -> Option<Restartable> {
        match self {
            Self::Iis => Some(Restartable::Iis),
            Self::Smtp => Some(Restartable::Transport),
            Self::Pop => Some(Restartable::Pop),
            Self::Imap => Some(Restartable::Imap),
            Self::Um => Some(Restartable::Um),
            Self::UmCallRouter => Some(Restartable::UmCallRouter),
            Self::Federation => None,
        }
    }
}

impl Release {
    /// The services a certificate can be enabled for (facts 1.7). Federation is left out: it is never enabled by hand.
    pub fn services(self) -> &'static [Service] {
        use Service::{Iis, Imap, Pop, Smtp, Um, UmCallRouter};
        match self {
            Self::Exchange2007 | Self::Exchange2010 => &[Iis, Smtp, Pop, Imap, Um],
            Self::Exchange2013 | Self::Exchange2016 => &[Iis, Smtp, Pop, Imap, Um, UmCallRouter],
            Self::Exchange2019 | Self::ExchangeSe => &[Iis, Smtp, Pop, Imap],
        }
    }
}

impl Restartable {
    /// The Windows services of this release, in the order in which they are restarted. The front ends came with 2013; an
    /// Edge server has no front end either.
    pub const fn windows_services(self, release: Release, edge: bool) -> &'static [&'static str] {
        let front_ends = release.has_back_end() && !edge;
        match self {
            Self::Transport if front_ends => &["MSExchangeTransport", "MSExchangeFrontEndTransport"],
            Self::Transport => &["MSExchangeTransport"],
            Self::MailboxTransport if front_ends => &["MSExchangeDelivery", "MSExchangeSubmission"],
            Self::MailboxTransport => &[],
            Self::Pop if front_ends => &["MSExchangePOP3", "MSExchangePOP3BE"],
            Self::Pop => &["MSExchangePOP3"],
            Self::Imap if front_ends => &["MSExchangeIMAP4", "MSExchangeIMAP4BE"],
            Self::Imap => &["MSExchangeIMAP4"],
            Self::Um => &["MSExchangeUM"],
            Self::UmCallRouter => &["MSExchangeUMCR"],
            Self::Iis => &["WAS", "W3SVC"],
            Self::ServiceHost => &["MSExchangeServiceHost"],
            Self::WebApps if matches!(release, Release::Exchange2007) => &["MSExchangeOWAAppPool"],
            Self::WebApps => &["MSExchangeOWAAppPool", "MSExchangeECPAppPool"],
        }
    }

    /// The role that a Windows service belongs to where Exchange 2013 has two: front ends are Client Access, and what is behind
    /// them is Mailbox. None for what every server has.
    pub fn role_of(windows_service: &str) -> Option<Role> {
        match windows_service {
            "MSExchangeFrontEndTransport" | "MSExchangePOP3" | "MSExchangeIMAP4" | "MSExchangeUMCR" => {
                Some(Role::ClientAccess)
            }
            "MSExchangeTransport"
            | "MSExchangeDelivery"
            | "MSExchangeSubmission"
            | "MSExchangePOP3BE"
            | "MSExchangeIMAP4BE"
            | "MSExchangeUM" => Some(Role::Mailbox),
            _ => None,
        }
    }

    /// Why a certificate change needs the restart: the sentence shown in the plan (facts 3.4, 4.4, 6.5).
    pub const fn why(self) -> &'static str {
        match self {
            Self::Transport => "nothing guarantees that transport reads a changed certificate by itself",
            Self::MailboxTransport => {
                "they prove themselves with the internal transport certificate they started with"
            }
            Self::Pop | Self::Imap => "the service keeps the certificate it started with",
            Self::Um | Self::UmCallRouter => "the service reads its certificate when it starts",
            Self::Iis => {
                "Outlook on the web encrypts its cookie with the certificate, and all servers must agree"
            }
            Self::ServiceHost => "the Auth certificate is published and cached by it",
            Self::WebApps => {
                "they keep the certificates they started with: that of Outlook on the web's cookie, and the Auth certificate"
            }
        }
    }
}

/// Services as certwright shows them: `IIS, SMTP`, or `none`.
pub fn list(services: &Services) -> String {
    if services.is_empty() {
        return "none".into();
    }
    services.iter().map(|service| service.name()).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Restartable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transport => "transport",
            Self::MailboxTransport => "mailbox transport",
            Self::Pop => "POP",
            Self::Imap => "IMAP",
            Self::Um => "UM",
            Self::UmCallRouter => "UM call router",
            Self::Iis => "IIS",
            Self::ServiceHost => "Microsoft Exchange Service Host",
            Self::WebApps => "application pools",
        })
    }
}

impl FromStr for Service {
    type Err = NotAService;

    fn from_str(text: &str) -> Result<Self, NotAService> {
        Self::ALL
            .into_iter()
            .find(|service| service.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| NotAService(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_as_captured() {
        for (flags, services) in [
            (27, "IIS, SMTP, POP, IMAP"),
            (16, "SMTP"),
            (8, "IIS"),
            (25, "IIS, SMTP, IMAP"),
            (11, "IIS, POP, IMAP"),
            (17, "SMTP, IMAP"),
            (0, "none"),
        ] {
            assert_eq!(list(&Service::from_flags(flags)), services, "{flags}");
        }
    }
}

/// POP or IMAP, whose certificate is chosen by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MailService {
    /// `Set-PopSettings`.
    #[serde(rename = "POP")]
    Pop,
    /// `Set-ImapSettings`.
    #[serde(rename = "IMAP")]
    Imap,
}

impl MailService {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Pop, Self::Imap];

    /// The service that a certificate is enabled for.
    pub const fn service(self) -> Service {
        match self {
            Self::Pop => Service::Pop,
            Self::Imap => Service::Imap,
        }
    }

    /// The cmdlet that has it look for another name, as advice says it.
    pub const fn renaming(self) -> &'static str {
        match self {
            Self::Pop => "`Set-PopSettings -X509CertificateName`",
            Self::Imap => "`Set-ImapSettings -X509CertificateName`",
        }
    }

    /// What is restarted for it.
    pub const fn restartable(self) -> Restartable {
        match self {
            Self::Pop => Restartable::Pop,
            Self::Imap => Restartable::Imap,
        }
    }

    /// The Windows service that clients connect to.
    pub const fn windows_service(self) -> &'static str {
        match self {
            Self::Pop => "MSExchangePOP3",
            Self::Imap => "MSExchangeIMAP4",
        }
    }
}

impl fmt::Display for MailService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pop => "POP",
            Self::Imap => "IMAP",
        })
    }
}
