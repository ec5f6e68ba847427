//! Joining what answers show.

use std::{collections::BTreeMap, fmt::Debug};

use super::part::Part;
use crate::model::{
    fact::Fact,
    names::ServerName,
    organization::Organization,
    server::{Server, StoredCertificate, UnifiedMessaging},
};

/// The organization so far, and from where each fact came.
pub struct Merger {
    organization: Organization,
    sources: BTreeMap<String, String>,
    notes: Vec<String>,
    keyless: Vec<(ServerName, StoredCertificate)>,
}

impl Merger {
    /// Nothing yet, with what there is to say beforehand.
    pub fn new(notes: Vec<String>) -> Self {
        Self {
            organization: Organization::not_captured(),
            sources: BTreeMap::new(),
            notes,
            keyless: Vec::new(),
        }
    }

    /// Adds what an answer shows.
    pub fn add(&mut self, part: &Part) {
        let Organization {
            servers,
            send_connectors,
            accepted_domains,
            hybrid,
            auth,
            federation,
            edge_subscriptions,
            im_overrides,
            dedicated_application,
            domain_security,
            balancers,
        } = &part.organization;
        let source = part.source.as_str();
        self.notes.extend(part.notes.iter().cloned());
        self.keyless.extend(part.keyless.iter().cloned());
        self.organization.balancers.extend(balancers.clone());
        let Self { organization: have, sources, notes, keyless: _ } = self;
        let mut join = Join { source, about: String::new(), sources, notes };
        join.fact("the send connectors", &mut have.send_connectors, send_connectors);
        join.fact("the accepted domains", &mut have.accepted_domains, accepted_domains);
        join.fact("the hybrid configuration", &mut have.hybrid, hybrid);
        join.fact("the Auth configuration", &mut have.auth, auth);
        join.fact("the federation trust", &mut have.federation, federation);
        join.fact("the Edge subscriptions", &mut have.edge_subscriptions, edge_subscriptions);
        join.fact("the setting overrides", &mut have.im_overrides, im_overrides);
        let dedicated = &mut have.dedicated_application;
        join.fact("the dedicated hybrid application", dedicated, dedicated_application);
        join.fact("the domains of Domain Security", &mut have.domain_security, domain_security);
        for (name, server) in servers {
            join.about = format!(" of {name}");
            let have = have.servers.entry(name.clone()).or_insert_with(Server::not_captured);
            join.server(have, server);
        }
    }

    /// Says that a file is of another organization.
    pub fn leave_out(&mut self, part: &Part, of: &str, wanted: &str) {
        let note = format!(
            "{} is left out: it is of the organization {of}, and this is a plan for {wanted}; keep a folder for each",
            part.source
        );
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The organization, and what has to be said about it.
    pub fn finish(mut self) -> (Organization, Vec<String>) {
        // Get-ExchangeCertificate shows none of those that lost their key (facts 8.1).
        for (server, stored) in self.keyless {
            let server = self.organization.servers.get_mut(&server);
            if let Some(store) = server.and_then(|server| server.certificates.known_mut()) {
                store.0.entry(stored.certificate.thumbprint).or_insert(stored);
            }
        }
        (self.organization, self.notes)
    }
}

struct Join<'a> {
    source: &'a str,
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
            directory_site,
            operating_system,
            certificates,
            requests,
            internal_transport,
            pop,
            imap,
            um,
            sites,
            other_stores,
            web,
            receive_connectors,
            peers,
            connector_copies,
            online_root,
            services,
            other_programs,
            authorities,
            client_names,
            endpoints,
            met_from,
            served,
        } = new;
        self.fact("the full name", &mut have.fqdn, fqdn);
        self.fact("the version", &mut have.version, version);
        self.fact("the roles", &mut have.roles, roles);
        self.fact("the site", &mut have.directory_site, directory_site);
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
        have.other_stores.extend(other_stores.clone());
        self.fact("the settings of IIS", &mut have.web, web);
        self.fact("the receive connectors", &mut have.receive_connectors, receive_connectors);
        self.fact("the certificates of its site's servers in its directory", &mut have.peers, peers);
        self.fact("the send connectors in its directory", &mut have.connector_copies, connector_copies);
        self.fact("the root of Exchange Online", &mut have.online_root, online_root);
        self.fact("the services", &mut have.services, services);
        self.fact("what other programs use", &mut have.other_programs, other_programs);
        self.fact("the CAs in its stores", &mut have.authorities, authorities);
        for (directory, names) in client_names {
            let known = have.client_names.entry(*directory).or_default();
            known.internal.extend(names.internal.iter().cloned());
            known.external.extend(names.external.iter().cloned());
        }
        have.endpoints.extend(endpoints.iter().map(|(endpoint, address)| (*endpoint, *address)));
        have.met_from = have.met_from.or(*met_from);
        have.served.extend(served);
    }

    /// What is known takes the place of what is not; two that are not equal make it unknown.
    fn fact<T: Clone + PartialEq + Debug>(&mut self, what: &str, have: &mut Fact<T>, new: &Fact<T>) {
        let what = format!("{what}{}", self.about);
        match (&*have, new) {
            (Fact::Known(one), Fact::Known(other)) if one == other => {}
            (Fact::Known(_), Fact::Known(_)) => {
                let first = self.sources.get(&what).map_or("another answer", String::as_str);
                self.notes.push(format!(
                    "{} and {first} do not say the same about {what}, which is unknown now; keep the newer file only",
                    self.source
                ));
                *have = Fact::unknown(format!("{first} and {} contradict each other", self.source));
                self.sources.insert(what, CONTRADICTED.into());
            }
            (Fact::Unknown(_), Fact::Known(_))
                if self.sources.get(&what).is_some_and(|of| of == CONTRADICTED) => {}
            (Fact::Unknown(_), Fact::Known(_)) => {
                *have = new.clone();
                self.sources.insert(what, self.source.to_owned());
            }
            // The more telling reason counts.
            (Fact::Unknown(one), Fact::Unknown(other))
                if one.is_not_captured() && !other.is_not_captured() =>
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

/// In the place of a source: nothing that comes later decides a contradiction.
const CONTRADICTED: &str = "";
