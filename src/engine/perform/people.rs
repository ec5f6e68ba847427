//! What people do outside of certwright, seen by what it leaves on the servers.

use super::{super::apply::Ports, StepError};
use crate::{engine::driver::Wanted, exchange::hybrid, model::desired::Desired};

/// Whether connectors are as the Hybrid Configuration Wizard leaves them.
pub(super) fn hybrid_applied(desired: &Desired, ports: &Ports<'_>) -> Result<bool, StepError> {
    let seen = ports.driver.observe(Wanted::Of(desired))?;
    Ok(hybrid::is_applied(&seen.organization))
}
