//! What people do to an organization outside of its cmdlets, or on servers that answer to nobody else, on a lab.

use std::collections::BTreeMap;

use super::{Lab, directory::ServerState, files::LabError};
use crate::{
    exchange::{edge, hybrid},
    model::{names::ServerName, organization::Organization, service::Restartable},
};

impl Lab {
    /// Plays the Hybrid Configuration Wizard: connectors become as it leaves them, and transport uses them.
    pub fn run_hybrid_wizard(&self) -> Result<(), LabError> {
        self.change_everything(|organization| {
            hybrid::run_wizard(organization);
            Ok(())
        })
    }

    /// Plays who makes an Edge subscription anew, on both sides.
    pub fn subscribe_edge(&self, edge: &ServerName) -> Result<(), LabError> {
        self.change_everything(|organization| {
            let mut subscriptions = organization.edge_subscriptions.known().into_iter().flatten();
            if !subscriptions.any(|subscription| subscription.edge == *edge) {
                return Err(LabError::NoSubscription(edge.clone()));
            }
            edge::subscribe(organization, edge, self.now);
            Ok(())
        })
    }

    /// Changes the organization and its servers, and restarts transport everywhere.
    fn change_everything(
        &self,
        change: impl FnOnce(&mut Organization) -> Result<(), LabError>,
    ) -> Result<(), LabError> {
        let mut servers = BTreeMap::new();
        for name in self.directory.server_names()? {
            servers.insert(name.clone(), self.directory.server(&name)?);
        }
        let seen = servers.iter().map(|(name, state)| (name.clone(), state.server.clone())).collect();
        let mut organization: Organization = self.directory.organization()?.with(seen);
        change(&mut organization)?;
        for (name, ServerState { name: own, mut loaded, .. }) in servers {
            let Some(server) = organization.servers.remove(&name) else { continue };
            loaded.restart(&server, Restartable::Transport, self.now);
            self.directory.write_server(&name, &ServerState { name: own, server, loaded })?;
        }
        self.directory.change_organization(|state| {
            if let Some(connectors) = organization.send_connectors.known() {
                state.send_connectors.clone_from(connectors);
            }
            if let Some(subscriptions) = organization.edge_subscriptions.known() {
                state.edge_subscriptions.clone_from(subscriptions);
            }
            Ok(())
        })
    }
}
