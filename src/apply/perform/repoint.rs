//! Connectors that get another certificate's name, and seeing that they have it.

use std::{collections::BTreeSet, time::Duration};

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
    for (edge, by) in carried {
        driver.synchronize_edge(&by)?;
        arrived(ports, connector, &edge, by)?;
    }
    Ok(())
}

/// Waits until an Edge server's own copy shows what its connectors were given, where somebody sees that copy: before, it sends as
/// ever, and a restart would change nothing (facts 10.1).
fn arrived(
    ports: &Ports<'_>,
    connector: &ConnectorRef,
    edge: &ServerName,
    by: ServerName,
) -> Result<(), StepError> {
    let ConnectorRef::Send { name } = connector else { return Ok(()) };
    let servers = BTreeSet::from([edge.clone()]);
    let mut pauses = CYCLE.iter();
    loop {
        // An Edge server that does not answer keeps nobody waiting: the cmdlet came to its end.
        let Ok(seen) = ports.driver.observe(Wanted::Servers(&servers)) else { return Ok(()) };
        if edge::behind(&seen.organization, edge).all(|(behind, _)| behind != name) {
            return Ok(());
        }
        let Some(pause) = pauses.next() else {
            return Err(StepError::EdgeBehind { connector: connector.clone(), edge: edge.clone(), by });
        };
        (ports.pause)(*pause);
    }
}

/// Longer than the three minutes after which `EdgeSync` brings what was changed by itself.
const CYCLE: [Duration; 4] =
    [Duration::from_secs(10), Duration::from_secs(30), Duration::from_secs(60), Duration::from_secs(120)];

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
