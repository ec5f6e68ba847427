//! Places that listen at one address only are met there, and not where the server's own name leads (facts 5.7, 11.2).

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use super::binding_points::{BindingPoint, answering, binding_points, endpoints};
use crate::model::{endpoint::Endpoint, server::Server, site::SiteBinding};

/// The endpoints of a server that listen at one address only, with it.
pub fn bound_addresses(server: &Server) -> BTreeMap<Endpoint, SocketAddr> {
    let mut found = BTreeMap::new();
    for place in binding_points(server) {
        for endpoint in endpoints(server, &place) {
            if let Some(address) = address(server, &place, endpoint.port) {
                found.entry(endpoint).or_insert(SocketAddr::new(address, endpoint.port));
            }
        }
    }
    found
}

/// The one address at which a place listens on a port; none where it listens on all of them.
fn address(server: &Server, place: &BindingPoint, port: u16) -> Option<IpAddr> {
    match place {
        BindingPoint::Site(SiteBinding { address, .. }) => parsed(address.as_deref()?),
        BindingPoint::Connector(_) | BindingPoint::InternalTransport => {
            let name = answering(server, port)?;
            let connector = server.receive_connectors.known()?.get(name)?;
            let addresses: Option<Vec<&str>> = connector.addresses(port).into_iter().collect();
            parsed(addresses?.first()?)
        }
        BindingPoint::Pop | BindingPoint::Imap => None,
    }
}

fn parsed(address: &str) -> Option<IpAddr> {
    address.trim_start_matches('[').trim_end_matches(']').parse().ok()
}
