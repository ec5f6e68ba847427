//! What to do next: the last and shortest thing that a command says.

use std::path::Path;

use crate::{
    apply::report::{Halt, Report, StepResult},
    explain,
    model::{
        action::{Action, CertRef, Condition, StepId},
        entry::{Outcome, StepOutput},
        names::DnsName,
        plan::{Plan, Step},
        shown::ShowPath,
    },
};

/// How a command names an organization and the place of its runs: as somebody has named them before. Whoever left one of them
/// out would begin a second run beside the one that is meant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The manifest.
    pub(super) manifest: &'a Path,
    /// Where runs are kept, when it was said.
    pub(super) state: Option<&'a str>,
}

impl Place<'_> {
    /// `certwright plan`.
    pub(super) fn plan(self) -> String {
        format!("certwright plan{}{}", argument(self.manifest), self.state())
    }

    /// `certwright verify`.
    pub(super) fn verify(self) -> String {
        format!("certwright verify{}{}", argument(self.manifest), self.state())
    }

    /// `certwright apply`.
    pub(super) fn apply(self) -> String {
        format!("certwright apply{}{}", argument(self.manifest), self.state())
    }

    /// `certwright apply` with a saved plan.
    pub(super) fn apply_saved(self, file: &Path) -> String {
        format!("certwright apply {}{}", quoted(file), self.state())
    }

    /// `certwright apply --abandon`.
    pub(super) fn abandon(self) -> String {
        format!("certwright apply{} --abandon{}", argument(self.manifest), self.state())
    }

    /// `certwright rollback`, of the newest run or of this one.
    pub(super) fn rollback(self, run: Option<&str>) -> String {
        let run = run.map_or_else(String::new, |run| format!(" {run}"));
        format!("certwright rollback{run}{}{}", self.option(), self.state())
    }

    /// `certwright history`.
    pub(super) fn history(self) -> String {
        format!("certwright history{}{}", self.option(), self.state())
    }

    /// The manifest, where a command takes it as an option.
    fn option(self) -> String {
        if self.manifest == Path::new(".") {
            String::new()
        } else {
            format!(" --manifest {}", quoted(self.manifest))
        }
    }

    fn state(self) -> String {
        self.state.map_or_else(String::new, |state| format!(" --state {}", quoted(Path::new(state))))
    }
}

/// What a person does after a run, by what it came to. Nothing when it came to its end.
pub(super) fn after(plan: &Plan, report: &Report, place: Place<'_>) -> Vec<String> {
    match report.outcome {
        Outcome::Converged if plan.is_blocked() => vec![format!(
            "plan again, since what was done may have made possible what could not be done before; what still cannot be done is to be \
             corrected in the manifest or on the server: {}",
            place.plan()
        )],
        Outcome::Converged | Outcome::Abandoned => Vec::new(),
        Outcome::Waiting => waiting(plan, report, place),
        Outcome::Stopped => stopped(plan, report, place),
    }
}

/// What a person does after a run that came to its end.
pub(super) fn after_all(plan: &Plan, place: Place<'_>) -> Vec<String> {
    let mut next = vec![format!("check what clients get: {}", place.verify())];
    if plan.rolls_back.is_none() {
        next.push(format!("if something is wrong, take the run back: {}", place.rollback(None)));
    }
    next
}

/// What a person does with a plan. `acts` tells whether the driver of the manifest can carry it out.
pub(super) fn after_plan(plan: &Plan, acts: bool, place: Place<'_>) -> Option<String> {
    if plan.is_blocked() {
        Some(blocked(plan, place))
    } else if plan.is_empty() {
        None
    } else if acts {
        Some(format!("carry it out: {}", place.apply()))
    } else {
        Some(format!(
            "a capture cannot be applied: name the way to the servers as `driver` in the manifest, or print the steps as a script: {} \
             --format powershell",
            place.plan()
        ))
    }
}

/// What a person does with a manifest that `check` found nothing in.
pub(super) fn after_check(manifest: &Path) -> String {
    format!("see what would be done: certwright plan{}", argument(manifest))
}

/// What a person does with a saved observation: it is planned from, or becomes a first manifest.
pub(super) fn after_observe(manifest: Option<&Path>, saved: &Path) -> String {
    let saved = quoted(saved);
    match manifest {
        Some(manifest) => format!("plan from it: certwright plan {} --capture {saved}", quoted(manifest)),
        None => format!("write a first manifest from it: certwright import {saved} --out manifest.yaml"),
    }
}

/// What a person does with a manifest that was written from a capture.
pub(super) fn after_import(manifest: &Path) -> Vec<String> {
    let manifest = quoted(manifest);
    vec![
        format!("read it, and check it: certwright check {manifest}"),
        format!("then see what would be done: certwright plan {manifest}"),
    ]
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

fn blocked(plan: &Plan, place: Place<'_>) -> String {
    let cannot = plan.steps.iter().filter(|step| matches!(step.action, Action::CannotApply { .. }));
    let steps: Vec<String> = cannot.map(|step| step.id.to_string()).collect();
    let which = match steps.as_slice() {
        [] => String::new(),
        [one] => format!(" (step {one})"),
        many if many.len() <= MOST_STEPS => format!(" (steps {})", many.join(", ")),
        many => format!(" (steps {} and {} more)", many[..MOST_STEPS].join(", "), many.len() - MOST_STEPS),
    };
    format!(
        "correct what cannot be done{which}, in the manifest or on the server, and plan again: {}",
        place.plan()
    )
}

fn waiting(plan: &Plan, report: &Report, place: Place<'_>) -> Vec<String> {
    let is_parked = |step: &&Step| matches!(report.steps.get(&step.id), Some(StepResult::Parked(_)));
    let parked: Vec<&Step> = plan.steps.iter().filter(is_parked).collect();
    let made = |step: StepId| match report.steps.get(&step) {
        Some(StepResult::Done(StepOutput::Certificate { thumbprint, .. })) => Some(*thumbprint),
        _ => None,
    };
    let known = |step: &&Step| Step { action: step.action.with_known(&made), ..(*step).clone() };
    let mut next: Vec<String> = parked.iter().map(|step| wanted(&known(step))).collect();
    next.dedup();
    let asks_a_ca = |step: &&Step| matches!(step.action, Action::Await { until: Condition::Answer { .. } });
    if plan.driver == LAB && parked.iter().any(asks_a_ca) {
        next.push(format!(
            "in this lab, have its CA answer instead: certwright lab answer{}",
            argument(place.manifest)
        ));
    }
    next.push(format!("then go on with this run: {}", go_on(plan, place)));
    next
}

/// What a step waits for, as something to do.
fn wanted(step: &Step) -> String {
    let (Action::Await { until } | Action::Manual { until, .. }) = &step.action else {
        return format!("see to step {}", step.id);
    };
    match until {
        Condition::Answer { file, added, .. } => {
            let added: Vec<&str> = added.iter().map(DnsName::as_str).collect();
            let with = if added.is_empty() {
                String::new()
            } else {
                format!(
                    " (it has to add {} as iPAddress, which the request cannot ask for)",
                    added.join(", ")
                )
            };
            format!("send {file}.csr to the CA{with}, and save what it answers as {file}.cer")
        }
        Condition::Moment { at } => format!("wait until {at}"),
        Condition::AuthTold { certificate, before } => {
            let thumbprint = match certificate {
                CertRef::Known(thumbprint) => thumbprint.to_string(),
                CertRef::FromStep(made) => format!("thumbprint of step {made}"),
            };
            let due = before.map_or_else(String::new, |at| {
                format!("before {at}, when Exchange publishes it whether Microsoft 365 knows it or not, ")
            });
            format!(
                "{due}tell Microsoft 365 of the new Auth certificate, as step {} says; then write it into the manifest: \
                 `authCertificate: {{ microsoft365: {thumbprint} }}`",
                step.id
            )
        }
        Condition::Served { server, .. } => {
            format!("restart transport of {server}, as step {} says", step.id)
        }
        Condition::OnlineTold { .. } => {
            format!("set up the new name in Exchange Online, as step {} says", step.id)
        }
        Condition::HybridApplied {} => {
            format!("run the Hybrid Configuration Wizard, as step {} says", step.id)
        }
        Condition::EdgeAwaited { edge } => format!(
            "arrange for an administrator to resubscribe {edge}, as step {} says, and write the last day of that into the manifest: \
             `subscribeAnew: {{ {edge}: DAY }}`",
            step.id
        ),
        Condition::EdgeSubscribed { edge, .. } => {
            format!("resubscribe {edge}, as step {} says", step.id)
        }
    }
}

fn stopped(plan: &Plan, report: &Report, place: Place<'_>) -> Vec<String> {
    let mut failed = plan.steps.iter().filter(|step| {
        matches!(report.steps.get(&step.id), Some(StepResult::Failed(_) | StepResult::Unknown(_)))
    });
    let is_impossible = |step: &Step| matches!(step.action, Action::CannotApply { .. });
    let is_parked = |step: &&Step| matches!(report.steps.get(&step.id), Some(StepResult::Parked(_)));
    let waits = plan.steps.iter().any(|step| is_parked(&step));
    let is_over = report.halted.is_none() && plan.rolls_back.is_none() && !waits;
    if is_over && failed.clone().next().is_some() && failed.clone().all(is_impossible) {
        return vec![blocked(plan, place), format!("or take back what was done: {}", place.rollback(None))];
    }
    let failed = failed.next();
    let mut next: Vec<String> = failed
        .filter(|_| !matches!(report.halted, Some(Halt::Asked)))
        .map(|step| {
            let mend = match step.action {
                Action::Verify { .. } => format!(
                    "see what step {} met: {}; services that still serve the old certificate are restarted by {} --handshakes",
                    step.id,
                    place.verify(),
                    go_on(plan, place)
                ),
                Action::CannotApply { .. } => {
                    format!("correct what step {} says, in the manifest or on the server", step.id)
                }
                _ => format!("resolve what stopped step {}", step.id),
            };
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
    next.extend(plan.steps.iter().filter(is_parked).map(wanted));
    let then = if next.is_empty() { "go on" } else { "then go on" };
    next.push(format!("{then} with this run: {}", go_on(plan, place)));
    if plan.rolls_back.is_none() {
        next.push(format!("or take back what it did: {}", place.rollback(None)));
    }
    next
}

/// The command that goes on with the run of a plan.
pub(super) fn go_on(plan: &Plan, place: Place<'_>) -> String {
    match &plan.rolls_back {
        None => place.apply(),
        Some(_) => place.rollback(None),
    }
}

/// What plans for a lab name as their driver.
const LAB: &str = "lab";

/// So many steps are named.
const MOST_STEPS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_next_names_the_manifest_as_people_did() {
        let manifest = Path::new("organizations/contoso");
        for (told, wanted) in [
            (after_check(Path::new(".")), "see what would be done: certwright plan"),
            (after_check(manifest), "see what would be done: certwright plan organizations/contoso"),
            (
                after_observe(Some(Path::new(".")), Path::new("capture/observed.json")),
                "plan from it: certwright plan . --capture capture/observed.json",
            ),
            (
                after_observe(None, Path::new("my capture.json")),
                "write a first manifest from it: certwright import \"my capture.json\" --out manifest.yaml",
            ),
        ] {
            assert_eq!(told, wanted);
        }
        let import = after_import(Path::new("m.yaml"));
        assert!(import[0].ends_with("certwright check m.yaml"), "{import:?}");
        assert!(import[1].ends_with("certwright plan m.yaml"), "{import:?}");
    }
}
