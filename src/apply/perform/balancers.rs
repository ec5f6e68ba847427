//! The steps on load balancers.

use super::{error::StepError, outputs::Outputs};
use crate::{
    apply::ports::Ports,
    model::{
        action::Expectation,
        bundle::Bundle,
        entry::StepOutput,
        names::{BalancerName, PeerName},
        plan::Step,
    },
    ports::balancer::Balancer,
    verify::{check::Check, peers::Peers, run},
};

/// What the load balancer has is backed up first: after a crash in the middle it can still be put back.
pub(super) fn install(
    step: &Step,
    ports: &Ports<'_>,
    name: &BalancerName,
    bundle: &Bundle,
) -> Result<StepOutput, StepError> {
    let missing = || StepError::BrokenPlan(format!("{name} is not in the manifest"));
    let balancer: &dyn Balancer = ports.balancers.get(name).ok_or_else(missing)?.as_ref();
    let output = match balancer.export()? {
        // A step that is done again after a crash must not take its own work for what was there before.
        Some(before) if before.certificate.thumbprint != bundle.certificate.thumbprint => {
            let (name, sha256) =
                ports.artifacts.back_up(step.id, &PeerName::Balancer(name.clone()), &before)?;
            StepOutput::File { name, sha256 }
        }
        Some(_) | None => StepOutput::Done,
    };
    balancer.install(bundle)?;
    Ok(output)
}

/// Meets a load balancer, which may take a moment to serve its new certificate.
pub(super) fn verify_balancer(
    ports: &Ports<'_>,
    outputs: &Outputs,
    name: &BalancerName,
    expect: &[Expectation],
) -> Result<StepOutput, StepError> {
    let missing = || StepError::BrokenPlan(format!("{name} is not in the manifest"));
    let checks = expect.iter().map(|expectation| {
        let expected = outputs.thumbprint(expectation.certificate)?;
        let trusted_by = outputs.trusted_by(expectation.certificate);
        Ok(Check { trusted_by, ..Check::of_balancer(name, expectation, expected) })
    });
    let checks: Vec<Check> = checks.collect::<Result<_, StepError>>()?;
    let peers = Peers::new(ports.driver, ports.balancers);
    let mut tries = 1;
    let verified = loop {
        match run::verify(&checks, &peers, ports.prober, ports.roots) {
            Ok(verified) => break verified,
            Err(rows) if tries >= TRIES => return Err(StepError::NotServed(rows)),
            Err(_) => ports.balancers.get(name).ok_or_else(missing)?.pause(),
        }
        tries += 1;
    };
    let endpoints =
        verified.served().iter().map(|((_, endpoint), thumbprint)| (*endpoint, *thumbprint)).collect();
    Ok(StepOutput::Served { endpoints })
}

/// How often a load balancer is met that does not serve its new certificate yet.
const TRIES: u32 = 25;
