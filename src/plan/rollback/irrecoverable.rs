//! What cannot be given back to a place, because the certificate that it had is gone for good. It is said beforehand.

use std::collections::BTreeSet;

use super::{Back, backups::backup_of};
use crate::{
    exchange::{
        binding_points::{BindingPoint, binding_points, presented},
        selection::Presented,
    },
    model::{
        action::{Action, CertRef, ConnectorRef, TlsName},
        dn::TlsCertificateName,
        names::{ConnectorName, ServerName},
        no_way_back::NoWayBack,
        server::Server,
        service::Service,
        thumbprint::Thumbprint,
    },
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
        if let Action::SetImCertificate { certificate: CertRef::Known(thumbprint), servers, .. } = action
            && let Some(why) = self.names_what_is_gone(*thumbprint, servers)
        {
            return Some(why);
        }
        let impossible = self.builder.world.try_out(action).err()?;
        Some(NoWayBack::Impossible { why: impossible.to_string() })
    }

    fn gone_for_good(&self, server: &ServerName, thumbprint: Thumbprint) -> NoWayBack {
        let removed_by = self.removed.by.get(&(server.clone(), thumbprint)).copied();
        NoWayBack::CertificateGone { server: server.clone(), thumbprint, removed_by }
    }

    /// Why a setting override is not given back a name: the run removed the certificate for good from one of its servers, or none
    /// of them has it.
    fn names_what_is_gone(&self, thumbprint: Thumbprint, servers: &[ServerName]) -> Option<NoWayBack> {
        let lacks = |name: &&ServerName| {
            let store = self.builder.server(name).and_then(|server| server.certificates.known());
            store.is_some_and(|store| !store.0.contains_key(&thumbprint))
        };
        let lacking: Vec<&ServerName> = servers.iter().filter(lacks).collect();
        let removed = |name: &&&ServerName| self.removed.by.contains_key(&((**name).clone(), thumbprint));
        let gone = lacking
            .iter()
            .find(removed)
            .or_else(|| lacking.first().filter(|_| lacking.len() == servers.len()))?;
        Some(self.gone_for_good(gone, thumbprint))
    }

    /// Why a load balancer is not given back what it had: servers behind it go on with the certificate of the run that it has too.
    pub(super) fn servers_stay(&self, action: &Action) -> Option<NoWayBack> {
        let Action::Install { balancer, certificate: CertRef::Known(back), .. } = action else { return None };
        let observed = self.builder.world.organization.balancers.get(balancer)?;
        let has = observed.loaded.or(observed.certificate.known()?.as_ref().map(|own| own.thumbprint))?;
        let own = self.desired.balancers.get(balancer)?;
        let behind = own.servers_of(self.desired.certificates.get(&own.certificate)?);
        let goes_on = |name: &&&ServerName| {
            self.put_into_sites(has).contains(**name) && self.presents_in_sites(name, has)
        };
        let servers: Vec<ServerName> = behind.iter().filter(goes_on).map(|name| (*name).clone()).collect();
        let (balancer, thumbprint) = (balancer.clone(), *back);
        (!servers.is_empty()).then_some(NoWayBack::ServersGoOn { balancer, thumbprint, servers })
    }

    /// The servers on which the run had sites present a certificate.
    fn put_into_sites(&self, thumbprint: Thumbprint) -> BTreeSet<ServerName> {
        let done = self.progress.plan.steps.iter().filter(|step| self.was_done(step.id));
        done.filter_map(|step| match self.of_this_run(&step.action) {
            Action::Bind { server, certificate, services, .. } if services.contains(&Service::Iis) => {
                Some((server, certificate))
            }
            Action::BindSite { server, certificate, .. } => Some((server, certificate)),
            _ => None,
        })
        .filter(|(_, certificate)| *certificate == CertRef::of(thumbprint))
        .map(|(server, _)| server)
        .collect()
    }

    fn presents_in_sites(&self, name: &ServerName, thumbprint: Thumbprint) -> bool {
        self.builder.server(name).is_some_and(|server| {
            let sites =
                binding_points(server).into_iter().filter(|place| matches!(place, BindingPoint::Site(_)));
            let mut shown = sites.map(|site| presented(server, &site, self.builder.now));
            shown.any(|shown| shown == Presented::Certificate(thumbprint))
        })
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
