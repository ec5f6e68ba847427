//! What is to be met at the endpoints of a server.

use super::{error::StepError, outputs::Outputs};
use crate::{
    model::{action::Expectation, desired::Desired, names::ServerName},
    verify::check::{Check, Peer},
};

/// A check for each expectation.
pub(super) fn checks(
    desired: &Desired,
    outputs: &Outputs,
    server: &ServerName,
    expect: &[Expectation],
) -> Result<Vec<Check>, StepError> {
    let missing = || StepError::BrokenPlan(format!("{server} is not in the manifest"));
    let fqdn = &desired.servers.get(server).ok_or_else(missing)?.fqdn;
    let check = |expectation: &Expectation| {
        Ok(Check {
            peer: Peer::Server { name: server.clone(), fqdn: fqdn.clone() },
            endpoint: expectation.endpoint,
            name: expectation.name.clone(),
            expected: Some(outputs.thumbprint(expectation.certificate)?),
            trusted_by: outputs.trusted_by(expectation.certificate).at(expectation.endpoint.protocol),
            presenter: None,
        })
    };
    expect.iter().map(check).collect()
}
