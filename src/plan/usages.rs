//! What is, today, where a certificate of the manifest should be.

use crate::{
    exchange::{
        binding_points::{BindingPoint, presented},
        selection::Presented,
    },
    model::{
        desired::{CertificateId, DesiredServer},
        server::Server,
        service::Service,
        site::SiteBinding,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
};

/// What holds each of the places of one server where this certificate should be.
pub(super) fn usages(
    desired: &DesiredServer,
    server: &Server,
    id: &CertificateId,
    now: Timestamp,
) -> Vec<Option<Thumbprint>> {
    holders(desired, server, id, now).into_iter().map(|(_, held)| held).collect()
}

/// The places of one server where this certificate should be, each with what holds it.
pub(super) fn holders(
    desired: &DesiredServer,
    server: &Server,
    id: &CertificateId,
    now: Timestamp,
) -> Vec<(BindingPoint, Option<Thumbprint>)> {
    let at = |place: BindingPoint| {
        let held = match presented(server, &place, now) {
            Presented::Certificate(thumbprint) | Presented::Failing { certificate: thumbprint, .. } => {
                Some(thumbprint)
            }
            Presented::Nothing(_) | Presented::Unknown(_) => None,
        };
        (place, held)
    };
    let mut holders = Vec::new();
    for (service, ids) in &desired.services {
        if ids.contains(id) {
            match service {
                Service::Iis => holders.push(at(BindingPoint::Site(SiteBinding::default_web_site()))),
                Service::Pop => holders.push(at(BindingPoint::Pop)),
                Service::Imap => holders.push(at(BindingPoint::Imap)),
                // Several certificates can have these; they single nobody out.
                Service::Smtp | Service::Um | Service::UmCallRouter | Service::Federation => {}
            }
        }
    }
    if desired.internal_transport.as_ref() == Some(id) {
        holders.push((BindingPoint::InternalTransport, server.internal_transport.known().copied().flatten()));
    }
    let sites = desired.sites.iter().filter(|(_, wanted)| *wanted == id);
    holders.extend(sites.map(|(site, _)| at(BindingPoint::Site(site.clone()))));
    if let Some(connectors) = server.receive_connectors.known() {
        let wanting = connectors
            .keys()
            .filter(|name| desired.receive_connector(name, connectors).flatten() == Some(id));
        holders.extend(wanting.map(|name| at(BindingPoint::Connector(name.clone()))));
    }
    holders
}
