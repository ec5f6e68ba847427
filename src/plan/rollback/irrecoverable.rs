//! What cannot be given back to a place, because the certificate that it had is gone for good. It is said beforehand.

use super::{Back, backups::backup_of};
use crate::model::{
    action::{Action, CertRef, ConnectorRef, TlsName},
    dn::TlsCertificateName,
    names::{ConnectorName, ServerName},
    no_way_back::NoWayBack,
    server::Server,
    thumbprint::Thumbprint,
};

impl Back<'_> {
    /// Why this part of a step's way back cannot be done; none when it can.
    pub(super) fn obstacle(&mut self, action: &Action) -> Option<NoWayBack> {
        if let Some((server, thumbprint)) = needed(action) {
            let store = self.builder.server(server)?.certificates.known()?;
            if !store.0.contains_key(&thumbprint) {
                return Some(self.gone_for_good(server, thumbprint));
            }
        }
        if let Some(why) = backup_of(action).and_then(|step| self.lost.get(&step)) {
            return Some(NoWayBack::BackupUnreadable { why: why.clone() });
        }
        if let Action::Repoint { connector, to: Some(TlsName::Exactly(name)) } = action {
            let removal = self.removed.for_good?;
            let selects_nothing = self.selects_nothing(connector, name);
            return selects_nothing.then(|| NoWayBack::SelectsNothing { name: name.clone(), removal });
        }
        let impossible = self.builder.world.try_out(action).err()?;
        Some(NoWayBack::Impossible { why: impossible.to_string() })
    }

    fn gone_for_good(&self, server: &ServerName, thumbprint: Thumbprint) -> NoWayBack {
        let removed_by = self.removed.by.get(&(server.clone(), thumbprint)).copied();
        NoWayBack::CertificateGone { server: server.clone(), thumbprint, removed_by }
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
