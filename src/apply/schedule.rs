//! Which step of a plan is next: one at a time in each server's lane, a step when all it comes after are done, and no
//! more servers half-way than the manifest allows. What can be done next is kept up to date, so that choosing costs the
//! same for two servers and for two thousand.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::report::StepResult;
use crate::model::{
    action::{Action, SideEffect, StepId},
    names::ServerName,
    plan::{Plan, Step},
    policy::Limits,
};

/// How a run goes through its servers.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many servers may be half-way at the same time. Nobody waits for none: 0 counts as 1.
    pub servers_at_once: u32,
    /// Whether the others wait until the first is through.
    pub canary: bool,
}

impl Pace {
    pub(super) fn at_once(self) -> usize {
        usize::try_from(self.servers_at_once.max(1)).unwrap_or(usize::MAX)
    }
}

impl From<&Limits> for Pace {
    fn from(limits: &Limits) -> Self {
        let Limits { servers_at_once, canary, capture_age: _, removals: _ } = *limits;
        Self { servers_at_once: servers_at_once.get(), canary }
    }
}

/// The steps of a plan and how far they are.
pub(super) struct Schedule<'a> {
    steps: BTreeMap<StepId, &'a Step>,
    /// The steps that wait for each step.
    dependents: BTreeMap<StepId, Vec<StepId>>,
    /// How many steps each one still waits for.
    waiting_for: BTreeMap<StepId, usize>,
    /// Steps that act on no server and can be done now.
    ready: BTreeSet<StepId>,
    lanes: BTreeMap<&'a ServerName, Lane>,
    /// How many servers are half-way.
    half_way: usize,
    /// The first step of each server that is half-way and idle.
    going_on: BTreeMap<StepId, &'a ServerName>,
    /// The first step of each server on which nothing was begun.
    beginning: BTreeMap<StepId, &'a ServerName>,
    pace: Pace,
    canary: Option<Canary<'a>>,
    running: usize,
    results: BTreeMap<StepId, StepResult>,
}

/// Whether sign-in through a load balancer fails from some step on until a later one: nobody waits in between (facts 11.7).
fn opens_window(plan: &Plan) -> bool {
    let refused = |effect: &SideEffect| matches!(effect, SideEffect::SignInRefused { .. });
    plan.steps.iter().flat_map(|step| &step.side_effects).any(refused)
}

/// What is to be done on one server.
#[derive(Default)]
struct Lane {
    ready: BTreeSet<StepId>,
    begun: bool,
    busy: bool,
}

/// The server that comes first, and its steps that the others wait for.
struct Canary<'a> {
    plan: &'a Plan,
    server: &'a ServerName,
    open: BTreeSet<StepId>,
    failed: Option<StepId>,
    /// Its handshakes: one of them has to be done before the others begin.
    proofs: BTreeSet<StepId>,
    /// Servers before it on which everything waits for something outside.
    waiting: BTreeSet<&'a ServerName>,
}

impl<'a> Schedule<'a> {
    /// A plan of which these steps were done before.
    pub(super) fn new(plan: &'a Plan, done: &BTreeMap<StepId, StepResult>, pace: Pace) -> Self {
        let mut schedule = Self {
            steps: plan.steps.iter().map(|step| (step.id, step)).collect(),
            dependents: BTreeMap::new(),
            waiting_for: BTreeMap::new(),
            ready: BTreeSet::new(),
            lanes: BTreeMap::new(),
            half_way: 0,
            going_on: BTreeMap::new(),
            beginning: BTreeMap::new(),
            pace,
            canary: (pace.canary && !opens_window(plan)).then(|| Canary::of(plan, done)).flatten(),
            running: 0,
            results: done.clone(),
        };
        for step in &plan.steps {
            if let Some(server) = step.action.server() {
                let begun = done.contains_key(&step.id);
                schedule.change(server, |lane| lane.begun = lane.begun || begun);
            }
            if done.contains_key(&step.id) {
                continue;
            }
            let open: Vec<StepId> =
                step.after.iter().filter(|after| !done.contains_key(after)).copied().collect();
            if open.is_empty() {
                schedule.make_ready(step.id);
            }
            schedule.waiting_for.insert(step.id, open.len());
            for after in open {
                schedule.dependents.entry(after).or_default().push(step.id);
            }
        }
        schedule.pass_canary_on();
        schedule
    }

    /// The first step that can be done now. The caller does it and reports with [`finish`](Self::finish).
    pub(super) fn start_next(&mut self) -> Option<&'a Step> {
        let id = self.next()?;
        let step = self.steps[&id];
        match step.action.server() {
            None => drop(self.ready.remove(&id)),
            Some(server) => self.change(server, |lane| {
                lane.ready.remove(&id);
                lane.begun = true;
                lane.busy = true;
            }),
        }
        self.running += 1;
        Some(step)
    }

    /// Notes what became of a step. Returns the steps that will not be done because of it, each with its result.
    pub(super) fn finish(&mut self, step: &'a Step, result: StepResult) -> Vec<(&'a Step, StepResult)> {
        if let Some(server) = step.action.server() {
            self.change(server, |lane| lane.busy = false);
        }
        self.running -= 1;
        let hopeless = match &result {
            StepResult::Done(_) => None,
            StepResult::Failed(_) | StepResult::Unknown(_) => Some(StepResult::Skipped(step.id)),
            StepResult::Parked(_) => Some(StepResult::Waiting(step.id)),
            StepResult::Skipped(cause) => Some(StepResult::Skipped(*cause)),
            StepResult::Waiting(cause) => Some(StepResult::Waiting(*cause)),
            StepResult::NotReached => Some(StepResult::NotReached),
        };
        if let Some(canary) = &mut self.canary {
            canary.note(step.id, hopeless.as_ref());
        }
        self.results.insert(step.id, result);
        let given_up = match hopeless {
            None => {
                self.release(step.id);
                Vec::new()
            }
            Some(result) => self.give_up_after(step.id, &result),
        };
        self.pass_canary_on();
        given_up
    }

    /// Where everything on the first server waits for something outside, the next one is the first.
    fn pass_canary_on(&mut self) {
        while let Some(canary) =
            self.canary.as_ref().filter(|own| own.is_through() && !own.is_proved(&self.results))
        {
            self.canary = canary.next(&self.results);
        }
    }

    /// Whether a step can be begun now.
    pub(super) fn has_next(&self) -> bool {
        self.next().is_some()
    }

    /// Whether nothing runs and nothing can.
    pub(super) fn is_over(&self) -> bool {
        self.running == 0 && self.next().is_none()
    }

    /// Gives up what is left: behind a first server that failed, or when the run was told to stop.
    pub(super) fn give_up(&mut self) -> Vec<(&'a Step, StepResult)> {
        let result = match self.canary.as_ref().and_then(|canary| canary.failed) {
            Some(failed) => StepResult::Skipped(failed),
            None => StepResult::NotReached,
        };
        let left: Vec<&'a Step> =
            self.steps.values().filter(|step| !self.results.contains_key(&step.id)).copied().collect();
        for step in &left {
            self.results.insert(step.id, result.clone());
        }
        left.into_iter().map(|step| (step, result.clone())).collect()
    }

    /// What became of every step so far.
    pub(super) fn into_results(self) -> BTreeMap<StepId, StepResult> {
        self.results
    }

    fn next(&self) -> Option<StepId> {
        let may_begin = self.half_way < self.pace.at_once();
        let of_lanes = if let Some(canary) = self.canary.as_ref().filter(|canary| !canary.is_through()) {
            // The others wait for this one.
            self.lanes.get(canary.server).and_then(|lane| {
                let may_go = !lane.busy && (lane.is_half_way() || may_begin);
                lane.ready.first().filter(|_| may_go)
            })
        } else {
            let going_on = self.going_on.keys().next();
            let beginning = self.beginning.keys().next().filter(|_| may_begin);
            going_on.into_iter().chain(beginning).min()
        };
        of_lanes.into_iter().chain(self.ready.first()).min().copied()
    }

    /// Changes what is known of a server, and with it what can be done next.
    fn change<T>(&mut self, server: &'a ServerName, change: impl FnOnce(&mut Lane) -> T) {
        let lane = self.lanes.entry(server).or_default();
        self.half_way -= usize::from(lane.is_half_way());
        if let Some(first) = lane.ready.first() {
            self.going_on.remove(first);
            self.beginning.remove(first);
        }
        change(lane);
        self.half_way += usize::from(lane.is_half_way());
        if let (Some(first), false) = (lane.ready.first(), lane.busy) {
            let list = if lane.begun { &mut self.going_on } else { &mut self.beginning };
            list.insert(*first, server);
        }
    }

    fn make_ready(&mut self, id: StepId) {
        match self.steps[&id].action.server() {
            None => drop(self.ready.insert(id)),
            Some(server) => self.change(server, |lane| lane.ready.insert(id)),
        }
    }

    fn release(&mut self, done: StepId) {
        for id in self.dependents.remove(&done).unwrap_or_default() {
            let open = self.waiting_for.entry(id).or_insert(1);
            *open -= 1;
            if *open == 0 && !self.results.contains_key(&id) {
                self.make_ready(id);
            }
        }
    }

    fn give_up_after(&mut self, failed: StepId, result: &StepResult) -> Vec<(&'a Step, StepResult)> {
        let (mut given_up, mut next) = (Vec::new(), vec![failed]);
        while let Some(id) = next.pop() {
            for dependent in self.dependents.remove(&id).unwrap_or_default() {
                if let Entry::Vacant(open) = self.results.entry(dependent) {
                    open.insert(result.clone());
                    if let Some(canary) = &mut self.canary {
                        canary.note(dependent, Some(result));
                    }
                    given_up.push((self.steps[&dependent], result.clone()));
                    next.push(dependent);
                }
            }
        }
        given_up.sort_by_key(|(step, _)| step.id);
        given_up
    }
}

impl Lane {
    /// Whether something was changed on the server, and more can be done there now.
    fn is_half_way(&self) -> bool {
        self.begun && (self.busy || !self.ready.is_empty())
    }
}

impl<'a> Canary<'a> {
    /// The first server of a plan that is about several. Its steps that come after a step on another server are not
    /// waited for: they could only be done once that one has begun.
    fn of(plan: &'a Plan, done: &BTreeMap<StepId, StepResult>) -> Option<Self> {
        Self::after(plan, done, BTreeSet::new())
    }

    /// The next server, where on this one everything waits.
    fn next(&self, done: &BTreeMap<StepId, StepResult>) -> Option<Self> {
        let mut waiting = self.waiting.clone();
        waiting.insert(self.server);
        Self::after(self.plan, done, waiting)
    }

    fn after(
        plan: &'a Plan,
        done: &BTreeMap<StepId, StepResult>,
        waiting: BTreeSet<&'a ServerName>,
    ) -> Option<Self> {
        // On a server of which the plan only says what cannot be done, nothing is tried out.
        let server_of = |step: &'a Step| match &step.action {
            Action::CannotApply { .. } => None,
            action => action.server(),
        };
        let is_left = |server: &&ServerName| !waiting.contains(server);
        let of_steps = || plan.steps.iter().filter_map(server_of).filter(is_left);
        let servers: BTreeSet<&ServerName> = of_steps().collect();
        let server = of_steps().next().filter(|_| servers.len() > 1)?;
        let mut entangled: BTreeSet<StepId> = BTreeSet::new();
        let mut open = BTreeSet::new();
        for step in &plan.steps {
            let elsewhere = step.action.server().is_some_and(|own| own != server);
            if elsewhere || step.after.iter().any(|after| entangled.contains(after)) {
                entangled.insert(step.id);
            } else if step.action.server() == Some(server) && !done.contains_key(&step.id) {
                open.insert(step.id);
            }
        }
        let proofs = plan.steps.iter().filter(|step| {
            matches!(step.action, Action::Verify { .. }) && step.action.server() == Some(server)
        });
        let proofs = proofs.map(|step| step.id).collect();
        Some(Self { plan, server, open, failed: None, proofs, waiting })
    }

    /// Whether clients were proved to get on it what they should.
    fn is_proved(&self, results: &BTreeMap<StepId, StepResult>) -> bool {
        self.proofs.is_empty()
            || self.proofs.iter().any(|proof| matches!(results.get(proof), Some(StepResult::Done(_))))
    }

    /// Whether the others may begin.
    fn is_through(&self) -> bool {
        self.open.is_empty() && self.failed.is_none()
    }

    /// Notes what became of a step. One that waits for something outside holds nobody up.
    fn note(&mut self, step: StepId, hopeless: Option<&StepResult>) {
        if self.open.remove(&step) && matches!(hopeless, Some(StepResult::Skipped(_))) {
            self.failed.get_or_insert(step);
        }
    }
}
