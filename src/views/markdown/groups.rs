//! Servers on which the same is done, together: twenty-four equal servers are one to read.

use crate::{
    model::{
        names::ServerName,
        plan::{Plan, Step},
    },
    views::human::describe,
};

/// Servers with the same steps, but for their own names, thumbprints and the numbers of steps.
pub(in crate::views) struct Group<'a> {
    /// The servers; none for the steps of the organization.
    pub(in crate::views) servers: Vec<ServerName>,
    /// The steps of the first of them.
    pub(in crate::views) steps: Vec<&'a Step>,
}

/// The groups, in the order of their first steps.
pub(in crate::views) fn groups(plan: &Plan) -> Vec<Group<'_>> {
    let mut lanes: Vec<(Option<&ServerName>, Vec<&Step>)> = Vec::new();
    let mut places: std::collections::BTreeMap<Option<&ServerName>, usize> =
        std::collections::BTreeMap::new();
    for step in &plan.steps {
        let server = step.action.server();
        let place = *places.entry(server).or_insert_with(|| {
            lanes.push((server, Vec::new()));
            lanes.len() - 1
        });
        lanes[place].1.push(step);
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known: std::collections::HashMap<Vec<String>, usize> = std::collections::HashMap::new();
    for (server, steps) in lanes {
        let Some(server) = server else {
            groups.push(Group { servers: Vec::new(), steps });
            continue;
        };
        let shape: Vec<String> = steps.iter().map(|step| shape(step, Some(server))).collect();
        let place = *known.entry(shape).or_insert_with(|| {
            groups.push(Group { servers: Vec::new(), steps });
            groups.len() - 1
        });
        groups[place].servers.push(server.clone());
    }
    groups
}

/// What a step does, without what is each server's own.
pub(super) fn shape(step: &Step, server: Option<&ServerName>) -> String {
    without_own(&format!("{} {}", step.action.verb(), describe(&step.action)), server)
}

/// A text without what is each server's own.
pub(super) fn without_own(text: &str, server: Option<&ServerName>) -> String {
    let text = text.to_lowercase();
    let text = server.map_or(text.clone(), |server| text.replace(&server.as_str().to_lowercase(), "SERVER"));
    let mut shape = String::with_capacity(text.len());
    for word in text.split(' ') {
        let bare = word.trim_matches(|char: char| !char.is_alphanumeric());
        // A thumbprint in short is `401024…1ec6`; the number of a step stands after its word.
        let own = bare.contains('…')
            || (shape.ends_with("step ") && bare.chars().all(|char| char.is_ascii_digit()));
        shape.push_str(if own { "OWN" } else { word });
        shape.push(' ');
    }
    shape
}
