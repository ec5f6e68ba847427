//! What a rehearsal does, on a stage of paper: no command, no lab, no network.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{collections::BTreeMap, path::Path};

use certwright::{
    apply::{
        rehearsal::{RehearsalError, Stage, rehearse},
        report::{Report, StepResult},
    },
    exchange::simulation::SimulatedOrganization,
    model::{
        desired::Desired,
        entry::{Outcome, StepOutput},
        organization::Observed,
        plan::{Plan, Step},
        time::Timestamp,
    },
    plan::{Narrowing, plan, progress::Progress, recovery::Kept},
    verify::{check::Check, row::Row},
};
use support::Rig;

/// A copy on paper, whose runs end like this.
struct Paper {
    desired: Desired,
    observed: Observed,
    now: Timestamp,
    outcome: Outcome,
    runs: usize,
}

impl Paper {
    fn of_scenario(name: &str, outcome: Outcome) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(name);
        let mut rig = Rig::of_folder(&folder);
        let observed = rig.observe();
        let now = rig.session.driver.now();
        Self { desired: rig.session.desired, observed, now, outcome, runs: 0 }
    }

    fn planned(&self) -> Plan {
        plan(&self.desired, &self.observed, self.now)
    }
}

impl Stage for Paper {
    type Error = String;

    fn desired(&self) -> &Desired {
        &self.desired
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn look(&self) -> Result<Observed, String> {
        Ok(self.observed.clone())
    }

    fn apply(&mut self, plan: &Plan) -> Result<Report, String> {
        self.runs += 1;
        let mut paper = SimulatedOrganization::new(self.observed.organization.clone(), self.now);
        let result = |step: &Step| (step.id, StepResult::Done(StepOutput::Done));
        let mut steps = BTreeMap::new();
        if self.outcome == Outcome::Converged {
            for step in &plan.steps {
                paper.perform(step.id, &step.action).map_err(|why| why.to_string())?;
            }
            steps.extend(plan.steps.iter().map(result));
            self.observed.organization = paper.organization;
        }
        Ok(Report { run: self.runs.to_string(), outcome: self.outcome, halted: None, steps })
    }

    fn answer(&mut self) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }

    fn play_people(&mut self, _: &Plan, _: &Report) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }

    fn meet(&self, _: &[Check]) -> Vec<Row> {
        Vec::new()
    }

    fn recall(&self, _: &str) -> Result<Option<(Progress, Kept)>, String> {
        Ok(None)
    }
}

#[test]
fn a_run_that_converges_leaves_nothing_to_do() {
    let mut paper = Paper::of_scenario("renew-before-expiry", Outcome::Converged);
    let planned = paper.planned();
    assert!(!planned.is_empty());
    let rehearsal = rehearse(&mut paper, &planned, &Narrowing::default(), &|_| String::new()).unwrap();
    assert_eq!(rehearsal.rounds.len(), 1);
    assert_eq!(rehearsal.rounds[0].plan, planned);
    assert!(rehearsal.left.is_empty(), "{:#?}", rehearsal.left.steps);
    assert!(!rehearsal.different.is_empty(), "nothing was taken back, and so something is different");
}

#[test]
fn a_run_that_stops_is_not_tried_again() {
    let mut paper = Paper::of_scenario("renew-before-expiry", Outcome::Stopped);
    let planned = paper.planned();
    let rehearsal = rehearse(&mut paper, &planned, &Narrowing::default(), &|_| String::new()).unwrap();
    assert_eq!((rehearsal.rounds.len(), paper.runs), (1, 1));
    assert_eq!(rehearsal.left, planned);
}

#[test]
fn nobody_waits_for_what_does_not_come() {
    let mut paper = Paper::of_scenario("renew-before-expiry", Outcome::Waiting);
    let planned = paper.planned();
    let rehearsal = rehearse(&mut paper, &planned, &Narrowing::default(), &|_| String::new()).unwrap();
    assert_eq!((rehearsal.rounds.len(), paper.runs), (1, 1));
    assert!(!rehearsal.left.is_empty());
}

#[test]
fn where_nothing_is_to_be_done_nothing_is_rehearsed() {
    let mut paper = Paper::of_scenario("already-converged", Outcome::Converged);
    let planned = paper.planned();
    let rehearsed = rehearse(&mut paper, &planned, &Narrowing::default(), &|_| String::new());
    let rehearsal = match rehearsed {
        Ok(rehearsal) => rehearsal,
        Err(RehearsalError::Unsafe(problems)) => panic!("{problems:?}"),
        Err(RehearsalError::Stage(why)) => panic!("{why}"),
    };
    assert!(rehearsal.rounds.is_empty() && rehearsal.left.is_empty() && rehearsal.different.is_empty());
}
