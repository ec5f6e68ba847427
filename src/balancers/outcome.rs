//! What a command of a load balancer came to.

use crate::{ports::balancer::BalancerError, process::ProcessError};

/// What a command that was to change the load balancer came to. One that said No has changed nothing; one that did not
/// come to an end may have.
pub(super) fn of_command(what: &str, error: ProcessError) -> BalancerError {
    if error.is_verdict() { BalancerError::failed(what, error) } else { BalancerError::unknown(what, error) }
}
