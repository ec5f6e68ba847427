//! Where certificates are used, in the words of a manifest.

use super::certificates::Groups;
use crate::{
    exchange::{
        binding_points::{BindingPoint, presented},
        builtin,
        selection::Presented,
    },
    model::{
        connector::ReceiveConnector,
        dn::TlsCertificateName,
        names::{ConnectorName, ServerName},
        organization::Organization,
        server::{Server, UmStartupMode},
        service::{MailService, Service},
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// What one server uses certificates for. Certificates are told by the numbers of their groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ServerPlaces {
    pub(super) services: Vec<(Service, Vec<usize>)>,
    pub(super) internal_transport: Option<usize>,
    pub(super) iis: Vec<(SiteBinding, usize)>,
    /// Names of connectors, with variables in them.
    pub(super) receive_connectors: Vec<(String, usize)>,
    pub(super) x509_certificate_names: Vec<(MailService, String)>,
    pub(super) um_startup_mode: Option<UmStartupMode>,
}

impl ServerPlaces {
    /// Whether this certificate was not for SMTP yet. Transport reads the keys of no others.
    fn enable_for_smtp(&mut self, group: usize) -> bool {
        let Some((_, smtp)) = self.services.iter_mut().find(|(service, _)| *service == Service::Smtp) else {
            self.services.push((Service::Smtp, vec![group]));
            return true;
        };
        let new = !smtp.contains(&group);
        if new {
            smtp.push(group);
            smtp.sort_unstable();
        }
        new
    }
}

/// The places of a server. What they use and a manifest cannot say is noted.
pub(super) fn of_server(
    name: &ServerName,
    server: &Server,
    groups: &Groups,
    now: Timestamp,
    notes: &mut Vec<String>,
) -> ServerPlaces {
    let mut places = ServerPlaces::default();
    if let Some(why) = server.certificates.why_unknown() {
        notes.push(format!(
            "the certificates of {name} cannot be seen, so what it uses them for is left out: {why}"
        ));
        return places;
    }
    notes.extend(missing(name, server));
    let mut find = |place: &str, thumbprint: Thumbprint| {
        let found = groups.find(name, thumbprint);
        if found.is_none() {
            let stored = server.certificate(thumbprint);
            let why = match stored.map(|stored| builtin::recognise(&stored.certificate)) {
                Some(Some(built_in)) => format!("{built_in}, which nobody renews: give it another one"),
                Some(None) => "which it chose for its names alone: nobody has enabled or bound it, as with the \
                               certificates that machines get as devices. It is left out; enable another one, or \
                               declare it when it is for Exchange"
                    .into(),
                None => "which is in no store".into(),
            };
            notes.push(format!("{place} of {name} uses {}, {why}", thumbprint.short()));
        }
        found
    };
    let smtp = smtp(name, server, groups, &mut find);
    let elsewhere = server.other_stores.iter().map(|(site, store)| {
        format!(
            "{site} of {name} has its certificate from {store}, which Exchange does not see: it is left out"
        )
    });
    sites(server, &mut find, &mut places);
    places.services.extend((!smtp.is_empty()).then_some((Service::Smtp, smtp)));
    for (service, presenter, mail, settings) in [
        (Service::Pop, BindingPoint::Pop, MailService::Pop, &server.pop),
        (Service::Imap, BindingPoint::Imap, MailService::Imap, &server.imap),
    ] {
        // A service that does not run presents nothing; neither does by default.
        if server.runs(mail.windows_service()) == Some(false) {
            continue;
        }
        let Presented::Certificate(thumbprint) = presented(server, &presenter, now) else { continue };
        let Some(group) = find(service.name(), thumbprint) else { continue };
        places.services.push((service, vec![group]));
        let wanted = settings
            .known()
            .and_then(Option::as_ref)
            .and_then(|settings| settings.x509_certificate_name.as_ref());
        let first =
            server.certificate(thumbprint).and_then(|stored| stored.certificate.names.first().cloned());
        if let Some(wanted) = wanted.filter(|wanted| first.as_ref() != Some(*wanted)) {
            let own = server.fqdn.known().is_some_and(|fqdn| fqdn == wanted);
            let text = if own { "${server.fqdn}".into() } else { wanted.to_string() };
            places.x509_certificate_names.push((mail, text));
        }
    }
    places.internal_transport = server
        .internal_transport
        .known()
        .copied()
        .flatten()
        .and_then(|internal| find("internal transport", internal));
    receive_connectors(name, server, groups, &mut places, notes);
    places.services.sort_by_key(|(service, _)| *service);
    let um = server.um.known().and_then(Option::as_ref);
    notes.extend(elsewhere);
    places.um_startup_mode = um.and_then(|um| um.service).filter(|mode| *mode != UmStartupMode::Tcp);
    places
}

/// What a manifest cannot say of a server since it was not captured, in one line.
fn missing(name: &ServerName, server: &Server) -> Option<String> {
    let places = [
        ("Get-WebBinding", server.sites.why_unknown(), Some(Service::Iis)),
        ("Get-PopSettings", server.pop.why_unknown(), Some(Service::Pop)),
        ("Get-ImapSettings", server.imap.why_unknown(), Some(Service::Imap)),
        ("Get-ReceiveConnector", server.receive_connectors.why_unknown(), None),
        ("Get-TransportService", server.internal_transport.why_unknown(), None),
    ];
    let unseen: Vec<_> =
        places.into_iter().filter_map(|(cmdlet, why, shows)| Some((cmdlet, why?, shows))).collect();
    if unseen.is_empty() {
        return None;
    }
    let cmdlets: Vec<String> = unseen.iter().map(|(cmdlet, why, _)| format!("{cmdlet} ({why})")).collect();
    // What certificates say of their services tells at least what is lost.
    let store = server.certificates.known().into_iter().flat_map(|store| store.0.values());
    let used = store.filter_map(|stored| {
        let shown = stored.services.known()?;
        let services =
            unseen.iter().filter_map(|(_, _, shows)| shows.filter(|service| shown.contains(service)));
        let services: Vec<String> = services.map(|service| service.to_string()).collect();
        (!services.is_empty())
            .then(|| format!("{} {}", services.join(", "), stored.certificate.thumbprint.short()))
    });
    let used: Vec<String> = used.collect();
    let used = if used.is_empty() { String::new() } else { format!("; in use are {}", used.join(" and ")) };
    Some(format!("{name}: left out is what is unknown without {}{used}", cmdlets.join(", ")))
}

/// Send connectors and the certificates that they name.
pub(super) fn send_connectors(
    organization: &Organization,
    groups: &Groups,
    notes: &mut Vec<String>,
) -> Vec<(ConnectorName, usize)> {
    let mut found = Vec::new();
    for (name, connector) in organization.send_connectors.known().into_iter().flatten() {
        let Some(tls_name) = &connector.tls_certificate_name else { continue };
        match named(organization, connector.source_servers.iter(), tls_name, groups) {
            Some(group) => found.push((name.clone(), group)),
            None => notes.push(format!("send connector {name} names {tls_name}, which is not one certificate for all its source servers")),
        }
    }
    found
}

/// The certificate of the hybrid configuration.
pub(super) fn hybrid(organization: &Organization, groups: &Groups, notes: &mut Vec<String>) -> Option<usize> {
    let configuration = organization.hybrid.known()?.as_ref()?;
    let tls_name = configuration.tls_certificate_name.as_ref()?;
    let servers = crate::exchange::hybrid::servers(configuration);
    let group = named(organization, servers.iter(), tls_name, groups);
    if group.is_none() {
        notes.push(format!(
            "the hybrid configuration names {tls_name}, which is not one certificate for all its servers"
        ));
    }
    group
}

/// The certificate that a name selects on the first of these servers that has it; none when each has its own.
fn named<'a>(
    organization: &Organization,
    mut servers: impl Iterator<Item = &'a ServerName>,
    tls_name: &TlsCertificateName,
    groups: &Groups,
) -> Option<usize> {
    let group = servers.find_map(|server| {
        let store = organization.servers.get(server)?.certificates.known()?;
        let selected = store.0.values().filter(|stored| tls_name.selects(&stored.certificate));
        let newest = selected.max_by_key(|stored| stored.certificate.not_before)?;
        groups.find(server, newest.certificate.thumbprint)
    });
    group.filter(|group| !groups.all[*group].per_server)
}

/// The certificates that are enabled for SMTP and used by it: those that connectors name or choose, and the internal one.
fn smtp(
    name: &ServerName,
    server: &Server,
    groups: &Groups,
    find: &mut impl FnMut(&str, Thumbprint) -> Option<usize>,
) -> Vec<usize> {
    let mut found = Vec::new();
    let store = server.certificates.known().into_iter().flat_map(|store| store.0.values());
    let mut enabled: Vec<_> = store
        .filter(|stored| stored.services.known().is_some_and(|services| services.contains(&Service::Smtp)))
        .map(|stored| stored.certificate.thumbprint)
        .collect();
    // What nothing uses is not managed, and is told with the others that are not.
    let connectors = server.receive_connectors.known().into_iter().flat_map(|connectors| connectors.values());
    let connectors: Vec<&ReceiveConnector> = connectors.collect();
    enabled.retain(|thumbprint| {
        let Some(stored) = server.certificate(*thumbprint) else { return false };
        let certificate = &stored.certificate;
        if groups.find(name, *thumbprint).is_none() && builtin::recognise(certificate).is_none() {
            return false;
        }
        let internal = server.internal_transport.known().copied().flatten() == Some(*thumbprint);
        internal
            || connectors.iter().any(|connector| match &connector.tls_certificate_name {
                Some(name) => name.selects(certificate),
                None => connector
                    .fqdn
                    .as_ref()
                    .or(server.fqdn.known())
                    .is_some_and(|fqdn| certificate.covers(fqdn)),
            })
    });
    for thumbprint in enabled {
        if let Some(group) = find("SMTP", thumbprint)
            && !found.contains(&group)
        {
            found.push(group);
        }
    }
    found.sort_unstable();
    found
}

/// The Default Web Site as the service IIS, by its binding on all addresses; every other site by itself.
fn sites(
    server: &Server,
    find: &mut impl FnMut(&str, Thumbprint) -> Option<usize>,
    places: &mut ServerPlaces,
) {
    let Some(sites) = server.sites.known() else { return };
    let is_default = |site: &SiteBinding| {
        site.site == SiteBinding::DEFAULT_WEB_SITE && site.port == 443 && site.host.is_none()
    };
    // Exchange binds all of them together; one that was bound otherwise by hand is what a plan will tell (facts 11.1). Where one has
    // its certificate from a store that Exchange does not see, the service would take it away: the others stand by themselves.
    let default = || sites.iter().filter(|(site, _)| is_default(site));
    let is_whole = default().all(|(site, _)| !server.other_stores.contains_key(site));
    let general = default().min_by_key(|(site, _)| site.address.is_some()).filter(|_| is_whole);
    let agreed = general.and_then(|(_, hash)| *hash);
    if let Some(thumbprint) = agreed
        && let Some(group) = find("Default Web Site", thumbprint)
    {
        places.services.push((Service::Iis, vec![group]));
    }
    for (site, hash) in sites {
        if is_default(site) && agreed.is_some() || server.other_stores.contains_key(site) {
            continue;
        }
        if let Some(group) = hash.and_then(|hash| find(&site.to_string(), hash)) {
            places.iis.push((site.clone(), group));
        }
    }
}

fn receive_connectors(
    name: &ServerName,
    server: &Server,
    groups: &Groups,
    places: &mut ServerPlaces,
    notes: &mut Vec<String>,
) {
    for (connector, settings) in server.receive_connectors.known().into_iter().flatten() {
        let Some(tls_name) = &settings.tls_certificate_name else { continue };
        let store = server.certificates.known().into_iter().flat_map(|store| store.0.values());
        let selected = store.filter(|stored| tls_name.selects(&stored.certificate));
        let newest = selected.max_by_key(|stored| stored.certificate.not_before);
        let seen = newest.is_some_and(|stored| stored.services.known().is_some());
        match newest.and_then(|stored| groups.find(name, stored.certificate.thumbprint)) {
            Some(group) => {
                if places.enable_for_smtp(group) && seen {
                    notes.push(format!(
                        "receive connector {connector} of {name} names {tls_name}, and SMTP is not enabled for {} there, so \
                         transport cannot use it: the manifest enables it",
                        groups.all[group].name
                    ));
                }
                places.receive_connectors.push((with_variable(connector, name), group));
            }
            None => notes.push(format!(
                "receive connector {connector} of {name} names {tls_name}, which its store does not have"
            )),
        }
    }
}

/// A connector's name with the server's name in it, wherever that stands as a word.
fn with_variable(connector: &ConnectorName, server: &ServerName) -> String {
    let (text, name) = (connector.to_string().replace('$', "$$"), server.as_str());
    let lower = text.to_lowercase();
    let Some(at) = lower.rfind(&name.to_lowercase()).filter(|_| lower.len() == text.len()) else {
        return text;
    };
    let (before, rest) = text.split_at(at);
    let after = &rest[name.len()..];
    let part_of_word = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '-');
    if part_of_word(before.chars().next_back()) || part_of_word(after.chars().next()) {
        return text;
    }
    format!("{before}${{server.name}}{after}")
}
