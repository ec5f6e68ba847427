//! Connectors that the Hybrid Configuration Wizard gives its certificate to, and for which the manifest declares another: they can
//! name one only, so they are left to the wizard, and the rest is planned (facts 9).

use std::borrow::Cow;

use crate::{
    exchange::hybrid,
    model::{
        action::ConnectorRef,
        cannot::Cannot,
        desired::{CertificateId, ConnectorSelector, Desired},
        names::{ConnectorName, ServerName},
        organization::Organization,
    },
};

/// What the manifest asks of connectors that the wizard gives the hybrid certificate to.
pub(super) fn conflicts(desired: &Desired, organization: &Organization) -> Vec<Cannot> {
    let Some(hybrid) = &desired.hybrid else { return Vec::new() };
    let taken = contested(desired, organization).into_iter();
    taken
        .filter_map(|(connector, certificate)| {
            let (server, connector) = match connector {
                ConnectorRef::Receive { server, name } => (Some(server), name),
                ConnectorRef::Send { name } => (None, name),
                ConnectorRef::Hybrid {} => return None,
            };
            let hybrid = hybrid.clone();
            Some(Cannot::ConnectorOfWizard { connector, server, certificate, hybrid })
        })
        .collect()
}

/// The manifest without them.
pub(super) fn without<'a>(desired: Cow<'a, Desired>, organization: &Organization) -> Cow<'a, Desired> {
    let taken = contested(&desired, organization);
    if taken.is_empty() {
        return desired;
    }
    let mut kept = desired.into_owned();
    for (connector, _) in taken {
        match connector {
            ConnectorRef::Receive { server, name } => forget(&mut kept, organization, &server, &name),
            ConnectorRef::Send { name } => drop(kept.send_connectors.shift_remove(&name)),
            ConnectorRef::Hybrid {} => {}
        }
    }
    Cow::Owned(kept)
}

/// They, with what the manifest declares for them.
fn contested(desired: &Desired, organization: &Organization) -> Vec<(ConnectorRef, Option<CertificateId>)> {
    if desired.hybrid.is_none() {
        return Vec::new();
    }
    let declared = |connector: &ConnectorRef| match connector {
        ConnectorRef::Receive { server, name } => {
            let connectors = organization.servers.get(server)?.receive_connectors.known()?;
            Some(desired.servers.get(server)?.receive_connector(name, connectors)?.cloned())
        }
        ConnectorRef::Send { name } => desired.send_connectors.get(name).cloned(),
        ConnectorRef::Hybrid {} => None,
    };
    let all = hybrid::given_by_wizard(organization).into_iter();
    let contested = all.filter_map(|connector| Some((declared(&connector)?, connector)));
    contested.filter(|(id, _)| *id != desired.hybrid).map(|(id, connector)| (connector, id)).collect()
}

/// Forgets one receive connector. An entry of its role goes on for the others.
fn forget(desired: &mut Desired, organization: &Organization, server: &ServerName, name: &ConnectorName) {
    let connectors = organization.servers.get(server).and_then(|server| server.receive_connectors.known());
    let (Some(connectors), Some(own)) = (connectors, desired.servers.get_mut(server)) else { return };
    let entries = std::mem::take(&mut own.receive_connectors);
    let by_name = |name: &ConnectorName| ConnectorSelector::Name(name.clone());
    let named: Vec<ConnectorSelector> = entries.keys().cloned().collect();
    for (selector, id) in entries {
        let selects = selector.selects(name, connectors);
        match &selector {
            ConnectorSelector::Name(_) if selects => {}
            ConnectorSelector::Role(..) if selects => {
                let others =
                    connectors.keys().filter(|own| *own != name && selector.selects(own, connectors));
                let others = others.map(by_name).filter(|own| !named.contains(own));
                own.receive_connectors.extend(others.map(|own| (own, id.clone())));
            }
            ConnectorSelector::Name(_) | ConnectorSelector::Role(..) => {
                own.receive_connectors.insert(selector, id);
            }
        }
    }
}
