//! What the certificate cmdlets change on a server, and what they refuse (facts 1, 3, 7, 8).

pub mod auth;
mod requests;

pub use self::requests::{complete, remove_request, request};
use super::{
    refusal::{Refusal, Why},
    services, shell,
};
use crate::model::{
    action::{DefaultSmtp, SideEffect},
    dn::TlsCertificateName,
    fact::Fact,
    key::PublicKey,
    names::{ConnectorName, DnsName, ServerName},
    organization::Organization,
    server::{BindingStore, Server, StoredCertificate, UmStartupMode},
    service::{MailService, Service, Services},
    site::SiteBinding,
    thumbprint::Thumbprint,
    time::Timestamp,
    version::Release,
};

/// Puts a certificate into the server's store: `Import-` and `New-ExchangeCertificate`. A keyless copy of the same
/// certificate is in the way too (facts 8.3).
pub fn store(
    organization: &mut Organization,
    name: &ServerName,
    stored: StoredCertificate,
) -> Result<(), Refusal> {
    let server = through_shell(organization, name)?;
    let thumbprint = stored.certificate.thumbprint;
    if let Some(store) = server.certificates.known_mut() {
        if store.0.contains_key(&thumbprint) {
            return Err(refuse(name, Why::AlreadyExists(thumbprint)));
        }
        store.0.insert(thumbprint, stored);
    }
    services::refresh(server);
    Ok(())
}

/// `Enable-ExchangeCertificate`: additive, never takes a service away (facts 3.1).
pub fn enable(
    organization: &mut Organization,
    name: &ServerName,
    thumbprint: Thumbprint,
    wanted: &Services,
    default_smtp: DefaultSmtp,
) -> Result<Vec<SideEffect>, Refusal> {
    let server = through_shell(organization, name)?;
    let stored = usable(server, name, thumbprint)?;
    let wildcard = stored
        .as_ref()
        .is_some_and(|stored| stored.certificate.subject.common_name().is_some_and(is_wildcard));
    let mail_name = stored.as_ref().and_then(mail_name);
    if let Some(release) = server.version.known().map(|version| version.release()) {
        let missing = wanted
            .iter()
            .find(|service| !release.services().contains(service) && **service != Service::Federation);
        if let Some(service) = missing {
            return Err(refuse(name, Why::NoSuchService(*service, release)));
        }
    }
    if let Some(service) = wanted.iter().find(|service| server.starts_in_tcp(**service)) {
        return Err(refuse(name, Why::UmStartupModeTcp(*service)));
    }
    if let Some((connector, _)) = unusable_connector(server).filter(|_| wanted.contains(&Service::Smtp)) {
        return Err(refuse(name, Why::ConnectorFqdn(connector.clone())));
    }
    let mut effects = Vec::new();
    for service in wanted {
        match service {
            Service::Iis => {
                effects.extend(bind_default_web_site(server, thumbprint));
                effects.extend(require_ssl(server));
            }
            Service::Smtp => {
                let had = stored
                    .as_ref()
                    .and_then(|stored| stored.services.known())
                    .is_some_and(|had| had.contains(service));
                own_service(server, thumbprint, *service);
                effects.extend((!had).then_some(SideEffect::KeyAccess));
                effects.extend(default_smtp_certificate(server, thumbprint, default_smtp));
            }
            Service::Pop | Service::Imap => {
                let service = if *service == Service::Pop { MailService::Pop } else { MailService::Imap };
                if wildcard {
                    effects.push(SideEffect::WildcardNotForMailAccess { service });
                } else if let Some(mail_name) = &mail_name {
                    effects.extend(name_mail_access(server, service, mail_name));
                }
            }
            Service::Um | Service::UmCallRouter => {
                // The service object holds one certificate, so the flag moves (inferred from facts 0.4).
                take_from_all(server, *service);
                own_service(server, thumbprint, *service);
            }
            // "Don't use" (facts 3.4): nothing comes of it.
            Service::Federation => {}
        }
    }
    services::refresh(server);
    Ok(effects)
}

/// A receive connector whose `Fqdn` keeps every certificate of the server from being enabled for SMTP, with that name: one
/// with characters that no host name has. Documented since 2016 (facts 3.10).
pub fn unusable_connector(server: &Server) -> Option<(&ConnectorName, &DnsName)> {
    let release = server.version.known().map(|version| version.release());
    let connectors = server
        .receive_connectors
        .known()
        .filter(|_| release.is_none_or(|release| release >= Release::Exchange2016))?;
    connectors.iter().find_map(|(name, connector)| {
        Some((name, connector.fqdn.as_ref().filter(|fqdn| !fqdn.is_host_name())?))
    })
}

/// Sets the certificate of one IIS binding, as `AddSslCertificate` does: http.sys takes it at once (facts 11.2).
pub fn bind_site(
    organization: &mut Organization,
    name: &ServerName,
    site: &SiteBinding,
    thumbprint: Option<Thumbprint>,
) -> Result<(), Refusal> {
    let server = server_mut(organization, name)?;
    if let (Some(store), Some(thumbprint)) = (server.certificates.known(), thumbprint)
        && !store.0.contains_key(&thumbprint)
    {
        return Err(refuse(name, Why::NotFound(thumbprint)));
    }
    if let Some(sites) = server.sites.known_mut() {
        let hash = sites.get_mut(site).ok_or_else(|| refuse(name, Why::NoSuchBinding(site.to_string())))?;
        *hash = thumbprint;
    }
    if server.other_stores.get(site) != Some(&BindingStore::Central) {
        server.other_stores.remove(site);
    }
    services::refresh(server);
    Ok(())
}

/// `Set-PopSettings` or `Set-ImapSettings -X509CertificateName`.
pub fn set_x509_certificate_name(
    organization: &mut Organization,
    name: &ServerName,
    service: MailService,
    to: Option<&DnsName>,
) -> Result<(), Refusal> {
    let server = through_shell(organization, name)?;
    let settings = match service {
        MailService::Pop => &mut server.pop,
        MailService::Imap => &mut server.imap,
    };
    if let Some(settings) = settings.known_mut() {
        let exchange_service = if service == MailService::Pop { Service::Pop } else { Service::Imap };
        let release = server.version.known().map_or(Release::ExchangeSe, |version| version.release());
        let settings =
            settings.as_mut().ok_or_else(|| refuse(name, Why::NoSuchService(exchange_service, release)))?;
        settings.x509_certificate_name = to.cloned();
    }
    services::refresh(server);
    Ok(())
}

/// `Set-UMService` or `Set-UMCallRouterSettings -UMStartupMode` (facts 3.4).
pub fn set_um_startup_mode(
    organization: &mut Organization,
    name: &ServerName,
    call_router: bool,
    mode: UmStartupMode,
) -> Result<(), Refusal> {
    let server = through_shell(organization, name)?;
    let release = server.version.known().map_or(Release::ExchangeSe, |version| version.release());
    if let Some(um) = server.um.known_mut() {
        let service = if call_router { Service::UmCallRouter } else { Service::Um };
        let missing = || refuse(name, Why::NoSuchService(service, release));
        let um = um.as_mut().ok_or_else(missing)?;
        let setting = if call_router { &mut um.call_router } else { &mut um.service };
        *setting.as_mut().ok_or_else(missing)? = mode;
    }
    Ok(())
}

/// `Set-ReceiveConnector -TlsCertificateName`.
pub fn repoint_receive(
    organization: &mut Organization,
    name: &ServerName,
    connector: &ConnectorName,
    to: Option<TlsCertificateName>,
) -> Result<(), Refusal> {
    let server = through_shell(organization, name)?;
    if server.version.known().is_some_and(|version| !version.release().has_tls_certificate_name()) {
        return Err(refuse(name, Why::NoTlsCertificateName));
    }
    if let Some(connectors) = server.receive_connectors.known_mut() {
        let found = connectors.get_mut(connector);
        found.ok_or_else(|| refuse(name, Why::NoSuchConnector(connector.clone())))?.tls_certificate_name = to;
    }
    Ok(())
}

/// `Set-SendConnector -TlsCertificateName`. The text is stored as it is: whether a certificate fits is found out when
/// mail is sent.
pub fn repoint_send(
    organization: &mut Organization,
    connector: &ConnectorName,
    to: Option<TlsCertificateName>,
) -> Result<(), Refusal> {
    let Some(connectors) = organization.send_connectors.known_mut() else { return Ok(()) };
    let any_server = || {
        let any = organization.servers.keys().next().cloned();
        any.unwrap_or_else(|| "EXCHANGE".parse().expect("a server name"))
    };
    let Some(found) = connectors.get_mut(connector) else {
        return Err(refuse(&any_server(), Why::NoSuchConnector(connector.clone())));
    };
    // The cmdlet is that of the server it is run on; the newest one is taken.
    let mut releases =
        organization.servers.values().filter_map(|server| Some(server.version.known()?.release())).peekable();
    if releases.peek().is_some() && !releases.any(Release::has_tls_certificate_name) {
        return Err(refuse(&any_server(), Why::NoTlsCertificateName));
    }
    found.tls_certificate_name = to;
    Ok(())
}

/// `Set-HybridConfiguration -TlsCertificateName`. It only stores; the Hybrid Configuration Wizard applies it (facts 9).
pub fn repoint_hybrid(
    organization: &mut Organization,
    to: Option<TlsCertificateName>,
) -> Result<(), Refusal> {
    match organization.hybrid.known_mut() {
        Some(Some(hybrid)) => {
            hybrid.tls_certificate_name = to;
            Ok(())
        }
        None => Ok(()),
        Some(None) => {
            let server = organization.servers.keys().next().cloned();
            let server = server.unwrap_or_else(|| "EXCHANGE".parse().expect("a server name"));
            Err(refuse(&server, Why::NoHybridConfiguration))
        }
    }
}

/// `Export-ExchangeCertificate`: whether the key comes out. It needs an exportable key and a certificate that has not
/// expired (facts 1.5).
pub fn check_export(
    organization: &Organization,
    name: &ServerName,
    thumbprint: Thumbprint,
    now: Timestamp,
) -> Result<(), Refusal> {
    shell::require(organization, name)?;
    let server = organization.servers.get(name).ok_or_else(|| refuse(name, Why::NoSuchServer))?;
    let Some(store) = server.certificates.known() else { return Ok(()) };
    let stored = store.0.get(&thumbprint).ok_or_else(|| refuse(name, Why::NotFound(thumbprint)))?;
    let exportable = stored.exportable.known().is_none_or(|exportable| *exportable);
    if stored.has_private_key && exportable && now <= stored.certificate.not_after {
        Ok(())
    } else {
        Err(refuse(name, Why::NotExportable))
    }
}

/// `Set-ServerComponentState -Component HubTransport` and `Redirect-Message`: whether the server can be drained, and another
/// one takes its messages (facts 3.11). Nothing of it stays.
pub fn check_drain(organization: &Organization, name: &ServerName, target: &DnsName) -> Result<(), Refusal> {
    shell::require(organization, name)?;
    let server = organization.servers.get(name).ok_or_else(|| refuse(name, Why::NoSuchServer))?;
    if !server.can_be_drained() {
        return Err(refuse(name, Why::NoHubTransport));
    }
    let takes_over = |(other, server): (&ServerName, &Server)| {
        other != name && server.fqdn.known() == Some(target) && server.can_be_drained()
    };
    let found = organization.servers.iter().any(takes_over);
    if found { Ok(()) } else { Err(refuse(name, Why::NoRedirection(target.clone()))) }
}

/// `Remove-ExchangeCertificate`. IIS, POP and IMAP do not protect a certificate, receive connectors neither; the hash in
/// an IIS binding stays and dangles (facts 7.2, 7.3).
pub fn remove(
    organization: &mut Organization,
    name: &ServerName,
    thumbprint: Thumbprint,
) -> Result<(), Refusal> {
    shell::require(organization, name)?;
    let server = organization.servers.get(name).ok_or_else(|| refuse(name, Why::NoSuchServer))?;
    let Some(store) = server.certificates.known() else { return Ok(()) };
    let stored = store.0.get(&thumbprint).ok_or_else(|| refuse(name, Why::NotFound(thumbprint)))?;
    if server.internal_transport == Fact::Known(Some(thumbprint)) {
        return Err(refuse(name, Why::IsInternalTransport));
    }
    // An Edge server asks its own directory (facts 10.1).
    let connectors = server.connector_copies.known().or(organization.send_connectors.known());
    let tagged: Vec<ConnectorName> = connectors
        .into_iter()
        .flatten()
        .filter(|(_, connector)| {
            connector.tls_certificate_name.as_ref().is_some_and(|name| name.selects(&stored.certificate))
        })
        .map(|(name, _)| name.clone())
        .collect();
    if !tagged.is_empty() {
        return Err(refuse(name, Why::TaggedWithSendConnectors(tagged)));
    }
    let server = through_shell(organization, name)?;
    drop(server.certificates.known_mut().map(|store| store.0.remove(&thumbprint)));
    services::refresh(server);
    Ok(())
}

/// The name that Enable writes for POP and IMAP: the common name when it is a full name, or the first full name that is
/// no wildcard. Which of them Exchange takes is inferred; all are names of the certificate.
fn mail_name(stored: &StoredCertificate) -> Option<DnsName> {
    let certificate = &stored.certificate;
    let common_name = certificate.subject.common_name().and_then(|name| name.parse::<DnsName>().ok());
    let mut names =
        common_name.iter().chain(&certificate.names).filter(|name| !name.is_wildcard() && !name.is_address());
    names.clone().find(|name| !name.is_single_label()).or_else(|| names.next()).cloned()
}

fn is_wildcard(common_name: &str) -> bool {
    common_name.starts_with("*.")
}

fn take_from_all(server: &mut Server, service: Service) {
    for stored in server.certificates.known_mut().into_iter().flat_map(|store| store.0.values_mut()) {
        if let Some(services) = stored.services.known_mut() {
            services.remove(&service);
        }
    }
}

fn own_service(server: &mut Server, thumbprint: Thumbprint, service: Service) {
    let stored = server.certificates.known_mut().and_then(|store| store.0.get_mut(&thumbprint));
    if let Some(services) = stored.and_then(|stored| stored.services.known_mut()) {
        services.insert(service);
    }
}

/// Enabling IIS has the Default Web Site require SSL, unless the cmdlet is told not to (facts 3.5): it is, where that switch
/// is known.
fn require_ssl(server: &mut Server) -> Option<SideEffect> {
    let keeps = server.version.known().is_none_or(|version| version.release().can_leave_require_ssl());
    let web = server.web.known_mut().filter(|web| !web.require_ssl)?;
    if keeps {
        return Some(SideEffect::RequireSslKept);
    }
    web.require_ssl = true;
    Some(SideEffect::RequireSslSet)
}

fn bind_default_web_site(server: &mut Server, thumbprint: Thumbprint) -> Option<SideEffect> {
    let Server { sites, other_stores, .. } = server;
    let sites = sites.known_mut()?;
    let before = sites.get(&SiteBinding::default_web_site()).copied().flatten();
    for (binding, hash) in sites.iter_mut().filter(|(binding, _)| services::set_by_enable_iis(binding)) {
        // What the central store serves does not change by it (facts 11.6).
        if other_stores.get(binding) != Some(&BindingStore::Central) {
            *hash = Some(thumbprint);
            other_stores.remove(binding);
        }
    }
    // The trap of renewing the server's own certificate: both sites had it, and only one gets the new one (facts 4.3).
    let back_end = sites.get(&SiteBinding::back_end()).copied().flatten()?;
    (before == Some(back_end) && back_end != thumbprint)
        .then_some(SideEffect::BackEndLeftBehind { current: back_end })
}

fn default_smtp_certificate(
    server: &mut Server,
    thumbprint: Thumbprint,
    answer: DefaultSmtp,
) -> Option<SideEffect> {
    let current = server.internal_transport.known_mut()?;
    match (*current, answer) {
        (Some(current), _) if current == thumbprint => None,
        (Some(current), DefaultSmtp::Keep) => Some(SideEffect::DefaultSmtpKept { current }),
        // Without a present one there is nothing to ask about (facts 3.2): the new one is taken.
        (before, DefaultSmtp::Keep | DefaultSmtp::Replace) => {
            *current = Some(thumbprint);
            Some(SideEffect::DefaultSmtpReplaced { before })
        }
    }
}

fn name_mail_access(server: &mut Server, service: MailService, name: &DnsName) -> Option<SideEffect> {
    let settings = match service {
        MailService::Pop => &mut server.pop,
        MailService::Imap => &mut server.imap,
    };
    let settings = settings.known_mut()?.as_mut()?;
    if settings.x509_certificate_name.as_ref() == Some(name) {
        return None;
    }
    settings.x509_certificate_name = Some(name.clone());
    Some(SideEffect::X509CertificateName { service, name: name.clone() })
}

/// The certificate, when the store is known; a refusal when Exchange would refuse to enable it.
fn usable(
    server: &Server,
    name: &ServerName,
    thumbprint: Thumbprint,
) -> Result<Option<StoredCertificate>, Refusal> {
    let Some(store) = server.certificates.known() else { return Ok(None) };
    let stored = store.0.get(&thumbprint).ok_or_else(|| refuse(name, Why::NotFound(thumbprint)))?;
    if !stored.has_private_key {
        return Err(refuse(name, Why::PrivateKeyMissing(thumbprint)));
    }
    let can_use_ecc = server.version.known().is_none_or(|version| version.can_use_ecc());
    if matches!(stored.certificate.key, PublicKey::Ec(_)) && !can_use_ecc {
        return Err(refuse(name, Why::KeyAlgorithmUnsupported(thumbprint)));
    }
    Ok(Some(stored.clone()))
}

/// The server, for a cmdlet, which goes through its management shell.
fn through_shell<'a>(
    organization: &'a mut Organization,
    name: &ServerName,
) -> Result<&'a mut Server, Refusal> {
    shell::require(organization, name)?;
    server_mut(organization, name)
}

fn server_mut<'a>(organization: &'a mut Organization, name: &ServerName) -> Result<&'a mut Server, Refusal> {
    organization.servers.get_mut(name).ok_or_else(|| refuse(name, Why::NoSuchServer))
}

fn refuse(server: &ServerName, why: Why) -> Refusal {
    Refusal { server: server.clone(), why }
}
