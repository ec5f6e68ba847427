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
        if let Some(thumbprint) = gives_back(action).filter(|back| self.compromised.contains(back)) {
            return Some(NoWayBack::KeyCompromised { thumbprint });
        }
        if let Some((server, thumbprint)) = needed(action) {
            let store = self.builder.server(server)?.certificates.known()?;
            match store.0.get(&thumbprint) {
                None => return Some(self.gone_for_good(server, thumbprint)),
                Some(stored) if !stored.has_private_key => {
                    return Some(NoWayBack::CopyWithoutKey { server: server.clone(), thumbprint });
                }
                Some(_) => {}
            }
        }
        if let Some(why) = backup_of(action).and_then(|step| self.lost.get(&step)) {
            return Some(NoWayBack::BackupUnreadable { why: why.clone() });
        }
        if let Action::Repoint { connector, to: Some(TlsName::Exactly(name)) } = action {
            if let Some(thumbprint) = self.would_select_compromised(connector, name) {
                return Some(NoWayBack::KeyCompromised { thumbprint });
            }
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

    /// The compromised certificate that a connector of this name would present from any of its servers.
    fn would_select_compromised(
        &self,
        connector: &ConnectorRef,
        name: &TlsCertificateName,
    ) -> Option<Thumbprint> {
        let servers = self.servers_of(connector);
        let mut newest = servers.into_iter().filter_map(|server| {
            let store = self.builder.server(server)?.certificates.known()?;
            // What the run brought goes.
            let selected = store.0.values().filter(|stored| {
                name.selects(&stored.certificate) && !self.made.contains(&stored.certificate.thumbprint)
            });
            Some(selected.max_by_key(|stored| stored.certificate.not_before)?.certificate.thumbprint)
        });
        newest.find(|thumbprint| self.compromised.contains(thumbprint))
    }

    fn servers_of<'a>(&'a self, connector: &'a ConnectorRef) -> Vec<&'a ServerName> {
        match connector {
            ConnectorRef::Receive { server, .. } => vec![server],
            ConnectorRef::Send { name } => self.sources(name),
            ConnectorRef::Hybrid {} => self.builder.world.organization.servers.keys().collect(),
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
        let sources = self.servers_of(connector);
        let mut servers = sources.iter().filter_map(|server| organization.servers.get(*server));
        !servers.any(selects)
    }

    fn sources(&self, connector: &ConnectorName) -> Vec<&ServerName> {
        let connectors = self.builder.world.organization.send_connectors.known();
        let settings = connectors.and_then(|connectors| connectors.get(connector));
        settings.map_or(Vec::new(), |settings| settings.source_servers.iter().collect())
    }
}

/// The certificate that an action puts back into service, or brings back to where it may be chosen.
fn gives_back(action: &Action) -> Option<Thumbprint> {
    match action {
        Action::Bind { certificate: CertRef::Known(thumbprint), .. }
        | Action::BindSite { certificate: CertRef::Known(thumbprint), .. }
        | Action::SetInternalTransport { certificate: CertRef::Known(thumbprint), .. }
        | Action::SetImCertificate { certificate: CertRef::Known(thumbprint), .. }
        | Action::Import { certificate: CertRef::Known(thumbprint), .. }
        | Action::Install { certificate: CertRef::Known(thumbprint), .. }
        | Action::StageAuth { certificate: CertRef::Known(thumbprint), .. }
        | Action::PublishAuth { certificate: CertRef::Known(thumbprint) } => Some(*thumbprint),
        _ => None,
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
