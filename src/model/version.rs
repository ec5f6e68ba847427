//! Versions of Exchange, and what each of them can do (facts 1.7).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::model::schema::JsonSchema;

/// A release of Exchange Server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Release {
    /// Exchange Server 2007, version 8.
    #[serde(rename = "2007")]
    Exchange2007,
    /// Exchange Server 2010, version 14.
    #[serde(rename = "2010")]
    Exchange2010,
    /// Exchange Server 2013, version 15.0.
    #[serde(rename = "2013")]
    Exchange2013,
    /// Exchange Server 2016, version 15.1.
    #[serde(rename = "2016")]
    Exchange2016,
    /// Exchange Server 2019, version 15.2 before build 2562.
    #[serde(rename = "2019")]
    Exchange2019,
    /// Exchange Server Subscription Edition, version 15.2 from build 2562.
    #[serde(rename = "SE")]
    ExchangeSe,
}

/// The version of one server: the release and its build. Written as its four numbers, `15.2.1544.4`; the text of
/// `AdminDisplayVersion`, `Version 15.2 (Build 1544.4)`, is read too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerVersion {
    major: u16,
    minor: u16,
    build: u16,
    revision: u16,
}

/// What a server does. 2016 and later have only two roles; a Mailbox server of theirs holds all the others
/// (sample S16).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Role {
    /// Mailboxes.
    Mailbox,
    /// Client protocols.
    ClientAccess,
    /// Mail flow inside the organization.
    HubTransport,
    /// Voice.
    UnifiedMessaging,
    /// Mail flow in the perimeter network, without Active Directory.
    EdgeTransport,
}

/// Why a text is not a version of Exchange.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// Not numbers, and not a release with a cumulative update known here.
    #[error(
        "`{0}` is not a version of Exchange; write a release (`2016`, `2019 CU14`, `SE`) or a build (`15.2.1544.4`)"
    )]
    NotAVersion(String),
    /// Numbers of no release of Exchange.
    #[error("version {0} belongs to no release from Exchange 2007 to Exchange SE")]
    NotARelease(String),
}

impl Release {
    /// Every release, oldest first.
    pub const ALL: [Self; 6] = [
        Self::Exchange2007,
        Self::Exchange2010,
        Self::Exchange2013,
        Self::Exchange2016,
        Self::Exchange2019,
        Self::ExchangeSe,
    ];

    /// Its last update known here.
    pub fn last_update(self) -> ServerVersion {
        let numbers = match self {
            Self::Exchange2007 => "8.3.83.6",
            Self::Exchange2010 => "14.3.123.4",
            Self::Exchange2013 => "15.0.1497.2",
            Self::Exchange2016 => "15.1.2507.6",
            Self::Exchange2019 => "15.2.1748.10",
            Self::ExchangeSe => "15.2.2562.17",
        };
        ServerVersion::from_numbers(numbers).expect("the table holds versions")
    }

    /// How many calendar years a certificate made by `New-ExchangeCertificate` lives (facts 1.7).
    pub fn self_signed_years(self) -> u8 {
        match self {
            Self::Exchange2007 => 1,
            Self::Exchange2010
            | Self::Exchange2013
            | Self::Exchange2016
            | Self::Exchange2019
            | Self::ExchangeSe => 5,
        }
    }

    /// Whether `Enable-ExchangeCertificate` has `-DoNotRequireSsl` (facts 3.5); the one of 2007 has not.
    pub fn can_leave_require_ssl(self) -> bool {
        self > Self::Exchange2007
    }

    /// Whether connectors have a `TlsCertificateName`.
    pub fn has_tls_certificate_name(self) -> bool {
        self >= Self::Exchange2013
    }

    /// Whether there are the site Exchange Back End, the Auth certificate and front-end transport.
    pub const fn has_back_end(self) -> bool {
        match self {
            Self::Exchange2007 | Self::Exchange2010 => false,
            Self::Exchange2013 | Self::Exchange2016 | Self::Exchange2019 | Self::ExchangeSe => true,
        }
    }

    /// Whether more than one certificate can serve SMTP at a time.
    pub fn several_smtp_certificates(self) -> bool {
        self > Self::Exchange2007
    }

    /// Whether its certificate cmdlets reach other servers.
    pub fn has_remote_cmdlets(self) -> bool {
        self > Self::Exchange2007
    }

    /// Whether its PFX import understands AES and SHA-256. Windows 2012 R2 and 2016, on which these releases run, do
    /// not (facts 8.2); Exchange 2019 runs on Windows 2019 and later only.
    pub fn reads_modern_pfx(self) -> bool {
        self >= Self::Exchange2019
    }
}

impl ServerVersion {
    /// The release this version belongs to.
    pub fn release(self) -> Release {
        match (self.major, self.minor, self.build) {
            (15, 2, FIRST_SE_BUILD..) => Release::ExchangeSe,
            (15, 2, _) => Release::Exchange2019,
            (15, 1, _) => Release::Exchange2016,
            (15, ..) => Release::Exchange2013,
            (14, ..) => Release::Exchange2010,
            _ => Release::Exchange2007,
        }
    }

    /// Whether it can use ECC certificates after a switch was set: from the hotfix update of April 2024 on, which came
    /// for 2016 CU23 and 2019 CU13 and CU14 (facts 8.4). The build seen is the CU's, so this is "may", not "does".
    pub fn can_use_ecc(self) -> bool {
        match self.release() {
            Release::Exchange2007 | Release::Exchange2010 | Release::Exchange2013 => false,
            Release::Exchange2016 => self.build >= 2507,
            Release::Exchange2019 => self.build >= 1258,
            Release::ExchangeSe => true,
        }
    }

    /// Whether Exchange signs what remote PowerShell sends unless that was switched off: from the update of November 2023 on,
    /// which came for 2016 CU23, 2019 CU12 and CU13 (facts 12.3). The build seen is the CU's, so this is "may", not "does".
    pub fn signs_payloads(self) -> bool {
        match self.release() {
            Release::Exchange2007 | Release::Exchange2010 | Release::Exchange2013 => false,
            Release::Exchange2016 => self.build >= 2507,
            Release::Exchange2019 => self.build >= 1118,
            Release::ExchangeSe => true,
        }
    }

    fn from_numbers(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|number| number.parse::<u16>().ok());
        let version = Self {
            major: numbers.next()??,
            minor: numbers.next()??,
            build: numbers.next().unwrap_or(Some(0))?,
            revision: numbers.next().unwrap_or(Some(0))?,
        };
        numbers.next().is_none().then_some(version)
    }
}

impl FromStr for ServerVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let wanted = text.trim();
        if let Some((_, numbers)) = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)) {
            return Ok(Self::from_numbers(numbers).expect("the table holds versions"));
        }
        let display = wanted.strip_prefix("Version ").unwrap_or(wanted);
        let numbers = display.replace(" (Build ", ".").replace(')', "");
        let version = Self::from_numbers(&numbers)
            .ok_or_else(|| VersionError::NotAVersion(text.chars().take(60).collect()))?;
        match (version.major, version.minor) {
            (8 | 14, _) | (15, 0..=2) => Ok(version),
            _ => Err(VersionError::NotARelease(version.to_string())),
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exchange2007 => "Exchange 2007",
            Self::Exchange2010 => "Exchange 2010",
            Self::Exchange2013 => "Exchange 2013",
            Self::Exchange2016 => "Exchange 2016",
            Self::Exchange2019 => "Exchange 2019",
            Self::ExchangeSe => "Exchange SE",
        })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, build, revision } = self;
        write!(f, "{major}.{minor}.{build}.{revision}")
    }
}

impl fmt::Debug for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The first build of Exchange SE (facts 0.3).
const FIRST_SE_BUILD: u16 = 2562;

/// Names by which a lab or a person may call a version (builds: facts 0.3). A release alone means its last update.
const NAMED: &[(&str, &str)] = &[
    ("2007", "8.3.83.6"),
    ("2007 SP3", "8.3.83.6"),
    ("2010", "14.3.123.4"),
    ("2010 SP1", "14.1.218.15"),
    ("2010 SP2", "14.2.247.5"),
    ("2010 SP3", "14.3.123.4"),
    ("2013", "15.0.1497.2"),
    ("2013 SP1", "15.0.847.32"),
    ("2013 RTM", "15.0.516.32"),
    ("2013 CU1", "15.0.620.29"),
    ("2013 CU2", "15.0.712.24"),
    ("2013 CU3", "15.0.775.38"),
    ("2013 CU4", "15.0.847.32"),
    ("2013 CU5", "15.0.913.22"),
    ("2013 CU6", "15.0.995.29"),
    ("2013 CU7", "15.0.1044.25"),
    ("2013 CU8", "15.0.1076.9"),
    ("2013 CU9", "15.0.1104.5"),
    ("2013 CU10", "15.0.1130.7"),
    ("2013 CU11", "15.0.1156.6"),
    ("2013 CU12", "15.0.1178.4"),
    ("2013 CU13", "15.0.1210.3"),
    ("2013 CU14", "15.0.1236.3"),
    ("2013 CU15", "15.0.1263.5"),
    ("2013 CU16", "15.0.1293.2"),
    ("2013 CU17", "15.0.1320.4"),
    ("2013 CU18", "15.0.1347.2"),
    ("2013 CU19", "15.0.1365.1"),
    ("2013 CU20", "15.0.1367.3"),
    ("2013 CU21", "15.0.1395.4"),
    ("2013 CU22", "15.0.1473.3"),
    ("2013 CU23", "15.0.1497.2"),
    ("2016", "15.1.2507.6"),
    ("2016 RTM", "15.1.225.42"),
    ("2016 CU1", "15.1.396.30"),
    ("2016 CU2", "15.1.466.34"),
    ("2016 CU3", "15.1.544.27"),
    ("2016 CU4", "15.1.669.32"),
    ("2016 CU5", "15.1.845.34"),
    ("2016 CU6", "15.1.1034.26"),
    ("2016 CU7", "15.1.1261.35"),
    ("2016 CU8", "15.1.1415.2"),
    ("2016 CU9", "15.1.1466.3"),
    ("2016 CU10", "15.1.1531.3"),
    ("2016 CU11", "15.1.1591.10"),
    ("2016 CU12", "15.1.1713.5"),
    ("2016 CU13", "15.1.1779.2"),
    ("2016 CU14", "15.1.1847.3"),
    ("2016 CU15", "15.1.1913.5"),
    ("2016 CU16", "15.1.1979.3"),
    ("2016 CU17", "15.1.2044.4"),
    ("2016 CU18", "15.1.2106.2"),
    ("2016 CU19", "15.1.2176.2"),
    ("2016 CU20", "15.1.2242.4"),
    ("2016 CU21", "15.1.2308.8"),
    ("2016 CU22", "15.1.2375.7"),
    ("2016 CU23", "15.1.2507.6"),
    ("2019", "15.2.1748.10"),
    ("2019 RTM", "15.2.221.12"),
    ("2019 CU1", "15.2.330.5"),
    ("2019 CU2", "15.2.397.3"),
    ("2019 CU3", "15.2.464.5"),
    ("2019 CU4", "15.2.529.5"),
    ("2019 CU5", "15.2.595.3"),
    ("2019 CU6", "15.2.659.4"),
    ("2019 CU7", "15.2.721.2"),
    ("2019 CU8", "15.2.792.3"),
    ("2019 CU9", "15.2.858.5"),
    ("2019 CU10", "15.2.922.7"),
    ("2019 CU11", "15.2.986.5"),
    ("2019 CU12", "15.2.1118.7"),
    ("2019 CU13", "15.2.1258.12"),
    ("2019 CU14", "15.2.1544.4"),
    ("2019 CU15", "15.2.1748.10"),
    ("SE", "15.2.2562.17"),
    ("SE RTM", "15.2.2562.17"),
    ("Exchange SE", "15.2.2562.17"),
];

text_type!(
    ServerVersion,
    "A version of Exchange: 2016, 2019 CU14, SE, or a build such as 15.2.1544.4.",
    None
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_servers_and_people_write_them() {
        for (text, release, written) in [
            ("Version 15.2 (Build 986.5)", Release::Exchange2019, "15.2.986.5"),
            ("Version 15.1 (Build 2507.18)", Release::Exchange2016, "15.1.2507.18"),
            ("15.2.2562.17", Release::ExchangeSe, "15.2.2562.17"),
            ("2019 cu14", Release::Exchange2019, "15.2.1544.4"),
            ("2019 CU10", Release::Exchange2019, "15.2.922.7"),
            ("2016 CU21", Release::Exchange2016, "15.1.2308.8"),
            ("2013 SP1", Release::Exchange2013, "15.0.847.32"),
            ("2010 SP3", Release::Exchange2010, "14.3.123.4"),
            ("SE", Release::ExchangeSe, "15.2.2562.17"),
            ("2007", Release::Exchange2007, "8.3.83.6"),
            ("15.0.1497.2", Release::Exchange2013, "15.0.1497.2"),
        ] {
            let version: ServerVersion = text.parse().unwrap();
            assert_eq!((version.release(), version.to_string().as_str()), (release, written), "{text}");
        }
        for text in ["", "2019 CU99", "15", "15.2.1.2.3", "6.5.7638.1", "16.0.1.1", "15.x"] {
            assert!(text.parse::<ServerVersion>().is_err(), "{text}");
        }
    }
}
