//! What cmdlets show of the organization.

use std::collections::BTreeMap;

use super::{
    reading::Reading,
    servers::{KnownServers, last_of_path},
};
use crate::{
    drivers::objects::{
        OrganizationCmdlet, accepted_domain, auth_config, domain_security, edge_subscription,
        exchange_server, federation_trust, hybrid_configuration, im_override, is_dedicated_application,
        send_connector,
    },
    model::{
        fact::Fact,
        names::ServerName,
        organization::{EdgeSubscription, Organization},
        server::Server,
        service::Service,
        version::{Release, Role},
    },
};

/// What the objects of a cmdlet say.
pub(super) fn read(
    reading: &mut Reading<'_, '_, '_>,
    cmdlet: OrganizationCmdlet,
    known: &KnownServers,
) -> Organization {
    let mut organization = Organization::not_captured();
    if reading.bags.is_empty() && known.are_all_before(came_with(cmdlet)) {
        mark_absent(&mut organization, cmdlet);
        return organization;
    }
    if let Some(why) = reading.nothing(may_be_empty(cmdlet)) {
        mark_unknown(&mut organization, cmdlet, &why);
        return organization;
    }
    match cmdlet {
        OrganizationCmdlet::ExchangeServer => organization.servers = servers(reading),
        OrganizationCmdlet::SendConnector => organization.send_connectors = reading.map(send_connector),
        OrganizationCmdlet::AcceptedDomain => organization.accepted_domains = reading.list(accepted_domain),
        OrganizationCmdlet::HybridConfiguration => organization.hybrid = reading.one(hybrid_configuration),
        OrganizationCmdlet::AuthConfig => {
            organization.auth = reading.one(|bag| auth_config(bag, known.order));
        }
        OrganizationCmdlet::FederationTrust => organization.federation = reading.one(federation_trust),
        OrganizationCmdlet::TransportConfig => {
            organization.domain_security =
                reading.one(domain_security).map(|domains| domains.clone().unwrap_or_default());
        }
        OrganizationCmdlet::SettingOverride => {
            let overrides = reading.list(im_override);
            organization.im_overrides = overrides.map(|list| list.iter().flatten().cloned().collect());
            let dedicated = reading.list(is_dedicated_application);
            organization.dedicated_application = dedicated.map(|list| list.contains(&true));
        }
        OrganizationCmdlet::EdgeSubscription => {
            let subscriptions = reading.list(|bag| edge_subscription(bag, known.order));
            organization.edge_subscriptions = subscriptions.map(|list| {
                list.iter().map(|subscription| with_servers_of_site(subscription, known)).collect()
            });
        }
    }
    organization
}

/// What the cmdlet would have shown is unknown. A list of servers is no fact: servers that are not listed are not there.
pub(super) fn mark_unknown(organization: &mut Organization, cmdlet: OrganizationCmdlet, why: &str) {
    match cmdlet {
        OrganizationCmdlet::ExchangeServer => {}
        OrganizationCmdlet::SendConnector => organization.send_connectors = Fact::unknown(why),
        OrganizationCmdlet::AcceptedDomain => organization.accepted_domains = Fact::unknown(why),
        OrganizationCmdlet::HybridConfiguration => organization.hybrid = Fact::unknown(why),
        OrganizationCmdlet::AuthConfig => organization.auth = Fact::unknown(why),
        OrganizationCmdlet::FederationTrust => organization.federation = Fact::unknown(why),
        OrganizationCmdlet::EdgeSubscription => organization.edge_subscriptions = Fact::unknown(why),
        OrganizationCmdlet::SettingOverride => organization.im_overrides = Fact::unknown(why),
        OrganizationCmdlet::TransportConfig => organization.domain_security = Fact::unknown(why),
    }
}

/// The release with which the cmdlet came, for those that not every Exchange has.
const fn came_with(cmdlet: OrganizationCmdlet) -> Option<Release> {
    match cmdlet {
        OrganizationCmdlet::AuthConfig => Some(Release::Exchange2013),
        OrganizationCmdlet::SettingOverride => Some(Release::Exchange2016),
        OrganizationCmdlet::ExchangeServer
        | OrganizationCmdlet::SendConnector
        | OrganizationCmdlet::AcceptedDomain
        | OrganizationCmdlet::HybridConfiguration
        | OrganizationCmdlet::FederationTrust
        | OrganizationCmdlet::TransportConfig
        | OrganizationCmdlet::EdgeSubscription => None,
    }
}

/// No server of the organization is of a release that has it.
fn mark_absent(organization: &mut Organization, cmdlet: OrganizationCmdlet) {
    match cmdlet {
        OrganizationCmdlet::AuthConfig => organization.auth = Fact::Known(None),
        OrganizationCmdlet::SettingOverride => organization.im_overrides = Fact::Known(BTreeMap::new()),
        OrganizationCmdlet::ExchangeServer
        | OrganizationCmdlet::SendConnector
        | OrganizationCmdlet::AcceptedDomain
        | OrganizationCmdlet::HybridConfiguration
        | OrganizationCmdlet::FederationTrust
        | OrganizationCmdlet::TransportConfig
        | OrganizationCmdlet::EdgeSubscription => {}
    }
}

/// Whether there are organizations of which the cmdlet shows nothing.
const fn may_be_empty(cmdlet: OrganizationCmdlet) -> bool {
    match cmdlet {
        OrganizationCmdlet::ExchangeServer
        | OrganizationCmdlet::AcceptedDomain
        | OrganizationCmdlet::TransportConfig
        | OrganizationCmdlet::AuthConfig => false,
        OrganizationCmdlet::SendConnector
        | OrganizationCmdlet::HybridConfiguration
        | OrganizationCmdlet::FederationTrust
        | OrganizationCmdlet::EdgeSubscription
        | OrganizationCmdlet::SettingOverride => true,
    }
}

fn servers(reading: &mut Reading<'_, '_, '_>) -> BTreeMap<ServerName, Server> {
    let mut servers: BTreeMap<_, Server> = BTreeMap::new();
    for (index, bag) in reading.bags {
        let facts = match exchange_server(bag) {
            Ok(facts) => facts,
            Err(error) => {
                reading.note(*index, &error);
                continue;
            }
        };
        let mut server = Server::not_captured();
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
            if let Some(site) = facts.site.as_deref() {
                server.directory_site = Fact::Known(last_of_path(site));
            }
            if !facts.version.release().services().contains(&Service::Um) {
                server.um = Fact::Known(None);
            }
        }
        server.roles = Fact::Known(facts.roles);
        match servers.get(&facts.name) {
            Some(first) if *first != server => {
                reading.note(*index, &format!("{} is there twice, and not the same", facts.name));
                let why = "the directory shows the server twice";
                let twice = Server {
                    fqdn: Fact::unknown(why),
                    version: Fact::unknown(why),
                    roles: Fact::unknown(why),
                    ..Server::not_captured()
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

/// A subscription with the servers of its site.
fn with_servers_of_site(subscription: &EdgeSubscription, known: &KnownServers) -> EdgeSubscription {
    let site = subscription.site.as_deref().map(last_of_path);
    let site_servers = site.as_deref().map_or_else(Vec::new, |site| known.of_site(site));
    EdgeSubscription { site, site_servers, ..subscription.clone() }
}
