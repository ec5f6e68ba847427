//! What a change of the manifest means: its plan beside that of another version of the manifest, for the same servers.

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::human::describe;
use crate::model::{
    action::{Action, CertRef, StepId},
    plan::{ChangeKind, Plan, Step},
    schema::JsonSchema,
};

/// A plan compared with that of another version of the manifest.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Against {
    /// The other version, as it was named: a directory, or a revision of Git.
    pub name: String,
    /// Why there is no other plan; absent where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without: Option<WithoutPlan>,
    /// What is only in this plan, or only in the other one, in the order of the plans.
    pub lines: Vec<ComparedLine>,
}

/// Why another version has no plan to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WithoutPlan {
    /// There is no manifest in that version: all of this plan is new.
    NoManifest,
    /// Its manifest has mistakes, so nothing is compared.
    Mistakes,
}

/// A line that only one of the two plans has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "in", content = "text", rename_all = "camelCase")]
pub enum ComparedLine {
    /// Only in this plan.
    This(String),
    /// Only in the plan of the other version.
    Other(String),
}

impl Against {
    /// What the change means where the other version has no manifest: all of the plan.
    pub fn nothing(name: String, plan: &Plan) -> Self {
        let nothing = Plan { steps: Vec::new(), changes: Vec::new(), warnings: Vec::new(), ..plan.clone() };
        Self { without: Some(WithoutPlan::NoManifest), ..Self::new(name, plan, &nothing) }
    }

    /// A version with mistakes, with which nothing is compared.
    pub fn mistaken(name: String) -> Self {
        Self { name, without: Some(WithoutPlan::Mistakes), lines: Vec::new() }
    }

    /// Compares the plan with the other one.
    pub fn new(name: String, plan: &Plan, other: &Plan) -> Self {
        let (before, after) = (lines(other), lines(plan));
        let (before, after): (Vec<&str>, Vec<&str>) =
            (before.iter().map(String::as_str).collect(), after.iter().map(String::as_str).collect());
        let diff = TextDiff::from_slices(&before, &after);
        let lines = diff.iter_all_changes().filter_map(|change| match change.tag() {
            ChangeTag::Equal => None,
            ChangeTag::Insert => Some(ComparedLine::This(change.value().to_owned())),
            ChangeTag::Delete => Some(ComparedLine::Other(change.value().to_owned())),
        });
        Self { name, without: None, lines: lines.collect() }
    }

    /// The lines as `diff` marks them.
    pub fn changed(&self) -> impl Iterator<Item = String> + '_ {
        self.lines.iter().map(|line| match line {
            ComparedLine::This(text) => format!("+ {text}"),
            ComparedLine::Other(text) => format!("- {text}"),
        })
    }
}

/// A plan without the numbers of its steps: one more step must not make all others different.
fn lines(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().filter(|change| change.kind != ChangeKind::NoOp).map(|change| {
        let kind = match change.kind {
            ChangeKind::NoOp => "keep",
            ChangeKind::Create => "create",
            ChangeKind::Update => "bring into use",
            ChangeKind::Replace => "replace",
            ChangeKind::Retire => "retire the predecessor of",
            ChangeKind::Blocked => "blocked:",
        };
        let servers: Vec<String> = change.servers.iter().map(ToString::to_string).collect();
        let names = match change.kind {
            ChangeKind::Create | ChangeKind::Replace => {
                let names: Vec<String> = change.names.iter().map(ToString::to_string).collect();
                format!(", for {}", names.join(", "))
            }
            ChangeKind::NoOp | ChangeKind::Update | ChangeKind::Retire | ChangeKind::Blocked => String::new(),
        };
        format!("{kind} {} on {}{names}", change.certificate, servers.join(", "))
    });
    let steps = plan.steps.iter().map(|step| line(plan, step));
    let warnings = plan.warnings.iter().map(|warning| format!("warning: {warning}"));
    let kept = plan
        .left_alone
        .iter()
        .map(|left| format!("{}: {} stays: {}", left.server, left.certificate.short(), left.why));
    changes.chain(steps).chain(warnings).chain(kept).collect()
}

fn line(plan: &Plan, step: &Step) -> String {
    let place = step.action.server().map_or(plan.organization.clone(), ToString::to_string);
    let mut text = format!("{place}: {} {}", step.action.verb(), described(plan, &step.action));
    if let (Action::Issue { .. }, Some(id)) = (&step.action, &step.certificate) {
        text += &format!(" for {id}");
    }
    text
}

/// What a step does, with the certificate's name where it would say the number of the step that makes it.
fn described(plan: &Plan, action: &Action) -> String {
    let text = describe(action);
    let of_step = CertRef::FromStep(StepId(0)).to_string();
    let of_step = of_step.trim_end_matches('0');
    let mut parts = text.split(of_step);
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|char: char| char.is_ascii_digit());
        let number = part[..part.len() - rest.len()].parse().ok().map(StepId);
        let certificate =
            number.and_then(|number| plan.step(number)).and_then(|step| step.certificate.as_ref());
        match certificate {
            Some(id) => told += &format!("new certificate {id}{rest}"),
            None => told += &format!("{of_step}{part}"),
        }
    }
    told
}
