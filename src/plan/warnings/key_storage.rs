//! Private keys that something else keeps than Exchange can use (facts 8.4, 8.5; 15, no. 30).

use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        selection::Presented,
    },
    model::{
        desired::Desired,
        names::ServerName,
        server::{Server, StoredCertificate},
        site::SiteBinding,
        thumbprint::Thumbprint,
        warning::{AuthWarning, ServerWarning, Warning},
    },
    plan::builder::PlanBuilder,
};

/// Adds the warnings about every server of the manifest. A key whose provider nobody saw says nothing.
pub(in crate::plan) fn advise(builder: &mut PlanBuilder, desired: &Desired) {
    let auth = builder.world.organization.auth.known().and_then(Option::as_ref);
    let auth: Vec<Thumbprint> =
        auth.into_iter().flat_map(|auth| [auth.current, auth.next]).flatten().collect();
    for name in desired.servers.keys() {
        let Some(server) = builder.server(name) else { continue };
        let store = server.certificates.known().into_iter().flat_map(|store| store.0.values());
        let in_cng: Vec<&StoredCertificate> = store.filter(|stored| stored.is_rsa_in_cng()).collect();
        let warnings: Vec<Warning> = in_cng
            .into_iter()
            .filter_map(|stored| {
                let is_auth = auth.contains(&stored.certificate.thumbprint);
                if is_auth {
                    Some(of_auth(name, stored).into())
                } else {
                    of_web(builder, name, server, stored).map(Warning::from)
                }
            })
            .collect();
        for warning in warnings {
            builder.warn(warning);
        }
    }
}

fn of_auth(name: &ServerName, stored: &StoredCertificate) -> AuthWarning {
    AuthWarning::AuthKeyInCng {
        server: name.clone(),
        thumbprint: stored.certificate.thumbprint,
        exportable: stored.exportable.known().copied(),
    }
}

fn of_web(
    builder: &PlanBuilder,
    name: &ServerName,
    server: &Server,
    stored: &StoredCertificate,
) -> Option<ServerWarning> {
    let thumbprint = stored.certificate.thumbprint;
    let is_of_iis = binding_points(server).into_iter().any(|place| {
        matches!(&place, BindingPoint::Site(site) if site.site == SiteBinding::DEFAULT_WEB_SITE)
            && presented(server, &place, builder.now) == Presented::Certificate(thumbprint)
    });
    is_of_iis.then(|| ServerWarning::WebKeyInCng {
        server: name.clone(),
        thumbprint,
        exportable: stored.exportable.known().copied(),
    })
}
