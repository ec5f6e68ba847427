//! `certwright show`: a saved plan for people, whatever became of it: stale, edited, or of a newer certwright.

use std::path::Path;

use serde_json::Value;

use super::{
    CommandError, Exit, Terminal, files, next,
    outputs::{self, Outputs, Reporting},
    overwriting::{self, Inputs},
    saved_plan::{Lenient, SavedPlan},
};
pub use crate::views::SHOWN_FORMATS;
use crate::{
    model::{plan::Plan, shown::ShowPath, text::decoded, unfinished_run::UnfinishedRun},
    views::{Diagnostics, NEWER_FORMATS, NewerPlan, NewerStep, PlanResult, RefusedPlan, Reported},
};

/// Shows the plan in this file. No server is asked, and no manifest is read.
pub fn run(file: &Path, outputs: &Outputs, budget: usize, terminal: Terminal) -> Result<Exit, CommandError> {
    let formats = outputs.of(SHOWN_FORMATS)?;
    overwriting::refuse(outputs.files(), Inputs { others: &[file], ..Inputs::default() })?;
    let reporting = Reporting { command: "show", manifest: file, outputs, budget };
    match reporting.told(SavedPlan::read_leniently(file), terminal)? {
        Lenient::Whole { plan, manifest, refused, version, unfinished_run } => {
            if let Some(manifest) = manifest {
                terminal.say(&format!("a plan of the manifest at {}", manifest.shown()));
            }
            let newer = RefusedPlan::NewerFormat { format: version, known: Plan::VERSION };
            let refused = if version > u64::from(Plan::VERSION) { Some(newer) } else { refused };
            let applies = refused.is_none() && !plan.is_empty();
            outputs::write(&shown(*plan, (unfinished_run, refused), (file, budget)), &formats, terminal)?;
            if applies && terminal.err_is_terminal {
                terminal.suggest(&[format!("carry it out: certwright apply {}", next::quoted(file))]);
            }
        }
        Lenient::Newer { value, version } => {
            let formats = outputs.of(NEWER_FORMATS)?;
            outputs::write(&newer(value, version, budget), &formats, terminal)?;
        }
    }
    Ok(Exit::Done)
}

fn shown(
    plan: Plan,
    (unfinished_run, refused): (Option<UnfinishedRun>, Option<RefusedPlan>),
    (file, budget): (&Path, usize),
) -> Reported<PlanResult> {
    let list = plan.diagnostics();
    let file = file.shown().to_string();
    let diagnostics = Diagnostics { command: "plan", file, list, ..Diagnostics::default() };
    Reported {
        result: PlanResult { plan, organization: None, unfinished_run, against: None, refused, budget },
        diagnostics,
    }
}

/// What can be told of a plan whose format is not known: its organization, its times, and each step by its words.
fn newer(file: Value, format: u64, budget: usize) -> NewerPlan {
    let plan = file.get("plan").unwrap_or(&file);
    let field = |name: &str| plan.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let steps = plan.get("steps").and_then(Value::as_array);
    NewerPlan {
        version: 1,
        format,
        organization: field("organization"),
        planned_at: field("plannedAt"),
        observed_at: field("observedAt"),
        driver: field("driver"),
        steps: steps.into_iter().flatten().map(newer_step).collect(),
        budget,
        file,
    }
}

fn newer_step(step: &Value) -> NewerStep {
    let action = step.get("action").unwrap_or(step);
    let words: Vec<String> = ["do", "server", "site", "service", "certificate", "connector"]
        .iter()
        .filter_map(|field| match action.get(field)? {
            Value::String(text) => Some(text.clone()),
            Value::Object(_) | Value::Array(_) | Value::Null => None,
            other => Some(other.to_string()),
        })
        .collect();
    NewerStep { id: step.get("id").and_then(Value::as_u64), what: words.join(" ") }
}

/// Whether a file holds a saved plan, whatever its name; one that is damaged, too.
pub(super) fn is_plan(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    if ending == "json" || !path.is_file() {
        return ending == "json";
    }
    let yaml = ending == "yaml" || ending == "yml";
    files::read(path).is_ok_and(|bytes| {
        let text = decoded(&bytes).unwrap_or_default();
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => value.get("plan").is_some() || value.get("digest").is_some(),
            // Some write manifests in brackets, and those say their `apiVersion`.
            Err(_) => text.trim_start().starts_with('{') && !yaml && !text.contains("apiVersion"),
        }
    })
}
