//! Where Exchange will present something else than the manifest declares, although everything is set as it says. In
//! Exchange's own words where it has some.

use std::collections::BTreeMap;

use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        events::{Event, SEND_CONNECTOR_WITHOUT_CERTIFICATE},
        selection::{self, Presented, Selection},
    },
    model::{
        desired::{CertificateId, Desired, DesiredServer},
        names::{ConnectorName, DnsName, ServerName},
        server::Server,
        service::Service,
        thumbprint::Thumbprint,
        time::Timestamp,
    },
    plan::{builder::PlanBuilder, expect},
};

/// Warns of what the organization will do when all steps are done.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, desired: &Desired) {
    let mut warnings = Vec::new();
    for (name, own) in &desired.servers {
        let Some(server) = builder.server(name) else { continue };
        for presenter in binding_points(server) {
            warnings.extend(at_declared_place(builder, name, own, server, &presenter));
        }
        warnings.extend(outranked(builder, name, own, server));
    }
    for (connector, id) in &desired.send_connectors {
        warnings.extend(id.iter().flat_map(|id| through(builder, desired, connector, id)));
    }
    for warning in warnings {
        builder.warn(warning);
    }
}

/// A place for which the manifest names a certificate, and which will present another or none.
fn at_declared_place(
    builder: &PlanBuilder,
    name: &ServerName,
    own: &DesiredServer,
    server: &Server,
    presenter: &BindingPoint,
) -> Option<String> {
    let id = expect::declared(own, server, presenter)?;
    let wanted = builder.thumbprint(id)?;
    let found = presented(server, presenter, builder.now);
    match &found {
        Presented::Certificate(thumbprint) if *thumbprint == wanted => None,
        Presented::Certificate(other) => {
            Some(format!("{presenter} on {name} will present {}, not {id}", shown(server, *other)))
        }
        Presented::Failing { .. } | Presented::Nothing(_) => {
            let event = event(server, presenter, builder.now).map_or(String::new(), |(event, text)| {
                format!("; Exchange will log event {}: {text}", event.id())
            });
            Some(format!("{presenter} on {name} will present {found}, not {id}{event}"))
        }
        Presented::Unknown(_) => None,
    }
}

/// What transport will write into the event log about a connector.
fn event(server: &Server, presenter: &BindingPoint, now: Timestamp) -> Option<(Event, String)> {
    let (selection, connector, fqdn) = match presenter {
        BindingPoint::Connector(name) => {
            let connector = server.receive_connectors.known()?.get(name)?;
            let selection = selection::inbound_starttls(server, connector, now);
            (selection, name.to_string(), connector.fqdn.as_ref())
        }
        BindingPoint::InternalTransport => {
            (selection::internal_transport(server, Vec::new(), now), String::new(), None)
        }
        BindingPoint::Site(_) | BindingPoint::Pop | BindingPoint::Imap => return None,
    };
    let event = selection.event?;
    let text = event.text(&connector, fqdn);
    Some((event, text))
}

/// Certificates that the manifest enables for SMTP, and that no certificate of the manifest outranks but another: what
/// `Enable-ExchangeCertificate` warns of, in its words (facts 3.3). Connectors that name their certificate are not chosen
/// for by FQDN.
fn outranked(builder: &PlanBuilder, name: &ServerName, own: &DesiredServer, server: &Server) -> Vec<String> {
    let ids = own.services.get(&Service::Smtp).into_iter().flatten();
    let declared: Vec<(&CertificateId, Thumbprint)> =
        ids.filter_map(|id| Some((id, builder.thumbprint(id)?))).collect();
    let mut connectors: BTreeMap<(&CertificateId, DnsName, Thumbprint), Vec<&ConnectorName>> =
        BTreeMap::new();
    for (connector, settings) in server.receive_connectors.known().into_iter().flatten() {
        let fqdn = settings.fqdn.as_ref().or(server.fqdn.known());
        let (None, Some(fqdn)) = (&settings.tls_certificate_name, fqdn) else { continue };
        let Selection { presented, .. } = selection::inbound_starttls(server, settings, builder.now);
        let (Presented::Certificate(winner) | Presented::Failing { certificate: winner, .. }) = presented
        else {
            continue;
        };
        if declared.iter().any(|(_, thumbprint)| *thumbprint == winner) {
            continue;
        }
        for (id, thumbprint) in &declared {
            if server.certificate(*thumbprint).is_some_and(|stored| stored.certificate.covers(fqdn)) {
                connectors.entry((*id, fqdn.clone(), winner)).or_default().push(connector);
            }
        }
    }
    connectors
        .into_iter()
        .map(|((id, fqdn, winner), connectors)| {
            let connectors: Vec<String> = connectors.into_iter().map(ToString::to_string).collect();
            format!(
                "{} on {name}: This certificate will not be used for external TLS connections with an FQDN of '{fqdn}' \
                 because the {} certificate with thumbprint '{winner}' takes precedence. The following connectors match \
                 that FQDN: {}.",
                id.name,
                kind(server, winner),
                connectors.join(", ")
            )
        })
        .collect()
}

/// Source servers of a send connector that will prove themselves with another certificate than the declared one.
fn through(
    builder: &PlanBuilder,
    desired: &Desired,
    connector: &ConnectorName,
    id: &CertificateId,
) -> Vec<String> {
    let organization = &builder.world.organization;
    let settings = organization.send_connectors.known().and_then(|connectors| connectors.get(connector));
    let (Some(settings), Some(wanted)) = (settings, builder.thumbprint(id)) else { return Vec::new() };
    let sources = settings.source_servers.iter().filter(|name| desired.servers.contains_key(*name));
    let warning = |name: &ServerName| {
        let server = builder.server(name)?;
        let tls_name = settings.tls_certificate_name.as_ref();
        let found =
            selection::outbound_starttls(server, tls_name, settings.fqdn.as_ref(), builder.now).presented;
        match &found {
            Presented::Certificate(thumbprint) if *thumbprint == wanted => None,
            Presented::Unknown(_) => None,
            Presented::Certificate(other) => {
                let other = shown(server, *other);
                Some(format!("{connector} will send from {name} with {other}, not with {id}"))
            }
            Presented::Failing { .. } => {
                Some(format!("{connector} will send from {name} with {found}, not with {id}"))
            }
            Presented::Nothing(_) => Some(format!(
                "{connector} finds no certificate on {name}, and mail will wait: {SEND_CONNECTOR_WITHOUT_CERTIFICATE}"
            )),
        }
    };
    sources.filter_map(warning).collect()
}

fn shown(server: &Server, thumbprint: Thumbprint) -> String {
    format!("the {} certificate {}", kind(server, thumbprint), thumbprint.short())
}

fn kind(server: &Server, thumbprint: Thumbprint) -> &'static str {
    let stored = server.certificate(thumbprint);
    if stored.is_some_and(|stored| stored.certificate.is_self_signed()) { "self-signed" } else { "CA-signed" }
}
