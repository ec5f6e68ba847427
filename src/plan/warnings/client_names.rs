//! Names that clients are sent to and that the certificate there does not have: they show a warning, or do not connect.

use crate::{
    exchange::{
        binding_points::{BindingPoint, presented},
        selection::Presented,
    },
    model::{client_names::ClientName, desired::Desired, site::SiteBinding, warning::ServerWarning},
    plan::builder::PlanBuilder,
};

/// Warns of the URLs and host names of every server of the manifest that its certificate for IIS will not cover.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, desired: &Desired) {
    let mut warnings = Vec::new();
    for name in desired.servers.keys() {
        let Some(server) = builder.server(name) else { continue };
        let is_general = |site: &&SiteBinding| {
            site.site == SiteBinding::DEFAULT_WEB_SITE
                && site.port == 443
                && site.host.is_none()
                && site.address.is_none()
        };
        let Some(site) = server.sites.known().and_then(|sites| sites.keys().find(is_general)) else {
            continue;
        };
        let place = BindingPoint::Site(site.clone());
        let Presented::Certificate(thumbprint) = presented(server, &place, builder.now) else { continue };
        let Some(stored) = server.certificate(thumbprint) else { continue };
        let named = server.client_names.iter().flat_map(|(directory, names)| {
            let internal = names.internal.iter().map(move |host| (*directory, false, host));
            let external = names.external.iter().map(move |host| (*directory, true, host));
            internal.chain(external)
        });
        let missing: Vec<ClientName> = named
            .filter(|(_, _, host)| !stored.certificate.is_accepted_for(host))
            .map(|(directory, external, host)| ClientName { host: host.clone(), directory, external })
            .collect();
        if !missing.is_empty() {
            warnings.push(ServerWarning::ClientNamesMissing {
                server: name.clone(),
                thumbprint,
                named: stored.certificate.subject.to_string(),
                missing,
            });
        }
    }
    for warning in warnings {
        builder.warn(warning);
    }
}
