//! Places that name a certificate and present none: the worst that a place can do. Exchange and Windows write an event, and most
//! of them nobody meets every day (facts 5.1, 5.4, 7.3, 11.2).

use std::collections::BTreeMap;

use super::{
    binding_points::{BindingPoint, binding_points, endpoints, presented},
    named,
    selection::{Failing, Nothing, Presented},
};
use crate::model::{
    names::ServerName,
    organization::Organization,
    server::Server,
    time::Timestamp,
    without_certificate::{NamingPlace, NonePresented, WithoutCertificate},
};

/// Those of these servers, declared or not. What was not seen may be there.
pub fn without_certificate<'a>(
    organization: &Organization,
    servers: impl Iterator<Item = &'a ServerName>,
    now: Timestamp,
) -> Vec<WithoutCertificate> {
    let senders = named::by_server(organization);
    let connectors = organization.send_connectors.known();
    let mut found = Vec::new();
    for (name, server) in servers.filter_map(|name| organization.servers.get_key_value(name)) {
        let places = binding_points(server).into_iter().filter_map(|place| {
            let why = none_presented(server, &place, presented(server, &place, now))?;
            Some((naming(server, place)?, why))
        });
        let sending = senders.get(name).into_iter().flatten().filter_map(|sender| {
            let connector = connectors?.get(sender)?;
            let names_one = connector.enabled && connector.tls_certificate_name.is_some();
            let place = BindingPoint::Connector(sender.clone());
            let shown = named::presented(server, connector, now);
            let why = none_presented(server, &place, shown).filter(|_| names_one)?;
            Some((NamingPlace::SendConnector(sender.clone()), why))
        });
        found.extend(places.chain(sending).map(|(place, why)| WithoutCertificate {
            server: name.clone(),
            place,
            why,
            left_out: false,
        }));
    }
    found
}

/// The place, where it names a certificate or chooses one by a name. POP and IMAP that do not run present nothing (facts 3.9), and
/// internal transport has words of its own.
fn naming(server: &Server, place: BindingPoint) -> Option<NamingPlace> {
    match place {
        BindingPoint::Site(binding) => Some(NamingPlace::Site(binding)),
        BindingPoint::Connector(name) => {
            let connector =
                server.receive_connectors.known().and_then(|known: &BTreeMap<_, _>| known.get(&name));
            Some(match connector?.tls_certificate_name {
                Some(_) => NamingPlace::ReceiveConnector(name),
                None => NamingPlace::ReceivingByFqdn(name),
            })
        }
        BindingPoint::InternalTransport => None,
        BindingPoint::Pop => (!endpoints(server, &place).is_empty()).then_some(NamingPlace::Pop),
        BindingPoint::Imap => (!endpoints(server, &place).is_empty()).then_some(NamingPlace::Imap),
    }
}

fn none_presented(server: &Server, place: &BindingPoint, presented: Presented) -> Option<NonePresented> {
    match presented {
        Presented::Failing { certificate, why } => Some(match why {
            Failing::NotInStore => NonePresented::NotInStore { certificate },
            Failing::NoPrivateKey => NonePresented::NoPrivateKey { certificate },
            Failing::NoKeyAccess => NonePresented::NoKeyAccess { certificate },
        }),
        Presented::Nothing(Nothing::NoMatch(name)) => Some(NonePresented::NoneFits { name }),
        Presented::Nothing(Nothing::NotInAuthMechanism(_)) => {
            let BindingPoint::Connector(name) = place else { return None };
            let connector = server.receive_connectors.known()?.get(name)?;
            Some(NonePresented::NotOffered { auth: connector.auth.iter().copied().collect() })
        }
        Presented::Nothing(Nothing::Disabled) => Some(NonePresented::Disabled {}),
        Presented::Nothing(
            Nothing::NotThere | Nothing::NotConfigured | Nothing::NotToExchange | Nothing::Elsewhere(_),
        )
        | Presented::Certificate(_)
        | Presented::Unknown(_) => None,
    }
}
