//! Where Exchange will present something else than the manifest declares, although everything is set as it says. In
//! Exchange's own words where it has some.

use std::collections::BTreeMap;

use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, endpoints, presented},
        events::SEND_CONNECTOR_WITHOUT_CERTIFICATE,
        selection::{self, Nothing, Presented, Selection},
    },
    model::{
        action::CertRef,
        desired::{CertificateId, Desired, DesiredServer},
        names::{ConnectorName, DnsName, ServerName},
        server::Server,
        service::Service,
        thumbprint::Thumbprint,
        time::Timestamp,
        warning::{LoggedEvent, SelectionWarning},
    },
    plan::{builder::PlanBuilder, expect},
};

/// Warns of what the organization will do when all steps are done.
pub(in crate::plan) fn warn(builder: &mut PlanBuilder, (asked, desired): (&Desired, &Desired)) {
    let mut warnings = Vec::new();
    for (name, own) in &desired.servers {
        let Some(server) = builder.server(name) else { continue };
        for presenter in binding_points(server) {
            warnings.extend(at_declared_place(builder, name, own, server, &presenter));
        }
        warnings.extend(outranked(builder, name, own, server));
        warnings.extend(names_taken(builder, name, own, server));
    }
    // One that waits for a server which is left out goes on with what it names, from the others too.
    let connectors = builder.world.organization.send_connectors.known();
    let is_left_out = |name: &ServerName| asked.servers.get(name).is_some_and(|own| own.left_out.is_some());
    let waits = |connector: &ConnectorName| {
        connectors
            .and_then(|all| all.get(connector))
            .is_some_and(|own| own.source_servers.iter().any(is_left_out))
    };
    let planned = |connector: &ConnectorName| desired.send_connectors.contains_key(connector);
    let declared =
        asked.send_connectors.iter().filter(|(connector, _)| planned(connector) || waits(connector));
    for (connector, id) in declared {
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
) -> Option<SelectionWarning> {
    let id = expect::declared(own, server, presenter)?;
    let wanted = builder.thumbprint(id)?;
    let found = presented(server, presenter, builder.now);
    let (name, place, certificate) = (name.clone(), presenter.to_string(), id.clone());
    match found {
        Presented::Certificate(thumbprint) if thumbprint == wanted => None,
        Presented::Certificate(other) => {
            let self_signed = is_self_signed(server, other);
            Some(SelectionWarning::OtherPresented {
                server: name,
                place,
                certificate,
                presented: other,
                self_signed,
            })
        }
        // Other warnings say what that store presents, and that a connector is set to present nothing.
        Presented::Nothing(Nothing::Elsewhere(_) | Nothing::NotInAuthMechanism(_) | Nothing::Disabled)
        | Presented::Unknown(_) => None,
        Presented::Failing { .. } | Presented::Nothing(_) => {
            let event = event(server, presenter, builder.now);
            Some(SelectionWarning::NothingPresented { server: name, place, certificate, found, event })
        }
    }
}

/// Bindings with host names that the manifest does not declare, and that answer for names of what it declares on the same port.
fn names_taken(
    builder: &PlanBuilder,
    name: &ServerName,
    own: &DesiredServer,
    server: &Server,
) -> Vec<SelectionWarning> {
    let sites = || server.sites.known().into_iter().flat_map(BTreeMap::keys);
    let mut taken = Vec::new();
    for other in sites() {
        let by = BindingPoint::Site(other.clone());
        let Some(host) = other.host.as_ref().filter(|_| expect::declared(own, server, &by).is_none()) else {
            continue;
        };
        let general =
            sites().filter(|site| site.port == other.port && site.host.is_none()).find_map(|site| {
                let place = BindingPoint::Site(site.clone());
                let id = expect::declared(own, server, &place)
                    .filter(|_| !endpoints(server, &place).is_empty())?;
                let wanted = builder.thumbprint(id)?;
                server.certificate(wanted)?.certificate.is_accepted_for(host).then_some((place, id, wanted))
            });
        let Some((place, id, wanted)) = general else { continue };
        let presented = match presented(server, &by, builder.now) {
            Presented::Certificate(shown) => Some(shown),
            Presented::Failing { .. } | Presented::Nothing(Nothing::NotConfigured | Nothing::NotThere) => {
                None
            }
            // Another warning says what other stores present.
            Presented::Nothing(_) | Presented::Unknown(_) => continue,
        };
        if presented != Some(wanted) {
            taken.push(SelectionWarning::NameTaken {
                server: name.clone(),
                place: place.to_string(),
                certificate: id.clone(),
                host: host.clone(),
                by: by.to_string(),
                presented,
            });
        }
    }
    taken
}

/// What transport will write into the event log about a connector.
fn event(server: &Server, presenter: &BindingPoint, now: Timestamp) -> Option<LoggedEvent> {
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
    Some(LoggedEvent { id: event.id(), text })
}

/// Certificates that the manifest enables for SMTP, and that no certificate of the manifest outranks but another: what
/// `Enable-ExchangeCertificate` warns of, in its words (facts 3.3). Connectors that name their certificate are not chosen
/// for by FQDN.
fn outranked(
    builder: &PlanBuilder,
    name: &ServerName,
    own: &DesiredServer,
    server: &Server,
) -> Vec<SelectionWarning> {
    let ids = own.services.get(&Service::Smtp).into_iter().flatten();
    let declared: Vec<(&CertificateId, Thumbprint)> =
        ids.filter_map(|id| Some((id, builder.thumbprint(id)?))).collect();
    let mut connectors: BTreeMap<(&CertificateId, DnsName, Thumbprint, bool, bool), Vec<&ConnectorName>> =
        BTreeMap::new();
    let chosen = |id: &CertificateId| builder.thumbprint(id);
    let met = expect::by_connector_name(own, server, &chosen, builder.now);
    let is_met = |connector: &ConnectorName, wanted: Thumbprint| {
        met.iter().any(|(place, expected)| {
            *place == BindingPoint::Connector(connector.clone())
                && expected.certificate == CertRef::of(wanted)
        })
    };
    for (connector, settings) in server.receive_connectors.known().into_iter().flatten() {
        let fqdn = settings.fqdn.as_ref().or(server.fqdn.known());
        let (None, Some(fqdn)) = (&settings.tls_certificate_name, fqdn) else { continue };
        let Selection { presented, .. } = selection::inbound_starttls(server, settings, builder.now);
        let (winner, unusable) = match presented {
            Presented::Certificate(winner) => (winner, false),
            Presented::Failing { certificate, .. } => (certificate, true),
            Presented::Nothing(_) | Presented::Unknown(_) => continue,
        };
        if declared.iter().any(|(_, thumbprint)| *thumbprint == winner) {
            continue;
        }
        for (id, thumbprint) in &declared {
            if server.certificate(*thumbprint).is_some_and(|stored| stored.certificate.covers(fqdn)) {
                let expected = is_met(connector, *thumbprint);
                let found = (*id, fqdn.clone(), winner, unusable, expected);
                connectors.entry(found).or_default().push(connector);
            }
        }
    }
    connectors
        .into_iter()
        .map(|((id, fqdn, winner, unusable, expected), connectors)| {
            let connectors = connectors.into_iter().cloned().collect();
            let self_signed = is_self_signed(server, winner);
            SelectionWarning::Outranked {
                server: name.clone(),
                certificate: id.name.clone(),
                fqdn,
                winner,
                self_signed,
                connectors,
                unusable,
                expected,
            }
        })
        .collect()
}

/// Source servers of a send connector that will prove themselves with another certificate than the declared one.
fn through(
    builder: &PlanBuilder,
    desired: &Desired,
    connector: &ConnectorName,
    id: &CertificateId,
) -> Vec<SelectionWarning> {
    let organization = &builder.world.organization;
    let settings = organization.send_connectors.known().and_then(|connectors| connectors.get(connector));
    let (Some(settings), Some(wanted)) = (settings, builder.thumbprint(id)) else { return Vec::new() };
    let sources = settings.source_servers.iter().filter(|name| desired.servers.contains_key(*name));
    let warning = |name: &ServerName| {
        let server = builder.server(name)?;
        let (name, connector, certificate) = (name.clone(), connector.clone(), id.clone());
        let tls_name = settings.tls_certificate_name.as_ref();
        let found =
            selection::outbound_starttls(server, tls_name, settings.fqdn.as_ref(), builder.now).presented;
        match &found {
            Presented::Certificate(thumbprint) if *thumbprint == wanted => None,
            Presented::Unknown(_) => None,
            Presented::Certificate(other) => {
                let (presented, self_signed) = (*other, is_self_signed(server, *other));
                Some(SelectionWarning::OtherSent {
                    connector,
                    server: name,
                    certificate,
                    presented,
                    self_signed,
                })
            }
            Presented::Failing { certificate: chosen, why } => {
                let (chosen, why) = (*chosen, *why);
                Some(SelectionWarning::SendFails { connector, server: name, certificate, chosen, why })
            }
            Presented::Nothing(_) => {
                let error = SEND_CONNECTOR_WITHOUT_CERTIFICATE.to_owned();
                Some(SelectionWarning::SendWithoutCertificate { connector, server: name, error })
            }
        }
    };
    sources.filter_map(warning).collect()
}

fn is_self_signed(server: &Server, thumbprint: Thumbprint) -> bool {
    server.certificate(thumbprint).is_some_and(|stored| stored.certificate.is_self_signed())
}
