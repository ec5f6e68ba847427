//! What is proved of each server, and after which of its steps.

use super::PlanBuilder;
use crate::model::{
    action::{Action, Expectation, StepId},
    names::ServerName,
};

impl PlanBuilder {
    /// Whether the server was changed since its last verification.
    pub(in crate::plan) fn is_unproved(&self, server: &ServerName) -> bool {
        self.unproved.contains(server)
    }

    /// The verification that covers all of a server's changes so far.
    pub(in crate::plan) fn verified(&self, name: &ServerName) -> Option<StepId> {
        self.verified.get(name).copied()
    }

    pub(in crate::plan) fn last_step(&self, name: &ServerName) -> Option<StepId> {
        self.lane.get(name).copied()
    }

    /// Has a verification that was added meet these endpoints too.
    pub(in crate::plan) fn also_meet(&mut self, step: StepId, further: Vec<Expectation>) {
        // Steps are numbered from 1.
        let index = usize::try_from(step.0).ok().and_then(|number| number.checked_sub(1));
        let found = index.and_then(|index| self.steps.get_mut(index));
        let Some(Action::Verify { expect, .. }) = found.map(|own| &mut own.action) else { return };
        for further in further {
            if expect.iter().all(|known| known.endpoint != further.endpoint) {
                expect.push(further);
            }
        }
        expect.sort_by_key(|expectation| expectation.endpoint);
    }

    /// Notes that what comes next on a server waits for a person.
    pub(in crate::plan) fn note_deployed(&mut self, name: &ServerName) {
        self.deployed.extend(self.last_step(name).map(|step| (name.clone(), step)));
    }

    /// The step with which a server has its certificates in all places that wait for no person.
    pub(in crate::plan) fn deployed(&self, name: &ServerName) -> Option<StepId> {
        self.deployed.get(name).copied().or_else(|| self.last_step(name))
    }
}
