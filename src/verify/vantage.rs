//! From where this computer meets servers: a receive connector may be for its address (facts 5.7).

use std::net::IpAddr;

use super::worker_pool;
use crate::{
    model::{
        endpoint::{Endpoint, Protocol},
        handshake::probe_error::ProbeError,
        names::{DnsName, ServerName},
        organization::Observed,
    },
    ports::driver::Observer,
};

/// Notes the address from which handshakes come to each server that tells clients apart; `from_here` tells it for `host:port`.
/// Where it cannot be told, that is noted, and the connector for all clients is taken for the one that answers.
pub fn note(
    observed: &mut Observed,
    observer: &dyn Observer,
    from_here: &(dyn Fn(&str) -> Result<IpAddr, ProbeError> + Sync),
) {
    let servers = observed.organization.servers.iter();
    let unseen = servers.filter(|(_, server)| server.met_from.is_none() && server.tells_clients_apart());
    let asked: Vec<(ServerName, DnsName)> =
        unseen.filter_map(|(name, server)| Some((name.clone(), server.fqdn.known()?.clone()))).collect();
    let names: Vec<&ServerName> = asked.iter().map(|(name, _)| name).collect();
    let found = worker_pool::each(&names, AT_ONCE, 1, &|index| {
        let (name, fqdn) = &asked[index];
        let address = observer.address(name, fqdn, Endpoint::new(Protocol::Smtp, SMTP)).ok()?;
        Some(from_here(&address))
    });
    for ((name, _), here) in asked.iter().zip(found) {
        match (here, observed.organization.servers.get_mut(name)) {
            (Some(Ok(here)), Some(server)) => server.met_from = Some(here),
            (Some(Err(error)), _) => observed.notes.push(format!(
                "which receive connector of {name} answers to this computer is not known, and the one for all clients is taken for \
                 it: {error}"
            )),
            (None, _) | (_, None) => {}
        }
    }
}

/// Most of the time goes by waiting for the name server.
const AT_ONCE: usize = 32;
const SMTP: u16 = 25;
