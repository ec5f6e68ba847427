//! What people do outside of certwright, seen by what it leaves on the servers.

use super::error::StepError;
use crate::{
    apply::ports::Ports,
    exchange::{edge, hybrid},
    model::{desired::Desired, names::ServerName, time::Timestamp},
    ports::driver::Wanted,
};

/// Whether connectors are as the Hybrid Configuration Wizard leaves them.
pub(super) fn hybrid_applied(desired: &Desired, ports: &Ports<'_>) -> Result<bool, StepError> {
    let seen = ports.driver.observe(Wanted::Of(desired))?;
    Ok(hybrid::is_applied(&seen.organization))
}

/// Whether an Edge server and the servers of its site know each other's certificates.
pub(super) fn edge_subscribed(
    name: &ServerName,
    before: Option<Timestamp>,
    desired: &Desired,
    ports: &Ports<'_>,
) -> Result<bool, StepError> {
    let seen = ports.driver.observe(Wanted::Of(desired))?;
    Ok(edge::is_trusted(&seen.organization, name, before))
}
