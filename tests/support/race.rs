//! Two people apply the same manifest at the same time, each with a program of their own, over one store.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests start programs, and each test file uses a part of this"
)]

use std::process::{Output, Stdio};

use super::organization::{Organization, Undisturbed};
use certwright::{
    journal::Store,
    model::{
        action::Action,
        entry::{Entry, RecordedPlan},
    },
};

/// The place of runs, and what is needed to get there.
pub struct Place {
    pub state: String,
    pub variables: Vec<(String, String)>,
}

impl Place {
    pub fn store(&self) -> Store {
        Store::open_with(&self.state, self.variables.clone()).unwrap()
    }

    fn apply(&self, organization: &Organization, user: &str, patience: &str) -> std::process::Command {
        let mut command = organization.command(&[
            "apply",
            ".",
            "--auto-approve",
            "--state",
            &self.state,
            "--lock-timeout",
            patience,
        ]);
        command.env("USER", user).envs(self.variables.clone());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Both begin at once. What each of them said.
    fn race(&self, organization: &Organization, patience: &str) -> [Output; 2] {
        let both = PEOPLE.map(|user| self.apply(organization, user, patience).spawn().unwrap());
        both.map(|child| child.wait_with_output().unwrap())
    }
}

/// Nobody waits: one works, and the other is refused and told by whom. On a busy machine one may be over before the
/// other begins; then they race again.
pub fn one_works_and_the_other_is_refused(
    template: &Organization,
    place: impl Fn(&Organization, u32) -> Place,
) {
    let undisturbed = template.undisturbed();
    let met = (0..5).any(|round| {
        let organization = template.copy();
        let place = place(&organization, round);
        let outputs = place.race(&organization, "0");
        outputs.iter().for_each(Organization::check_output);
        judge(&organization, &place, &undisturbed);
        is_refused(&outputs)
    });
    assert!(met, "they never met");
}

/// False when the second found nothing left to do.
fn is_refused(outputs: &[Output; 2]) -> bool {
    let [first, second] = outputs.each_ref().map(|output| output.status.code());
    let (winner, loser) = match (first, second) {
        (Some(0), Some(8)) => (0, 1),
        (Some(8), Some(0)) => (1, 0),
        (Some(0), Some(0)) => return false,
        other => panic!("{other:?}: {outputs:#?}"),
    };
    assert!(said(&outputs[winner].stdout).contains("Applied."), "{}", said(&outputs[winner].stdout));
    let refusal = said(&outputs[loser].stderr);
    assert!(refusal.contains("another run is going on"), "{refusal}");
    assert!(refusal.contains(&format!("{} on ", PEOPLE[winner])), "{refusal}");
    assert_eq!(said(&outputs[loser].stdout), "", "who is refused does nothing");
    true
}

/// Both are patient: one works, the other waits for it and finds nothing left to do.
pub fn one_works_and_the_other_waits(organization: &Organization, place: &Place) {
    let undisturbed = organization.undisturbed();
    let outputs = place.race(organization, "300");
    outputs.iter().for_each(Organization::check_output);
    for output in &outputs {
        assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    }
    let [first, second] = outputs.each_ref().map(|output| said(&output.stdout).contains("Applied."));
    assert!(first != second, "one of them: {outputs:#?}");
    let late = &outputs[usize::from(first)];
    assert!(said(&late.stdout).contains("No changes."), "{}", said(&late.stdout));
    judge(organization, place, &undisturbed);
}

/// One run, in which each certificate was issued once.
fn judge(organization: &Organization, place: &Place, undisturbed: &Undisturbed) {
    let store = place.store();
    let runs = store.runs().unwrap();
    assert_eq!(runs.len(), 1, "{runs:?}");
    let entries = store.read(&runs[0]).unwrap();
    let Some(Entry::Opened { plan: RecordedPlan::Whole(plan), .. }) = entries.first() else {
        panic!("{entries:?}")
    };
    for step in plan.steps.iter().filter(|step| matches!(step.action, Action::Issue { .. })) {
        let done = |entry: &&Entry| matches!(entry, Entry::Finished { step: id, .. } if *id == step.id);
        assert_eq!(entries.iter().filter(done).count(), 1, "{:?} is issued once", step.id);
    }
    organization.check_converged(undisturbed);
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const PEOPLE: [&str; 2] = ["anna", "boris"];
