//! What a version of Exchange does not have, among the things that a manifest asks of a server (facts 1.7, 8.4, 10).

pub use crate::model::lack::{Lack, Lacking};
use crate::model::{
    desired::{CertificateId, Desired, DesiredServer},
    key::KeySpec,
    service::Service,
    site::SiteBinding,
    version::ServerVersion,
};

/// Everything that the manifest asks of this server and that this version does not have.
pub fn lacks(desired: &Desired, own: &DesiredServer, version: ServerVersion, edge: bool) -> Vec<Lack> {
    let release = version.release();
    let mut found = Vec::new();
    for (service, certificates) in &own.services {
        if edge && !matches!(service, Service::Smtp) {
            found.push(Lacking::ServiceOnEdge(*service));
        } else if *service != Service::Federation && !release.services().contains(service) {
            found.push(Lacking::Service(*service));
        }
        if *service == Service::Smtp && certificates.len() > 1 && !release.several_smtp_certificates() {
            found.push(Lacking::SecondSmtpCertificate);
        }
    }
    if edge {
        found.extend(own.sites.keys().cloned().map(Lacking::SiteOnEdge));
    }
    let back_end = own.sites.keys().find(|site| site.site == SiteBinding::BACK_END);
    found.extend(back_end.filter(|_| !edge && !release.has_back_end()).cloned().map(Lacking::BackEnd));
    let names_connectors = own.receive_connectors.values().any(Option::is_some);
    found.extend(
        (names_connectors && !release.has_tls_certificate_name()).then_some(Lacking::TlsCertificateName),
    );
    let has_um = release.services().contains(&Service::Um) && !edge;
    let asks_for_um = own.services.contains_key(&Service::Um);
    found
        .extend((own.um_startup_mode.is_some() && !has_um && !asks_for_um).then_some(Lacking::UmStartupMode));
    if !version.can_use_ecc() {
        let mut with_ec: Vec<&CertificateId> = own
            .uses()
            .filter(|id| {
                desired.certificates.get(*id).is_some_and(|certificate| certificate.key == KeySpec::EcP256)
            })
            .collect();
        with_ec.sort();
        with_ec.dedup();
        found.extend(with_ec.into_iter().cloned().map(Lacking::EcKey));
    }
    found.into_iter().map(|what| Lack { what, release }).collect()
}
