//! What a version of Exchange does not have (facts 1.7, 8.4, 10).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    certificate_id::CertificateId, schema::JsonSchema, service::Service, site::SiteBinding, version::Release,
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what.sentence(self.release))
    }
}

impl Lacking {
    /// That this release does not have it, in one sentence without a full stop.
    pub fn sentence(&self, release: Release) -> String {
        match self {
            Self::Service(service) => format!("{release} has no service {service}"),
            Self::ServiceOnEdge(service) => format!("an Edge Transport server has no service {service}"),
            Self::SiteOnEdge(site) => format!("an Edge Transport server has no web site {}", site.site),
            Self::SecondSmtpCertificate => {
                format!("{release} uses one certificate for SMTP at a time, not several")
            }
            Self::BackEnd(site) => format!("{release} has no site {}", site.site),
            Self::TlsCertificateName => {
                format!(
                    "receive connectors of {release} have no TlsCertificateName; they choose by their Fqdn"
                )
            }
            Self::UmStartupMode => format!("{release} has no Unified Messaging and so no UMStartupMode"),
            Self::EcKey(id) => format!("{release} cannot use the EC key of `{id}`"),
        }
    }

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
