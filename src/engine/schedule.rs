//! Which step of a plan is next: one at a time in each server's lane, a step when all it comes after are done. The cost
//! of choosing does not grow with the plan.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::apply::StepResult;
use crate::model::{
    action::StepId,
    names::ServerName,
    plan::{Plan, Step},
};

/// The steps of a plan and how far they are.
pub(super) struct Schedule<'a> {
    steps: BTreeMap<StepId, &'a Step>,
    /// The steps that wait for each step.
    dependents: BTreeMap<StepId, Vec<StepId>>,
    /// How many steps each one still waits for.
    waiting_for: BTreeMap<StepId, usize>,
    ready: BTreeSet<StepId>,
    busy: BTreeSet<ServerName>,
    running: usize,
    results: BTreeMap<StepId, StepResult>,
}

impl<'a> Schedule<'a> {
    /// A plan of which these steps were done before.
    pub(super) fn new(plan: &'a Plan, done: &BTreeMap<StepId, StepResult>) -> Self {
        let mut schedule = Self {
            steps: plan.steps.iter().map(|step| (step.id, step)).collect(),
            dependents: BTreeMap::new(),
            waiting_for: BTreeMap::new(),
            ready: BTreeSet::new(),
            busy: BTreeSet::new(),
            running: 0,
            results: done.clone(),
        };
        for step in plan.steps.iter().filter(|step| !done.contains_key(&step.id)) {
            let open: Vec<StepId> =
                step.after.iter().filter(|after| !done.contains_key(after)).copied().collect();
            if open.is_empty() {
                schedule.ready.insert(step.id);
            }
            schedule.waiting_for.insert(step.id, open.len());
            for after in open {
                schedule.dependents.entry(after).or_default().push(step.id);
            }
        }
        schedule
    }

    /// The first step that can be done now. The caller does it and reports with [`finish`](Self::finish).
    pub(super) fn start_next(&mut self) -> Option<&'a Step> {
        // At most as many lanes are busy as there are workers, so this looks at few steps.
        let free =
            |id: &&StepId| self.steps[*id].action.server().is_none_or(|server| !self.busy.contains(server));
        let id = *self.ready.iter().find(free)?;
        self.ready.remove(&id);
        let step = self.steps[&id];
        self.busy.extend(step.action.server().cloned());
        self.running += 1;
        Some(step)
    }

    /// Notes what became of a step. Returns the steps that will not be done because of it, each with its result.
    pub(super) fn finish(&mut self, step: &Step, result: StepResult) -> Vec<(&'a Step, StepResult)> {
        if let Some(server) = step.action.server() {
            self.busy.remove(server);
        }
        self.running -= 1;
        let hopeless = match &result {
            StepResult::Done(_) => None,
            StepResult::Failed(_) | StepResult::Unknown(_) => Some(StepResult::Skipped(step.id)),
            StepResult::Parked(_) => Some(StepResult::Waiting(step.id)),
            StepResult::Skipped(cause) => Some(StepResult::Skipped(*cause)),
            StepResult::Waiting(cause) => Some(StepResult::Waiting(*cause)),
        };
        self.results.insert(step.id, result);
        match hopeless {
            None => {
                self.release(step.id);
                Vec::new()
            }
            Some(result) => self.give_up_after(step.id, &result),
        }
    }

    /// Whether nothing runs and nothing can.
    pub(super) fn is_over(&self) -> bool {
        self.running == 0 && self.ready.is_empty()
    }

    /// What became of every step so far.
    pub(super) fn into_results(self) -> BTreeMap<StepId, StepResult> {
        self.results
    }

    fn release(&mut self, done: StepId) {
        for id in self.dependents.remove(&done).unwrap_or_default() {
            let open = self.waiting_for.entry(id).or_insert(1);
            *open -= 1;
            if *open == 0 && !self.results.contains_key(&id) {
                self.ready.insert(id);
            }
        }
    }

    fn give_up_after(&mut self, failed: StepId, result: &StepResult) -> Vec<(&'a Step, StepResult)> {
        let (mut given_up, mut next) = (Vec::new(), vec![failed]);
        while let Some(id) = next.pop() {
            for dependent in self.dependents.remove(&id).unwrap_or_default() {
                if let Entry::Vacant(open) = self.results.entry(dependent) {
                    open.insert(result.clone());
                    given_up.push((self.steps[&dependent], result.clone()));
                    next.push(dependent);
                }
            }
        }
        given_up.sort_by_key(|(step, _)| step.id);
        given_up
    }
}
