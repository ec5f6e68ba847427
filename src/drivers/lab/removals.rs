//! Certificates that leave a server of the lab.

use super::{
    Lab,
    change::{into_driver_error, organization_of},
    files::LabError,
};
use crate::{
    exchange::verbs,
    model::{
        action::{NamedConnector, ServerServices, ServiceGroup},
        names::ServerName,
        server::KeyProvider,
        thumbprint::Thumbprint,
    },
    ports::driver::{Driver, DriverError, NamedRemoval},
};

impl Lab {
    /// What keeps the key of this certificate wherever it is imported.
    pub(super) fn provider_of(&self, certificate: Thumbprint) -> Result<KeyProvider, LabError> {
        let in_cng = self.directory.organization()?.keys_in_cng.contains(&certificate);
        Ok(if in_cng { KeyProvider::Ksp } else { KeyProvider::Csp })
    }

    /// Removes a certificate; what stands still for it is started again.
    pub(super) fn removed(
        &self,
        server: &ServerName,
        certificate: Thumbprint,
        while_stopped: &[ServiceGroup],
    ) -> Result<(), DriverError> {
        let doing = format!("Remove-ExchangeCertificate on {server}");
        let removed = self.directory.change_server(server, |state, organization_state| {
            let mut organization = organization_of(server, state, organization_state);
            verbs::remove(&mut organization, server, certificate)?;
            if let Some(changed) = organization.servers.remove(server) {
                state.server = changed;
            }
            for ServiceGroup { service: what, services: _ } in while_stopped {
                state.loaded.restart(&state.server, *what, self.now);
            }
            Ok(())
        });
        removed.map_err(|error| into_driver_error(doing, error))?;
        self.directory.forget_key(server, certificate);
        Ok(())
    }

    /// Removes certificates that send connectors name, while these name none. On each server it is one call, which comes to its
    /// end whoever has asked for it (facts 7.4): what stood still runs again with it.
    pub(super) fn removed_named(&self, removal: &NamedRemoval<'_>) -> Result<(), DriverError> {
        for NamedConnector { connector, .. } in removal.connectors {
            self.repoint_send(connector, None)?;
        }
        let groups_of = |server: &ServerName| {
            let stopped = removal.while_stopped.iter().find(|stopped| stopped.server == *server);
            stopped.map_or(&[][..], |stopped| &stopped.groups)
        };
        let removed = removal.certificates.iter().try_for_each(|(server, certificate)| {
            let there = self
                .directory
                .server(server)
                .is_ok_and(|state| state.server.certificate(*certificate).is_some());
            if there { self.removed(server, *certificate, groups_of(server)) } else { Ok(()) }
        });
        let named = removal
            .connectors
            .iter()
            .try_for_each(|NamedConnector { connector, name }| self.repoint_send(connector, Some(name)));
        let is_without = |stopped: &&ServerServices| {
            removal.certificates.iter().all(|(server, _)| *server != stopped.server)
        };
        for ServerServices { server, groups } in removal.while_stopped.iter().filter(is_without) {
            for ServiceGroup { service: what, services } in groups {
                self.restart(server, *what, services)?;
            }
        }
        removed.and(named)
    }
}
