//! Names that clients are sent to and that the certificate there does not have: they show a warning, or do not connect.

use crate::{
    exchange::{
        binding_points::{BindingPoint, endpoints, presented},
        selection::Presented,
    },
    model::{
        client_names::ClientName,
        desired::Desired,
        fact::Fact,
        names::ServerName,
        server::{MailAccess, Server},
        service::MailService,
        site::SiteBinding,
        time::Timestamp,
        warning::{ServerWarning, ServiceWarning},
    },
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
    let of_mail = desired.servers.keys().filter_map(|name| Some((name, builder.server(name)?)));
    let of_mail: Vec<_> = of_mail.flat_map(|(name, server)| mail_names(name, server, builder.now)).collect();
    for warning in warnings {
        builder.warn(warning);
    }
    for warning in of_mail {
        builder.warn(warning);
    }
}

/// The host names that users are told for POP and IMAP, where these run.
fn mail_names(name: &ServerName, server: &Server, now: Timestamp) -> Vec<ServiceWarning> {
    let services = [
        (MailService::Pop, BindingPoint::Pop, &server.pop),
        (MailService::Imap, BindingPoint::Imap, &server.imap),
    ];
    let runs = services.into_iter().filter(|(_, place, _)| !endpoints(server, place).is_empty());
    let warning = |(service, place, settings): (MailService, BindingPoint, &Fact<Option<MailAccess>>)| {
        let Presented::Certificate(thumbprint) = presented(server, &place, now) else { return None };
        let stored = server.certificate(thumbprint)?;
        let names = settings.known()?.as_ref()?.external_names.iter();
        let missing: Vec<_> =
            names.filter(|host| !stored.certificate.is_accepted_for(host)).cloned().collect();
        let server = name.clone();
        (!missing.is_empty()).then_some(ServiceWarning::MailNamesMissing {
            server,
            service,
            thumbprint,
            missing,
        })
    };
    runs.filter_map(warning).collect()
}
