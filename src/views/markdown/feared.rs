//! What reviewers look for first: what cannot be done, removals, what cannot be undone, restarts, what people do, warnings.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    groups::{shape, without_own},
    text::{code, escaped, several},
};
use crate::{
    model::{
        action::{Action, ServerServices, ServiceGroup},
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
        servers: plan.steps.iter().flat_map(|step| step.action.servers()).collect::<BTreeSet<_>>().len(),
        removals: plan.steps.iter().map(|step| step.action.removals().len()).sum(),
        restarts: plan.steps.iter().map(|step| step.action.facts().restarts).sum(),
        by_hand: number(Step::is_by_hand),
        irreversible: number(is_irreversible),
        impossible: impossible(plan).len(),
    }
}

/// An entry of a list, for one step or for equal ones.
pub(in crate::views) struct Listed {
    /// What it says.
    pub(in crate::views) text: String,
    /// The code that explains it, where it has one.
    pub(in crate::views) code: Option<String>,
    /// How many it stands for: what is counted above the list and in the table.
    pub(in crate::views) stands_for: usize,
}

impl Listed {
    fn one(text: String) -> Self {
        Self { text, code: None, stands_for: 1 }
    }

    fn coded(told: &Diagnostic) -> Self {
        Self { code: Some(told.code.clone().into_owned()), ..Self::one(told.to_string()) }
    }
}

/// How many all of a list stand for.
pub(in crate::views) fn sum(list: &[Listed]) -> usize {
    list.iter().map(|listed| listed.stands_for).sum()
}

/// The sections, each with at most so many entries.
pub(super) fn sections(plan: &Plan, most: usize) -> String {
    let lists = [
        ("Cannot be done", impossible(plan), "more"),
        ("Removals", removals(plan), "more removal"),
        ("Cannot be undone", irreversible(plan), "more step"),
        ("Restarts", restarts(plan), "more restart"),
        ("By hand, and waiting", by_hand(plan), "more step"),
        ("Warnings", warnings(plan), "more warning"),
    ];
    let mut text = String::new();
    for (title, list, one) in lists.iter().filter(|(_, list, _)| !list.is_empty()) {
        text += &format!("\n### {title} ({})\n\n", sum(list));
        let (shown, rest) = list.split_at(list.len().min(most));
        for Listed { text: told, code: of, stands_for: _ } in shown {
            let of = of.as_ref().map_or_else(String::new, |of| format!(" {}", code(of)));
            text += &format!("- {}{of}\n", escaped(told));
        }
        if !rest.is_empty() {
            text += &format!("- … and {}\n", several(sum(rest), one));
        }
    }
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

/// The removals, equal ones of several servers together.
pub(in crate::views) fn removals(plan: &Plan) -> Vec<Listed> {
    grouped(plan, is_removal, &|step| step.action.removals().len(), &|_| String::new())
}

/// What cannot be undone, and why.
pub(in crate::views) fn irreversible(plan: &Plan) -> Vec<Listed> {
    grouped(plan, is_irreversible, &|_| 1, &|step| match &step.undo {
        Undo::Irreversible { why } | Undo::Partly { stays: why, .. } => format!(": {why}"),
        Undo::Nothing | Undo::By(_) => String::new(),
    })
}

/// What people do, and what is waited for.
pub(in crate::views) fn by_hand(plan: &Plan) -> Vec<Listed> {
    grouped(plan, Step::is_by_hand, &|_| 1, &|_| String::new())
}

/// What the operator should know.
pub(in crate::views) fn warnings(plan: &Plan) -> Vec<Listed> {
    plan.warnings.iter().map(|warning| Listed::coded(&warning.diagnostic())).collect()
}

/// Steps that are alike but for what is each server's own.
struct Alike<'a> {
    steps: Vec<&'a Step>,
    /// What each of them is told by.
    told: BTreeSet<String>,
    more: String,
    stands_for: usize,
}

/// The steps of a kind, those that are alike together.
fn grouped(
    plan: &Plan,
    wanted: fn(&Step) -> bool,
    count: &dyn Fn(&Step) -> usize,
    more: &dyn Fn(&Step) -> String,
) -> Vec<Listed> {
    let mut all: Vec<Alike<'_>> = Vec::new();
    let mut known: HashMap<(String, String, String), usize> = HashMap::new();
    for step in plan.steps.iter().filter(|step| wanted(step)) {
        let (server, own) = (step.action.server(), more(step));
        let of = step.certificate.as_ref().map_or_else(String::new, |id| id.name.to_string());
        let key = match server {
            Some(_) => (of, shape(step, server), without_own(&own, server)),
            None => (String::new(), step.id.to_string(), String::new()),
        };
        let place = *known.entry(key).or_insert_with(|| {
            all.push(Alike { steps: Vec::new(), told: BTreeSet::new(), more: own, stands_for: 0 });
            all.len() - 1
        });
        let alike = &mut all[place];
        alike.told.insert(describe(&step.action));
        alike.stands_for += count(step);
        alike.steps.push(step);
    }
    all.iter().map(|alike| listed(plan, alike)).collect()
}

fn listed(plan: &Plan, alike: &Alike<'_>) -> Listed {
    let Alike { steps, told, more, stands_for } = alike;
    let mut names: Vec<ServerName> = steps.iter().filter_map(|step| step.action.server().cloned()).collect();
    names.dedup();
    let place = if names.is_empty() { plan.organization.clone() } else { servers(&names, MOST_SERVERS) };
    let first = steps.first().map_or_else(String::new, |step| {
        let each = if told.len() > 1 { ", each its own" } else { "" };
        format!("{} {}{each}", step.action.verb(), describe(&step.action))
    });
    let ids: Vec<String> = steps.iter().take(MOST_SERVERS).map(|step| step.id.to_string()).collect();
    let rest = steps.len() - ids.len();
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let word = if steps.len() == 1 { "step" } else { "steps" };
    let text = format!("{place}: {first} ({word} {}{rest}){more}", ids.join(", "));
    Listed { text, code: None, stands_for: *stands_for }
}

/// Servers that restart the same, together.
pub(in crate::views) fn restarts(plan: &Plan) -> Vec<Listed> {
    let mut by_server: BTreeMap<&ServerName, (Vec<String>, usize)> = BTreeMap::new();
    let mut add = |server, what: String, times| {
        let (all, number) = by_server.entry(server).or_default();
        all.push(what);
        *number += times;
    };
    let stopped = |groups: &[ServiceGroup]| {
        let names: Vec<String> = groups.iter().map(|group| group.service.to_string()).collect();
        format!("{} stopped during a removal", names.join(", "))
    };
    for step in &plan.steps {
        match &step.action {
            Action::Restart { server, service, .. } => add(server, service.to_string(), 1),
            Action::Remove { server, while_stopped, .. } if !while_stopped.is_empty() => {
                add(server, stopped(while_stopped), while_stopped.len());
            }
            Action::RemoveNamed { while_stopped, .. } => {
                for ServerServices { server, groups } in
                    while_stopped.iter().filter(|own| !own.groups.is_empty())
                {
                    add(server, stopped(groups), groups.len());
                }
            }
            _ => {}
        }
    }
    let mut groups: Vec<(Vec<String>, Vec<ServerName>, usize)> = Vec::new();
    for (server, (what, times)) in by_server {
        match groups.iter_mut().find(|(known, ..)| *known == what) {
            Some((_, servers, sum)) => {
                servers.push(server.clone());
                *sum += times;
            }
            None => groups.push((what, vec![server.clone()], times)),
        }
    }
    let told = |(what, names, stands_for): (Vec<String>, Vec<ServerName>, usize)| {
        let text = format!("{}: {}", servers(&names, MOST_SERVERS), what.join(", "));
        Listed { text, code: None, stands_for }
    };
    groups.into_iter().map(told).collect()
}

/// What should be done and cannot be.
pub(in crate::views) fn impossible(plan: &Plan) -> Vec<Listed> {
    let steps = plan.steps.iter().filter_map(|step| match &step.action {
        Action::CannotApply { why, .. } => Some(Listed::coded(&why.diagnostic())),
        _ => None,
    });
    let blocked = plan.changes.iter().filter(|change| change.kind == ChangeKind::Blocked).map(|change| {
        let why = change.reasons.first().map_or_else(|| "it is blocked".to_owned(), ToString::to_string);
        Listed::one(format!("{}: {why}", change.certificate.name))
    });
    steps.chain(blocked).collect()
}

/// More do not fit into a line.
const MOST_SERVERS: usize = 6;

/// Whether it takes a certificate off a server.
fn is_removal(step: &Step) -> bool {
    !step.action.removals().is_empty()
}

/// Whether it waits for something outside or for a person.
/// Whether it cannot be undone, or not wholly.
fn is_irreversible(step: &Step) -> bool {
    !step.undo.is_whole()
}
