//! Which certificate each endpoint of a server should serve, by the manifest and by Exchange's own selection.

use crate::{
    exchange::{
        binding_points::{self, BindingPoint, binding_points, endpoints, own_name, presented},
        named,
        selection::Presented,
    },
    model::{
        action::{CertRef, Expectation},
        certificate::Certificate,
        desired::{CertificateId, DesiredServer},
        endpoint::Endpoint,
        names::{ConnectorName, DnsName},
        organization::Organization,
        server::Server,
        service::{MailService, Restartable, Service},
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
        unmet::{Unmet, UnmetPlace},
    },
};

/// What every endpoint of this server should serve. `chosen` tells which certificate stands for one of the manifest.
/// A receive connector that the manifest does not name is included when Exchange will choose a certificate of the
/// manifest for it.
pub fn expectations(
    desired: &DesiredServer,
    server: &Server,
    chosen: &dyn Fn(&CertificateId) -> Option<Thumbprint>,
    now: Timestamp,
) -> Vec<Expectation> {
    places(desired, server, chosen, now).into_iter().map(|(_, expectation)| expectation).collect()
}

/// The same, each with the place of the server that presents there.
pub fn places(
    desired: &DesiredServer,
    server: &Server,
    chosen: &dyn Fn(&CertificateId) -> Option<Thumbprint>,
    now: Timestamp,
) -> Vec<(BindingPoint, Expectation)> {
    let mut expected = Vec::new();
    for presenter in binding_points(server) {
        let Some(thumbprint) = wanted(desired, server, &presenter, chosen, now) else { continue };
        let Some(stored) = server.certificate(thumbprint) else { continue };
        let name = client_name(desired, server, &presenter, &stored.certificate);
        for endpoint in endpoints(server, &presenter) {
            let certificate = CertRef::of(thumbprint);
            expected.push((presenter.clone(), Expectation { endpoint, name: name.clone(), certificate }));
        }
    }
    one_for_each(expected)
}

/// Receive connectors that call themselves by a name of a certificate which the manifest declares for SMTP, and for which Exchange
/// chooses another, or one that it cannot use (facts 5.1, 5.5): what a client is to get there is the declared one all the same. A
/// connector that names its certificate does not choose.
pub fn by_connector_name(
    desired: &DesiredServer,
    server: &Server,
    chosen: &dyn Fn(&CertificateId) -> Option<Thumbprint>,
    now: Timestamp,
) -> Vec<(BindingPoint, Expectation)> {
    let ids = desired.services.get(&Service::Smtp).into_iter().flatten();
    let for_smtp: Vec<Thumbprint> = ids.filter_map(chosen).collect();
    let mut expected = Vec::new();
    for (name, connector) in server.receive_connectors.known().into_iter().flatten() {
        let presenter = BindingPoint::Connector(name.clone());
        if connector.tls_certificate_name.is_some() || declared(desired, server, &presenter).is_some() {
            continue;
        }
        let Some(fqdn) = connector.fqdn.as_ref() else { continue };
        if wanted(desired, server, &presenter, chosen, now).is_some() {
            continue;
        }
        // Of several that servers have made for themselves, no client expects a certain one; where none works, any of them would do.
        let fails = matches!(presented(server, &presenter, now), Presented::Failing { .. });
        let covers = |thumbprint: &&Thumbprint| {
            server.certificate(**thumbprint).is_some_and(|stored| {
                stored.certificate.covers(fqdn) && (fails || !stored.certificate.is_self_signed())
            })
        };
        let Some(thumbprint) = for_smtp.iter().find(covers) else { continue };
        let certificate = CertRef::of(*thumbprint);
        let met = endpoints(server, &presenter).into_iter();
        expected.extend(met.map(|endpoint| {
            (presenter.clone(), Expectation { endpoint, name: Some(fqdn.clone()), certificate })
        }));
    }
    expected
}

/// Places of this server that should serve a certificate of the manifest and that nobody can meet from here, with that. `senders`
/// are the send connectors that it is a source server of: nobody can call them, and what transport of the server is met with has
/// to do for them. What other processes serve, such as IIS, says nothing of transport.
pub fn unmet(
    desired: &DesiredServer,
    (organization, server): (&Organization, &Server),
    senders: &[ConnectorName],
    chosen: &dyn Fn(&CertificateId) -> Option<Thumbprint>,
    now: Timestamp,
) -> Vec<(UnmetPlace, Thumbprint)> {
    let mut found = Vec::new();
    let general = presented(server, &BindingPoint::Site(SiteBinding::default_web_site()), now);
    for presenter in binding_points(server) {
        let Some(thumbprint) = wanted(desired, server, &presenter, chosen, now) else { continue };
        let Some(why) = binding_points::unmet(server, &presenter) else { continue };
        // What the server itself meets at 127.0.0.1 is set together with what everybody meets.
        let with_others = matches!(&why, Unmet::Address { address } if binding_points::is_loopback(address))
            && presented(server, &presenter, now) == general;
        if !with_others && server.certificate(thumbprint).is_some() {
            found.push((UnmetPlace { place: presenter.to_string(), why }, thumbprint));
        }
    }
    found.extend(unasked(desired, server, chosen));
    let known = organization.send_connectors.known();
    let sending: Vec<(&ConnectorName, Thumbprint)> = senders
        .iter()
        .filter_map(|name| {
            let connector = known?.get(name).filter(|own| own.enabled)?;
            match named::presented(server, connector, now) {
                Presented::Certificate(thumbprint) => Some((name, thumbprint)),
                Presented::Failing { .. } | Presented::Nothing(_) | Presented::Unknown(_) => None,
            }
        })
        .filter(|(_, shown)| desired.uses().any(|id| chosen(id) == Some(*shown)))
        .collect();
    if !sending.is_empty() {
        let met = places(desired, server, chosen, now);
        let by_transport =
            || met.iter().filter(|(place, _)| place.loaded_by() == Some(Restartable::Transport));
        let is_met = |shown| by_transport().any(|(_, expected)| expected.certificate == CertRef::of(shown));
        let sending = sending.into_iter().filter(|(_, shown)| !is_met(*shown));
        let place = |name: &ConnectorName| UnmetPlace { place: name.to_string(), why: Unmet::Sends };
        found.extend(sending.map(|(name, shown)| (place(name), shown)));
    }
    found
}

/// Services that use a certificate of the manifest and of which no handshake tells: Unified Messaging, which is not met, and POP
/// and IMAP while they do not run.
fn unasked(
    desired: &DesiredServer,
    server: &Server,
    chosen: &dyn Fn(&CertificateId) -> Option<Thumbprint>,
) -> Vec<(UnmetPlace, Thumbprint)> {
    let mut found = Vec::new();
    for service in [Service::Pop, Service::Imap, Service::Um, Service::UmCallRouter] {
        let windows = match service {
            Service::Pop => Some(MailService::Pop.windows_service()),
            Service::Imap => Some(MailService::Imap.windows_service()),
            Service::Um | Service::UmCallRouter => None,
            Service::Iis | Service::Smtp | Service::Federation => continue,
        };
        if windows.is_some_and(|windows| server.runs(windows) != Some(false))
            || (windows.is_none() && server.starts_in_tcp(service))
        {
            continue;
        }
        let why = windows.map_or(Unmet::NoHandshake, |_| Unmet::Stopped);
        let Some(thumbprint) = desired.service(service).and_then(chosen) else { continue };
        if server.certificate(thumbprint).is_some() {
            found.push((UnmetPlace { place: service.to_string(), why }, thumbprint));
        }
    }
    found
}

/// One expectation for each endpoint, and for each host name by which a binding is told apart from the others of its port.
fn one_for_each(mut expected: Vec<(BindingPoint, Expectation)>) -> Vec<(BindingPoint, Expectation)> {
    fn told_apart((place, expected): &(BindingPoint, Expectation)) -> (Endpoint, Option<&DnsName>) {
        (expected.endpoint, place.host())
    }
    expected.sort_by(|one, other| told_apart(one).cmp(&told_apart(other)));
    expected.dedup_by(|one, other| told_apart(one) == told_apart(other));
    expected
}

/// POP and IMAP where the manifest does not speak of them: they go over to a newer certificate with their name all the same
/// (facts 3.4).
pub(super) fn undeclared_mail<'a>(
    own: &'a DesiredServer,
    server: &'a Server,
) -> impl Iterator<Item = BindingPoint> + 'a {
    [BindingPoint::Pop, BindingPoint::Imap].into_iter().filter(|place| declared(own, server, place).is_none())
}

/// What POP and IMAP will serve where the manifest does not speak of them, when they may have loaded a certificate that goes.
pub(super) fn instead_of(
    own: &DesiredServer,
    server: &Server,
    gone: Thumbprint,
    now: Timestamp,
) -> Vec<Expectation> {
    let Some(gone) = server.certificate(gone) else { return Vec::new() };
    let may_have =
        |place: &BindingPoint| own_name(server, place).is_some_and(|name| gone.certificate.covers(name));
    let places = undeclared_mail(own, server).filter(may_have);
    let expected = chosen_by_exchange(own, server, places.collect::<Vec<_>>(), now);
    expected.into_iter().filter(|own| own.certificate != CertRef::of(gone.certificate.thumbprint)).collect()
}

/// What these places of a server will serve by Exchange's own choice, whether the manifest declares it or not, each with the place.
pub(super) fn chosen_by_exchange(
    own: &DesiredServer,
    server: &Server,
    places: impl IntoIterator<Item = BindingPoint>,
    now: Timestamp,
) -> Vec<Expectation> {
    let mut expected = Vec::new();
    for presenter in places {
        let Presented::Certificate(thumbprint) = presented(server, &presenter, now) else { continue };
        let Some(stored) = server.certificate(thumbprint) else { continue };
        let name = client_name(own, server, &presenter, &stored.certificate);
        let certificate = CertRef::of(thumbprint);
        let met = endpoints(server, &presenter).into_iter();
        expected.extend(met.map(|endpoint| Expectation { endpoint, name: name.clone(), certificate }));
    }
    expected
}

/// What every endpoint of this server serves today, whether the manifest wants it or not, where that is valid. When it
/// proves true, a certificate that is not among them is served to nobody.
pub(super) fn as_it_is(own: &DesiredServer, server: &Server, now: Timestamp) -> Vec<Expectation> {
    let mut expected = Vec::new();
    for presenter in binding_points(server) {
        let Presented::Certificate(thumbprint) = presented(server, &presenter, now) else { continue };
        let Some(stored) = server.certificate(thumbprint) else { continue };
        if !stored.certificate.is_valid_at(now) {
            continue;
        }
        let name = client_name(own, server, &presenter, &stored.certificate);
        for endpoint in endpoints(server, &presenter) {
            let certificate = CertRef::of(thumbprint);
            expected.push((presenter.clone(), Expectation { endpoint, name: name.clone(), certificate }));
        }
    }
    one_for_each(expected).into_iter().map(|(_, expectation)| expectation).collect()
}

/// The certificate of the manifest that belongs at this place.
pub fn declared<'a>(
    desired: &'a DesiredServer,
    server: &Server,
    presenter: &BindingPoint,
) -> Option<&'a CertificateId> {
    match presenter {
        BindingPoint::Site(binding) => {
            let by_service = crate::exchange::services::set_by_enable_iis(binding);
            desired.site(binding).or_else(|| by_service.then(|| desired.service(Service::Iis)).flatten())
        }
        BindingPoint::Connector(name) => {
            desired.receive_connector(name, server.receive_connectors.known()?).flatten()
        }
        BindingPoint::InternalTransport => desired.internal_transport.as_ref(),
        BindingPoint::Pop => desired.service(Service::Pop),
        BindingPoint::Imap => desired.service(Service::Imap),
    }
}

fn wanted(
    desired: &DesiredServer,
    server: &Server,
    presenter: &BindingPoint,
    chosen: &dyn Fn(&CertificateId) -> Option<Thumbprint>,
    now: Timestamp,
) -> Option<Thumbprint> {
    if let Some(id) = declared(desired, server, presenter) {
        return chosen(id);
    }
    if !matches!(presenter, BindingPoint::Connector(_)) {
        return None;
    }
    let Presented::Certificate(thumbprint) = presented(server, presenter, now) else { return None };
    desired.uses().any(|id| chosen(id) == Some(thumbprint)).then_some(thumbprint)
}

/// The name under which a client of this place meets the certificate: the host name of the binding; the place's own where the
/// certificate covers it, the server's on Exchange Back End, and else the first of the certificate. With SNI each host name has its
/// own binding (facts 11.4): a binding without one is met by a name that none of the others takes, and without SNI where they take
/// all.
pub(super) fn client_name(
    desired: &DesiredServer,
    server: &Server,
    presenter: &BindingPoint,
    certificate: &Certificate,
) -> Option<DnsName> {
    let host = presenter.host();
    if let Some(host) = host.filter(|host| !host.is_wildcard()) {
        return Some(host.clone());
    }
    let is_met_by = |name: &&DnsName| {
        !name.is_wildcard()
            && host.is_none_or(|host| host.covers(name))
            && binding_points::taking(server, presenter, name).is_none()
    };
    let back_end = matches!(presenter, BindingPoint::Site(binding) if binding.site == SiteBinding::BACK_END);
    let internal = matches!(presenter, BindingPoint::InternalTransport);
    let preferred = if back_end || internal { Some(&desired.fqdn) } else { own_name(server, presenter) };
    let preferred = preferred.filter(|name| certificate.is_accepted_for(name));
    // What has wildcards only is asked for the server's own name.
    let own = Some(&desired.fqdn).filter(|name| certificate.is_accepted_for(name));
    preferred.into_iter().chain(certificate.accepted_names()).chain(own).find(is_met_by).cloned()
}
