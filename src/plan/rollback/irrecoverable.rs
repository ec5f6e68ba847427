//! What cannot be given back to a place, because the certificate that it had is gone for good. It is said beforehand.

use super::{Back, backups::backup_of};
use crate::model::{
    action::{Action, CertRef, ConnectorRef, TlsName},
    dn::TlsCertificateName,
    names::{ConnectorName, ServerName},
    server::Server,
    thumbprint::Thumbprint,
};

impl Back<'_> {
    /// Why this part of a step's way back cannot be done; none when it can.
    pub(super) fn obstacle(&mut self, action: &Action) -> Option<String> {
        if let Some((server, thumbprint)) = needed(action) {
            let store = self.builder.server(server)?.certificates.known()?;
            if !store.0.contains_key(&thumbprint) {
                return Some(self.gone_for_good(server, thumbprint));
            }
        }
        if let Some(why) = backup_of(action).and_then(|step| self.lost.get(&step)) {
            return Some(format!("{why}; a rollback that can read it takes this back too"));
        }
        if let Action::Repoint { connector, to: Some(TlsName::Exactly(name)) } = action {
            let removal = self.removed.for_good?;
            return self.selects_nothing(connector, name).then(|| {
                format!(
                    "{name} would name no certificate, because step {removal} cannot be taken back; it goes on naming \
                     the one that it has"
                )
            });
        }
        self.builder.world.try_out(action).err().map(|impossible| impossible.to_string())
    }

    fn gone_for_good(&self, server: &ServerName, thumbprint: Thumbprint) -> String {
        let short = thumbprint.short();
        match self.removed.by.get(&(server.clone(), thumbprint)) {
            Some(removal) => {
                format!("{short} was used before, and step {removal}, which removed it, cannot be taken back")
            }
            None => format!("{short} was used before, and is not on {server} any more"),
        }
    }

    /// Whether a connector with this name would find no certificate on any of its servers.
    fn selects_nothing(&self, connector: &ConnectorRef, name: &TlsCertificateName) -> bool {
        let organization = &self.builder.world.organization;
        let selects = |server: &Server| match server.certificates.known() {
            Some(store) => store.0.values().any(|stored| name.selects(&stored.certificate)),
            // Nobody can tell.
            None => true,
        };
        let sources = match connector {
            ConnectorRef::Receive { server, .. } => vec![server],
            ConnectorRef::Send { name } => self.sources(name),
            ConnectorRef::Hybrid {} => organization.servers.keys().collect(),
        };
        let mut servers = sources.iter().filter_map(|server| organization.servers.get(*server));
        !servers.any(selects)
    }

    fn sources(&self, connector: &ConnectorName) -> Vec<&ServerName> {
        let connectors = self.builder.world.organization.send_connectors.known();
        let settings = connectors.and_then(|connectors| connectors.get(connector));
        settings.map_or(Vec::new(), |settings| settings.source_servers.iter().collect())
    }
}

/// The certificate that an action needs to be on a server.
fn needed(action: &Action) -> Option<(&ServerName, Thumbprint)> {
    match action {
        Action::Bind { server, certificate: CertRef::Known(thumbprint), .. }
        | Action::BindSite { server, certificate: CertRef::Known(thumbprint), .. }
        | Action::SetInternalTransport { server, certificate: CertRef::Known(thumbprint) } => {
            Some((server, *thumbprint))
        }
        _ => None,
    }
}
