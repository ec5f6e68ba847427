//! Joining what the files of a capture show.

use std::{collections::BTreeMap, fmt::Debug};

use super::{NOT_CAPTURED, nothing_of_a_server, nothing_of_an_organization, part::Part};
use crate::model::{
    fact::Fact,
    organization::Organization,
    server::{Server, UnifiedMessaging},
};

/// The organization so far, and from which file each fact came.
pub(super) struct Merger {
    organization: Organization,
    sources: BTreeMap<String, String>,
    notes: Vec<String>,
}

impl Merger {
    pub(super) fn new(notes: Vec<String>) -> Self {
        Self { organization: nothing_of_an_organization(), sources: BTreeMap::new(), notes }
    }

    /// Adds what a file shows.
    pub(super) fn add(&mut self, part: &Part) {
        let Organization {
            servers,
            send_connectors,
            accepted_domains,
            hybrid,
            auth,
            federation,
            edge_subscriptions,
            im_overrides,
            balancers,
        } = &part.organization;
        let file = part.file.as_str();
        self.notes.extend(part.notes.iter().cloned());
        self.organization.balancers.extend(balancers.clone());
        let Self { organization: have, sources, notes } = self;
        let mut join = Join { file, about: String::new(), sources, notes };
        join.fact("the send connectors", &mut have.send_connectors, send_connectors);
        join.fact("the accepted domains", &mut have.accepted_domains, accepted_domains);
        join.fact("the hybrid configuration", &mut have.hybrid, hybrid);
        join.fact("the Auth configuration", &mut have.auth, auth);
        join.fact("the federation trust", &mut have.federation, federation);
        join.fact("the Edge subscriptions", &mut have.edge_subscriptions, edge_subscriptions);
        join.fact("the setting overrides", &mut have.im_overrides, im_overrides);
        for (name, server) in servers {
            join.about = format!(" of {name}");
            let have = have.servers.entry(name.clone()).or_insert_with(nothing_of_a_server);
            join.server(have, server);
        }
    }

    /// Says that a file is of another organization.
    pub(super) fn leave_out(&mut self, part: &Part, of: &str, wanted: &str) {
        let note = format!(
            "{} is left out: it is of the organization {of}, and this is a plan for {wanted}; keep a folder for each",
            part.file
        );
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    pub(super) fn finish(self) -> (Organization, Vec<String>) {
        (self.organization, self.notes)
    }
}

struct Join<'a> {
    file: &'a str,
    about: String,
    sources: &'a mut BTreeMap<String, String>,
    notes: &'a mut Vec<String>,
}

impl Join<'_> {
    fn server(&mut self, have: &mut Server, new: &Server) {
        let Server {
            fqdn,
            version,
            roles,
            operating_system,
            certificates,
            requests,
            internal_transport,
            pop,
            imap,
            um,
            sites,
            receive_connectors,
            peers,
            online_root,
            endpoints,
            served,
        } = new;
        self.fact("the full name", &mut have.fqdn, fqdn);
        self.fact("the version", &mut have.version, version);
        self.fact("the roles", &mut have.roles, roles);
        self.fact("the operating system", &mut have.operating_system, operating_system);
        self.fact("the certificates", &mut have.certificates, certificates);
        self.fact("the pending requests", &mut have.requests, requests);
        self.fact("the internal transport certificate", &mut have.internal_transport, internal_transport);
        self.fact("the POP settings", &mut have.pop, pop);
        self.fact("the IMAP settings", &mut have.imap, imap);
        match other_half(&have.um, um) {
            Some(whole) => have.um = Fact::Known(Some(whole)),
            None => self.fact("the settings of Unified Messaging", &mut have.um, um),
        }
        self.fact("the IIS bindings", &mut have.sites, sites);
        self.fact("the receive connectors", &mut have.receive_connectors, receive_connectors);
        self.fact("the certificates of its site's servers in its directory", &mut have.peers, peers);
        self.fact("the root of Exchange Online", &mut have.online_root, online_root);
        have.endpoints.extend(endpoints.iter().map(|(endpoint, address)| (*endpoint, *address)));
        have.served.extend(served);
    }

    /// What is known takes the place of what is not; two that are not equal make it unknown.
    fn fact<T: Clone + PartialEq + Debug>(&mut self, what: &str, have: &mut Fact<T>, new: &Fact<T>) {
        let what = format!("{what}{}", self.about);
        match (&*have, new) {
            (Fact::Known(one), Fact::Known(other)) if one == other => {}
            (Fact::Known(_), Fact::Known(_)) => {
                let first = self.sources.get(&what).map_or("another file", String::as_str);
                self.notes.push(format!(
                    "{} and {first} do not say the same about {what}, which is unknown now; keep the newer file only",
                    self.file
                ));
                *have = Fact::unknown(format!("{first} and {} contradict each other", self.file));
                self.sources.insert(what, CONTRADICTED.into());
            }
            (Fact::Unknown(_), Fact::Known(_))
                if self.sources.get(&what).is_some_and(|of| of == CONTRADICTED) => {}
            (Fact::Unknown(_), Fact::Known(_)) => {
                *have = new.clone();
                self.sources.insert(what, self.file.to_owned());
            }
            // The more telling reason counts.
            (Fact::Unknown(one), Fact::Unknown(other))
                if one.why == NOT_CAPTURED && other.why != NOT_CAPTURED =>
            {
                *have = new.clone();
            }
            (Fact::Known(_) | Fact::Unknown(_), Fact::Unknown(_)) => {}
        }
    }
}

/// Two cmdlets show one half of Unified Messaging each: the whole, when these are its halves.
fn other_half(
    have: &Fact<Option<UnifiedMessaging>>,
    new: &Fact<Option<UnifiedMessaging>>,
) -> Option<UnifiedMessaging> {
    let (one, other) = (have.known()?.as_ref()?, new.known()?.as_ref()?);
    let halves = one.service.is_none() != other.service.is_none()
        && one.call_router.is_none() != other.call_router.is_none();
    halves.then(|| UnifiedMessaging {
        service: one.service.or(other.service),
        call_router: one.call_router.or(other.call_router),
    })
}

/// In the place of a file's name: nothing that comes later decides a contradiction.
const CONTRADICTED: &str = "";
