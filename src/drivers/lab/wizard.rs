//! What people do to an organization outside of its cmdlets, on a lab.

use super::{Lab, directory::ServerState, files::LabError};
use crate::{
    exchange::hybrid,
    model::{organization::Organization, service::Restartable},
};

impl Lab {
    /// Plays the Hybrid Configuration Wizard: connectors become as it leaves them, and transport uses them.
    pub fn run_hybrid_wizard(&self) -> Result<(), LabError> {
        let mut servers = std::collections::BTreeMap::new();
        for name in self.directory.server_names()? {
            servers.insert(name.clone(), self.directory.server(&name)?);
        }
        let seen = servers.iter().map(|(name, state)| (name.clone(), state.server.clone())).collect();
        let mut organization: Organization = self.directory.organization()?.with(seen);
        hybrid::run_wizard(&mut organization);
        for (name, ServerState { mut loaded, .. }) in servers {
            let Some(server) = organization.servers.remove(&name) else { continue };
            loaded.restart(&server, Restartable::Transport, self.now);
            self.directory.write_server(&name, &ServerState { server, loaded })?;
        }
        self.directory.change_organization(|state| {
            if let Some(connectors) = organization.send_connectors.known() {
                state.send_connectors.clone_from(connectors);
            }
            Ok(())
        })
    }
}
