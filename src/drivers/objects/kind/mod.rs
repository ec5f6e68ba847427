//! The cmdlets whose objects are read, how their objects are told, and what of them counts.

mod cmdlet;
mod of_organizations;
mod of_servers;

pub use self::cmdlet::{CaptureRecord, CmdletKind, Kind, OrganizationCmdlet, ServerCmdlet};

impl Kind {
    /// The kind of an object with these type names. `Deserialized.` and `Selected.` before them are of no account.
    pub fn of_types<'a>(types: impl IntoIterator<Item = &'a str>) -> Option<&'static Self> {
        types.into_iter().find_map(|name| {
            let name = name.strip_prefix("Deserialized.").unwrap_or(name);
            let name = name.strip_prefix("Selected.").unwrap_or(name);
            KINDS.iter().copied().find(|kind| kind.types.iter().any(|own| own.eq_ignore_ascii_case(name)))
        })
    }

    /// The kind of an object that says no type, as in JSON or after Select-Object, by properties that no other kind has
    /// together.
    pub fn of_properties(names: &[&str]) -> Option<&'static Self> {
        TELLING.iter().find_map(|(kind, telling)| {
            let has = |wanted: &&str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
            telling.iter().all(has).then_some(*kind)
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
        // A number tells one of several files: Get-WebBinding2. A longer word is another cmdlet.
        let after = after.trim_start_matches(|char: char| char.is_ascii_digit());
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

/// Properties that tell a kind when an object has all of them.
static TELLING: [(&Kind, &[&str]); 4] = [
    (&of_servers::EXCHANGE_CERTIFICATE, &["RawData", "Services"]),
    (&of_servers::RECEIVE_CONNECTOR, &["Bindings", "AuthMechanism", "TlsCertificateName"]),
    (&of_organizations::SEND_CONNECTOR, &["AddressSpaces", "SourceTransportServers"]),
    (&of_organizations::AUTH_CONFIG, &["CurrentCertificateThumbprint"]),
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
    &of_organizations::TRANSPORT_CONFIG,
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
    &of_servers::WEB_SETTINGS,
    &of_servers::EDGE_PEERS,
    &of_servers::WINDOWS_SERVICE,
    &of_servers::OTHER_PROGRAMS,
    &of_servers::KEYLESS,
    &of_servers::AUTHORITIES,
    &of_servers::EVENTS,
    &of_servers::OWA,
    &of_servers::ECP,
    &of_servers::EWS,
    &of_servers::ACTIVE_SYNC,
    &of_servers::OAB,
    &of_servers::MAPI,
    &of_servers::POWERSHELL,
    &of_servers::OUTLOOK_ANYWHERE,
    &of_servers::AUTODISCOVER,
    &of_organizations::CAPTURE,
    &of_organizations::ANSWERS,
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
            ("GetSettingOverride1", Some(("Get-SettingOverride", ""))),
            ("Get-WebBinding2.EX01", Some(("Get-WebBinding", "EX01"))),
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
