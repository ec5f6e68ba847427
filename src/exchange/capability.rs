//! What a version of Exchange does not have, among the things that a manifest asks of a server (facts 1.7, 8.4, 10).

use std::fmt;

use crate::model::{
    desired::{CertificateId, Desired, DesiredServer},
    key::KeySpec,
    service::Service,
    site::SiteBinding,
    version::{Release, ServerVersion},
};

/// Something that is asked of a server and that its version does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// What.
    pub what: Lacking,
    /// What the server runs.
    pub release: Release,
}

/// What a version does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// The service.
    Service(Service),
    /// The service, since it is an Edge Transport server.
    ServiceOnEdge(Service),
    /// The web site, since it is an Edge Transport server.
    SiteOnEdge(SiteBinding),
    /// A second certificate for SMTP.
    SecondSmtpCertificate,
    /// The site Exchange Back End.
    BackEnd(SiteBinding),
    /// `TlsCertificateName` of receive connectors.
    TlsCertificateName,
    /// The start-up mode of Unified Messaging.
    UmStartupMode,
    /// EC keys.
    EcKey(CertificateId),
}

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

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let release = self.release;
        match &self.what {
            Lacking::Service(service) => write!(f, "{release} has no service {service}"),
            Lacking::ServiceOnEdge(service) => write!(f, "an Edge Transport server has no service {service}"),
            Lacking::SiteOnEdge(site) => write!(f, "an Edge Transport server has no web site {}", site.site),
            Lacking::SecondSmtpCertificate => {
                write!(f, "{release} uses one certificate for SMTP at a time, not several")
            }
            Lacking::BackEnd(site) => write!(f, "{release} has no site {}", site.site),
            Lacking::TlsCertificateName => {
                write!(
                    f,
                    "receive connectors of {release} have no TlsCertificateName; they choose by their Fqdn"
                )
            }
            Lacking::UmStartupMode => write!(f, "{release} has no Unified Messaging and so no UMStartupMode"),
            Lacking::EcKey(id) => write!(f, "{release} cannot use the EC key of `{id}`"),
        }
    }
}

impl Lacking {
    /// The manifest's key under which it is asked for.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Service(_) | Self::ServiceOnEdge(_) | Self::SecondSmtpCertificate | Self::EcKey(_) => {
                "services"
            }
            Self::BackEnd(_) | Self::SiteOnEdge(_) => "iis",
            Self::TlsCertificateName => "receiveConnectors",
            Self::UmStartupMode => "umStartupMode",
        }
    }

    /// What to do about it.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Service(_) | Self::ServiceOnEdge(_) => "leave the service out for this server",
            Self::SiteOnEdge(_) => "leave the binding out for this server",
            Self::SecondSmtpCertificate => "leave one certificate, with all the names that SMTP needs",
            Self::BackEnd(_) => "leave the binding out; the site came with Exchange 2013",
            Self::TlsCertificateName => {
                "leave the connectors out, and give the certificate the names of their Fqdn"
            }
            Self::UmStartupMode => "leave it out for this server",
            Self::EcKey(_) => {
                "use an rsa key; EC keys need the hotfix update of April 2024 (2016 CU23, 2019 CU13)"
            }
        }
    }
}
