//! `Get-ExchangeServer`, and the operating system.

use std::collections::BTreeSet;

use super::bag::{Bag, ObjectError};
use crate::model::{
    names::{DnsName, ServerName},
    server::{OnlineRoot, WebSettings},
    thumbprint::Thumbprint,
    version::{Role, ServerVersion},
};

/// What the directory says of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// `Name`.
    pub name: ServerName,
    /// `Fqdn`.
    pub fqdn: DnsName,
    /// `AdminDisplayVersion`.
    pub version: ServerVersion,
    /// `ServerRole`.
    pub roles: BTreeSet<Role>,
    /// `Site`; of an Edge server the one that it is subscribed to.
    pub site: Option<String>,
}

impl ServerFacts {
    /// Whether it is an Edge Transport server.
    pub fn is_edge(&self) -> bool {
        self.roles.contains(&Role::EdgeTransport)
    }
}

/// Reads an object of `Get-ExchangeServer`.
pub fn exchange_server(bag: &Bag<'_>) -> Result<ServerFacts, ObjectError> {
    Ok(ServerFacts {
        name: bag.parsed_needed("Name")?,
        fqdn: bag.parsed_needed("Fqdn")?,
        version: version(bag)?,
        roles: roles(bag)?,
        site: bag.text("Site").map(str::to_owned),
    })
}

/// The name of the operating system: `Caption` of `Win32_OperatingSystem`.
pub fn operating_system(bag: &Bag<'_>) -> Option<String> {
    bag.text("Caption").map(str::to_owned)
}

/// Reads an object of `Win32_Service`: its name, and whether it runs. The state is in English everywhere.
pub fn windows_service(bag: &Bag<'_>) -> Result<(String, bool), ObjectError> {
    let running = bag.needed("State")?.eq_ignore_ascii_case("Running");
    Ok((bag.needed("Name")?.to_owned(), running))
}

/// Reads what the printed script found of a program beside Exchange: its place, and the certificate that it names.
pub fn other_program(bag: &Bag<'_>) -> Result<(String, Thumbprint), ObjectError> {
    Ok((bag.needed("Program")?.to_owned(), bag.parsed_needed("Thumbprint")?))
}

/// An event of the last days about certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventCount {
    /// Its number.
    pub id: u32,
    /// How often it was logged.
    pub count: u64,
}

/// Reads what the printed script counted in the event logs.
pub fn event(bag: &Bag<'_>) -> Result<EventCount, ObjectError> {
    let id = bag.number("Id").and_then(|id| u32::try_from(id).ok());
    let id = id.or_else(|| bag.text("Id")?.parse().ok()).ok_or(ObjectError::Missing("Id"))?;
    let count = bag.number("Count").and_then(|count| u64::try_from(count).ok());
    Ok(EventCount { id, count: count.unwrap_or(1) })
}

/// Reads what the printed script found of IIS.
pub fn web_settings(bag: &Bag<'_>) -> Result<WebSettings, ObjectError> {
    let is = |property| bag.boolean(property).ok_or(ObjectError::Missing(property));
    Ok(WebSettings { require_ssl: is("RequireSsl")?, extended_protection: is("ExtendedProtection")? })
}

/// The text is in the language of the server, but its numbers always come in the same order.
fn version(bag: &Bag<'_>) -> Result<ServerVersion, ObjectError> {
    const PROPERTY: &str = "AdminDisplayVersion";
    let parts = ["Major", "Minor", "Build", "Revision"].map(|part| bag.inner_number(PROPERTY, part));
    let numbers: Vec<String> = if let [Some(_), Some(_), Some(_), _] = parts {
        parts.into_iter().flatten().map(|number| number.to_string()).collect()
    } else {
        let text = bag.needed(PROPERTY)?;
        let numbers = text.split(|char: char| !char.is_ascii_digit());
        numbers.filter(|number| !number.is_empty()).map(str::to_owned).collect()
    };
    numbers.join(".").parse().map_err(|error| bag.odd(PROPERTY, format!("{error}")))
}

/// The names of the roles when they are in English, else their bits (`Microsoft.Exchange.Data.Directory.
/// SystemConfiguration.ServerRole`), else the switches beside them. A Mailbox server since 2016 says only Mailbox, and
/// its switches say that it is everything else too (sample S16).
fn roles(bag: &Bag<'_>) -> Result<BTreeSet<Role>, ObjectError> {
    const PROPERTY: &str = "ServerRole";
    if let Some(text) = bag.text(PROPERTY) {
        let named = text.split(',').map(|name| {
            let name = name.trim();
            ROLES.iter().find(|(role, _)| role.to_string().eq_ignore_ascii_case(name)).map(|(role, _)| *role)
        });
        if let Some(roles) = named.collect::<Option<BTreeSet<Role>>>() {
            return Ok(roles);
        }
    }
    if let Some(bits) = bag.number(PROPERTY) {
        let roles: BTreeSet<Role> =
            ROLES.iter().filter(|(_, bit)| bits & bit != 0).map(|(role, _)| *role).collect();
        if !roles.is_empty() {
            return Ok(roles);
        }
    }
    let switches = [
        ("IsMailboxServer", Role::Mailbox),
        ("IsClientAccessServer", Role::ClientAccess),
        ("IsHubTransportServer", Role::HubTransport),
        ("IsUnifiedMessagingServer", Role::UnifiedMessaging),
        ("IsEdgeServer", Role::EdgeTransport),
    ];
    let on = switches.into_iter().filter(|(switch, _)| bag.boolean(switch) == Some(true));
    let roles: BTreeSet<Role> = on.map(|(_, role)| role).collect();
    if roles.is_empty() {
        Err(bag.odd(PROPERTY, "no role of Exchange that certwright knows"))
    } else {
        Ok(roles)
    }
}

/// Reads what the printed script found of the root of Exchange Online. Without the policy Windows fetches roots (facts 14).
pub fn online_root(bag: &Bag<'_>) -> Result<OnlineRoot, ObjectError> {
    const PROPERTY: &str = "DigiCertGlobalRootG2";
    let present = bag.boolean(PROPERTY).ok_or(ObjectError::Missing(PROPERTY))?;
    Ok(OnlineRoot { present, fetched: bag.number("DisableRootAutoUpdate").unwrap_or(0) == 0 })
}

const ROLES: [(Role, i128); 5] = [
    (Role::Mailbox, 2),
    (Role::ClientAccess, 4),
    (Role::UnifiedMessaging, 16),
    (Role::HubTransport, 32),
    (Role::EdgeTransport, 64),
];
