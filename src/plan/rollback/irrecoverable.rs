//! What cannot be given back to a place, because the certificate that it had is gone for good. It is said beforehand.

use super::{Back, backups::backup_of};
use crate::model::{
    action::{Action, CertRef, ConnectorRef, StepId, TlsName},
    dn::TlsCertificateName,
    names::{ConnectorName, ServerName},
    plan::{Step, Undo},
    server::Server,
    thumbprint::Thumbprint,
};

impl Back<'_> {
    /// Why this part of a step's way back cannot be done; none when it can.
    pub(super) fn obstacle(&self, action: &Action) -> Option<String> {
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
            let removal = self.removals_for_good().next()?;
            return self.selects_nothing(connector, name).then(|| {
                format!(
                    "{name} would name no certificate, because step {removal} cannot be taken back; it goes on naming \
                     the one that it has"
                )
            });
        }
        let foreseen = StepId(u32::MAX);
        self.builder.world.clone().perform(foreseen, action).err().map(|impossible| impossible.to_string())
    }

    fn gone_for_good(&self, server: &ServerName, thumbprint: Thumbprint) -> String {
        let removes = |step: &&Step| match &step.action {
            Action::Remove { server: own, certificate, .. } => {
                own == server && self.settled_thumbprint(*certificate) == Some(thumbprint)
            }
            _ => false,
        };
        let short = thumbprint.short();
        match self.progress.plan.steps.iter().find(removes) {
            Some(removal) => {
                format!(
                    "{short} was used before, and step {}, which removed it, cannot be taken back",
                    removal.id
                )
            }
            None => format!("{short} was used before, and is not on {server} any more"),
        }
    }

    fn settled_thumbprint(&self, certificate: CertRef) -> Option<Thumbprint> {
        match certificate {
            CertRef::Known(thumbprint) => Some(thumbprint),
            CertRef::FromStep(step) => self.settled.made(step),
        }
    }

    /// The steps of the run that removed a certificate which nothing brings back.
    fn removals_for_good(&self) -> impl Iterator<Item = StepId> + '_ {
        let for_good = |step: &&Step| {
            let comes_back = match &step.undo {
                Undo::Nothing | Undo::Irreversible { .. } => false,
                Undo::By(actions) | Undo::Partly { by: actions, .. } => {
                    !actions.iter().filter_map(backup_of).any(|step| self.lost.contains_key(&step))
                }
            };
            matches!(step.action, Action::Remove { .. }) && !comes_back && self.was_done(step.id)
        };
        self.progress.plan.steps.iter().filter(for_good).map(|step| step.id)
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
