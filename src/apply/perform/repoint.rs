//! Connectors that get another certificate's name, and seeing that they have it.

use std::collections::BTreeSet;

use super::error::StepError;
use crate::{
    apply::ports::Ports,
    exchange::{edge, simulation::SimulatedOrganization},
    model::{
        action::{Action, ConnectorRef, TlsName},
        dn::TlsCertificateName,
        names::ServerName,
        organization::Organization,
    },
    ports::{
        BoxError,
        driver::{DriverError, Wanted},
    },
};

/// Gives a connector a name, or none. A look shows that it has arrived: nobody meets a send connector, so nothing else
/// would tell.
pub(super) fn repoint(
    ports: &Ports<'_>,
    connector: &ConnectorRef,
    name: Option<TlsCertificateName>,
) -> Result<(), StepError> {
    let driver = ports.driver;
    let servers: BTreeSet<ServerName>;
    let wanted = match connector {
        ConnectorRef::Send { name: connector } => {
            driver.repoint_send(connector, name.as_ref())?;
            Wanted::Organization
        }
        ConnectorRef::Hybrid {} => {
            driver.repoint_hybrid(name.as_ref())?;
            Wanted::Organization
        }
        ConnectorRef::Receive { server, name: connector } => {
            driver.repoint_receive(server, connector, name.as_ref())?;
            servers = [server.clone()].into();
            Wanted::Servers(&servers)
        }
    };
    let unseen = |source: BoxError| DriverError::OutcomeUnknown {
        operation: format!("giving {connector} another certificate"),
        source,
    };
    let organization = driver.observe(wanted).map_err(|error| unseen(error.into()))?.organization;
    if !is_seen(&organization, connector) {
        return Err(unseen("it cannot be seen".into()).into());
    }
    let given = Action::Repoint { connector: connector.clone(), to: name.map(TlsName::Exactly) };
    let carried = match connector {
        ConnectorRef::Send { name } => edge::carried_by(&organization, name),
        ConnectorRef::Hybrid {} | ConnectorRef::Receive { .. } => Vec::new(),
    };
    if !SimulatedOrganization::new(organization, driver.now()).holds(&given) {
        return Err(StepError::NotNamed { connector: connector.clone() });
    }
    for (_, by) in carried {
        driver.synchronize_edge(&by)?;
    }
    Ok(())
}

fn is_seen(organization: &Organization, connector: &ConnectorRef) -> bool {
    match connector {
        ConnectorRef::Send { .. } => organization.send_connectors.known().is_some(),
        ConnectorRef::Hybrid {} => organization.hybrid.known().is_some(),
        ConnectorRef::Receive { server, .. } => {
            let own = organization.servers.get(server);
            own.is_some_and(|own| own.receive_connectors.known().is_some())
        }
    }
}
