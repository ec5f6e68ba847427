//! `Get-SendConnector` and `Get-ReceiveConnector` (facts 6.1).

use std::collections::BTreeSet;

use super::bag::{Bag, ObjectError};
use crate::model::{
    connector::{AuthMechanism, ReceiveConnector, SendConnector, TlsAuthLevel, TransportRole},
    dn::TlsCertificateName,
    names::{ConnectorName, ServerName},
};

/// Reads an object of `Get-SendConnector`.
pub fn send_connector(bag: &Bag<'_>) -> Result<(ConnectorName, SendConnector), ObjectError> {
    let connector = SendConnector {
        source_servers: servers(bag, "SourceTransportServers")?,
        address_spaces: owned(bag.texts("AddressSpaces")?),
        smart_hosts: owned(bag.texts("SmartHosts")?),
        fqdn: bag.parsed("Fqdn")?,
        tls_certificate_name: tls_certificate_name(bag)?,
        require_tls: bag.boolean("RequireTLS").unwrap_or(false),
        tls_auth_level: tls_auth_level(bag)?,
        tls_domain: bag.text("TlsDomain").map(str::to_owned),
        cloud_services_mail: bag.boolean("CloudServicesMailEnabled").unwrap_or(false),
        domain_secure: bag.boolean("DomainSecureEnabled").unwrap_or(false),
        enabled: bag.boolean("Enabled").unwrap_or(true),
    };
    Ok((bag.parsed_needed("Name")?, connector))
}

/// Reads an object of `Get-ReceiveConnector`.
pub fn receive_connector(bag: &Bag<'_>) -> Result<(ConnectorName, ReceiveConnector), ObjectError> {
    let bindings = owned(bag.texts("Bindings")?);
    if bindings.is_empty() {
        return Err(ObjectError::Missing("Bindings"));
    }
    let connector = ReceiveConnector {
        role: transport_role(bag)?,
        bindings,
        fqdn: bag.parsed("Fqdn")?,
        tls_certificate_name: tls_certificate_name(bag)?,
        auth: auth_mechanisms(bag)?,
        tls_domain_capabilities: owned(bag.texts("TlsDomainCapabilities")?),
        require_tls: bag.boolean("RequireTLS").unwrap_or(false),
        remote_ranges: ranges(bag)?,
        domain_secure: bag.boolean("DomainSecureEnabled").unwrap_or(false),
        suppress_anonymous_tls: bag.boolean("SuppressXAnonymousTls").unwrap_or(false),
        enabled: bag.boolean("Enabled").unwrap_or(true),
    };
    Ok((bag.parsed_needed("Name")?, connector))
}

/// `TlsCertificateName` as its text form has it, or put together of its two parts where the text form was lost.
pub(super) fn tls_certificate_name(bag: &Bag<'_>) -> Result<Option<TlsCertificateName>, ObjectError> {
    const PROPERTY: &str = "TlsCertificateName";
    // An object of a directory attribute that cannot be read has neither text nor parts, and is not the same as none.
    if !bag.has(PROPERTY) {
        return Ok(None);
    }
    let parts = || {
        let part = |name| bag.inner_text(PROPERTY, name);
        Some(format!("<I>{}<S>{}", part("CertificateIssuer")?, part("CertificateSubject")?))
    };
    match bag
        .text(PROPERTY)
        .filter(|text| text.to_ascii_lowercase().starts_with("<i>"))
        .map(str::to_owned)
        .or_else(parts)
    {
        Some(text) => text.parse().map(Some).map_err(|error| bag.odd(PROPERTY, format!("{error}"))),
        // An empty text is how a cleared name comes over some sessions.
        None if bag.text(PROPERTY).is_none() && bag.inner(PROPERTY, "CertificateIssuer").is_none() => {
            Ok(None)
        }
        None => Err(bag.odd(PROPERTY, "it has the form <I>issuer<S>subject")),
    }
}

/// Names of servers in a list of directory objects: `EX01`, or with the path before it.
pub(super) fn servers(bag: &Bag<'_>, property: &'static str) -> Result<Vec<ServerName>, ObjectError> {
    let names = bag.texts(property)?.into_iter().map(|text| {
        let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
        name.parse().map_err(|error| bag.odd(property, format!("`{name}` is no server: {error}")))
    });
    names.collect()
}

fn transport_role(bag: &Bag<'_>) -> Result<TransportRole, ObjectError> {
    const PROPERTY: &str = "TransportRole";
    let named =
        |role: &TransportRole| bag.text(PROPERTY).is_some_and(|text| role.name().eq_ignore_ascii_case(text));
    match bag.number(PROPERTY) {
        Some(16384) => Ok(TransportRole::FrontendTransport),
        Some(32) => Ok(TransportRole::HubTransport),
        Some(_) | None => match TransportRole::ALL.iter().find(|role| named(role)) {
            Some(role) => Ok(*role),
            // Before Exchange 2013 there was one role, and the property did not exist.
            None if !bag.has(PROPERTY) => Ok(TransportRole::HubTransport),
            None => Err(bag.odd(PROPERTY, "known are FrontendTransport and HubTransport")),
        },
    }
}

fn auth_mechanisms(bag: &Bag<'_>) -> Result<BTreeSet<AuthMechanism>, ObjectError> {
    const PROPERTY: &str = "AuthMechanism";
    if let Some(bits) = bag.number(PROPERTY) {
        return Ok(AUTH_MECHANISMS
            .iter()
            .filter(|(_, _, bit)| bits & bit != 0)
            .map(|(auth, ..)| *auth)
            .collect());
    }
    let Some(text) = bag.text(PROPERTY) else { return Err(ObjectError::Missing(PROPERTY)) };
    let mut found = BTreeSet::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.eq_ignore_ascii_case("None")) {
        let known = AUTH_MECHANISMS.iter().find(|(_, own, _)| own.eq_ignore_ascii_case(name));
        let (auth, ..) = known.ok_or_else(|| bag.odd(PROPERTY, format!("`{name}` is not known")))?;
        found.insert(*auth);
    }
    Ok(found)
}

fn tls_auth_level(bag: &Bag<'_>) -> Result<Option<TlsAuthLevel>, ObjectError> {
    const PROPERTY: &str = "TlsAuthLevel";
    if !bag.has(PROPERTY) {
        return Ok(None);
    }
    let (number, text) = (bag.number(PROPERTY), bag.text(PROPERTY));
    let found = TLS_AUTH_LEVELS.iter().find(|(_, name, own)| {
        number
            .map_or_else(|| text.is_some_and(|text| name.eq_ignore_ascii_case(text)), |number| number == *own)
    });
    match (found, number, text) {
        (Some((level, ..)), ..) => Ok(Some(*level)),
        (None, None, None) | (None, Some(0), _) => Ok(None),
        (None, ..) => Err(bag.odd(PROPERTY, "it is none of the three levels")),
    }
}

/// The clients that come to a receive connector; none when all do, as setup leaves it.
fn ranges(bag: &Bag<'_>) -> Result<Vec<String>, ObjectError> {
    const ALL: &str = "0.0.0.0-255.255.255.255";
    let ranges = owned(bag.texts("RemoteIPRanges")?);
    Ok(if ranges.iter().any(|range| range == ALL) { Vec::new() } else { ranges })
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

const AUTH_MECHANISMS: [(AuthMechanism, &str, i128); 6] = [
    (AuthMechanism::Tls, "Tls", 1),
    (AuthMechanism::Integrated, "Integrated", 2),
    (AuthMechanism::BasicAuth, "BasicAuth", 4),
    (AuthMechanism::BasicAuthRequireTls, "BasicAuthRequireTLS", 8),
    (AuthMechanism::ExchangeServer, "ExchangeServer", 16),
    (AuthMechanism::ExternalAuthoritative, "ExternalAuthoritative", 32),
];
const TLS_AUTH_LEVELS: [(TlsAuthLevel, &str, i128); 3] = [
    (TlsAuthLevel::EncryptionOnly, "EncryptionOnly", 1),
    (TlsAuthLevel::CertificateValidation, "CertificateValidation", 2),
    (TlsAuthLevel::DomainValidation, "DomainValidation", 3),
];
