//! Restarts: not where they are not needed, and drained where the plan says so.

use std::time::Duration;

use super::{checks::checks, error::StepError, outputs::Outputs};
use crate::{
    apply::ports::Ports,
    model::{
        action::{Drain, Expectation},
        desired::Desired,
        names::{BalancerName, ServerName},
        service::Restartable,
    },
    ports::{
        FoundDrained,
        balancer::{Balancer, BalancerError},
        driver::DriverError,
    },
    verify::{peers::Peers, run},
};

/// Restarts services of a server. What it was taken out of before, it is put back into, whatever becomes of the restart: a
/// process that dies in the middle leaves a step that was begun, and the next run does all of it `again`.
pub(super) fn restart(
    ports: &Ports<'_>,
    server: &ServerName,
    (what, services): (Restartable, &[String]),
    drain: Option<&Drain>,
    (again, found): (bool, FoundDrained),
) -> Result<(), StepError> {
    // Only what runs is restarted: what an earlier attempt has stopped is started.
    let restarted = || {
        let restarted = ports.driver.restart(server, what, services);
        if again { restarted.and(started(ports, server, (what, services))) } else { restarted }
    };
    let Some(Drain { redirect_to, balancers, left_out: _ }) = drain else { return Ok(restarted()?) };
    let mut out: Vec<(&BalancerName, &dyn Balancer)> = Vec::new();
    let done = (|| {
        for name in balancers {
            let missing = || StepError::BrokenPlan(format!("{name} is not in the manifest"));
            let balancer = ports.balancers.get(name).ok_or_else(missing)?.as_ref();
            let taken = balancer.take_out(server, found);
            if taken.as_ref().is_ok() || taken.as_ref().is_err_and(BalancerError::leaves_doubt) {
                out.push((name, balancer));
            }
            taken?;
        }
        if let Some(target) = redirect_to {
            ports.driver.drain_transport(server, target, found)?;
        }
        Ok(restarted()?)
    })();
    let mut still_out = None;
    for (name, balancer) in out {
        if let Err(source) = balancer.put_back(server) {
            still_out.get_or_insert(StepError::StillOut {
                server: server.clone(),
                balancer: name.clone(),
                source,
            });
        }
    }
    still_out.map_or(done, Err)
}

/// Starts what an earlier attempt may have left stopped. Application pools never stand still.
pub(super) fn started(
    ports: &Ports<'_>,
    server: &ServerName,
    (what, services): (Restartable, &[String]),
) -> Result<(), DriverError> {
    match what {
        Restartable::WebApps => Ok(()),
        Restartable::Iis
        | Restartable::Transport
        | Restartable::MailboxTransport
        | Restartable::ServiceHost
        | Restartable::Pop
        | Restartable::Imap
        | Restartable::Um
        | Restartable::UmCallRouter => ports.driver.start(server, services),
    }
}

/// Whether all these endpoints serve what they should, so that nothing has to be restarted: one after the other, each with
/// patience. The first that goes on serving something else ends it.
pub(super) fn serves_already(
    ports: &Ports<'_>,
    desired: &Desired,
    outputs: &Outputs,
    server: &ServerName,
    expect: &[Expectation],
) -> Result<bool, StepError> {
    let peers = Peers::new(ports.driver, ports.balancers);
    let mut pauses = PATIENCE.iter();
    for check in checks(desired, outputs, server, expect)? {
        let expected = check.expected;
        while run::rows(std::slice::from_ref(&check), &peers, ports.prober)[0].served != expected {
            let Some(pause) = pauses.next() else { return Ok(false) };
            (ports.pause)(*pause);
        }
    }
    Ok(!expect.is_empty())
}

/// Whether all these endpoints serve what they should, now.
pub(super) fn serves(
    ports: &Ports<'_>,
    desired: &Desired,
    outputs: &Outputs,
    server: &ServerName,
    expect: &[Expectation],
) -> Result<bool, StepError> {
    let peers = Peers::new(ports.driver, ports.balancers);
    let checks = checks(desired, outputs, server, expect)?;
    let rows = run::rows(&checks, &peers, ports.prober);
    Ok(checks.iter().zip(rows).all(|(check, row)| row.served == check.expected))
}

/// How long transport is given to use a changed certificate by itself, in all.
const PATIENCE: [Duration; 3] = [Duration::from_secs(20), Duration::from_secs(40), Duration::from_secs(60)];
