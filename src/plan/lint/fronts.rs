//! The law about load balancers and the servers behind them: with Extended Protection they part for the length of a run, and not
//! for longer.

use std::collections::BTreeMap;

use super::law::Unsafe;
use crate::{
    exchange::simulation::SimulatedOrganization,
    model::{
        action::Action,
        desired::Desired,
        names::{BalancerName, ServerName},
        plan::Plan,
    },
};

/// The load balancers that present the certificate of a server with Extended Protection, before the plan.
pub(super) struct Fronts(BTreeMap<ServerName, Vec<BalancerName>>);

impl Fronts {
    pub(super) fn of(plan: &Plan, desired: &Desired, world: &SimulatedOrganization) -> Self {
        // A way back goes where it was, and who narrows a plan to some of the servers is told of each step that parts them.
        let narrowed = plan.only.as_ref().is_some_and(|only| {
            let mut others = desired.servers.iter().filter(|(_, own)| own.left_out.is_none());
            !only.servers.is_empty() && others.any(|(name, _)| !only.servers.contains(name))
        });
        if plan.rolls_back.is_some() || narrowed || world.organization.balancers.is_empty() {
            return Self(BTreeMap::new());
        }
        let shared = desired.servers.keys().map(|name| {
            let mut shared = world.shared_with_balancers(name);
            shared.retain(|own| desired.balancers.get(own).is_some_and(|own| own.may_be_before(name)));
            (name.clone(), shared)
        });
        Self(shared.filter(|(_, balancers)| !balancers.is_empty()).collect())
    }

    /// Those that have parted when all is done. What cannot be done is said, and what follows is on each step.
    pub(super) fn parted(&self, plan: &Plan, world: &SimulatedOrganization) -> Vec<Unsafe> {
        if plan.steps.iter().any(|step| matches!(step.action, Action::CannotApply { .. })) {
            return Vec::new();
        }
        let parted = self.0.iter().flat_map(|(server, before)| {
            let still = world.shared_with_balancers(server);
            before.iter().filter(move |balancer| !still.contains(balancer)).map(move |balancer| {
                Unsafe::BalancerLeftBehind { server: server.clone(), balancer: balancer.clone() }
            })
        });
        parted.collect()
    }
}
