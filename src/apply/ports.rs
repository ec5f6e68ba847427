//! Everything that a run needs from outside.

use std::time::Duration;

use crate::{
    apply::report::Halt,
    model::{entry::Holder, time::Timestamp},
    ports::{
        artifacts::Artifacts, balancer::Balancers, driver::Driver, enrolment::Requests, issuer::Issuers,
        journal::Journal, prober::Prober,
    },
    verify::path_validation::Roots,
};

/// Everything that a run needs from outside.
pub struct Ports<'a> {
    /// The servers.
    pub driver: &'a dyn Driver,
    /// The load balancers.
    pub balancers: &'a Balancers,
    /// The CAs.
    pub issuers: &'a Issuers,
    /// The requests that people carry to CAs.
    pub requests: &'a dyn Requests,
    /// The journal of this run.
    pub journal: &'a dyn Journal,
    /// The files of this run.
    pub artifacts: &'a dyn Artifacts,
    /// The network.
    pub prober: &'a dyn Prober,
    /// The roots that clients trust; none leaves trust unchecked.
    pub roots: Option<&'a Roots>,
    /// The clock for the journal.
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// Who runs it.
    pub by: Holder,
    /// Asked before each step: whether the run may go on.
    pub go_on: &'a (dyn Fn() -> Result<(), Halt> + Sync),
    /// Waits, before a step that can be repeated is tried again.
    pub pause: &'a (dyn Fn(Duration) + Sync),
}
