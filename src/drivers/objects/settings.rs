//! Settings of the organization and of services.

use std::collections::BTreeSet;

use super::{
    bag::{Bag, ObjectError},
    connector::{servers, tls_certificate_name},
    culture::{DateOrder, moment_of_text},
};
use crate::model::{
    names::{DnsName, OverrideName, ServerName},
    organization::{
        AcceptedDomain, AuthConfig, DomainSecurity, EdgeSubscription, FederationTrust, HybridConfiguration,
        ImOverride,
    },
    server::{MailAccess, MailPorts, UmStartupMode},
    thumbprint::Thumbprint,
    time::{Span, Timestamp},
};

/// Reads an object of `Get-AcceptedDomain`.
pub fn accepted_domain(bag: &Bag<'_>) -> Result<AcceptedDomain, ObjectError> {
    let domain = bag.needed("DomainName")?.to_owned();
    Ok(AcceptedDomain {
        name: bag.text("Name").map_or_else(|| domain.clone(), str::to_owned),
        domain,
        default: bag.boolean("Default").unwrap_or(false),
    })
}

/// Reads an object of `Get-TransportConfig`: the partners of Domain Security.
pub fn domain_security(bag: &Bag<'_>) -> Result<DomainSecurity, ObjectError> {
    let domains = |property| Ok(bag.texts(property)?.into_iter().map(str::to_owned).collect());
    Ok(DomainSecurity {
        send: domains("TLSSendDomainSecureList")?,
        receive: domains("TLSReceiveDomainSecureList")?,
    })
}

/// Reads an object of `Get-HybridConfiguration`.
pub fn hybrid_configuration(bag: &Bag<'_>) -> Result<HybridConfiguration, ObjectError> {
    Ok(HybridConfiguration {
        tls_certificate_name: tls_certificate_name(bag)?,
        receiving_servers: servers(bag, "ReceivingTransportServers")?,
        sending_servers: servers(bag, "SendingTransportServers")?,
        edge_servers: servers(bag, "EdgeTransportServers")?,
    })
}

/// Reads an object of `Get-AuthConfig`. Dates that came as text are read in `order`.
pub fn auth_config(bag: &Bag<'_>, order: DateOrder) -> Result<AuthConfig, ObjectError> {
    Ok(AuthConfig {
        current: bag.parsed("CurrentCertificateThumbprint")?,
        next: bag.parsed("NextCertificateThumbprint")?,
        next_effective: moment(bag, "NextCertificateEffectiveDate", order)?,
        previous: bag.parsed("PreviousCertificateThumbprint")?,
    })
}

/// Reads an object of `Get-FederationTrust`.
pub fn federation_trust(bag: &Bag<'_>) -> Result<FederationTrust, ObjectError> {
    Ok(FederationTrust {
        current: bag.parsed("OrgPrivCertificate")?,
        next: bag.parsed("OrgNextPrivCertificate")?,
    })
}

/// Reads an object of `Get-EdgeSubscription`, without the servers of its site. The printed script adds what the directory
/// holds of the Edge server.
pub fn edge_subscription(bag: &Bag<'_>, order: DateOrder) -> Result<EdgeSubscription, ObjectError> {
    Ok(EdgeSubscription {
        edge: bag.parsed_needed("Name")?,
        site: bag.text("Site").map(str::to_owned),
        site_servers: Vec::new(),
        edge_certificate: bag.parsed("EdgeCertificate")?,
        created: match moment(bag, "CreateUtc", order)? {
            Some(created) => Some(created),
            None => moment(bag, "WhenCreatedUTC", order)?,
        },
    })
}

/// Reads an object of `Get-SettingOverride`; nothing when it is not about instant messaging.
pub fn im_override(bag: &Bag<'_>) -> Result<Option<(OverrideName, ImOverride)>, ObjectError> {
    const PARAMETERS: &str = "Parameters";
    let is = |property, text: &str| bag.text(property).is_some_and(|own| own.eq_ignore_ascii_case(text));
    if !is("ComponentName", "OwaServer") || !is("SectionName", "IMSettings") {
        return Ok(None);
    }
    let parameters = bag.texts(PARAMETERS)?.into_iter().filter_map(|parameter| parameter.split_once('='));
    let mut thumbprints =
        parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("IMCertificateThumbprint"));
    let named = thumbprints.next().map(|(_, text)| text.trim().parse::<Thumbprint>());
    let certificate = named.transpose().map_err(|error| bag.odd(PARAMETERS, error.to_string()))?;
    let servers = bag.texts("Server")?.into_iter().map(str::to_owned).collect();
    Ok(Some((bag.parsed_needed("Name")?, ImOverride { certificate, servers })))
}

/// Whether an object of `Get-SettingOverride` has servers sign in to Microsoft 365 with the dedicated hybrid application.
pub fn is_dedicated_application(bag: &Bag<'_>) -> Result<bool, ObjectError> {
    let section = bag.text("SectionName");
    if !section.is_some_and(|own| own.eq_ignore_ascii_case("ExchangeOnpremAsThirdPartyAppId")) {
        return Ok(false);
    }
    let parameters = bag.texts("Parameters")?.into_iter().filter_map(|parameter| parameter.split_once('='));
    let on = |(name, value): (&str, &str)| {
        name.trim().eq_ignore_ascii_case("Enabled") && value.trim().eq_ignore_ascii_case("true")
    };
    Ok(parameters.into_iter().any(on))
}

/// Reads what an Edge server's directory holds of a server of its site; nothing when that has no certificate.
pub fn edge_peer(bag: &Bag<'_>) -> Result<Option<(ServerName, Thumbprint)>, ObjectError> {
    let of_bytes = || bag.bytes("RawData").map(Thumbprint::of);
    let certificate = bag.parsed("InternalTransportCertificateThumbprint")?.or_else(of_bytes);
    Ok(Some(bag.parsed_needed("Name")?).zip(certificate))
}

/// Reads an object of `Get-TransportService`: the internal transport certificate.
pub fn transport_service(bag: &Bag<'_>) -> Result<Option<Thumbprint>, ObjectError> {
    const PROPERTY: &str = "InternalTransportCertificateThumbprint";
    if bag.names().any(|name| name.eq_ignore_ascii_case(PROPERTY)) {
        bag.parsed(PROPERTY)
    } else {
        Err(ObjectError::Missing(PROPERTY))
    }
}

/// Reads an object of `Get-PopSettings` or `Get-ImapSettings`.
pub fn mail_access(bag: &Bag<'_>) -> Result<MailAccess, ObjectError> {
    let x509_certificate_name: Option<DnsName> = bag.parsed("X509CertificateName")?;
    let ports = match (ports(bag, "UnencryptedOrTLSBindings")?, ports(bag, "SSLBindings")?) {
        // A service that listens nowhere is none: nobody looked.
        (Some(plain), Some(tls)) if plain.is_empty() && tls.is_empty() => None,
        (Some(plain), Some(tls)) => Some(MailPorts { plain, tls }),
        (None, _) | (_, None) => None,
    };
    // HOST:PORT:TLS or SSL. What was cut off there says nothing of the certificate.
    let connections = bag.texts("ExternalConnectionSettings").unwrap_or_default().into_iter();
    let external_names = connections.filter_map(|text| text.split(':').next()?.parse().ok()).collect();
    Ok(MailAccess { x509_certificate_name, ports, external_names })
}

/// The ports of a list of bindings such as `[::]:995` that are reached from other machines; none where the property was not
/// captured.
fn ports(bag: &Bag<'_>, property: &'static str) -> Result<Option<BTreeSet<u16>>, ObjectError> {
    if !bag.has(property) {
        return Ok(None);
    }
    let mut ports = BTreeSet::new();
    for text in bag.texts(property)? {
        let (address, port) = text.rsplit_once(':').ok_or_else(|| bag.odd(property, "no port is in it"))?;
        let port: u16 = port.parse().map_err(|_| bag.odd(property, "its port is no number"))?;
        let is_loopback = matches!(address, "127.0.0.1" | "[::1]" | "::1");
        ports.extend((!is_loopback).then_some(port));
    }
    Ok(Some(ports))
}

/// Reads the mode of an object of `Get-UMService` or `Get-UMCallRouterSettings`.
pub fn um_startup_mode(bag: &Bag<'_>) -> Result<UmStartupMode, ObjectError> {
    const PROPERTY: &str = "UMStartupMode";
    let modes = [UmStartupMode::Tcp, UmStartupMode::Tls, UmStartupMode::Dual];
    let text = bag.text(PROPERTY);
    let named =
        modes.into_iter().find(|mode| text.is_some_and(|text| mode.to_string().eq_ignore_ascii_case(text)));
    match (named, bag.number(PROPERTY)) {
        (Some(mode), _) => Ok(mode),
        (None, Some(number @ 0..=2)) => Ok(modes[usize::try_from(number).unwrap_or(0)]),
        (None, None) if text.is_none() => Err(ObjectError::Missing(PROPERTY)),
        (None, _) => Err(bag.odd(PROPERTY, "known are TCP, TLS and Dual")),
    }
}

/// A date, as PowerShell writes one, or as a text in the language of the server. Exchange keeps it in UTC.
fn moment(bag: &Bag<'_>, property: &'static str, order: DateOrder) -> Result<Option<Timestamp>, ObjectError> {
    if let Some(moment) = bag.moment(property) {
        return Ok(Some(moment.assuming(Span::ZERO)));
    }
    let Some(text) = bag.text(property) else { return Ok(None) };
    moment_of_text(text, order).map(Some).map_err(|why| bag.odd(property, why))
}
