//! What to do next: the last and shortest thing that a command says.

use std::path::Path;

use crate::{
    apply::report::{Halt, Report, StepResult},
    explain,
    model::{
        action::{Action, Condition},
        entry::Outcome,
        plan::{Plan, Step},
        shown::ShowPath,
    },
};

/// What a person does after a run, by what it came to. Nothing when it came to its end.
pub(super) fn after(plan: &Plan, report: &Report, manifest: &Path) -> Vec<String> {
    match report.outcome {
        Outcome::Converged if plan.is_blocked() => vec![blocked(manifest)],
        Outcome::Converged | Outcome::Abandoned => Vec::new(),
        Outcome::Waiting => waiting(plan, report, manifest),
        Outcome::Stopped => stopped(plan, report, manifest),
    }
}

/// What a person does with a plan.
pub(super) fn after_plan(plan: &Plan, manifest: &Path) -> Option<String> {
    if plan.is_blocked() {
        Some(blocked(manifest))
    } else if plan.is_empty() {
        None
    } else {
        Some(format!("carry it out: certwright apply{}", argument(manifest)))
    }
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.shown().to_string();
    let plain = |char: char| char.is_alphanumeric() || "/\\.:_-+~@%,".contains(char);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("\"{text}\"") }
}

/// The manifest as an argument; none where it is here.
pub(super) fn argument(manifest: &Path) -> String {
    if manifest == Path::new(".") { String::new() } else { format!(" {}", quoted(manifest)) }
}

fn blocked(manifest: &Path) -> String {
    format!(
        "correct what cannot be done, in the manifest or on the server, and plan again: certwright plan{}",
        argument(manifest)
    )
}

fn waiting(plan: &Plan, report: &Report, manifest: &Path) -> Vec<String> {
    let is_parked = |step: &&Step| matches!(report.steps.get(&step.id), Some(StepResult::Parked(_)));
    let parked: Vec<&Step> = plan.steps.iter().filter(is_parked).collect();
    let mut next: Vec<String> = parked.iter().map(|step| wanted(step)).collect();
    next.dedup();
    let asks_a_ca = |step: &&Step| matches!(step.action, Action::Await { until: Condition::Answer { .. } });
    if plan.driver == LAB && parked.iter().any(asks_a_ca) {
        next.push(format!("or have the lab's CA answer: certwright lab answer{}", argument(manifest)));
    }
    next.push(format!("then go on with this run: {}", go_on(plan, manifest)));
    next
}

/// What a step waits for, as something to do.
fn wanted(step: &Step) -> String {
    let (Action::Await { until } | Action::Manual { until, .. }) = &step.action else {
        return format!("see to step {}", step.id);
    };
    match until {
        Condition::Answer { file, .. } => {
            format!("send {file}.csr to the CA, and save what it answers as {file}.cer")
        }
        Condition::Moment { at } => format!("wait until {at}"),
        Condition::AuthTold { certificate } => format!(
            "tell Microsoft 365 of the new Auth certificate (step {}), then write its thumbprint, {certificate}, into the manifest: \
             `authCertificate: {{ microsoft365: … }}`",
            step.id
        ),
        Condition::Served { server, .. } => {
            format!("restart transport of {server}, as step {} says", step.id)
        }
        Condition::OnlineTold { .. } => format!("tell Exchange Online, as step {} says", step.id),
        Condition::HybridApplied {} => {
            format!("run the Hybrid Configuration Wizard, as step {} says", step.id)
        }
        Condition::EdgeSubscribed { edge, .. } => {
            format!("make the Edge subscription of {edge} anew, as step {} says", step.id)
        }
    }
}

fn stopped(plan: &Plan, report: &Report, manifest: &Path) -> Vec<String> {
    let failed = plan.steps.iter().find(|step| {
        matches!(report.steps.get(&step.id), Some(StepResult::Failed(_) | StepResult::Unknown(_)))
    });
    let mut next: Vec<String> = failed
        .filter(|_| !matches!(report.halted, Some(Halt::Asked)))
        .map(|step| {
            let mend = format!("mend what kept step {} from being done", step.id);
            let known = match report.steps.get(&step.id) {
                Some(StepResult::Failed(failure) | StepResult::Unknown(failure)) => {
                    explain::of_message(&failure.message)
                }
                Some(
                    StepResult::Done(_)
                    | StepResult::Parked(_)
                    | StepResult::Skipped(_)
                    | StepResult::Waiting(_)
                    | StepResult::NotReached,
                )
                | None => None,
            };
            known.map_or_else(|| mend.clone(), |entry| format!("{mend}: certwright explain {}", entry.id))
        })
        .into_iter()
        .collect();
    let then = if next.is_empty() { "go on" } else { "then go on" };
    next.push(format!("{then} with this run: {}", go_on(plan, manifest)));
    if plan.rolls_back.is_none() {
        let manifest = if manifest == Path::new(".") {
            String::new()
        } else {
            format!(" --manifest {}", quoted(manifest))
        };
        next.push(format!("or take back what it did: certwright rollback{manifest}"));
    }
    next
}

fn go_on(plan: &Plan, manifest: &Path) -> String {
    match &plan.rolls_back {
        None => format!("certwright apply{}", argument(manifest)),
        Some(_) if manifest == Path::new(".") => "certwright rollback".into(),
        Some(_) => format!("certwright rollback --manifest {}", quoted(manifest)),
    }
}

/// What plans for a lab name as their driver.
const LAB: &str = "lab";
