//! What reviewers look for first: what cannot be done, removals, what cannot be undone, restarts, what people do, warnings.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{code, escaped, several};
use crate::{
    model::{
        action::Action,
        diagnostic::{Coded, Diagnostic},
        names::ServerName,
        plan::{ChangeKind, Plan, Step, Undo},
    },
    views::human::describe,
};

/// How much of it there is.
pub(in crate::views) struct Counts {
    pub(in crate::views) servers: usize,
    pub(in crate::views) removals: usize,
    pub(in crate::views) restarts: usize,
    pub(in crate::views) by_hand: usize,
    pub(in crate::views) irreversible: usize,
    pub(in crate::views) impossible: usize,
}

/// Counts what people fear.
pub(in crate::views) fn counts(plan: &Plan) -> Counts {
    let number = |wanted: fn(&Step) -> bool| plan.steps.iter().filter(|step| wanted(step)).count();
    Counts {
        servers: plan.steps.iter().filter_map(|step| step.action.server()).collect::<BTreeSet<_>>().len(),
        removals: number(is_removal),
        restarts: plan.steps.iter().map(|step| step.action.facts().restarts).sum(),
        by_hand: number(is_by_hand),
        irreversible: number(is_irreversible),
        impossible: impossible(plan).len(),
    }
}

/// The sections, each with at most so many entries.
pub(super) fn sections(plan: &Plan, most: usize) -> String {
    let mut text = String::new();
    let mut add = |title: &str, entries: Vec<String>, one: &str| {
        if entries.is_empty() {
            return;
        }
        text += &format!("\n### {title} ({})\n\n", entries.len());
        for entry in entries.iter().take(most) {
            text += &format!("- {entry}\n");
        }
        if entries.len() > most {
            text += &format!("- … and {}\n", several(entries.len() - most, one));
        }
    };
    add("Cannot be done", impossible(plan), "more");
    let of = |wanted: fn(&Step) -> bool| plan.steps.iter().filter(move |step| wanted(step));
    add("Removals", of(is_removal).map(|step| told(plan, step)).collect(), "more removal");
    let why = |step: &Step| match &step.undo {
        Undo::Irreversible { why } | Undo::Partly { stays: why, .. } => {
            format!("{}: {}", told(plan, step), escaped(&why.to_string()))
        }
        Undo::Nothing | Undo::By(_) => told(plan, step),
    };
    add("Cannot be undone", of(is_irreversible).map(why).collect(), "more step");
    add("Restarts", restarts(plan), "more");
    add("By hand, and waiting", of(is_by_hand).map(|step| told(plan, step)).collect(), "more step");
    let warning = |warning: Diagnostic| format!("{} {}", escaped(&warning.to_string()), code(&warning.code));
    add("Warnings", plan.warnings.iter().map(|it| warning(it.diagnostic())).collect(), "more warning");
    text
}

/// Servers, and how many more there are.
pub(in crate::views) fn servers(servers: &[ServerName], most: usize) -> String {
    let shown: Vec<&str> = servers.iter().take(most).map(ServerName::as_str).collect();
    match servers.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A step with its number and its place.
fn told(plan: &Plan, step: &Step) -> String {
    let place = step.action.server().map_or(plan.organization.as_str(), ServerName::as_str);
    format!(
        "{}: {} {} (step {})",
        escaped(place),
        step.action.verb(),
        escaped(&describe(&step.action)),
        step.id
    )
}

/// Servers that restart the same, together.
fn restarts(plan: &Plan) -> Vec<String> {
    let told = |(what, names): (Vec<String>, Vec<ServerName>)| {
        format!("{}: {}", servers(&names, 6), escaped(&what.join(", ")))
    };
    restart_groups(plan).into_iter().map(told).collect()
}

/// What is restarted or stopped, and the servers of which that is true.
pub(in crate::views) fn restart_groups(plan: &Plan) -> Vec<(Vec<String>, Vec<ServerName>)> {
    let mut by_server: BTreeMap<&ServerName, Vec<String>> = BTreeMap::new();
    for step in &plan.steps {
        let what = match &step.action {
            Action::Restart { server, service, .. } => Some((server, service.to_string())),
            Action::Remove { server, while_stopped, .. } if !while_stopped.is_empty() => {
                let stopped: Vec<String> =
                    while_stopped.iter().map(|group| group.service.to_string()).collect();
                Some((server, format!("{} stopped during a removal", stopped.join(", "))))
            }
            _ => None,
        };
        if let Some((server, what)) = what {
            by_server.entry(server).or_default().push(what);
        }
    }
    let mut groups: Vec<(Vec<String>, Vec<ServerName>)> = Vec::new();
    for (server, what) in by_server {
        match groups.iter_mut().find(|(known, _)| *known == what) {
            Some((_, servers)) => servers.push(server.clone()),
            None => groups.push((what, vec![server.clone()])),
        }
    }
    groups
}

fn impossible(plan: &Plan) -> Vec<String> {
    let steps = plan.steps.iter().filter_map(|step| match &step.action {
        Action::CannotApply { why, .. } => Some(why.diagnostic()),
        _ => None,
    });
    let blocked = plan.changes.iter().filter(|change| change.kind == ChangeKind::Blocked).map(|change| {
        let why = change.reasons.first().map_or_else(|| "it is blocked".to_owned(), ToString::to_string);
        format!("{}: {}", escaped(change.certificate.name.as_str()), escaped(&why))
    });
    steps.map(|why| format!("{} {}", escaped(&why.to_string()), code(&why.code))).chain(blocked).collect()
}

/// Whether it takes a certificate off a server.
pub(in crate::views) fn is_removal(step: &Step) -> bool {
    matches!(step.action, Action::Remove { .. })
}

/// Whether it waits for something outside or for a person.
pub(in crate::views) fn is_by_hand(step: &Step) -> bool {
    matches!(step.action, Action::Manual { .. } | Action::Await { .. })
}

/// Whether it cannot be undone, or not wholly.
pub(in crate::views) fn is_irreversible(step: &Step) -> bool {
    !step.undo.is_whole()
}
