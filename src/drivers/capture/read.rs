//! The objects of one cmdlet and server, as facts.

use std::{collections::BTreeMap, fmt::Display};

use super::{exports::Known, nothing_of_a_server, nothing_of_an_organization};
use crate::{
    drivers::objects::{
        self, Bag, Kind, Listed, ObjectError, Scope, accepted_domain, auth_config, edge_peer,
        edge_subscription, exchange_server, federation_trust, hybrid_configuration, im_override, mail_access,
        online_root, operating_system, receive_connector, send_connector, transport_service, um_startup_mode,
        web_binding,
    },
    model::{
        fact::Fact,
        organization::{EdgeSubscription, Organization},
        server::{CertificateStore, Server, UnifiedMessaging},
        version::Role,
    },
};

/// What the objects say.
pub(super) enum Facts {
    OfOrganization(Box<Organization>),
    OfServer(Box<Server>),
}

/// Objects with their numbers in the file.
type Bags<'a, 'b> = &'b [(usize, Bag<'a>)];

/// Reads the objects of a kind. What cannot be read is noted, and makes unknown what it would have been part of.
pub(super) fn facts(
    kind: &'static Kind,
    file: &str,
    bags: Bags<'_, '_>,
    known: &Known,
    notes: &mut Vec<String>,
) -> Facts {
    let mut reading = Reading { file, bags, notes };
    match kind.scope {
        Scope::Organization | Scope::Capture => {
            Facts::OfOrganization(Box::new(reading.organization(kind, known)))
        }
        Scope::Server => Facts::OfServer(Box::new(reading.server(kind))),
    }
}

/// The server that an object names, as it names it.
pub(super) fn server_said(bag: &Bag<'_>) -> Option<String> {
    let before_backslash = |text: &str| text.split_once('\\').map(|(server, _)| server.to_owned());
    let identity = || bag.text("Identity").and_then(before_backslash);
    match bag.kind().cmdlet {
        "Get-ExchangeCertificate" => {
            let said = objects::certificate(bag, |_| {}).ok().and_then(|(_, server)| server);
            said.or_else(identity)
        }
        "Get-ReceiveConnector" | "Get-PopSettings" | "Get-ImapSettings" | "Get-UMCallRouterSettings" => {
            bag.text("Server").map(last_of_path).or_else(identity)
        }
        "Get-TransportService" | "Get-UMService" => bag.text("Name").map(str::to_owned),
        "Get-CimInstance" => bag.text("CSName").map(str::to_owned),
        _ => None,
    }
}

/// What the cmdlet would have shown of a server is unknown.
pub(super) fn unknown_server(kind: &Kind, why: &str) -> Server {
    let mut server = nothing_of_a_server();
    match kind.cmdlet {
        "Get-ExchangeCertificate" => {
            server.certificates = Fact::unknown(why);
            server.requests = Fact::unknown(why);
        }
        "Get-ReceiveConnector" => server.receive_connectors = Fact::unknown(why),
        "Get-TransportService" | "Get-InternalTransportCertificate" => {
            server.internal_transport = Fact::unknown(why);
        }
        "Get-PopSettings" => server.pop = Fact::unknown(why),
        "Get-ImapSettings" => server.imap = Fact::unknown(why),
        "Get-UMService" | "Get-UMCallRouterSettings" => server.um = Fact::unknown(why),
        "Get-WebBinding" => server.sites = Fact::unknown(why),
        "Get-CimInstance" => server.operating_system = Fact::unknown(why),
        "certwright-edge-peers" => server.peers = Fact::unknown(why),
        "certwright-roots" => server.online_root = Fact::unknown(why),
        _ => {}
    }
    server
}

/// What the cmdlet would have shown of the organization is unknown.
pub(super) fn unknown_organization(kind: &Kind, why: &str) -> Organization {
    let mut organization = nothing_of_an_organization();
    match kind.cmdlet {
        "Get-SendConnector" => organization.send_connectors = Fact::unknown(why),
        "Get-AcceptedDomain" => organization.accepted_domains = Fact::unknown(why),
        "Get-HybridConfiguration" => organization.hybrid = Fact::unknown(why),
        "Get-AuthConfig" => organization.auth = Fact::unknown(why),
        "Get-FederationTrust" => organization.federation = Fact::unknown(why),
        "Get-EdgeSubscription" => organization.edge_subscriptions = Fact::unknown(why),
        "Get-SettingOverride" => organization.im_overrides = Fact::unknown(why),
        _ => {}
    }
    organization
}

struct Reading<'a, 'b, 'c> {
    file: &'c str,
    bags: Bags<'a, 'b>,
    notes: &'c mut Vec<String>,
}

impl<'a> Reading<'a, '_, '_> {
    fn organization(&mut self, kind: &Kind, known: &Known) -> Organization {
        let mut organization = nothing_of_an_organization();
        match kind.cmdlet {
            "Get-ExchangeServer" => organization.servers = self.servers(),
            "Get-SendConnector" => organization.send_connectors = self.map(send_connector),
            "Get-AcceptedDomain" => organization.accepted_domains = self.list(accepted_domain),
            "Get-HybridConfiguration" => organization.hybrid = self.one(hybrid_configuration),
            "Get-AuthConfig" => organization.auth = self.one(|bag| auth_config(bag, known.order)),
            "Get-FederationTrust" => organization.federation = self.one(federation_trust),
            "Get-SettingOverride" => {
                let overrides = self.list(im_override);
                organization.im_overrides = overrides.map(|list| list.iter().flatten().cloned().collect());
            }
            "Get-EdgeSubscription" => {
                let subscriptions = self.list(|bag| edge_subscription(bag, known.order));
                organization.edge_subscriptions = subscriptions.map(|list| {
                    list.iter().map(|subscription| with_servers_of_site(subscription, known)).collect()
                });
            }
            _ => {}
        }
        organization
    }

    fn server(&mut self, kind: &Kind) -> Server {
        let mut server = nothing_of_a_server();
        match kind.cmdlet {
            "Get-ExchangeCertificate" => self.certificates(&mut server),
            "Get-ReceiveConnector" => server.receive_connectors = self.map(receive_connector),
            "Get-TransportService" => server.internal_transport = self.only(transport_service),
            "Get-InternalTransportCertificate" => {
                server.internal_transport = self.one(objects::internal_transport);
            }
            "Get-PopSettings" => server.pop = self.one(mail_access),
            "Get-ImapSettings" => server.imap = self.one(mail_access),
            "Get-UMService" | "Get-UMCallRouterSettings" => {
                let mode = self.one(um_startup_mode);
                let of_service = kind.cmdlet == "Get-UMService";
                server.um = mode.map(|mode| {
                    let (service, call_router) = if of_service { (*mode, None) } else { (None, *mode) };
                    mode.map(|_| UnifiedMessaging { service, call_router })
                });
            }
            "Get-WebBinding" => {
                let bindings = self.list(web_binding);
                server.sites = bindings.map(|list| list.iter().flatten().cloned().collect());
            }
            "Get-CimInstance" => server.operating_system = self.only(|bag| Ok(operating_system(bag))),
            "certwright-roots" => {
                server.online_root = match self.one(online_root) {
                    Fact::Known(Some(root)) => Fact::Known(root),
                    Fact::Known(None) => Fact::unknown(format!("{} is empty", self.file)),
                    Fact::Unknown(unknown) => Fact::Unknown(unknown),
                };
            }
            "certwright-edge-peers" => {
                server.peers =
                    self.list(edge_peer).map(|peers| Some(peers.iter().flatten().cloned().collect()));
            }
            _ => {}
        }
        server
    }

    fn servers(&mut self) -> BTreeMap<crate::model::names::ServerName, Server> {
        let mut servers: BTreeMap<_, Server> = BTreeMap::new();
        for (index, bag) in self.bags {
            let facts = match exchange_server(bag) {
                Ok(facts) => facts,
                Err(error) => {
                    self.note(*index, &error);
                    continue;
                }
            };
            let mut server = nothing_of_a_server();
            server.fqdn = Fact::Known(facts.fqdn);
            server.version = Fact::Known(facts.version);
            if facts.roles.contains(&Role::EdgeTransport) {
                // It has no mailboxes, no clients and no web sites (facts 10).
                server.pop = Fact::Known(None);
                server.imap = Fact::Known(None);
                server.um = Fact::Known(None);
                server.sites = Fact::Known(BTreeMap::new());
            } else {
                server.peers = Fact::Known(None);
                if !facts.version.release().services().contains(&crate::model::service::Service::Um) {
                    server.um = Fact::Known(None);
                }
            }
            server.roles = Fact::Known(facts.roles);
            match servers.get(&facts.name) {
                Some(first) if *first != server => {
                    self.note(*index, &format!("{} is there twice, and not the same", facts.name));
                    let why = "the directory shows the server twice";
                    let twice = Server {
                        fqdn: Fact::unknown(why),
                        version: Fact::unknown(why),
                        roles: Fact::unknown(why),
                        ..nothing_of_a_server()
                    };
                    servers.insert(facts.name, twice);
                }
                _ => {
                    servers.insert(facts.name, server);
                }
            }
        }
        servers
    }

    fn certificates(&mut self, server: &mut Server) {
        if self.bags.is_empty() {
            // No server is without any: a shell that is not elevated lists none, and neither does one on which the Auth
            // certificate that signs what is sent has expired (facts 2.5).
            let why = "Get-ExchangeCertificate listed nothing, as it does without elevation or with an expired Auth certificate";
            self.notes.push(format!("{}: {why}", self.file));
            server.certificates = Fact::unknown(why);
            server.requests = Fact::unknown(why);
            return;
        }
        let (mut store, mut requests, mut without_bytes) = (CertificateStore::default(), Vec::new(), 0);
        let mut only_bytes = 0;
        for (index, bag) in self.bags {
            let mut said = Vec::new();
            let read = objects::certificate(bag, |note| said.push(note));
            for note in said {
                self.note(*index, &note);
            }
            match read {
                Ok((Listed::Certificate(certificate), _)) => {
                    only_bytes += usize::from(certificate.services.known().is_none());
                    store.0.insert(certificate.certificate.thumbprint, *certificate);
                }
                Ok((Listed::Request(request), _)) => requests.push(*request),
                Err(error @ ObjectError::Missing(_)) => {
                    without_bytes += 1;
                    self.note(*index, &error);
                }
                Err(error) => self.note(*index, &error),
            }
        }
        if only_bytes > 0 {
            self.notes.push(format!(
                "{}: {only_bytes} of {} certificates came as their bytes alone, so their services are unknown; run the script that `certwright observe --print-script` prints",
                self.file,
                self.bags.len()
            ));
        }
        if without_bytes > 0 {
            let why = format!("{without_bytes} of {} certificates came without their bytes", self.bags.len());
            server.certificates = Fact::unknown(why.clone());
            server.requests = Fact::unknown(why);
        } else {
            server.certificates = Fact::Known(store);
            server.requests = Fact::Known(requests);
        }
    }

    /// Everything in a row; one that cannot be read makes the row unknown.
    fn list<T>(&mut self, read: impl Fn(&Bag<'a>) -> Result<T, ObjectError>) -> Fact<Vec<T>> {
        let mut list = Vec::new();
        let mut failed = None;
        for (index, bag) in self.bags {
            match read(bag) {
                Ok(value) => list.push(value),
                Err(error) => {
                    self.note(*index, &error);
                    failed.get_or_insert_with(|| format!("object {index} of {} cannot be read", self.file));
                }
            }
        }
        failed.map_or(Fact::Known(list), Fact::unknown)
    }

    /// Everything by its name.
    fn map<K: Ord + Display, V: PartialEq>(
        &mut self,
        read: impl Fn(&Bag<'a>) -> Result<(K, V), ObjectError>,
    ) -> Fact<BTreeMap<K, V>> {
        let list = match self.list(read) {
            Fact::Known(list) => list,
            Fact::Unknown(unknown) => return Fact::Unknown(unknown),
        };
        let mut map = BTreeMap::new();
        for (name, value) in list {
            if map.get(&name).is_some_and(|first| *first != value) {
                let why = format!("{name} is in {} twice, and not the same", self.file);
                self.notes.push(why.clone());
                return Fact::unknown(why);
            }
            map.insert(name, value);
        }
        Fact::Known(map)
    }

    /// One object, or none when there is none.
    fn one<T: PartialEq>(&mut self, read: impl Fn(&Bag<'a>) -> Result<T, ObjectError>) -> Fact<Option<T>> {
        let list = match self.list(read) {
            Fact::Known(list) => list,
            Fact::Unknown(unknown) => return Fact::Unknown(unknown),
        };
        let mut list = list.into_iter();
        match (list.next(), list.next()) {
            (first, None) => Fact::Known(first),
            (Some(first), Some(second)) if first == second && list.next().is_none() => {
                Fact::Known(Some(first))
            }
            _ => {
                let why = format!("{} holds more than one", self.file);
                self.notes.push(format!("{why}, where there is one at most; export them again"));
                Fact::unknown(why)
            }
        }
    }

    /// One object that has to be there.
    fn only<T: PartialEq>(
        &mut self,
        read: impl Fn(&Bag<'a>) -> Result<Option<T>, ObjectError>,
    ) -> Fact<Option<T>> {
        match self.one(read) {
            Fact::Known(Some(value)) => Fact::Known(value),
            Fact::Known(None) => Fact::unknown(format!("{} is empty", self.file)),
            Fact::Unknown(unknown) => Fact::Unknown(unknown),
        }
    }

    fn note(&mut self, index: usize, what: &impl Display) {
        self.notes.push(format!("{}, object {index}: {what}", self.file));
    }
}

/// A subscription with the servers of its site.
fn with_servers_of_site(subscription: &EdgeSubscription, known: &Known) -> EdgeSubscription {
    let site = subscription.site.as_deref().map(last_of_path);
    let in_site =
        |facts: &objects::ServerFacts| site.is_some() && facts.site.as_deref().map(last_of_path) == site;
    let servers = known.sites.iter().filter(|(_, facts)| in_site(facts)).map(|(name, _)| name.clone());
    EdgeSubscription { site_servers: servers.collect(), site, ..subscription.clone() }
}

fn last_of_path(text: &str) -> String {
    text.rsplit('/').next().unwrap_or(text).to_owned()
}
