//! What certificates are used for, where the manifest says it: in a profile or at a server.

use indexmap::IndexMap;

use crate::{
    manifest::{OneOrMany, ServerSpec, Template, Uses, finding::DocPath},
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

impl<'a> Written<'a> {
    /// Every certificate that is named there, each with the path of its name.
    pub(super) fn certificates(self, at: &DocPath) -> Vec<(DocPath, &'a CertificateName)> {
        let of = |key: &str| at.clone().key(key);
        let mut named: Vec<(DocPath, &'a CertificateName)> = Vec::new();
        for (service, names) in self.services {
            let own = of("services").key(service);
            let one = names.0.len() == 1;
            let place = |index| if one { own.clone() } else { own.clone().index(index) };
            named.extend(names.0.iter().enumerate().map(|(index, name)| (place(index), name)));
        }
        named.extend(self.internal_transport.map(|name| (of("internalTransport"), name)));
        named.extend(self.iis.iter().map(|(site, name)| (of("iis").key(site), name)));
        let connectors = self.receive_connectors.iter();
        let connectors = connectors.filter_map(|(connector, name)| Some((connector, name.as_ref()?)));
        named.extend(connectors.map(|(connector, name)| (of("receiveConnectors").key(connector), name)));
        named
    }
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
