//! What certificates are used for, where the manifest says it: in a profile or at a server.

use indexmap::IndexMap;

use crate::{
    manifest::{OneOrMany, ServerSpec, Template, Uses},
    model::{
        names::CertificateName,
        server::UmStartupMode,
        service::{MailService, Service},
        site::SiteBinding,
    },
};

/// The uses that are written at one place.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) services: &'a IndexMap<Service, OneOrMany<CertificateName>>,
    pub(super) internal_transport: Option<&'a CertificateName>,
    pub(super) iis: &'a IndexMap<SiteBinding, CertificateName>,
    pub(super) receive_connectors: &'a IndexMap<Template, Option<CertificateName>>,
    pub(super) x509_certificate_name: &'a IndexMap<MailService, Template>,
    pub(super) um_startup_mode: Option<UmStartupMode>,
}

impl<'a> From<&'a Uses> for Written<'a> {
    fn from(profile: &'a Uses) -> Self {
        let Uses {
            services,
            internal_transport,
            iis,
            receive_connectors,
            x509_certificate_name,
            um_startup_mode,
        } = profile;
        Self {
            services,
            internal_transport: internal_transport.as_ref(),
            iis,
            receive_connectors,
            x509_certificate_name,
            um_startup_mode: *um_startup_mode,
        }
    }
}

impl<'a> From<&'a ServerSpec> for Written<'a> {
    fn from(server: &'a ServerSpec) -> Self {
        let ServerSpec {
            fqdn: _,
            version: _,
            edge: _,
            left_out: _,
            profile: _,
            services,
            internal_transport,
            iis,
            receive_connectors,
            x509_certificate_name,
            um_startup_mode,
        } = server;
        Self {
            services,
            internal_transport: internal_transport.as_ref(),
            iis,
            receive_connectors,
            x509_certificate_name,
            um_startup_mode: *um_startup_mode,
        }
    }
}
