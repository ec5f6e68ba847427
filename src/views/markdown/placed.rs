//! Certificates with the servers that they are on: those that go, and those that stay for now. Of which the same is said, those are told
//! together.

use std::collections::HashMap;

use super::{
    feared,
    groups::without_own,
    text::{code, escaped, several},
};
use crate::model::{
    names::ServerName,
    plan::{Change, LeftAlone, LeftBecause, Plan},
    thumbprint::Thumbprint,
};

/// Each certificate that goes, and why it may.
pub(super) fn removed(changes: &[&Change], most: usize) -> String {
    let each = || changes.iter().flat_map(|change| change.removes.iter().map(move |own| (change, own)));
    if each().next().is_none() {
        return String::new();
    }
    let text = "\nRemoved, when its successor is proved:\n\n".to_owned();
    let told = each().map(|(change, own)| {
        let end = format!(", for {}: {}", change.certificate.name, own);
        (own.certificate, own.servers.clone(), end)
    });
    text + &listed(told, most)
}

/// A line for all of which the same is said.
fn listed(each: impl Iterator<Item = (Thumbprint, Vec<ServerName>, String)>, most: usize) -> String {
    let groups = placed(each);
    let line = |Placed { place, end, .. }: &Placed| format!("- {place}{}\n", escaped(end));
    let mut text: String = groups.iter().take(most).map(line).collect();
    let rest: usize = groups.iter().skip(most).map(|placed| placed.number).sum();
    if rest > 0 {
        text += &format!("- … and {}\n", several(rest, "more certificate"));
    }
    text
}

/// Certificates of which the same is said, together: where they are, what is said, and how many they are.
struct Placed {
    place: String,
    end: String,
    number: usize,
}

/// A certificate and the servers that have it.
type Stored = (Thumbprint, Vec<ServerName>);

fn placed(each: impl Iterator<Item = (Thumbprint, Vec<ServerName>, String)>) -> Vec<Placed> {
    let mut alike: Vec<(String, Vec<Stored>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (thumbprint, servers, end) in each {
        // What is of one server may name it.
        let shape = without_own(&end, if servers.len() == 1 { servers.first() } else { None });
        let place = *known.entry(shape).or_insert_with(|| {
            alike.push((end, Vec::new()));
            alike.len() - 1
        });
        let all = &mut alike[place].1;
        match all.iter_mut().find(|(known, _)| *known == thumbprint) {
            Some((_, places)) => places.extend(servers),
            None => all.push((thumbprint, servers)),
        }
    }
    let told = |(end, all): (String, Vec<Stored>)| {
        let one = |(thumbprint, servers): &Stored| {
            format!("{} on {}", code(&thumbprint.short()), feared::servers(servers, 6))
        };
        let shown: Vec<String> = all.iter().take(3).map(one).collect();
        let rest = all.len() - shown.len();
        let rest = if rest > 0 { format!(" and {}", several(rest, "more like it")) } else { String::new() };
        Placed { place: format!("{}{rest}", shown.join(", ")), end, number: all.len() }
    };
    alike.into_iter().map(told).collect()
}

pub(super) fn left_alone(plan: &Plan, most: usize) -> String {
    let telling: Vec<_> = plan
        .left_alone
        .iter()
        .filter(|left| !matches!(left.why, LeftBecause::Unmanaged | LeftBecause::Protected { .. }))
        .collect();
    if telling.is_empty() {
        return String::new();
    }
    let text = "\n### Kept for now\n\n".to_owned();
    let told = |left: &&LeftAlone| (left.certificate, vec![left.server.clone()], format!(": {}", left.why));
    text + &listed(telling.iter().map(told), most)
}
