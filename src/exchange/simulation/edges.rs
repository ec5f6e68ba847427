//! Edge subscriptions on paper.

use std::collections::BTreeSet;

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
        self.distrusts(subscription).collect()
    }

    fn distrusts<'a>(
        &'a self,
        subscription: &'a EdgeSubscription,
    ) -> impl Iterator<Item = EdgeDistrust> + 'a {
        let sides = [&subscription.edge].into_iter().chain(&subscription.site_servers);
        sides.filter_map(|name| {
            let seen = edge::distrust_of(&self.organization, subscription, name);
            seen.or_else(|| self.distrust_on_paper(subscription, name))
        })
    }

    fn distrust_on_paper(&self, subscription: &EdgeSubscription, name: &ServerName) -> Option<EdgeDistrust> {
        let present = edge::presents(&self.organization, name)?;
        let unseen = edge::known_of(&self.organization, subscription, name).is_none();
        if !self.replaced.contains(name) || !unseen {
            return None;
        }
        let (edge, server) = (subscription.edge.clone(), name.clone());
        Some(if edge == server {
            EdgeDistrust::EdgeReplaced { edge, present }
        } else {
            EdgeDistrust::ServerReplaced { edge, server, present }
        })
    }

    pub(super) fn subscribe(&mut self, edge: &ServerName) {
        let subscriptions = self.organization.edge_subscriptions.known().into_iter().flatten();
        let own = subscriptions.filter(|subscription| subscription.edge == *edge);
        let sides: BTreeSet<ServerName> =
            own.flat_map(|subscription| subscription.site_servers.iter().chain([edge])).cloned().collect();
        self.replaced.retain(|server| !sides.contains(server));
        edge::subscribe(&mut self.organization, edge, self.now);
    }

    /// The Edge servers that the server is subscribed with, and that trust it.
    pub(super) fn trusted_edges(&self, server: &ServerName) -> Vec<ServerName> {
        let subscriptions = self.edge_sides.subscriptions(&self.organization, server);
        let trusted = subscriptions.filter(|subscription| self.distrusts(subscription).next().is_none());
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
