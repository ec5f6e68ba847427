//! The cmdlets whose objects are read, how their objects are told, and what of them counts.

mod of_organizations;
mod of_servers;

/// What a cmdlet gives.
#[derive(Debug)]
pub struct Kind {
    /// The cmdlet.
    pub cmdlet: &'static str,
    /// Other names that files with its objects have.
    pub also: &'static [&'static str],
    /// The type of its objects, or one that they derive from.
    pub types: &'static [&'static str],
    /// Whether the objects are of one server or of the organization.
    pub scope: Scope,
    /// The properties that are read.
    pub used: &'static [&'static str],
    /// Properties that say nothing about certificates, or nothing that another one does not say.
    pub ignored: &'static [&'static str],
}

/// What a kind of object belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The organization.
    Organization,
    /// One server.
    Server,
    /// The capture itself.
    Capture,
}

impl Kind {
    /// The kind of this cmdlet.
    pub fn of_cmdlet(cmdlet: &str) -> Option<&'static Self> {
        KINDS.iter().copied().find(|kind| kind.cmdlet == cmdlet)
    }

    /// The kind of an object with these type names. `Deserialized.` and `Selected.` before them are of no account.
    pub fn of_types<'a>(types: impl IntoIterator<Item = &'a str>) -> Option<&'static Self> {
        types.into_iter().find_map(|name| {
            let name = name.strip_prefix("Deserialized.").unwrap_or(name);
            let name = name.strip_prefix("Selected.").unwrap_or(name);
            KINDS.iter().copied().find(|kind| kind.types.iter().any(|own| own.eq_ignore_ascii_case(name)))
        })
    }

    /// The kind that a file's name tells, and what is left of the name: `EX01.Get-WebBinding` is of EX01.
    pub fn of_file_name(stem: &str) -> Option<(&'static Self, String)> {
        let lower = stem.to_ascii_lowercase();
        let names = KINDS.iter().copied().flat_map(|kind| {
            std::iter::once(kind.cmdlet).chain(kind.also.iter().copied()).map(move |name| (kind, name))
        });
        let found = names.flat_map(|(kind, name)| {
            let written = name.to_ascii_lowercase();
            [written.replace('-', ""), written]
                .into_iter()
                .filter_map(|written| {
                    let at = lower.find(&written)?;
                    Some((kind, at, written.len()))
                })
                .collect::<Vec<_>>()
        });
        // The longest name: Get-ExchangeServerAccessLicense is no Get-ExchangeServer, but Get-TransportServer is one.
        let (kind, at, length) = found.max_by_key(|(_, _, length)| *length)?;
        let (before, after) = (&stem[..at], &stem[at + length..]);
        // A longer word is another cmdlet.
        if after.starts_with(|char: char| char.is_ascii_alphanumeric()) {
            return None;
        }
        let around = |text: &str| text.trim_matches(|char: char| !char.is_ascii_alphanumeric()).to_owned();
        let (before, after) = (around(before), around(after));
        Some((kind, if before.is_empty() { after } else { before }))
    }

    /// Whether a property is read.
    pub fn uses(&self, property: &str) -> bool {
        let own = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(property));
        own(self.used) || own(USED_OF_ALL)
    }

    /// Whether it is known that a property is not read.
    pub fn ignores(&self, property: &str) -> bool {
        let own = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(property));
        own(self.ignored) || own(IGNORED_OF_ALL)
    }
}

/// What tells of every object which organization, which server and which day it is of.
const USED_OF_ALL: &[&str] = &["DistinguishedName", "Identity", "PSComputerName", "WhenChangedUTC"];

/// What every object of the directory and of a remote session has.
const IGNORED_OF_ALL: &[&str] = &[
    "AdminDisplayName",
    "Guid",
    "Id",
    "IsValid",
    "Name", // where it counts, the kind lists it
    "ObjectCategory",
    "ObjectClass",
    "ObjectState",
    "OrganizationId",
    "OriginatingServer",
    "ExchangeObjectId",
    "ExchangeVersion", // of the object's format, not of the server
    "PSShowComputerName",
    "RunspaceId",
    "SerializationData", // the same object once more, for Exchange's own shell; certificates list it
    "WhenChanged",
    "WhenCreated",
    "WhenCreatedUTC",
];

/// Every kind, in the order of the printed script.
pub static KINDS: &[&Kind] = &[
    &of_organizations::EXCHANGE_SERVER,
    &of_organizations::ACCEPTED_DOMAIN,
    &of_organizations::SEND_CONNECTOR,
    &of_organizations::HYBRID_CONFIGURATION,
    &of_organizations::AUTH_CONFIG,
    &of_organizations::FEDERATION_TRUST,
    &of_organizations::EDGE_SUBSCRIPTION,
    &of_organizations::SETTING_OVERRIDE,
    &of_servers::EXCHANGE_CERTIFICATE,
    &of_servers::RECEIVE_CONNECTOR,
    &of_servers::TRANSPORT_SERVICE,
    &of_servers::INTERNAL_TRANSPORT_CERTIFICATE,
    &of_servers::POP_SETTINGS,
    &of_servers::IMAP_SETTINGS,
    &of_servers::UM_SERVICE,
    &of_servers::UM_CALL_ROUTER,
    &of_servers::WEB_BINDING,
    &of_servers::OPERATING_SYSTEM,
    &of_servers::ONLINE_ROOT,
    &of_servers::EDGE_PEERS,
    &of_organizations::CAPTURE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_tell_cmdlet_and_server() {
        for (stem, expected) in [
            ("EX01.Get-ExchangeCertificate", Some(("Get-ExchangeCertificate", "EX01"))),
            ("Get-ExchangeCertificate", Some(("Get-ExchangeCertificate", ""))),
            ("GetExchangeCertificate", Some(("Get-ExchangeCertificate", ""))),
            (
                "getexchangecertificate_ex02.contoso.com",
                Some(("Get-ExchangeCertificate", "ex02.contoso.com")),
            ),
            ("EX-01 - Get-WebBinding", Some(("Get-WebBinding", "EX-01"))),
            ("GetInternalTransportCertificateFromServer", Some(("Get-InternalTransportCertificate", ""))),
            ("Get-ExchangeServerAccessLicense", None),
            ("certificates", None),
            ("", None),
        ] {
            let found = Kind::of_file_name(stem);
            let found = found.as_ref().map(|(kind, rest)| (kind.cmdlet, rest.as_str()));
            assert_eq!(found, expected, "{stem}");
        }
    }

    #[test]
    fn no_property_is_both_used_and_ignored() {
        for kind in KINDS {
            for name in kind.used {
                assert!(!kind.ignored.contains(name), "{}: {name}", kind.cmdlet);
            }
        }
    }

    #[test]
    fn types_are_told_in_every_dress() {
        let plain = "Microsoft.Exchange.Data.Directory.SystemConfiguration.ReceiveConnector";
        for prefix in ["", "Deserialized.", "Selected.", "Deserialized.Selected."] {
            let name = format!("{prefix}{plain}");
            assert_eq!(Kind::of_types([name.as_str()]).unwrap().cmdlet, "Get-ReceiveConnector");
        }
        assert!(Kind::of_types(["System.Object"]).is_none());
    }
}
