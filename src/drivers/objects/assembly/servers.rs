//! Which servers there are, as far as answers list them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Bag, DateOrder, ServerFacts};
use crate::model::{
    names::{DnsName, ServerName},
    version::Release,
};

/// What all answers together tell of servers, before any one of them is read for good.
#[derive(Default)]
pub struct KnownServers {
    forests: BTreeMap<ServerName, Option<String>>,
    by_fqdn: BTreeMap<DnsName, ServerName>,
    listed: Vec<ServerFacts>,
    /// The forests of which every server is listed.
    whole: BTreeSet<Option<String>>,
    /// In which order the shell that made them writes the parts of a date.
    pub order: DateOrder,
}

impl KnownServers {
    /// Takes down a server that `Get-ExchangeServer` lists.
    pub(super) fn list(&mut self, server: ServerFacts, forest: Option<String>) {
        self.forests.insert(server.name.clone(), forest);
        self.by_fqdn.insert(server.fqdn.clone(), server.name.clone());
        self.listed.push(server);
    }

    /// Takes down that the servers of this forest are listed to the last one.
    pub(super) fn lists_all_of(&mut self, forest: Option<String>) {
        self.whole.insert(forest);
    }

    /// The servers of each forest of which all are listed.
    pub fn complete(&self) -> BTreeMap<Option<String>, Vec<ServerName>> {
        let of = |forest: &Option<String>| {
            let own = self.forests.iter().filter(|(_, of)| *of == forest);
            (forest.clone(), own.map(|(name, _)| name.clone()).collect())
        };
        self.whole.iter().map(of).collect()
    }

    /// The forests whose servers are listed.
    pub fn forests(&self) -> Vec<String> {
        self.forests.values().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// A server by its short or full name.
    pub fn resolve(&self, text: &str) -> Option<ServerName> {
        let by_fqdn = text.parse::<DnsName>().ok().and_then(|fqdn| self.by_fqdn.get(&fqdn));
        by_fqdn.cloned().or_else(|| text.split('.').next()?.parse().ok())
    }

    /// Whether `Get-ExchangeServer` lists it.
    pub fn lists(&self, name: &ServerName) -> bool {
        self.forests.contains_key(name)
    }

    /// Whether it is listed as an Edge server.
    pub(super) fn is_edge(&self, name: &ServerName) -> bool {
        self.listed.iter().any(|server| server.name == *name && server.is_edge())
    }

    /// Whether servers are listed, and all of them are of releases before this one.
    pub(super) fn are_all_before(&self, release: Option<Release>) -> bool {
        let before = |server: &ServerFacts| release.is_some_and(|release| server.version.release() < release);
        !self.listed.is_empty() && self.listed.iter().all(before)
    }

    pub(super) fn forest_of(&self, name: &ServerName) -> Option<String> {
        self.forests.get(name).cloned().flatten()
    }

    /// The only server that is listed.
    pub(super) fn only(&self) -> Option<ServerName> {
        let mut names = self.forests.keys();
        names.next().filter(|_| names.next().is_none()).cloned()
    }

    /// The Mailbox servers of a site, by the site's name. An Edge server has the attribute of the site that it is
    /// subscribed to, and is no server of it (facts 10).
    pub(super) fn of_site(&self, site: &str) -> Vec<ServerName> {
        let in_site = |server: &&ServerFacts| {
            !server.is_edge() && server.site.as_deref().map(last_of_path).is_some_and(|own| own == site)
        };
        self.listed.iter().filter(in_site).map(|server| server.name.clone()).collect()
    }
}

/// The DNS name of the forest that an object's distinguished name ends in. An Edge server has a directory of its own,
/// whose names end in none.
pub(super) fn forest(bag: &Bag<'_>) -> Option<String> {
    let name = bag.text("DistinguishedName")?;
    let labels: Vec<&str> = name
        .split(',')
        .filter_map(|part| part.trim().strip_prefix("DC=").or_else(|| part.trim().strip_prefix("dc=")))
        .collect();
    (!labels.is_empty()).then(|| labels.join(".").to_lowercase())
}

/// `Default-First-Site-Name` of `contoso.com/Configuration/Sites/Default-First-Site-Name`.
pub(super) fn last_of_path(text: &str) -> String {
    text.rsplit('/').next().unwrap_or(text).to_owned()
}
