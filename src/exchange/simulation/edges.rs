//! Edge subscriptions on paper.

use super::SimulatedOrganization;
use crate::{
    exchange::edge::{self, EdgeDistrust},
    model::{
        action::{ConnectorRef, SideEffect},
        dn::TlsCertificateName,
        names::ServerName,
        organization::EdgeSubscription,
    },
};

impl SimulatedOrganization {
    /// Why the sides of a subscription do not trust each other. A certificate that was replaced on paper is new to the other
    /// side, also where nobody sees what that knows.
    pub fn distrust(&self, subscription: &EdgeSubscription) -> Vec<EdgeDistrust> {
        let mut found = edge::distrust(&self.organization, subscription);
        for name in subscription.site_servers.iter().chain([&subscription.edge]) {
            let said = |distrust: &EdgeDistrust| match distrust {
                EdgeDistrust::EdgeReplaced { edge, .. } => edge == name,
                EdgeDistrust::ServerReplaced { server, .. } | EdgeDistrust::Shared { server, .. } => {
                    server == name
                }
            };
            let present =
                self.organization.servers.get(name).and_then(|server| *server.internal_transport.known()?);
            let unseen = edge::known_of(&self.organization, subscription, name).is_none();
            let (true, true, Some(present), false) =
                (self.replaced.contains(name), unseen, present, found.iter().any(said))
            else {
                continue;
            };
            let (edge, server) = (subscription.edge.clone(), name.clone());
            found.push(if edge == server {
                EdgeDistrust::EdgeReplaced { edge, present }
            } else {
                EdgeDistrust::ServerReplaced { edge, server, present }
            });
        }
        found
    }

    pub(super) fn subscribe(&mut self, edge: &ServerName) {
        let subscriptions = self.organization.edge_subscriptions.known().into_iter().flatten();
        let own = subscriptions.filter(|subscription| subscription.edge == *edge);
        let sides: Vec<ServerName> =
            own.flat_map(|subscription| subscription.site_servers.iter().chain([edge])).cloned().collect();
        self.replaced.retain(|server| !sides.contains(server));
        edge::subscribe(&mut self.organization, edge, self.now);
    }

    /// The Edge servers that the server is subscribed with, and that trust it.
    pub(super) fn trusted_edges(&self, server: &ServerName) -> Vec<ServerName> {
        let subscriptions = edge::subscriptions_of(&self.organization, server);
        let trusted = subscriptions.filter(|subscription| self.distrust(subscription).is_empty());
        trusted.map(|subscription| subscription.edge.clone()).collect()
    }

    /// What became of that trust.
    pub(super) fn distrusting(&self, server: &ServerName, trusted: Vec<ServerName>) -> Vec<SideEffect> {
        let still = self.trusted_edges(server);
        let lost = trusted.into_iter().filter(|edge| !still.contains(edge));
        lost.map(|edge| SideEffect::EdgeDistrusts { edge }).collect()
    }

    /// Send connectors of Edge servers reach them by `EdgeSync`, and so do those that the Hybrid Configuration Wizard made.
    pub(super) fn too_long_for_edge(
        &self,
        connector: &ConnectorRef,
        name: &TlsCertificateName,
    ) -> Option<SideEffect> {
        let organization = &self.organization;
        let subscriptions = organization.edge_subscriptions.known()?;
        let is_edge = |name: &ServerName| subscriptions.iter().any(|subscription| subscription.edge == *name);
        let travels = match connector {
            ConnectorRef::Send { name } => {
                let connector = organization.send_connectors.known()?.get(name)?;
                connector.source_servers.iter().any(is_edge)
            }
            ConnectorRef::Hybrid {} => {
                organization.hybrid.known()?.as_ref()?.edge_servers.iter().any(is_edge)
            }
            ConnectorRef::Receive { .. } => false,
        };
        let characters = name.to_string().chars().count();
        (travels && !edge::fits_edge(name)).then_some(SideEffect::TooLongForEdge { characters })
    }
}
