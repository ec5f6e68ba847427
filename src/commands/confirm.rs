//! The question before anything is done: exactly what will run, counted by what people fear.

use std::collections::BTreeSet;

use super::{CommandError, Exit, Terminal};
use crate::model::plan::Plan;

/// Asks before anything is done. Somebody has to be there to answer.
pub(super) fn confirm(plan: &Plan, auto_approve: bool, terminal: Terminal) -> Result<(), CommandError> {
    if auto_approve {
        return Ok(());
    }
    if !terminal.can_answer {
        return Err(CommandError::new(Exit::Usage, "this plan needs confirmation, and there is no terminal to ask at")
            .detail("Input or output is not a terminal, and certwright does not guess the answer.")
            .hint(if plan.rolls_back.is_some() {
                "pass --auto-approve, once you have seen in the plan above what is rolled back"
            } else {
                "pass --auto-approve, best with a plan that was reviewed: certwright apply plan.json --auto-approve"
            }));
    }
    let wanted = wanted(plan);
    let question = format!("\n{}{}\nType `{wanted}` to continue:", part(plan), counted(plan));
    if terminal.ask(&question)? == wanted {
        return Ok(());
    }
    Err(CommandError::new(Exit::Error, "not applied; nothing was changed"))
}

/// What has to be typed: something that cannot be undone is not agreed to by habit.
fn wanted(plan: &Plan) -> &str {
    let irreversible = plan.steps.iter().any(|step| !step.undo.is_whole());
    if irreversible { &plan.organization } else { "yes" }
}

/// A plan that leaves something out must not be taken for the whole.
fn part(plan: &Plan) -> String {
    plan.only.as_ref().map_or(String::new(), |only| {
        format!("This is a part, for {}; {} steps are left out.\n", only.names(), only.steps_left_out())
    })
}

fn counted(plan: &Plan) -> String {
    let servers: BTreeSet<_> = plan.steps.iter().filter_map(|step| step.action.server()).collect();
    let irreversible = plan.steps.iter().filter(|step| !step.undo.is_whole()).count();
    format!(
        "Apply these {} steps to {}? Servers touched: {}. Restarts: {}. Removals: {}. Steps that cannot be undone: {}.",
        plan.steps.len(),
        plan.organization,
        servers.len(),
        plan.steps.iter().map(|step| step.action.facts().restarts).sum::<usize>(),
        plan.steps.iter().map(|step| step.action.removals().len()).sum::<usize>(),
        irreversible,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        action::{Action, CertRef, StepId},
        no_way_back::NoWayBack,
        plan::{Basis, Seen, Step, Undo},
        service::Restartable,
        thumbprint::Thumbprint,
    };

    fn plan(steps: Vec<(Action, Undo)>) -> Plan {
        let at = "2026-03-02T09:14:07Z".parse().unwrap();
        let step = |(index, (action, undo))| Step {
            id: StepId(index),
            certificate: None,
            action,
            why: Vec::new(),
            after: BTreeSet::new(),
            side_effects: Vec::new(),
            undo,
        };
        Plan {
            version: Plan::VERSION,
            organization: "contoso".into(),
            planned_at: at,
            driver: "lab".into(),
            observed_at: at,
            seen: Seen::default(),
            basis: Basis { digest: String::new(), facts: std::collections::BTreeMap::new() },
            changes: Vec::new(),
            steps: (1..).zip(steps).map(step).collect(),
            warnings: Vec::new(),
            left_alone: Vec::new(),
            rolls_back: None,
            only: None,
        }
    }

    #[test]
    fn what_people_fear_is_counted() {
        let (one, other) = ("EX01".parse().unwrap(), "EX02".parse().unwrap());
        let restart = Action::Restart {
            server: one,
            service: Restartable::Transport,
            services: Vec::new(),
            unless_served: Vec::new(),
            drain: None,
        };
        let certificate = CertRef::Known(Thumbprint::of(b"old"));
        let remove = Action::remove(&other, certificate);
        let irreversible = Undo::Irreversible { why: NoWayBack::NoBackup };
        let plan = plan(vec![(restart, Undo::Nothing), (remove, irreversible)]);
        assert_eq!(
            counted(&plan),
            "Apply these 2 steps to contoso? Servers touched: 2. Restarts: 1. Removals: 1. Steps that cannot be \
             undone: 1."
        );
    }

    #[test]
    fn what_cannot_be_undone_asks_for_the_organization() {
        let server = || "EX01".parse().unwrap();
        let restart = Action::Restart {
            server: server(),
            service: Restartable::Transport,
            services: Vec::new(),
            unless_served: Vec::new(),
            drain: None,
        };
        assert_eq!(wanted(&plan(vec![(restart.clone(), Undo::Nothing)])), "yes");
        let irreversible = Undo::Irreversible { why: NoWayBack::NoBindingBefore };
        assert_eq!(wanted(&plan(vec![(restart, irreversible)])), "contoso");
    }
}
