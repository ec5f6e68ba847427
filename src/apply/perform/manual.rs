//! What people do outside of certwright, seen by what it leaves on the servers: on those that it is about, and no others.

use std::collections::BTreeSet;

use super::error::StepError;
use crate::{
    apply::ports::Ports,
    exchange::{edge, hybrid},
    model::{desired::Desired, names::ServerName, organization::Organization, time::Timestamp},
    ports::driver::Wanted,
};

/// Whether connectors are as the Hybrid Configuration Wizard leaves them.
pub(super) fn hybrid_applied(ports: &Ports<'_>) -> Result<bool, StepError> {
    let seen = look(ports, |organization| {
        let hybrid = organization.hybrid.known().and_then(Option::as_ref);
        hybrid.map(hybrid::servers).unwrap_or_default()
    })?;
    Ok(hybrid::is_applied(&seen))
}

/// Whether an Edge server and the servers of its site know each other's certificates.
pub(super) fn edge_subscribed(
    name: &ServerName,
    before: Option<Timestamp>,
    desired: &Desired,
    ports: &Ports<'_>,
) -> Result<bool, StepError> {
    let seen = look(ports, |organization| {
        let subscriptions = organization.edge_subscriptions.known().into_iter().flatten();
        let own = subscriptions.filter(|subscription| subscription.edge == *name);
        let sides = own.flat_map(|own| own.site_servers.iter().chain([&own.edge]));
        sides.filter(|side| desired.servers.contains_key(*side)).cloned().collect()
    })?;
    Ok(edge::is_trusted(&seen, name, before))
}

/// The organization with the servers that it tells to look at.
fn look(
    ports: &Ports<'_>,
    about: impl FnOnce(&Organization) -> BTreeSet<ServerName>,
) -> Result<Organization, StepError> {
    let organization = ports.driver.observe(Wanted::Organization)?.organization;
    let servers = about(&organization);
    if servers.is_empty() {
        return Ok(organization);
    }
    Ok(ports.driver.observe(Wanted::Servers(&servers))?.organization)
}
