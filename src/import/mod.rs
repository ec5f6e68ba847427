//! From what an organization has to a manifest that says so: which certificates there are, where they are used, and what
//! servers have in common. What no manifest manages is told in comments. Pure: it reads an observation and writes a text.

mod certificates;
mod found;
mod places;
mod write;

use std::collections::{BTreeMap, BTreeSet};

pub use self::found::Choices;
use self::{certificates::Groups, found::Found};
use crate::model::{
    names::ServerName,
    organization::{Observed, Organization},
    server::Server,
    time::Timestamp,
};

/// Writes a manifest of what was observed, and what it cannot say. `driver` is the YAML of its driver, `now` the time to
/// judge certificates by.
pub fn manifest(
    observed: &Observed,
    driver: &str,
    choices: &Choices,
    now: Timestamp,
) -> (String, Vec<String>) {
    let groups = Groups::of(&observed.organization, now);
    let mut found = Found {
        groups,
        servers: BTreeMap::new(),
        send_connectors: Vec::new(),
        hybrid: None,
        notes: Vec::new(),
    };
    found.notes.extend(certificates::addresses(&found.groups));
    for (name, server) in &observed.organization.servers {
        let places = places::of_server(name, server, &found.groups, now, &mut found.notes);
        found.servers.insert(name.clone(), places);
    }
    found.send_connectors = places::send_connectors(&observed.organization, &found.groups, &mut found.notes);
    apart(&observed.organization, &mut found);
    found.hybrid = places::hybrid(&observed.organization, &found.groups, &mut found.notes);
    (write::text(observed, &found, driver, choices), found.notes)
}

/// No manifest says that an Edge server and another one have the same internal transport certificate.
fn apart(organization: &Organization, found: &mut Found) {
    let is_edge = |name: &ServerName| organization.servers.get(name).is_some_and(Server::is_edge);
    let shared = |group: usize, groups: &Groups| !groups.all[group].per_server;
    let others: BTreeSet<usize> = found
        .servers
        .iter()
        .filter(|(name, _)| !is_edge(name))
        .filter_map(|(_, own)| own.internal_transport)
        .collect();
    for (name, places) in found.servers.iter_mut().filter(|(name, _)| is_edge(name)) {
        let same =
            places.internal_transport.filter(|own| others.contains(own) && shared(*own, &found.groups));
        if same.is_some() {
            places.internal_transport = None;
            found.notes.push(format!(
                "{name} has the internal transport certificate of another server, so it is left out: give it one of its own"
            ));
        }
    }
}
